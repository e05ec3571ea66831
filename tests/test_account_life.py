"""What an account remembers and hands on: refresh tokens, named times, secrets, granted origins, logout."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import multiprocessing
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from acme_service import AcmeAuth, AcmeService, acme_service
from fleet import Fleet
from manual_clock import ManualClock
from recording_server import Answer, recording_server
from together import Background, together

from requests_partnerauth import (
    FileTokenCache,
    ForeignOrigin,
    LoginRejected,
    LoginUnavailable,
    MemoryTokenCache,
    PartnerAuth,
    PartnerAuthError,
    Token,
)


@pytest.fixture
def service() -> Iterator[AcmeService]:
    """A partner with refresh tokens and a logout."""
    with acme_service() as service:
        yield service


def auth_for(service: AcmeService, **arguments: Any) -> AcmeAuth:
    """An auth with a memory of its own, unless told otherwise."""
    return AcmeAuth(**{"base_url": service.url, "cache": MemoryTokenCache(), **arguments})


def call(service: AcmeService, auth: PartnerAuth) -> int:
    """The status of one call."""
    return requests.get(f"{service.url}/api", auth=auth, timeout=30).status_code


def test_a_refusal_is_answered_by_the_refresh_token(service: AcmeService) -> None:
    """One login, then a refresh for each expiry, each with the refresh token that the one before gave."""
    auth = auth_for(service)
    for _ in range(4):
        assert together(8, lambda number: call(service, auth)) == [200] * 8
        service.revoke()
    assert (service.count["/login"], service.count["/refresh"], service.reused) == (1, 3, [])


def test_a_partner_that_does_not_rotate(service: AcmeService) -> None:
    """Where a refresh brings no refresh token, the old one is carried over."""
    service.rotates = False
    auth = auth_for(service)
    for _ in range(4):
        assert call(service, auth) == 200
        service.revoke()
    assert (service.count["/login"], service.count["/refresh"]) == (1, 3)


def test_an_end_is_met_by_the_refresh_token_too(
    service: AcmeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that has ended is the previous one all the same, also in a shared cache long afterwards."""
    clock = ManualClock()
    clock.set_wall_back(1_800_000_000.0 - time.time() + 10_000.0)
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    service.lifetime = 100.0
    auth = auth_for(service)
    assert call(service, auth) == 200
    clock.advance(7 * 86_400.0)
    assert call(service, auth) == 200
    assert (service.count["/login"], service.count["/refresh"]) == (1, 1)


@pytest.mark.parametrize("answer", [Answer(400), Answer(401), Answer(200, {}, b"<html>no</html>")])
def test_a_refused_refresh_is_no_refusal_of_the_credentials(service: AcmeService, answer: Answer) -> None:
    """Whatever a refresh is answered by, the full login follows in the same flight."""
    auth = auth_for(service)
    call(service, auth)
    service.answers["/refresh"] = lambda heard: answer
    service.revoke()
    assert together(8, lambda number: call(service, auth)) == [200] * 8
    assert (service.count["/login"], service.count["/refresh"]) == (2, 1)


def test_a_refresh_token_that_may_be_used_up_is_not_sent_again(service: AcmeService) -> None:
    """After a 503 in answer to it the flow begins anew without it, and so does every later one."""
    auth = auth_for(service)
    call(service, auth)
    service.answers["/refresh"] = lambda heard: Answer(503)
    service.answers["/login"] = lambda heard: Answer(503)
    service.revoke()
    for _ in range(2):
        with pytest.raises(LoginUnavailable):
            call(service, auth)
    assert service.count["/refresh"] == 1
    service.answers.clear()
    assert call(service, auth) == 200
    assert service.count["/refresh"] == 1


def test_forget_and_logout_leave_no_refresh_token(service: AcmeService) -> None:
    """After either, the next login is by password."""
    auth = auth_for(service)
    for logins, leave in enumerate((auth.forget, auth.logout), 2):
        call(service, auth)
        leave()
        call(service, auth)
        assert (service.count["/login"], service.count["/refresh"]) == (logins, 0)


@pytest.mark.slow
def test_four_processes_use_no_refresh_token_twice(service: AcmeService, tmp_path: Path) -> None:
    """Rotating refresh tokens in a file cache: each is sent once, whoever is refused."""
    auth = auth_for(service, cache=FileTokenCache(tmp_path / "tokens"))
    with Fleet(auth, f"{service.url}/api", processes=4, threads=4) as fleet:
        for _ in range(4):
            fleet.order("calls", 3)
            assert fleet.answers() == {"good": 48}
            service.revoke()
    assert (service.count["/login"], service.count["/refresh"], service.reused) == (1, 3, [])


