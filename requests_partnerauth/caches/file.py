"""FileTokenCache: tokens that outlive a process, for all processes of one user on one machine."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ._base import OutsideCache
from ._ending import LONGEST, until_end, with_end
from ._extras import needed

_ENTRY, _LOCK, _HALF_WRITTEN = ".token", ".lock", ".tmp"
_OURS = re.compile(r"[0-9a-f]{40}(\.token|\.lock|\.[0-9a-f]{16}\.tmp)")
_LEFT_BEHIND = 3600.0
_WINDOWS = os.name == "nt"
_BINARY = getattr(os, "O_BINARY", 0)
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
# Whatever stands in an entry's place is opened without waiting for it, and not followed.
_OLD_FILE = os.O_RDONLY | _BINARY
for _flag in ("O_NONBLOCK", "O_NOFOLLOW", "O_CLOEXEC", "O_NOCTTY"):
    _OLD_FILE |= getattr(os, _flag, 0)
_NO_FILE = (errno.ENOENT, errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.ENODEV)
_ITS_OWN = "give it one of its own"


class FileTokenCache(OutsideCache):
    """Tokens in sealed files: they outlive the process and are shared by all that use the directory.

    The directory is made at the first write, for its owner alone (0700); so is each file, from its birth
    (0600). A file is replaced whole: a process killed while it writes leaves the old one. A directory of
    one's own that others may enter is closed to them if it holds nothing but tokens. Any other is left as
    it is, and refused if it belongs to another user or others may write to it, as they may to ``/tmp``.
    On Windows the user's profile protects it.

    Needs ``pip install "requests-partnerauth[file]"``.

    Args:
        directory: Where the files are kept; the platform's user cache directory by default.

    Raises:
        ModuleNotFoundError: filelock or platformdirs is not installed.
        ValueError: `directory` is no path.
    """

    def __init__(self, directory: str | os.PathLike[str] | None = None) -> None:
        self._filelock = needed("filelock", "file")
        if directory is None:
            platformdirs = needed("platformdirs", "file")
            directory = str(platformdirs.user_cache_dir("requests-partnerauth", appauthor=False))
        elif not isinstance(directory, (str, os.PathLike)) or not os.fspath(directory):
            raise ValueError("directory: a path is wanted")
        self._directory = Path(directory).absolute()
        self._swept = False

    def get(self, key: str) -> bytes | None:
        if not _WINDOWS:
            with suppress(FileNotFoundError):
                _keep_others_out(self._directory, self._directory.stat())
        entry = _content(self._path(key, _ENTRY))
        return None if entry is None else until_end(entry)

    def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        self._prepare()
        target = self._path(key, _ENTRY)
        half_written = target.with_suffix(f".{secrets.token_hex(8)}{_HALF_WRITTEN}")
        try:
            with os.fdopen(os.open(half_written, _NEW_FILE, 0o600), "wb") as file:
                file.write(with_end(value, ttl))
            _replace(half_written, target)
        except BaseException:
            with suppress(OSError):
                half_written.unlink()
            raise

    def delete(self, key: str) -> None:
        self._path(key, _ENTRY).unlink(missing_ok=True)

    @contextmanager
    def lock(self, key: str, limit: float = 30.0) -> Iterator[bool]:
        self._prepare()
        # A system without flock is for the engine to tell; a file that means "locked" outlives a crash.
        lock = self._filelock.FileLock(self._path(key, _LOCK), mode=0o600, fallback_to_soft=False)
        try:
            lock.acquire(timeout=limit)
        except self._filelock.Timeout:
            held = False
        else:
            held = True
        try:
            yield held
        finally:
            if held:
                lock.release()

    def __reduce__(self) -> Any:
        return type(self), (self._directory,)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._directory)!r})"

    def _path(self, key: str, kind: str) -> Path:
        # A digest is a good file name everywhere, whatever the key.
        return self._directory / (hashlib.sha256(key.encode()).hexdigest()[:40] + kind)

    def _prepare(self) -> None:
        try:
            status = self._directory.stat()
        except FileNotFoundError:
            _make_private(self._directory)
            return
        if not _WINDOWS:
            _keep_others_out(self._directory, status)
        if not self._swept:
            self._swept = True
            _sweep(self._directory)


def _make_private(directory: Path) -> None:
    """Make the directory and the parents it lacks, each for its owner alone: mkdir does so for the last."""
    if not directory.parent.exists():
        _make_private(directory.parent)
    directory.mkdir(0o700, exist_ok=True)


def _keep_others_out(directory: Path, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        raise PermissionError(errno.EACCES, f"its directory belongs to another user: {_ITS_OWN}")
    if not status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return
    # Sticky or for a group: it was made for many, even while nobody has anything in it.
    for_many = status.st_mode & (stat.S_ISVTX | stat.S_ISGID)
    if not for_many and all(map(_OURS.fullmatch, os.listdir(directory))):
        directory.chmod(0o700)
    elif status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(errno.EACCES, f"others may write to its directory: {_ITS_OWN}")


def _content(path: Path) -> bytes | None:
    """What a file holds; None where there is none, or something else stands in its place."""
    try:
        descriptor = os.open(path, _OLD_FILE)
    except OSError as error:
        if error.errno in _NO_FILE:
            return None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(LONGEST + 1)
    finally:
        os.close(descriptor)
    return content if len(content) <= LONGEST else None


def _replace(source: Path, target: Path) -> None:
    tries = 20 if _WINDOWS else 1
    for left in reversed(range(tries)):
        try:
            os.replace(source, target)
        except PermissionError:
            # On Windows, a file that somebody is just reading can't be replaced.
            if not left:
                raise
            time.sleep(0.01)
        else:
            return


def _sweep(directory: Path) -> None:
    """Remove what killed processes left half written, long ago."""
    with suppress(OSError):
        for path in directory.glob(f"*{_HALF_WRITTEN}"):
            with suppress(OSError):
                is_old = time.time() - path.lstat().st_mtime > _LEFT_BEHIND
                if is_old and _OURS.fullmatch(path.name):
                    path.unlink()
