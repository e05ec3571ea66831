"""Files of FileTokenCache: private, whole, swept; and directories that can't be used."""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
from pathlib import Path

import pytest
from cache_contract import told
from conftest import make_auth

from requests_partnerauth import (
    FileTokenCache,
)
from requests_partnerauth.simulator import PartnerSimulator

posix_only = pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")


@pytest.mark.parametrize("content", [b"", b"\x00", b"PAE1", b"garbage" * 100, b"PAE1" + b"\xff" * 60])
def test_a_damaged_file_is_a_miss(simulator: PartnerSimulator, tmp_path: Path, content: bytes) -> None:
    """A token file with anything in it is passed over and replaced."""
    make_auth(simulator.bex, cache=FileTokenCache(tmp_path)).token()
    (file,) = tmp_path.glob("*.token")
    file.write_bytes(content)
    make_auth(simulator.bex, cache=FileTokenCache(tmp_path)).token()
    make_auth(simulator.bex, cache=FileTokenCache(tmp_path)).token()
    assert simulator.bex.logins == 2


@posix_only
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_files_are_private_from_birth(tmp_path: Path, umask: int) -> None:
    """Whatever the umask: a directory that is made is 0700, a file 0600; nothing stays half written."""
    # Promise: private-files
    before = os.umask(umask)
    try:
        cache = FileTokenCache(tmp_path / "a" / "b" / "tokens")
        with cache.lock("key", 5):
            cache.set("key", b"value")
    finally:
        os.umask(before)
    modes = {
        path.relative_to(tmp_path).name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")
    }
    assert [modes.pop(name) for name in ("a", "b", "tokens")] == [0o700] * 3
    assert list(modes.values()) == [0o600] * 2
    assert sorted(name.rpartition(".")[2] for name in modes) == ["lock", "token"]