def test_two_auths_use_no_refresh_token_twice(service: AcmeService, tmp_path: Path) -> None:
    """Two auth objects as of two processes, by turns: what one has used up the other does not send."""
    auths = [auth_for(service, cache=FileTokenCache(tmp_path / "tokens")) for _ in range(2)]
    for turn in range(6):
        # A token of the other's, dead as well, may come first: it says nothing about this one's endpoint.
        assert 200 in (call(service, auths[turn % 2]), call(service, auths[turn % 2]))
        service.revoke()
    assert (service.count["/login"], service.reused) == (1, [])


def test_without_the_lock_no_refresh_token_is_sent(service: AcmeService, tmp_path: Path) -> None:
    """Where the cache's lock can't be had, the login is by password: the other may be in use."""

    class Lockless(FileTokenCache):
        def lock(self, key: str, limit: float = 30.0) -> Any:
            raise OSError("no locks here")

    auth = auth_for(service, cache=Lockless(tmp_path / "tokens"))
    call(service, auth)
    service.revoke()
    assert call(service, auth) == 200
    assert (service.count["/login"], service.count["/refresh"]) == (2, 0)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (Answer(429), 10.0),
        (Answer(429, {"Retry-After": "120"}), 120.0),
        (Answer(503, {"Retry-After": "5000"}), 600.0),
    ],
)
def test_a_partner_that_named_a_time_is_not_asked_before(
    service: AcmeService, monkeypatch: pytest.MonkeyPatch, answer: Answer, seconds: float
) -> None:
    """20 calls make one attempt; each error says how long it still is, and then it is tried again."""
    clock = ManualClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    auth = auth_for(service)
    service.answers["/login"] = lambda heard: answer
    for _ in range(20):
        with pytest.raises(LoginUnavailable) as caught:
            call(service, auth)
    assert service.count["/login"] == 1
    assert caught.value.retry_after == pytest.approx(seconds)
    clock.advance(seconds - 1.0)
    with pytest.raises(LoginUnavailable) as caught:
        auth.token()
    assert caught.value.retry_after == pytest.approx(1.0)
    service.answers.clear()
    clock.advance(1.1)
    assert call(service, auth) == 200
    assert service.count["/login"] == 2


def test_forget_ends_a_named_time(service: AcmeService) -> None:
    """Whoever knows better may ask at once."""
    auth = auth_for(service)
    service.answers["/login"] = lambda heard: Answer(429)
    with pytest.raises(LoginUnavailable):
        auth.token()
    service.answers.clear()
    auth.forget()
    assert call(service, auth) == 200


def test_a_new_secret_is_tried_at_once(service: AcmeService) -> None:
    """Where the secret of a living auth changes, its remembered rejection is another's."""
    auth = auth_for(service, password="wrong")
    for _ in range(2):
        with pytest.raises(LoginRejected):
            call(service, auth)
    auth.secret = service.password
    assert call(service, auth) == 200
    assert service.count["/login"] == 2


def test_a_secret_from_a_vault_is_read_for_each_login(service: AcmeService) -> None:
    """A property that reads a vault: the password is rotated there, and the next login uses the new one."""
    vault = {"password": service.password}

    class VaultAuth(AcmeAuth):
        secret = property(lambda self: vault["password"], lambda self, value: None)  # type: ignore[assignment]

        def refresh_request(self, token: Token) -> None:
            return None

    auth = VaultAuth(base_url=service.url, cache=MemoryTokenCache())
    assert call(service, auth) == 200
    vault["password"] = service.password = "rotated password"
    service.revoke()
    assert call(service, auth) == 200
    assert service.count["/login"] == 2


def test_logout_tells_the_partner_once(service: AcmeService) -> None:
    """The token is dropped and the partner told; who shares it is refused once, and logs in."""
    cache = MemoryTokenCache()
    with auth_for(service, cache=cache) as auth:
        assert call(service, auth) == 200
    assert service.count["/logout"] == 1
    auth.logout()
    assert service.count["/logout"] == 1
    assert call(service, auth_for(service, cache=cache)) == 200
    assert service.count["/login"] == 2


