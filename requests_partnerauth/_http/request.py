"""A request of a login or logout, made ready to be sent."""

from __future__ import annotations

from copy import copy

import requests
from requests.cookies import RequestsCookieJar, merge_cookies
from requests.structures import CaseInsensitiveDict
from requests.utils import default_headers

_DEFAULTS = {"Accept": "application/json, */*;q=0.5", "Accept-Encoding": "identity"}


def prepared(request: requests.Request, cookies: RequestsCookieJar) -> requests.PreparedRequest:
    """The request with these cookies beside its own, and the headers that it does not set itself."""
    request = copy(request)
    jar = merge_cookies(RequestsCookieJar(), cookies)
    request.cookies = merge_cookies(jar, request.cookies or {})
    ready = request.prepare()
    ready.headers = CaseInsensitiveDict({**default_headers(), **_DEFAULTS, **ready.headers})
    return ready
