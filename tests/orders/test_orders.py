"""What the engine promises holds in every order of its threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from world import (
    ACCOUNT,
    FORBIDDEN,
    GOOD,
    Partner,
    Steady,
    account,
    every_order,
    many_orders,
    shaken,
    together,
)

from requests_partnerauth import HeaderPlacement, Token
from requests_partnerauth._http import refusal
from requests_partnerauth._http.guard import Guard, keep_from_foreigners
from requests_partnerauth._http.origins import Origins
from requests_partnerauth.caches import TokenCache


def test_cold() -> None:
    """Two threads that find no token: one login, and both have its token."""

    def model() -> None:
        partner, shared = Partner(), account()
        assert together(*[lambda: partner.call(shared)] * 2) == [True, True]
        assert partner.logins == 1

    every_order(model)


def test_three_cold() -> None:
    """Three as well."""

    def model() -> None:
        partner, shared = Partner(), account()
        assert together(*[lambda: partner.call(shared)] * 3) == [True] * 3
        assert partner.logins == 1

    many_orders(model)


def test_one_refused_token() -> None:
    """Two threads that are refused with one token: one login for both."""

    def model() -> None:
        partner, shared = Partner(), account()
        partner.call(shared)
        partner.live.clear()
        assert together(*[lambda: partner.call(shared)] * 2) == [True, True]
        assert partner.logins == 2

    every_order(model)
    many_orders(model)


def test_late_refusals() -> None:
    """Whoever is refused with a token that was replaced long ago is resent with the new one: no login."""

    def model() -> None:
        partner, shared = Partner(), account()
        partner.call(shared)
        stale = shared.current
        partner.live.clear()
        late = [lambda: partner.call(shared, signed=stale)] * 2
        assert together(lambda: partner.call(shared), *late) == [True] * 3
        assert partner.logins == 2

    many_orders(model)


def test_wrong_password() -> None:
    """However many ask, refused credentials are tried once."""

    def model() -> None:
        partner, shared = Partner(), account()
        partner.rejects = True
        assert together(*[lambda: partner.call(shared)] * 3) == [False] * 3
        assert not partner.call(shared)
        assert partner.logins == 1

    many_orders(model)


def test_forget_meets_a_login() -> None:
    """Whatever is forgotten while a login is under way does not come back, and the caller is served."""

    def model() -> None:
        partner, shared = Partner(), account()
        good, _ = together(lambda: partner.call(shared), shared.forget)
        assert good
        before = partner.logins
        shared.forget()
        assert partner.call(shared)
        assert partner.logins == before + 1

    every_order(model)


def test_preset_meets_a_login() -> None:
    """A token that is preset while a login is under way is the one that is used afterwards."""

    def model() -> None:
        partner, shared = Partner(), account()
        partner.live.add("preset")
        good, _ = together(lambda: partner.call(shared), lambda: shared.preset(Token("preset")))
        assert good
        assert shared.current is not None
        assert shared.current.value == "preset"
        assert partner.logins <= 1

    every_order(model)


def test_a_rejection_meets_forget() -> None:
    """A rejection that is forgotten while it comes is not remembered twice: the next login is tried."""

    def model() -> None:
        partner, shared = Partner(), account()
        partner.rejects = True
        together(lambda: partner.call(shared), shared.forget)
        shared.forget()
        partner.rejects = False
        assert partner.call(shared)

    every_order(model)


def test_refresh_ahead_meets_a_refusal() -> None:
    """A refusal while a refresh ahead is under way joins it: one login."""

    def model() -> None:
        clock = Steady()
        partner, shared = Partner(lifetime=100.0), account(clock=clock)
        partner.call(shared)
        clock.ahead = 85.0
        partner.live.clear()

        def ahead() -> None:
            shared.refresh_ahead(partner)

        good, _ = together(lambda: partner.call(shared), ahead)
        assert good
        assert partner.logins <= 3

    every_order(model)


def test_an_endpoint_that_always_refuses() -> None:
    """Two threads there: one login beyond the first, whoever is refused when; a third call costs none."""

    def model() -> None:
        partner, shared = Partner(), account()
        partner.call(shared)
        assert together(*[lambda: partner.call(shared, FORBIDDEN)] * 2) == [False, False]
        assert partner.logins == 2
        assert not partner.call(shared, FORBIDDEN)
        assert partner.call(shared, GOOD)
        assert partner.logins == 2

    every_order(model)


def test_good_and_forbidden_with_one_live_session() -> None:
    """Two good calls and a forbidden one, each login ending the session before: no good call is lost."""

    def model() -> None:
        partner, shared = Partner(one_session=True), account()
        partner.call(shared)
        good = [lambda: partner.call(shared)] * 2
        assert together(*good, lambda: partner.call(shared, FORBIDDEN)) == [True, True, False]
        assert partner.logins == 2

    many_orders(model)


def test_a_late_refusal_where_the_cache_was_away() -> None:
    """One of a cooling endpoint, and a real one of a good: one login, whose token no order of them drops."""

    def model() -> None:
        partner, cache = Partner(), Shared()
        place = shaken(partner, cache)
        before = partner.logins
        cache.delete("entries.token")
        partner.live.clear()
        partner.forbidden.clear()
        assert together(lambda: partner.call(place, FORBIDDEN), lambda: partner.call(place)) == [True, True]
        assert partner.logins == before + 1

    many_orders(model, 500, within=ACCOUNT)


def test_good_and_forbidden_with_one_live_session_where_the_cache_was_away() -> None:
    """Judging anew takes a login, which ends the good calls' session: none of them is lost, one is enough."""

    def model() -> None:
        partner, cache = Partner(one_session=True), Shared()
        place = shaken(partner, cache)
        before = partner.logins
        good = [lambda: partner.call(place)] * 2
        forbidden = [lambda: partner.call(place, FORBIDDEN)] * 2
        assert together(*good, *forbidden) == [True, True, False, False]
        assert partner.logins <= before + 1

    many_orders(model, 500)


