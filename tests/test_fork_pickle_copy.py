"""Sessions with an auth can be pickled, copied and forked, and each copy works on its own."""

from __future__ import annotations

import copy
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import requests
from conftest import make_auth
from held import Held
from manual_clock import ManualClock, join_refreshes
from together import Background, is_good, together

from requests_partnerauth import BexAuth, FileTokenCache, MemoryTokenCache, PartnerAuth
from requests_partnerauth._engine.locks import ForkSafeLock
from requests_partnerauth.simulator import Call, PartnerSimulator, Reply, SimulatedPartner

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


def in_a_child(action: Callable[[], bool]) -> bool:
    """Whether the action gives True in a forked child, which is ended when it takes too long."""
    return is_well(forked(action))


def forked(action: Callable[[], bool]) -> int:
    """The pid of a child that ends well if the action gives True."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 warns of threads, which are the point
        child = os.fork()
    if child == 0:
        signal.alarm(20)
        status = 1
        try:
            status = 0 if action() else 2
        finally:
            os._exit(status)
    return child


def is_well(child: int) -> bool:
    """Whether a child has ended well."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def round_trip(thing: Any, how: str) -> Any:
    if how == "pickle":
        return pickle.loads(pickle.dumps(thing))
    return copy.deepcopy(thing) if how == "deepcopy" else copy.copy(thing)


@pytest.mark.parametrize("how", ["pickle", "deepcopy", "copy"])
def test_a_copied_session_works(partner: SimulatedPartner, session: requests.Session, how: str) -> None:
    """A session in use comes out of a pickle or a copy without token and locks, and heals like the first."""
    session.auth = make_auth(partner)
    assert is_good(session.get(f"{partner.base_url}/echo"))
    token = session.auth.token().value
    assert token.encode() not in pickle.dumps(session)
    with round_trip(session, how) as copied:
        assert type(copied.auth) is type(session.auth)
        assert copied.auth is not session.auth or how == "copy"
        assert is_good(copied.get(f"{partner.base_url}/echo"))
        partner.revoke()
        assert all(map(is_good, together(8, lambda number: copied.get(f"{partner.base_url}/echo"))))
    assert is_good(session.get(f"{partner.base_url}/echo"))


def test_what_was_pickled_while_logged_out_logs_in(partner: SimulatedPartner) -> None:
    """A copy of an auth that never logged in, used by 16 threads, logs in once."""
    auth = pickle.loads(pickle.dumps(make_auth(partner)))
    assert all(map(is_good, together(16, lambda number: requests.get(f"{partner.base_url}/echo", auth=auth))))
    assert partner.login_attempts == 1


def test_a_deepcopy_shares_the_token(partner: SimulatedPartner) -> None:
    """A copy in the same process has the same cache, so it logs in no second time."""
    auth = make_auth(partner)
    assert copy.deepcopy(auth).token() is auth.token()
    assert partner.login_attempts == 1


def test_the_default_cache_stays_the_default_in_a_pickle(simulator: PartnerSimulator) -> None:
    """An auth on the process-wide cache comes out of a pickle on the process-wide cache."""
    partner = simulator.bex
    auth = BexAuth(**partner.credentials)
    auth.token()
    assert pickle.loads(pickle.dumps(auth)).token().value == partner.issued[0]
    assert partner.login_attempts == 1
    auth.forget()


def test_arguments_survive(simulator: PartnerSimulator) -> None:
    """Cooldowns, origins and the rest are the copy's too."""
    partner = simulator.rp_gateway
    auth = make_auth(
        partner,
        resend=False,
        refresh_cooldown=7,
        rejection_cooldown=8,
        login_timeout=(1, 2),
        login_session=requests.Session(),
    )
    twin = pickle.loads(pickle.dumps(auth))
    assert repr(twin) == repr(auth)
    assert (twin._may_resend, twin._refresh_cooldown) == (False, 7)
    assert (twin._log_in.rejection_cooldown, twin._log_in.limit) == (8, 3)
    assert is_good(requests.get(f"{partner.base_url}/echo", auth=twin))


@needs_fork
@pytest.mark.parametrize("cache", ["memory", "default"])
def test_a_child_forked_during_a_login_completes(simulator: PartnerSimulator, cache: str) -> None:
    """While another thread logs in, a forked child logs in by itself and does not hang."""
    partner = simulator.fiserv_boarding
    arguments = {"cache": MemoryTokenCache()} if cache == "memory" else {}
    auth: PartnerAuth = make_auth(partner, **arguments)
    held = Held(partner)
    hanging = Background(auth.token)
    waiting = Background(auth.token)
    held.wait()
    assert in_a_child(lambda: is_good(requests.get(f"{partner.base_url}/echo", auth=auth, timeout=10)))
    assert hanging.is_running
    held.let_go()
    assert hanging.result() is waiting.result()
    assert partner.login_attempts == 2
    auth.forget()


