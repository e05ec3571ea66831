"""What was placed in a request, how it comes off again, and that it never goes abroad."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import requests

from .._engine.locks import ForkSafeLock
from .._placement._base import Placement
from .redirects import redirect_target

handing_over = ForkSafeLock()
"""Held while a request that may be shared by threads gets a token, or loses it on its way abroad."""

_LEAVES = "_partnerauth_leaves"


class Home(Protocol):
    """The origins that may see a token."""

    @abstractmethod
    def include(self, url: str) -> bool:
        """Whether what is sent to this URL may carry the token."""


class Guard:
    """The hook that takes a token off before a redirect leads abroad.

    It goes along with a signed request, into pickles too, and knows nothing that the request does not hold.

    Args:
        placement: Where the token was placed.
        values: The token, and what else went along with it.
        mark: What undoes the placing.
        home: The origins that may see it.
    """

    __slots__ = ("home", "mark", "placement", "values")

    def __init__(self, placement: Placement, values: tuple[str, ...], mark: Any, home: Home) -> None:
        self.placement = placement
        self.values = values
        self.mark = mark
        self.home = home

    def __call__(self, response: requests.Response, **_: Any) -> requests.Response | None:
        if self.home.include(response.request.url or ""):
            keep_from_foreigners(response.request, response, self.home)
        return None

    def remove(self, request: requests.PreparedRequest) -> None:
        """Make the request what it was before this token was placed."""
        self.placement.remove(request, self.mark)


def guards_of(request: requests.PreparedRequest) -> list[Guard]:
    """What was placed in a request, by its hooks."""
    return [hook for hook in request.hooks["response"] if isinstance(hook, Guard)]


def not_ours(hooks: Iterable[Any]) -> list[Any]:
    """The hooks that are the user's own, or another auth's."""
    return [hook for hook in hooks if not isinstance(hook, Guard)]


def may_be_handed_a_token(request: requests.PreparedRequest) -> bool:
    """Whether this request has not led abroad yet. Under `handing_over`."""
    return not hasattr(request, _LEAVES)


def sent_on(request: requests.PreparedRequest, response: requests.Response) -> list[requests.PreparedRequest]:
    """What the next hop may be built from: the request, and those that another auth answered a copy of.

    Digest sends a copy of what was challenged; requests goes on with the one it has itself sent.
    """
    earlier = (each.request for each in response.history)
    return list({id(each): each for each in (request, *earlier)}.values())


def keep_from_foreigners(
    request: requests.PreparedRequest,
    response: requests.Response,
    home: Home,
    lately: Callable[[], Iterable[str]] = tuple,
) -> None:
    """The next hop is built from this request: where it leaves the partner, it takes no token along.

    It gets none back: another thread that sends the same request could place one before the hop is built.

    Args:
        request: What is sent on.
        response: The redirect.
        home: The origins that may see its token.
        lately: Gives further tokens that the redirect may repeat: one that came while it was on its way, say.
    """
    target = redirect_target(response)
    if target is None or home.include(target):
        return
    # Imported when it is first used: it is large, and hardly a request leads abroad.
    from .scrub import erase_from_url

    values = [*lately()]
    with handing_over():
        for each in sent_on(request, response):
            setattr(each, _LEAVES, True)
            for guard in guards_of(each):
                values += guard.values
                guard.remove(each)
    # What was resent may carry a newer one: a request that led abroad before is given none.
    for guard in guards_of(response.request):
        values += guard.values
    location = erase_from_url(response.headers.pop("location"), values)
    if location is not None:
        response.headers["location"] = location