def test_two_auths_with_one_store() -> None:
    """Two accounts in one process over one cache, as of two base classes: both are served."""

    def model() -> None:
        partner, cache = Partner(), Shared()
        places = [account(cache), account(cache)]
        assert together(*[lambda place=place: partner.call(place) for place in places]) == [True, True]
        assert partner.logins <= 2

    many_orders(model, 500)


def test_two_processes_on_one_cache() -> None:
    """Two processes, a lock between them: one login, and one more after a refusal that both meet."""

    def model() -> None:
        partner, cache = Partner(), Shared()
        places = [account(cache), account(cache)]
        assert together(*[lambda place=place: partner.call(place) for place in places]) == [True, True]
        assert partner.logins == 1
        partner.live.clear()
        assert together(*[lambda place=place: partner.call(place) for place in places]) == [True, True]
        assert partner.logins == 2

    many_orders(model, 500)


def test_a_request_that_leaves_home_gets_no_token_back() -> None:
    """One thread's redirect leads abroad, another hands its new token over: there is none on it."""

    def model() -> None:
        origins, placement = Origins("https://home.example", (), allow_http=False), HeaderPlacement("X-Token")
        request = requests.Request("GET", "https://home.example/").prepare()
        placement.place(request, "old")
        request.hooks = {"response": [Guard(placement, ["old"], None, origins)]}
        again = request.copy()
        placement.place(again, "new")
        again.hooks = {"response": [Guard(placement, ["new"], None, origins)]}
        abroad = requests.Response()
        abroad.status_code, abroad.request, abroad.url = 302, request, "https://home.example/"
        abroad.headers["location"] = "https://abroad.example/"
        together(
            lambda: keep_from_foreigners(request, abroad, origins),
            lambda: refusal._hand_over(again, request, is_redirected=True),
        )
        assert "X-Token" not in request.headers

    every_order(model, preemptions=2)


class Shared(TokenCache):
    """A place for two processes, with a lock between them. It is unsealed, which takes no time."""

    def __init__(self) -> None:
        import threading

        self._entries: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        return self._entries.get(key)

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        self._entries[key] = value

    def delete(self, key: str) -> None:
        self._entries.pop(key, None)

    @contextmanager
    def lock(self, key: str, limit: float = 30.0) -> Iterator[bool]:
        held = self._lock.acquire(timeout=limit)
        try:
            yield held
        finally:
            if held:
                self._lock.release()