@needs_fork
def test_a_child_has_the_parents_token(partner: SimulatedPartner) -> None:
    """A child uses the token that was there at the fork, heals by itself, and leaves the parent as it is."""
    auth = make_auth(partner)
    auth.token()

    def child() -> bool:
        good = is_good(requests.get(f"{partner.base_url}/echo", auth=auth, timeout=10))
        return good and not is_good(requests.get(f"{partner.base_url}/always-refuse", auth=auth, timeout=10))

    assert in_a_child(child)
    assert partner.logins == 2
    assert is_good(requests.get(f"{partner.base_url}/echo", auth=auth))


@needs_fork
def test_children_log_in_over_no_connection_of_the_parents(partner: SimulatedPartner) -> None:
    """A lent session that holds a connection at the fork: two children at once log in, each over its own."""
    with requests.Session() as lent:
        lent.get(f"{partner.base_url}/echo")
        pools = lent.get_adapter(partner.base_url).poolmanager.pools
        (pool,) = [pools[key] for key in pools.keys()]  # noqa: SIM118
        auth = make_auth(partner, login_session=lent, cache=MemoryTokenCache())
        partner.login_delay = 0.2

        def child() -> bool:
            return bool(auth.token().value) and pool.num_requests == 1

        children = [forked(child) for _ in range(2)]
        assert [is_well(each) for each in children] == [True, True]
        assert partner.logins == 2
        lent.get(f"{partner.base_url}/echo")
        assert (pool.num_connections, pool.num_requests) == (1, 2)


