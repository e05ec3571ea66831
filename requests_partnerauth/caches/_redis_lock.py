"""The lock of RedisTokenCache: it lives for a few seconds, and its holder renews it."""

from __future__ import annotations

import os
import random
import secrets
import threading
import time
from typing import Any

_LIFE = 4.0
_RENEWED_EVERY = 1.0
_ANSWER_WITHIN = 0.5
_JUST_SEEN = 0.1
_POLL = 0.1
# The longest login takes as long as the wait for its lock may; a holder that hangs on keeps nobody out.
_GRACE = 5.0


class RedisLock:
    """A lock in Redis, true for as long as it is held. Lasts from `acquire` to `release`, in one process.

    The key holds a value that tells the holder, and ends by itself after four seconds; a thread of the
    holder's renews it each second, for `limit` seconds and a few more. So one that nobody holds any more
    is free within four seconds, whatever happened: the holder was killed, a server granted it after its
    client had given up, a failover or restart brought it back. Once found lost, it stays lost.

    It takes neither scripts nor transactions, and one key, so that it works for a user with few rights and
    on a cluster: only GET, SET and PEXPIRE. Nothing but its life ends it where it was not seen lately, so
    that a holder that stood still frees nobody else's.

    Args:
        client: A Redis client that threads may share.
        key: The whole key.
    """

    def __init__(self, client: Any, key: str) -> None:
        self._client = client
        self._key = key
        self._value = secrets.token_hex(16)
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._is_over = False
        self._is_asked = False
        self._last_seen = 0.0
        self._trouble: Exception | None = None

    def acquire(self, limit: float) -> bool:
        """Wait for it, `limit` seconds at most; from now on it is renewed. False: it was not had."""
        deadline = time.monotonic() + limit
        while not self._is_taken():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, random.uniform(_POLL / 2, _POLL)))
        if time.monotonic() > deadline + 1.0:
            # Granted by a Redis that was long in answering: whoever wanted it has gone on without.
            self.release()
            return False
        threading.Thread(
            target=self._keep, args=(limit + _GRACE,), name="partnerauth-lock", daemon=True
        ).start()
        return True

    def release(self) -> None:
        """Free it, if it is ours; what kept it from being renewed is raised."""
        if self._pid != os.getpid():
            return
        with self._changed:
            was_over, self._is_over = self._is_over, True
            self._changed.notify_all()
        if self._trouble is not None and was_over:
            raise self._trouble
        is_ours = self._holder() == self._value
        if is_ours and time.monotonic() - self._last_seen < _LIFE - 1.0:
            self._client.pexpire(self._key, 0)

    def __bool__(self) -> bool:
        # A forked child has neither the lock nor the thread that keeps it.
        if self._pid != os.getpid():
            return False
        with self._changed:
            asked_at = time.monotonic()
            if not self._is_over and asked_at - self._last_seen > _JUST_SEEN:
                self._is_asked = True
                self._changed.notify_all()
                self._changed.wait_for(
                    lambda: self._is_over or self._last_seen >= asked_at, timeout=_ANSWER_WITHIN
                )
            return not self._is_over and self._last_seen >= asked_at - _JUST_SEEN

    def _is_taken(self) -> bool:
        sent_at = time.monotonic()
        taken = self._client.set(self._key, self._value, nx=True, px=int(_LIFE * 1000))
        # A client that sends again what got no answer is refused for the sake of its own first try.
        if not taken and self._holder() != self._value:
            return False
        self._last_seen = sent_at
        return True

    def _keep(self, seconds: float) -> None:
        ends_at = time.monotonic() + seconds
        is_ours = True
        while is_ours and time.monotonic() < ends_at:
            with self._changed:
                self._changed.wait_for(lambda: self._is_over or self._is_asked, timeout=_RENEWED_EVERY)
                if self._is_over:
                    return
                self._is_asked = False
            is_ours = self._is_renewed()
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def _is_renewed(self) -> bool:
        sent_at = time.monotonic()
        try:
            is_ours = self._holder() == self._value and self._client.pexpire(self._key, int(_LIFE * 1000))
        except Exception as error:
            self._trouble = error
            # What can't be asked may still be there, but no longer than it lives.
            return sent_at - self._last_seen < _LIFE
        if is_ours:
            self._trouble = None
            with self._changed:
                self._last_seen = sent_at
                self._changed.notify_all()
        return bool(is_ours)

    def _holder(self) -> str | None:
        value = self._client.get(self._key)
        return value.decode(errors="replace") if isinstance(value, bytes) else value