@posix_only
def test_a_directory_of_tokens_is_closed(tmp_path: Path) -> None:
    """A directory that others may enter is tightened if it holds nothing but tokens."""
    for others in (0o777, 0o755):
        tmp_path.chmod(others)
        FileTokenCache(tmp_path).set("key", b"value")
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@posix_only
def test_a_directory_of_other_things_is_left_alone(
    simulator: PartnerSimulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One with other things keeps its mode; where others may write, a warning tells and no token goes in."""
    (tmp_path / "holiday.jpg").touch()
    tmp_path.chmod(0o755)
    cache = FileTokenCache(tmp_path)
    cache.set("key", b"value")
    assert cache.get("key") == b"value"
    cache.delete("key")
    tmp_path.chmod(0o1777)
    make_auth(simulator.bex, cache=FileTokenCache(tmp_path)).token()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]
    assert [line for line in told(caplog) if "give it one of its own" in line]


@posix_only
@pytest.mark.parametrize("mode", [0o1777, 0o1755, 0o2775])
@pytest.mark.parametrize("names", [(), ("pip-abc.tmp", ".X0.lock"), (f"{'0' * 40}.token",)])
def test_a_directory_made_for_many_is_left_alone(tmp_path: Path, mode: int, names: tuple[str, ...]) -> None:
    """A sticky directory or a group's keeps its mode, whatever is in it: refused where others may write."""
    for name in names:
        (tmp_path / name).touch()
    tmp_path.chmod(mode)
    cache = FileTokenCache(tmp_path)
    if mode & 0o022:
        with pytest.raises(PermissionError, match="others may write"):
            cache.set("key", b"value")
    else:
        cache.set("key", b"value")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == mode
    assert {path.name for path in tmp_path.iterdir()} >= set(names)


@posix_only
@pytest.mark.parametrize("name", ["a.token", f"{'0' * 39}.token", f"{'0' * 40}.tmp", f"{'G' * 40}.lock"])
def test_other_programs_files_make_no_directory_ours(tmp_path: Path, name: str) -> None:
    """What is ours is known by its whole name; a directory with anything else in it keeps its mode."""
    (tmp_path / name).touch()
    tmp_path.chmod(0o777)
    with pytest.raises(PermissionError, match="others may write"):
        FileTokenCache(tmp_path).set("key", b"value")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o777


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives directories away"
)
@pytest.mark.parametrize("mode", [0o700, 0o777])
def test_another_users_directory_is_refused(
    simulator: PartnerSimulator, tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    """Also by root: nothing is written, requests go on with memory, and a warning says why."""
    # Promise: others-directory
    directory = tmp_path / "theirs"
    directory.mkdir()
    directory.chmod(mode)
    os.chown(directory, 65534, 65534)
    auth = make_auth(simulator.bex, cache=FileTokenCache(directory))
    assert auth.token() == auth.token()
    assert list(directory.iterdir()) == []
    assert stat.S_IMODE(directory.stat().st_mode) == mode
    assert [line for line in told(caplog) if "belongs to another user" in line]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives directories away"
)
def test_nothing_is_read_from_another_users_directory(
    simulator: PartnerSimulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A token that was kept there before it was theirs costs one login, and a warning says why."""
    directory = tmp_path / "ours"
    make_auth(simulator.bex, cache=FileTokenCache(directory)).token()
    os.chown(directory, 65534, 65534)
    make_auth(simulator.bex, cache=FileTokenCache(directory)).token()
    assert simulator.bex.logins == 2
    assert [line for line in told(caplog) if "belongs to another user" in line]
    os.chown(directory, os.geteuid(), os.getegid())
    make_auth(simulator.bex, cache=FileTokenCache(directory)).token()
    assert simulator.bex.logins == 2


@posix_only
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_nothing_is_read_where_others_may_write(
    simulator: PartnerSimulator, tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    """A token in a directory that is opened to others, and holds other things, is passed over."""
    make_auth(simulator.bex, cache=FileTokenCache(tmp_path)).token()
    (tmp_path / "holiday.jpg").touch()
    tmp_path.chmod(mode)
    with pytest.raises(PermissionError, match="others may write"):
        FileTokenCache(tmp_path).get("key")
    make_auth(simulator.bex, cache=FileTokenCache(tmp_path)).token()
    assert simulator.bex.logins == 2
    assert stat.S_IMODE(tmp_path.stat().st_mode) == mode
    assert [line for line in told(caplog) if "give it one of its own" in line]


@posix_only
@pytest.mark.parametrize("kind", ["fifo", "link", "device", "directory", "socket", "huge"])
def test_what_is_no_file_is_a_miss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Whatever stands in an entry's place is neither waited for nor followed."""
    cache = FileTokenCache(tmp_path)
    cache.set("key", b"value")
    (entry,) = tmp_path.glob("*.token")
    elsewhere = tmp_path / "elsewhere"
    entry.rename(elsewhere)
    if kind == "fifo":
        os.mkfifo(entry)
    elif kind == "directory":
        entry.mkdir()
    elif kind == "socket":
        monkeypatch.chdir(tmp_path)  # its path may not be longer than some hundred characters
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(entry.name)
    elif kind == "huge":
        with entry.open("wb") as file:
            file.truncate(2**40)
    else:
        entry.symlink_to(elsewhere if kind == "link" else "/dev/zero")
    assert cache.get("key") is None
    if kind != "directory":
        cache.set("key", b"newer")
        assert cache.get("key") == b"newer"


@posix_only
def test_a_system_without_flock(
    simulator: PartnerSimulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Tokens are kept there all the same, with one warning of ours and no file that means a lock."""
    import fcntl

    def flock(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", flock)
    tokens = [make_auth(simulator.bex, cache=FileTokenCache(tmp_path)).token() for _ in range(3)]
    assert tokens == tokens[:1] * 3
    assert simulator.bex.logins == 1
    (warning,) = told(caplog)
    assert "Function not implemented): several processes may log in at once" in warning


def test_a_path_through_a_file_is_no_directory(simulator: PartnerSimulator, tmp_path: Path) -> None:
    """Where no directory can be made, requests go on with memory."""
    (tmp_path / "file").touch()
    auth = make_auth(simulator.bex, cache=FileTokenCache(tmp_path / "file" / "tokens"))
    assert auth.token() == auth.token()
    assert simulator.bex.logins == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_directory(
    simulator: PartnerSimulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where nothing may be written, requests go on with memory and one warning says why."""
    tmp_path.chmod(0o500)
    auth = make_auth(simulator.bex, cache=FileTokenCache(tmp_path))
    assert auth.token() == auth.token()
    assert [line for line in told(caplog) if "Permission denied" in line]
    tmp_path.chmod(0o700)


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    """Half-written files go when they are old; a young one may belong to somebody who is writing."""
    old, young = (tmp_path / f"{letter * 40}.{letter * 16}.tmp" for letter in "01")
    others = [tmp_path / name for name in ("1.tmp", f"{'0' * 40}.tmp", f"x{old.name}")]
    for path in (old, young, *others):
        path.touch()
    for path in (old, *others):
        os.utime(path, (1, 1))
    FileTokenCache(tmp_path).set("key", b"value")
    assert (old.exists(), young.exists()) == (False, True)
    assert all(path.exists() for path in others), "other programs' files"


def test_the_default_directory_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a directory, files go to the platform's user cache directory, at the first write."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache = FileTokenCache()
    assert list(tmp_path.iterdir()) == []
    cache.set("key", b"value")
    if sys.platform == "linux":
        assert [path.name for path in tmp_path.iterdir()] == ["requests-partnerauth"]
