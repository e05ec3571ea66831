"""FileTokenCache: tokens that outlive a process, for all processes of one user on one machine."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ._base import TokenCache
from ._ending import until_end, with_end
from ._extras import needed

_ENTRY, _LOCK, _HALF_WRITTEN = ".token", ".lock", ".tmp"
_OURS = (_ENTRY, _LOCK, _HALF_WRITTEN)
_LEFT_BEHIND = 3600.0
_WINDOWS = os.name == "nt"
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class FileTokenCache(TokenCache):
    """Tokens in sealed files: they outlive the process and are shared by all that use the directory.

    The directory is made at the first write, for its owner alone (0700); so is each file, from its birth
    (0600). A file is replaced whole: a process killed while it writes leaves the old one. A directory
    that others may enter is closed to them if it holds nothing but tokens; one with other things in it is
    left as it is, and not written to if others may write to it. On Windows the user's profile protects it.

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
        try:
            entry = self._path(key, _ENTRY).read_bytes()
        except FileNotFoundError:
            return None
        return until_end(entry)

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
        lock = self._filelock.FileLock(self._path(key, _LOCK), mode=0o600)
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
    if not status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return
    mine = status.st_uid == os.geteuid()
    if mine and all(name.endswith(_OURS) for name in os.listdir(directory)):
        directory.chmod(0o700)
    elif status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(errno.EACCES, "others may write to its directory: give it one of its own")


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
                if time.time() - path.stat().st_mtime > _LEFT_BEHIND:
                    path.unlink()
