"""Where a redirect leads, read as requests will read it."""

from __future__ import annotations

from urllib.parse import urljoin, urlparse

import requests
from requests.utils import requote_uri


def redirect_target(response: requests.Response) -> str | None:
    """The URL that requests is going to follow, or None; the bare text where no URL can be read from it.

    Step by step what `requests.Session.resolve_redirects` does: the URL that is judged here has to be the
    one that is requested there.
    """
    if not response.is_redirect:
        return None
    location = response.headers["location"]
    try:
        location = location.encode("latin-1").decode()
        if location.startswith("//"):
            location = f"{urlparse(response.url).scheme}:{location}"
        parsed = urlparse(location)
        quoted = requote_uri(parsed.geturl())
        return quoted if parsed.netloc else urljoin(response.url, quoted)
    except ValueError:
        return location
