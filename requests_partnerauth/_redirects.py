"""Where a redirect leads, read as requests will read it."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import requests
from requests.utils import requote_uri


def redirect_target(response: requests.Response) -> str | None:
    """The URL that requests is going to follow, or None; the bare text where no URL can be read from it."""
    if not response.is_redirect:
        return None
    location = response.headers["location"]
    try:
        location = location.encode("latin-1").decode()
        if location.startswith("//"):
            location = f"{urlsplit(response.url).scheme}:{location}"
        quoted = requote_uri(location)
        return quoted if urlsplit(location).netloc else urljoin(response.url, quoted)
    except ValueError:
        return location