@pytest.mark.parametrize("answer", [Answer(500), Answer(0)])
def test_a_partner_that_does_not_answer_a_logout(
    service: AcmeService, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    """It is one line in the log, and no error; the token is gone all the same."""
    auth = auth_for(service)
    call(service, auth)
    service.answers["/logout"] = lambda heard: answer
    with caplog.at_level(logging.INFO, "requests_partnerauth"):
        auth.logout()
    assert len([record for record in caplog.records if "logout" in record.getMessage()]) == 1
    assert service.count["/logout"] == 1
    call(service, auth)
    assert service.count["/login"] == 2


def test_a_remembered_rejection_outlives_a_logout(service: AcmeService) -> None:
    """Logging out is no reason to try a refused password again."""
    auth = auth_for(service, password="wrong")
    for leave in (auth.logout, auth.logout):
        with pytest.raises(LoginRejected):
            auth.token()
        leave()
    assert service.count["/login"] == 1


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_what_else_a_login_gave_is_a_secret_from_16_characters_on(
    service: AcmeService, is_forgotten: bool
) -> None:
    """A refusal that repeats texts of the last token's details: the longer is hidden, the shorter stays."""

    class DetailedAuth(AcmeAuth):
        def parse_login(self, response: requests.Response) -> Token:
            token = super().parse_login(response)
            return Token(token.value, details={"more": [{"second": "sixteen-letters!"}, "fifteen-letters"]})

    auth = DetailedAuth(base_url=service.url, cache=MemoryTokenCache())
    assert call(service, auth) == 200
    service.revoke()
    if is_forgotten:
        auth.forget()
    words = b'{"error": "no to fifteen-letters and sixteen-letters!"}'
    service.answers["/login"] = lambda heard: Answer(401, {"Content-Type": "application/json"}, words)
    with pytest.raises(LoginRejected) as caught:
        call(service, auth)
    assert "fifteen-letters" in str(caught.value)
    assert "sixteen-letters!" not in str(caught.value)


def test_origins_that_the_login_names(service: AcmeService) -> None:
    """They see the token as long as it is the current one; the new token decides about its own."""
    with recording_server() as other, recording_server() as later:
        granted = [f"{other.url}/some/path?x=1", "http://elsewhere.example", "no url", 7]

        class GrantingAuth(AcmeAuth):
            def granted_origins(self, token: Token) -> Iterable[Any]:
                return granted

        auth = GrantingAuth(base_url=service.url, cache=MemoryTokenCache())
        with pytest.raises(ForeignOrigin):
            requests.get(f"{other.url}/x", auth=auth)
        assert service.count["/login"] == 0
        token = auth.token().value
        assert requests.get(f"{other.url}/x", auth=auth).status_code == 200
        assert other.heard[-1].header("X-Acme-Token") == token
        for url in (f"{later.url}/x", "http://elsewhere.example/x"):
            with pytest.raises(ForeignOrigin):
                requests.get(url, auth=auth)
        auth.forget()
        granted[:] = [later.url]
        with pytest.raises(ForeignOrigin):
            requests.get(f"{other.url}/x", auth=auth)
        assert later.heard == []


def test_whoever_a_login_calls_back_does_not_wait_for_itself(service: AcmeService) -> None:
    """A logging handler, an adapter, the flow itself: each gets an error at once, and the login goes on."""
    met: list[type[BaseException]] = []

    def ask() -> None:
        try:
            auth.token()
        except PartnerAuthError as error:
            met.append(type(error))

    class AskingAuth(AcmeAuth):
        def login_request(self) -> requests.Request:
            ask()
            return super().login_request()

    class AskingHandler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            ask()

    class AskingAdapter(requests.adapters.HTTPAdapter):
        def send(self, *args: Any, **options: Any) -> requests.Response:
            ask()
            return super().send(*args, **options)

    lent = requests.Session()
    lent.mount("http://", AskingAdapter())
    auth = AskingAuth(base_url=service.url, cache=MemoryTokenCache(), login_session=lent)
    logger, handler = logging.getLogger("requests_partnerauth._http"), AskingHandler(logging.DEBUG)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        assert Background(lambda: call(service, auth)).result() == 200
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
    assert len(met) >= 3
    assert set(met) == {PartnerAuthError}
    assert service.count["/login"] == 1


def test_a_login_may_ask_for_another_accounts_token(service: AcmeService) -> None:
    """One account's login that needs the token of another gets it."""
    other = auth_for(service)

    class NeedyAuth(AcmeAuth):
        def login_request(self) -> requests.Request:
            other.token()
            return super().login_request()

    assert call(service, NeedyAuth(base_url=service.url, cache=MemoryTokenCache())) == 200
    assert service.count["/login"] == 2


def test_a_cache_that_asks_for_the_token_it_is_to_give(service: AcmeService, tmp_path: Path) -> None:
    """Its `get` meets an error, which makes it a cache that is down; the call is served all the same."""

    class Asking(FileTokenCache):
        def get(self, key: str) -> bytes | None:
            auth.token()
            return super().get(key)

    auth = auth_for(service, cache=Asking(tmp_path / "tokens"))
    assert Background(lambda: call(service, auth)).result() == 200
    assert service.count["/login"] == 1


def test_a_cache_that_asks_for_a_token_that_is_to_be_forgotten(service: AcmeService, tmp_path: Path) -> None:
    """Outside of a login too, a word of the account's cache that asks for its token gets an error."""

    class Asking(FileTokenCache):
        def get(self, key: str) -> bytes | None:
            auth.token()
            return super().get(key)

    auth = auth_for(service, cache=Asking(tmp_path / "tokens"))
    assert Background(auth.forget).result() is None
    assert service.count["/login"] == 0


def test_a_lock_that_asks_for_the_token_it_locks_for(service: AcmeService, tmp_path: Path) -> None:
    """It gets an error at once, in the thread of its own too; the login goes on."""
    errors: list[str] = []

    class Asking(FileTokenCache):
        @contextmanager
        def lock(self, key: str, limit: float = 30.0) -> Iterator[bool]:
            try:
                auth.token()
            except PartnerAuthError as error:
                errors.append(str(error))
            with super().lock(key, limit) as held:
                yield held

    auth = auth_for(service, cache=Asking(tmp_path / "tokens"), login_timeout=(3, 3))
    assert Background(lambda: call(service, auth)).result() == 200
    assert errors == ["the login of this account asks for the very token that it is to give"]
    assert service.count["/login"] == 1


@pytest.mark.parametrize("how", ["a timer", "a context"])
def test_what_a_login_left_behind_may_log_in_later(service: AcmeService, how: str) -> None:
    """An asyncio timer set in a login, or a context taken there for a thread, gets a token after it."""
    loop, contexts = asyncio.new_event_loop(), list[contextvars.Context]()
    later: asyncio.Future[int] = loop.create_future()

    def ask() -> None:
        try:
            later.set_result(call(service, auth))
        except PartnerAuthError as error:
            later.set_exception(error)

    class Leaving(AcmeAuth):
        def login_request(self) -> requests.Request:
            if not contexts:
                contexts.append(contextvars.copy_context())
                loop.call_later(0, ask)
            return super().login_request()

    auth = Leaving(base_url=service.url, cache=MemoryTokenCache())
    with contextlib.closing(loop):
        assert call(service, auth) == 200
        auth.forget()
        if how == "a timer":
            assert loop.run_until_complete(later) == 200
        else:
            assert Background(lambda: contexts[0].run(call, service, auth)).result() == 200
    assert service.count["/login"] == 2


class TimeIsUp(Exception):
    """As a task queue's soft time limit: an `Exception`, thrown in by a signal's handler."""


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="this system has no alarm")
@pytest.mark.parametrize("waits", ["itself", "for another"])
def test_what_a_signal_throws_in_reaches_the_caller(service: AcmeService, waits: str) -> None:
    """During a login of its own or another thread's; nobody waits for that login, and the next call works."""
    go_on = threading.Event()

    def hold(heard: object) -> None:
        go_on.wait(60)

    def throw(*_: object) -> None:
        raise TimeIsUp

    auth = auth_for(service)
    service.answers["/login"] = hold
    others = [Background(lambda: call(service, auth))] if waits == "for another" else []
    while others and not service.count["/login"]:
        others[0]._thread.join(0.01)
    before = signal.signal(signal.SIGALRM, throw)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(TimeIsUp):
            call(service, auth)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        service.answers.clear()
    if waits == "itself":
        assert call(service, auth) == 200
    go_on.set()
    assert [other.result() for other in others] == [200] * len(others)


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="this system has no alarm")
def test_an_oserror_that_a_signal_throws_in_is_no_outage(service: AcmeService) -> None:
    """Not even where a lent session's `send` is its own, whose own such errors are."""

    def throw(*_: object) -> None:
        raise TimeoutError("the time is up")

    def wait(*_: object, **__: object) -> None:
        threading.Event().wait(60)

    before = signal.signal(signal.SIGALRM, throw)
    try:
        with requests.Session() as lent:
            vars(lent)["send"] = wait
            auth = auth_for(service, login_session=lent)
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(TimeoutError, match="the time is up"):
                call(service, auth)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert call(service, auth_for(service)) == 200


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="this system has no alarm")
def test_forget_in_a_signal_handler_never_hangs(service: AcmeService) -> None:
    """Wherever it strikes, inside the engine's short locked sections too, `forget()` comes back."""
    auth, strikes = auth_for(service), [0]

    def strike(*_: object) -> None:
        strikes[0] += 1
        auth.forget()

    before = signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    try:
        while strikes[0] < 200:
            auth.preset("PRESET")
            auth.forget()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert call(service, auth) == 200


