"""Processes that are killed or forked in the middle of something: nobody else is kept out or misled."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import make_auth
from held import Held
from processes import LOG_IN, pickled, python

from requests_partnerauth import FileTokenCache, RedisTokenCache
from requests_partnerauth.caches import TokenCache
from requests_partnerauth.simulator import PartnerSimulator


@pytest.fixture(params=["file", "redis"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> TokenCache:
    """A cache that processes share."""
    if request.param == "file":
        return FileTokenCache(tmp_path / "tokens")
    return RedisTokenCache.from_url(request.getfixturevalue("redis_server").url)


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


def test_a_killed_holder_keeps_nobody_out(simulator: PartnerSimulator, cache: TokenCache) -> None:
    """A process killed while it holds the login lock: the next one logs in within the lock's limit."""
    partner = simulator.rp_gateway
    auth = make_auth(partner, cache=cache, login_timeout=(1, 3))
    held = Held(partner)
    with python(LOG_IN, pickled(auth)) as holder:
        held.wait()
        holder.kill()
    started = time.monotonic()
    auth.token()
    took = time.monotonic() - started
    held.let_go()
    assert took < 30
    assert partner.login_attempts == 2


_FORK = """
import os, pickle, sys, threading
auth = pickle.loads(bytes.fromhex(sys.argv[1]))
thread = threading.Thread(target=auth.token)
thread.start()
sys.stdin.readline()
child = os.fork()
if not child:
    print("forked", flush=True)
    sys.stdout.write(f"child {auth.token().issued_at}\\n")
    sys.stdout.flush()
    os._exit(0)
thread.join()
sys.stdout.write(f"parent {auth.token().issued_at}\\n")
sys.stdout.flush()
os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@needs_fork
def test_a_child_forked_during_a_login(simulator: PartnerSimulator, cache: TokenCache) -> None:
    """A child forked while a thread of its parent logs in waits for that login as any process would."""
    partner = simulator.rp_gateway
    held = Held(partner)
    with python(_FORK, pickled(make_auth(partner, cache=cache)), stdin=subprocess.PIPE) as process:
        held.wait()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "forked\n"
        held.let_go()
        said = dict(line.split() for line in process.stdout)
    assert process.returncode == 0
    assert said["child"] == said["parent"]
    assert partner.login_attempts == 1


_FORK_AND_SLEEP = """
import os, pickle, sys, threading, time
auth = pickle.loads(bytes.fromhex(sys.argv[1]))
threading.Thread(target=auth.token).start()
sys.stdin.readline()
child = os.fork()
if not child:
    print(os.getpid(), flush=True)
    time.sleep(60)
    os._exit(0)
time.sleep(60)
"""


@needs_fork
def test_an_idle_child_does_not_keep_the_lock(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """A child forked during a login does not keep the lock file locked after its parent was killed."""
    partner = simulator.rp_gateway
    auth = make_auth(partner, cache=FileTokenCache(tmp_path), login_timeout=(1, 60))
    held = Held(partner)
    with python(_FORK_AND_SLEEP, pickled(auth), stdin=subprocess.PIPE) as process:
        held.wait()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        child = int(process.stdout.readline())
        process.kill()
        started = time.monotonic()
        auth.token()
        took = time.monotonic() - started
        os.kill(child, 9)
    held.let_go()
    assert took < 30


_KILLED_WRITERS = """
import os, random, signal, sys, time
from pathlib import Path
from requests_partnerauth import FileTokenCache

directory = Path(sys.argv[1])
cache = FileTokenCache(directory)
values = [bytes([number]) * 300_000 for number in (1, 2)]
draw = random.Random(int(sys.argv[2]))
torn = absent = whole = 0
for _ in range(200):
    child = os.fork()
    if not child:
        while True:
            for value in values:
                cache.set("key", value)
    time.sleep(draw.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    kept = cache.get("key")
    absent += kept is None
    whole += kept in values
    torn += kept is not None and kept not in values
    if draw.random() < 0.1:
        cache.delete("key")
print(torn, absent + whole, len(list(directory.glob("*.tmp"))))
"""


@needs_fork
def test_a_file_is_whole_or_absent(tmp_path: Path) -> None:
    """Two hundred writers killed at random moments: what is read is always a whole value or none."""
    with python(_KILLED_WRITERS, str(tmp_path), "1") as process:
        assert process.stdout is not None
        torn, sound, half_written = map(int, process.stdout.read().split())
    assert (torn, sound) == (0, 200)
    assert half_written > 0, "no writer was killed while it wrote"


_FULL_DISK = """
import logging, pickle, resource, sys
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s", level=logging.WARNING)
auth = pickle.loads(bytes.fromhex(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
print(auth.token().value == auth.token().value)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX bounds what a process may write")
def test_a_full_disk(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """Where a file can't be written to its end, the request goes on: one warning, nothing left over."""
    auth = make_auth(simulator.bex, cache=FileTokenCache(tmp_path))
    with python(_FULL_DISK, pickled(auth)) as process:
        assert process.stdout is not None
        warning, result = process.stdout.read().splitlines()
    assert warning.startswith(f"WARNING {FileTokenCache(tmp_path)} can't be used (OSError: File too large)")
    assert result == "True"
    assert {path.suffix for path in tmp_path.iterdir()} == {".lock"}
