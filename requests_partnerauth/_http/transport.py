"""What carries a login: the user's own session, without what is the user's own in it."""

from __future__ import annotations

from collections import OrderedDict

import requests
from requests.cookies import RequestsCookieJar
from requests.hooks import default_hooks

from .line import Line, twin


def transport(session: requests.Session | None, line: Line) -> requests.Session:
    """A session for one login: a new one, or the user's without its auth, hooks, cookies and connections."""
    # Not copy.copy: a session pickles only what requests knows, and would lose a subclass's own attributes
    # and a get_adapter that a test library has put on this very object.
    own: requests.Session = requests.Session() if session is None else twin(session, type(session))
    own.auth = None
    own.hooks = default_hooks()
    own.cookies = RequestsCookieJar()
    own.adapters = OrderedDict((prefix, line.through(adapter)) for prefix, adapter in own.adapters.items())
    return own


def sends_by_itself(session: requests.Session) -> bool:
    """Whether nothing stands in for a session's `send`.

    What does may hold a lock of this thread: requests-mock has one from before a response hook until after.
    """
    return "send" not in vars(session) and requests.Session.send.__module__ == requests.sessions.__name__
