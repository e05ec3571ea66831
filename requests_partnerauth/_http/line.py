"""The connections of one login: its own, and all of them cut once it is over."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from functools import lru_cache, partial
from types import MemberDescriptorType
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import PoolManager

_OVER = "the login is over"


class Line:
    """All connections that one login makes. Once it is cut, none brings another byte and none is made.

    A thread that still waits for a partner, for headers that drip say, hears the end of its connection and
    ends too.
    """

    def __init__(self) -> None:
        self.is_cut = False
        self._held: list[Any] = []
        self._managers: list[PoolManager] = []

    def cut(self) -> None:
        """End all connections, whoever reads from them; safe from any thread, any number of times."""
        self.is_cut = True
        for held in tuple(self._held):
            _shut(held)
        for manager in tuple(self._managers):
            manager.clear()

    def through(self, adapter: Any) -> Any:
        """The adapter with all its state, and connections of this line; one that is not requests' as it is.

        Its pools are neither used nor changed: a process that was forked while they held connections would
        share these with its parent.
        """
        if not isinstance(adapter, HTTPAdapter) or not isinstance(
            getattr(adapter, "poolmanager", None), PoolManager
        ):
            return adapter
        kind: Any = type(adapter)
        lent: Any = twin(adapter, _with_own_pools(kind))
        lent.__dict__ = adapter.__dict__
        lent.poolmanager = self._own(twin(adapter.poolmanager, type(adapter.poolmanager)))
        lent.proxy_manager = _Proxies(self._own)
        # A login begins anew by itself; a thread that slept till a Retry-After would outlive and hide it.
        lent.max_retries = adapter.max_retries.new(
            status_forcelist=(), respect_retry_after_header=False, backoff_factor=0
        )
        return lent

    def _own(self, manager: Any) -> Any:
        """A pool manager made to keep its connections on this line."""
        manager.pools = type(manager.pools)(10)
        manager.pool_classes_by_scheme = {
            scheme: partial(self._pool, kind) for scheme, kind in manager.pool_classes_by_scheme.items()
        }
        self._managers.append(manager)
        return manager

    def _pool(self, kind: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        pool = kind(*arguments, **more)
        pool.ConnectionCls = self._holding(pool.ConnectionCls)
        return pool

    def _holding(self, kind: Any) -> Any:
        line = self

        class Connection(kind):  # type: ignore[misc]
            def connect(self) -> None:
                if line.is_cut:
                    raise ConnectionAbortedError(_OVER)
                # Itself, for a proxy that drips, and its socket: at a last reply http.client drops that.
                line._held.append(self)
                super().connect()
                line._held.append(getattr(self, "sock", None))
                if line.is_cut:
                    line.cut()

            def _tunnel(self) -> None:
                super()._tunnel()
                if line.is_cut:
                    # On a connection that has ended, TLS would leave a socket that nobody closes.
                    raise ConnectionAbortedError(_OVER)

        return Connection


class _Proxies(dict[str, Any]):
    """An adapter's proxy managers by address, each on the line from when it is made."""

    def __init__(self, own: Callable[[Any], Any]) -> None:
        super().__init__()
        self._own = own

    def __setitem__(self, proxy: str, manager: Any) -> None:
        super().__setitem__(proxy, self._own(manager))


def twin(original: Any, kind: type) -> Any:
    """A shallow copy of another kind, whatever its class says of copying, with what stands in slots."""
    copy: Any = object.__new__(kind)
    vars(copy).update(vars(original))
    for parent in type(original).__mro__:
        for member in vars(parent).values():
            if isinstance(member, MemberDescriptorType):
                with contextlib.suppress(AttributeError):
                    member.__set__(copy, member.__get__(original))
    return copy


@lru_cache(maxsize=64)
def _with_own_pools(kind: Any) -> Any:
    """The class with two attributes that stand beside the instance's dictionary, which can thus be shared."""
    return type(kind.__name__, (kind,), {"__slots__": ("max_retries", "poolmanager", "proxy_manager")})


def _shut(held: Any) -> None:
    """End the connection at once for whoever reads from it. It is closed by whoever has it open."""
    sock = getattr(held, "sock", held)
    while sock is not None and not isinstance(sock, socket.socket):
        # TLS inside TLS, or PyOpenSSL's: the socket is inside.
        sock = getattr(sock, "socket", None)
    if sock is not None:
        with contextlib.suppress(OSError):
            # Not the TLS socket's own: that forgets its TLS under the one who reads.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