@needs_fork
@pytest.mark.skipif(sys.platform == "darwin", reason="macOS frameworks do not survive forks under load")
def test_children_forked_under_load_complete() -> None:
    """Twenty children, forked while eight threads log in, wait and forget, all finish their request."""
    program = Path(__file__).with_name("forks_under_load.py")
    done = subprocess.run([sys.executable, program, "20"], timeout=100, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("cache", ["memory", "file"])
def test_an_auth_in_use_imports_nothing(partner: SimulatedPartner, tmp_path: Path, cache: str) -> None:
    """All is imported once an auth is built: a child forked during an import waits for its end for ever."""
    program = Path(__file__).with_name("imports_in_use.py")
    command = [sys.executable, program, partner.name, f"file:{tmp_path}" if cache == "file" else cache]
    arguments = json.dumps(partner.credentials)
    done = subprocess.run(command, input=arguments, capture_output=True, text=True, timeout=100, check=True)
    # From CPython 3.15 on filelock has lazy imports of its own.
    assert [name for name in done.stdout.split() if not name.startswith("filelock.")] == []
    assert partner.logins > 1, "the auth was used"


def test_an_auth_out_of_a_pickle_has_imported_what_seals(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """As one that was built here: its first login in a worker imports nothing."""
    code = "import pickle, sys; pickle.loads(bytes.fromhex(sys.argv[1])); print(*sys.modules)"
    kept = pickle.dumps(make_auth(simulator.bex, cache=FileTokenCache(tmp_path))).hex()
    done = subprocess.run([sys.executable, "-c", code, kept], capture_output=True, text=True, check=True)
    assert "requests_partnerauth.caches._sealing" in done.stdout.split()


@needs_fork
def test_a_lock_held_at_the_fork_is_free_in_the_child() -> None:
    """The engine's lock, held by a thread of the parent's, keeps no child out."""
    lock = ForkSafeLock()
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with lock():
            held.set()
            let_go.wait(30)

    def use() -> bool:
        with lock():
            return True

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert held.wait(60)
        assert in_a_child(use)
    finally:
        let_go.set()
        holder.join()
    assert use()


class Shelf:
    """A cache of a user's own: the four words, and nothing of this library's."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self.kept.get(key)

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        self.kept[key] = value

    def delete(self, key: str) -> None:
        self.kept.pop(key, None)

    @contextmanager
    def lock(self, key: str, limit: float = 30.0) -> Iterator[bool]:
        yield True


@pytest.mark.parametrize("how", ["pickle", "deepcopy"])
def test_a_copied_session_works_with_a_cache_of_ones_own(
    simulator: PartnerSimulator, session: requests.Session, how: str
) -> None:
    """What the engine shares by such a cache in this process is in no copy of it."""
    partner = simulator.bex
    session.auth = make_auth(partner, cache=Shelf())
    assert is_good(session.get(f"{partner.base_url}/echo"))
    with round_trip(session, how) as copied:
        assert is_good(copied.get(f"{partner.base_url}/echo"))
    assert partner.logins == 1, "the copied shelf holds the token"


def test_a_copy_with_another_account_logs_in_as_that(simulator: PartnerSimulator) -> None:
    """`copy.copy(auth)` is an auth of its own: given another user, it logs in as that one."""
    partner = simulator.bex
    partner.add_account(username="other-user", password="another-word")
    auth = make_auth(partner)
    auth.token()
    other = copy.copy(auth)
    other.username, other.secret, other.account = "other-user", "another-word", "other-user"
    other.token()
    names = [json.loads(call.body)["username"] for call in partner.login_calls]
    assert names == [auth.username, "other-user"]


@needs_fork
def test_a_child_forked_during_a_refresh_ahead_does_its_own(
    simulator: PartnerSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parent's refresh never ends in the child: a request there starts one, and waits for none."""
    clock = ManualClock()
    monkeypatch.setattr(PartnerAuth, "_clock", clock)
    partner = simulator.fiserv_partner
    auth = make_auth(partner)
    auth.token()
    clock.advance(30 * 60 - 30)
    held = Held(partner)
    auth.token()
    held.wait()

    def refresh() -> bool:
        clock.advance(11)
        before = auth.token()
        join_refreshes()
        return auth.token() != before

    try:
        assert in_a_child(refresh)
    finally:
        held.let_go()
        join_refreshes()
    assert partner.logins == 3


@needs_fork
def test_a_child_forked_during_a_resend_waits_for_nobody(
    simulator: PartnerSimulator, session: requests.Session
) -> None:
    """The parent's resend never ends in the child: a refusal there is answered by a login at once."""
    partner, on_its_way, go_on = simulator.fiserv_partner, threading.Event(), threading.Event()
    session.auth = make_auth(partner)
    session.auth.token()

    def hold(call: Call) -> Reply | None:
        if call.headers["Authorization"] == partner.issued[0]:
            return partner.expiry_signals["status"]()
        on_its_way.set()
        go_on.wait(60)
        return None

    partner.answer("/slow", hold)
    resending = Background(lambda: session.get(f"{partner.base_url}/slow"))
    assert on_its_way.wait(60)
    partner.revoke()
    try:
        assert in_a_child(lambda: is_good(requests.get(f"{partner.base_url}/echo", auth=session.auth)))
    finally:
        go_on.set()
    assert resending.result().status_code == 401
    assert partner.logins == 3


@needs_fork
def test_a_child_forked_in_a_flow_logs_in(simulator: PartnerSimulator) -> None:
    """The parent's login, whose code forked it, waits for no token of the child's: that may log in."""
    partner, ends = simulator.bex, list[bool]()

    class Forking(BexAuth):
        def login_request(self) -> requests.Request:
            if not ends:
                ends.append(False)
                ends[0] = in_a_child(lambda: is_good(requests.get(f"{partner.base_url}/echo", auth=auth)))
            return super().login_request()

    auth = Forking(**partner.credentials, cache=MemoryTokenCache())
    assert is_good(requests.get(f"{partner.base_url}/echo", auth=auth))
    assert (ends, partner.logins) == ([True], 2)


def test_an_interrupt_leaves_no_lock_held(simulator: PartnerSimulator) -> None:
    """Wherever a function of ours is interrupted during `forget()`, the next one still gets through."""
    auth = make_auth(simulator.bex)
    auth.token()
    for number in range(1_000):
        if not _interrupted_at(number, auth.forget):
            break
        again = Background(auth.forget)
        assert again.result() is None, number
    assert number > 10
    assert auth.token()


def _interrupted_at(number: int, action: Callable[[], object]) -> bool:
    """Whether Ctrl-C, come at this step of the engine's, kept the action from its end."""
    left = number

    def step(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if "requests_partnerauth" not in frame.f_code.co_filename:
            return None
        # Where a function begins or ends signals come as well; at a line that ends a `with` they can't.
        left -= event in ("call", "return")
        if left < 0:
            sys.settrace(None)
            raise KeyboardInterrupt
        return step

    usual = sys.gettrace()
    try:
        sys.settrace(step)
        action()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(usual)
    return False
