"""What carries a login: the user's own session, without what is the user's own in it."""

from __future__ import annotations

import requests
from requests.cookies import RequestsCookieJar
from requests.hooks import default_hooks

_LIKE_A_SECRET = 16
_COMMON_HEADERS = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent"}
)


class transport:
    """A session for one login: the user's transport without its auth, hooks and cookies, or a new one."""

    def __init__(self, session: requests.Session | None) -> None:
        self._lent = session
        if session is None:
            self._session = requests.Session()
        else:
            # Not copy.copy: a session pickles only what requests knows, and would lose a subclass's own
            # attributes and a get_adapter that a test library has put on this very object.
            self._session = object.__new__(type(session))
            vars(self._session).update(vars(session))
        self._session.auth = None
        self._session.hooks = default_hooks()
        self._session.cookies = RequestsCookieJar()

    def __enter__(self) -> requests.Session:
        return self._session

    def __exit__(self, *_: object) -> None:
        if self._lent is None:
            self._session.close()


def in_headers_of(request: requests.PreparedRequest) -> list[str]:
    """What a login sends in headers of its own, an HMAC say: a reply may not bring it into a message."""
    values = [
        value if isinstance(value, str) else value.decode("latin-1")
        for name, value in request.headers.items()
        if name.lower() not in _COMMON_HEADERS
    ]
    return [part for value in values for part in value.split() if len(part) >= _LIKE_A_SECRET]


def sends_by_itself(session: requests.Session) -> bool:
    """Whether nothing stands in for a session's `send`.

    What does may hold a lock of this thread: requests-mock has one from before a response hook until after.
    """
    return "send" not in vars(session) and requests.Session.send.__module__ == requests.sessions.__name__