def test_the_earlier_end_of_two_clocks_holds(service: AcmeService, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stood still for two hours by the steady clock sends no token that has ended."""
    clock = ManualClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    service.lifetime = 600.0
    auth = auth_for(service, resend=False)
    auth.preset("PRESET", expires_at=clock.wall() + 600.0)
    clock.set_wall_back(-7200.0)
    assert call(service, auth) == 200
    assert service.count["/login"] == 1


def test_a_rejection_is_not_prolonged_by_the_wall_clock(
    service: AcmeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set back by an hour, it makes a rejection last no longer: kept here, or read in a cache."""
    clock = ManualClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    one, other = (
        auth_for(service, password="wrong", cache=FileTokenCache(tmp_path / "tokens")) for _ in range(2)
    )
    with pytest.raises(LoginRejected):
        one.token()
    clock.set_wall_back(3600.0)
    for _ in range(3):
        with pytest.raises(LoginRejected):
            other.token()
        clock.advance(99.0)
    assert service.count["/login"] == 1
    clock.advance(5.0)
    with pytest.raises(LoginRejected):
        other.token()
    assert service.count["/login"] == 2


def test_the_wall_clock_set_back_prolongs_no_rejection_where_it_was_met(
    service: AcmeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever saw the rejection and kept it tries again after its 300 s by the steady clock."""
    clock = ManualClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    auth = auth_for(service, password="wrong", cache=FileTokenCache(tmp_path / "tokens"))
    with pytest.raises(LoginRejected):
        auth.token()
    clock.set_wall_back(3600.0)
    for past, logins in ((299.0, 1), (2.0, 2)):
        clock.advance(past)
        with pytest.raises(LoginRejected):
            auth.token()
        assert service.count["/login"] == logins


def test_the_wall_clock_set_forward_ends_no_rejection(
    service: AcmeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry that ended as the clock was set was forgotten by nobody: the password stays here."""
    clock = ManualClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    monkeypatch.setattr(time, "time", clock.wall)
    auth = auth_for(service, password="wrong", cache=FileTokenCache(tmp_path / "tokens"))
    for set_back in (0.0, -3600.0, 3600.0, -7200.0):
        clock.set_wall_back(set_back)
        with pytest.raises(LoginRejected):
            auth.token()
        assert service.count["/login"] == 1
    clock.advance(301.0)
    with pytest.raises(LoginRejected):
        auth.token()
    assert service.count["/login"] == 2


def test_a_hanging_cache_holds_no_call_up(service: AcmeService, tmp_path: Path) -> None:
    """A cache whose every word hangs is given up after a second, and left alone for a while."""
    hangs, words = threading.Event(), []

    class Hanging(FileTokenCache):
        def get(self, key: str) -> bytes | None:
            words.append(key)
            hangs.wait(60)
            return None

    auth = auth_for(service, cache=Hanging(tmp_path / "tokens"))
    started = time.monotonic()
    for _ in range(5):
        assert call(service, auth) == 200
        service.revoke()
    assert time.monotonic() - started < 30
    assert len(words) == 1
    hangs.set()


def test_a_token_from_another_process_ends_the_wait_for_its_lock(
    service: AcmeService, tmp_path: Path
) -> None:
    """Whoever waits for the lock looks for the token meanwhile, and goes on as soon as it is there."""
    here, there = (auth_for(service, cache=FileTokenCache(tmp_path / "tokens")) for _ in range(2))
    store = there._shared_account()._store
    with store.lock(60):
        waiting = Background(lambda: call(service, here))
        there.preset("PRESET")
        service.live.add("PRESET")
        assert waiting.result() == 200
    assert service.count["/login"] == 0


def test_spawned_tasks_share_a_memory_cache_that_they_were_sent(service: AcmeService) -> None:
    """20 tasks in two processes, each with its own pickled copy: a login for each process."""
    auth = auth_for(service)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(_task, [(auth, f"{service.url}/api")] * 20, chunksize=1) == [200] * 20
    assert service.count["/login"] <= 2


def _task(task: tuple[PartnerAuth, str]) -> int:
    auth, url = task
    return requests.get(url, auth=auth, timeout=30).status_code
