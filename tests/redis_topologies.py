"""Redis as people run it: plain, with TLS, with users of few rights, as a cluster, behind Sentinel."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import redis
import trustme
from redis.sentinel import Sentinel
from redis_server import RedisServer, free_port, program, running_redis
from together import wait_until

from requests_partnerauth import RedisTokenCache

RIGHTS = "~partnerauth:* +@read +@write +@connection"
"""What docs/how-to/redis.md says that a user needs."""

_MASTER = "mymaster"
_TIMEOUTS: dict[str, Any] = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}


class ClusterCache(RedisTokenCache):
    """A cache on a cluster, of which the port of one node is known. It pickles."""

    def __init__(self, port: int) -> None:
        super().__init__(redis.RedisCluster(host="127.0.0.1", port=port, **_TIMEOUTS))
        self._port = port

    def __reduce__(self) -> Any:
        return type(self), (self._port,)


class SentinelCache(RedisTokenCache):
    """A cache on the master that a Sentinel names. It pickles."""

    def __init__(self, port: int) -> None:
        sentinel = Sentinel([("127.0.0.1", port)], sentinel_kwargs=_TIMEOUTS, **_TIMEOUTS)
        super().__init__(sentinel.master_for(_MASTER))
        self._port = port

    def __reduce__(self) -> Any:
        return type(self), (self._port,)


class DecodingCache(RedisTokenCache):
    """A cache with a client that decodes responses. It pickles."""

    def __init__(self, url: str) -> None:
        super().__init__(redis.Redis.from_url(url, decode_responses=True, **_TIMEOUTS))
        self._its_url = url

    def __reduce__(self) -> Any:
        return type(self), (self._its_url,)


@contextmanager
def plain(directory: Path) -> Iterator[RedisTokenCache]:
    """One server."""
    with running_redis(directory) as server:
        yield RedisTokenCache.from_url(server.url)


@contextmanager
def decoding(directory: Path) -> Iterator[RedisTokenCache]:
    """One server, and a client that decodes responses."""
    with running_redis(directory) as server:
        yield DecodingCache(server.url)


@contextmanager
def tls(directory: Path) -> Iterator[RedisTokenCache]:
    """One server with TLS, its certificate from an authority of one's own."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(str(directory / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(directory / "cert.pem"))
    port = free_port()
    options = {"port": port, "cert-file": "cert.pem", "key-file": "key.pem", "ca-cert-file": "ca.pem"}
    words = [word for name, value in options.items() for word in (f"--tls-{name}", str(value))]
    with running_redis(directory, *words, "--tls-auth-clients", "no"):
        yield RedisTokenCache.from_url(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={directory / 'ca.pem'}")


@contextmanager
def few_rights(directory: Path) -> Iterator[RedisTokenCache]:
    """One server, and a user with the rights that are needed and no others."""
    with running_redis(directory) as server:
        server.do("ACL", "SETUSER", "app", "on", ">made-up", *RIGHTS.split())
        yield RedisTokenCache.from_url(server.url.replace("//", "//app:made-up@"))


@contextmanager
def cluster(directory: Path) -> Iterator[RedisTokenCache]:
    """Three masters, each with a third of the keys."""
    with ExitStack() as stack:
        servers = []
        for number in range(3):
            home = directory / f"node-{number}"
            home.mkdir()
            servers.append(stack.enter_context(running_redis(home, "--cluster-enabled", "yes")))
        nodes = [f"127.0.0.1:{server.port}" for server in servers]
        create = [program("redis-cli"), "--cluster", "create", *nodes, "--cluster-yes"]
        subprocess.run(create, check=True, capture_output=True, timeout=60)
        for server in servers:
            wait_until(lambda server=server: b"cluster_state:ok" in server.do("CLUSTER", "INFO"))
        yield ClusterCache(servers[0].port)


class Watched:
    """A master and a replica behind a Sentinel that needs half a second to miss the master."""

    def __init__(self, master: RedisServer, replica: RedisServer, port: int) -> None:
        self.master = master
        self.replica = replica
        self.cache = SentinelCache(port)
        self._sentinel = redis.Redis(port=port)

    def is_watched(self) -> bool:
        """Whether the Sentinel knows of the replica, and the replica has what the master has."""
        known = self._sentinel.sentinel_slaves(_MASTER)
        link = self.replica.do("INFO", "replication")["master_link_status"]
        return link == "up" and [each["master-link-status"] for each in known] == ["ok"]

    def has_failed_over(self) -> bool:
        """Whether the replica is the master now."""
        named = self._sentinel.sentinel_get_master_addr_by_name(_MASTER)
        return bool(named) and named[1] == self.replica.port and self.replica.do("ROLE")[0] == b"master"

    def close(self) -> None:
        """Hang up."""
        self._sentinel.close()


@contextmanager
def watched(directory: Path) -> Iterator[Watched]:
    """A master, its replica and their Sentinel."""
    homes = [directory / name for name in ("master", "replica", "sentinel")]
    for home in homes:
        home.mkdir()
    port = free_port()
    with running_redis(homes[0]) as master, ExitStack() as stack:
        replica = stack.enter_context(running_redis(homes[1], "--replicaof", "127.0.0.1", str(master.port)))
        settings = homes[2] / "sentinel.conf"
        settings.write_text(
            f"port {port}\nbind 127.0.0.1\ndir .\nsentinel monitor {_MASTER} 127.0.0.1 {master.port} 1\n"
            f"sentinel down-after-milliseconds {_MASTER} 500\nsentinel failover-timeout {_MASTER} 3000\n"
        )
        process = subprocess.Popen(
            [program("redis-sentinel"), str(settings)], cwd=homes[2], stdout=subprocess.DEVNULL
        )
        stack.callback(process.wait)
        stack.callback(process.kill)
        wait_until(lambda: _answers(port))
        place = Watched(master, replica, port)
        stack.callback(place.close)
        wait_until(place.is_watched)
        yield place


def _answers(port: int) -> bool:
    with redis.Redis(port=port, retry=None) as client:
        try:
            return bool(client.ping())
        except redis.exceptions.RedisError:
            return False


@contextmanager
def sentinel(directory: Path) -> Iterator[RedisTokenCache]:
    """The master that a Sentinel names."""
    with watched(directory) as place:
        yield place.cache


TOPOLOGIES: dict[str, Callable[[Path], Any]] = {
    "plain": plain,
    "decoding": decoding,
    "tls": tls,
    "few rights": few_rights,
    "cluster": cluster,
    "sentinel": sentinel,
}
