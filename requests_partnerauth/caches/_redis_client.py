"""Redis clients: one made from a URL, and where any of them connects to, without its secrets."""

from __future__ import annotations

from typing import Any

_MOST_NODES = 3


def client_of(redis: Any, url: str) -> Any:
    """A client that waits a second at most to connect and for each answer.

    Raises:
        ValueError: `url` is no Redis URL, or has an option that redis-py does not take.
    """
    client, error = _client_or_error(redis, url)
    if error is None:
        return client
    # Told in words of our own: what redis-py says may quote the password.
    address, has_options, _ = url.partition("?") if isinstance(url, str) else ("", "", "")
    if not has_options or _client_or_error(redis, address)[1] is not None:
        raise ValueError("url: a Redis URL is wanted: redis://, rediss:// or unix://")
    if isinstance(error, TypeError) and "unexpected keyword argument" in str(error):
        raise ValueError(
            "url: redis-py knows no such option as one behind its ?; ssl_... goes with rediss://"
        )
    raise ValueError("url: redis-py does not take the value of an option behind its ?")


def _client_or_error(redis: Any, url: str) -> tuple[Any, Exception | None]:
    # One try more where a connection turns out to be gone, none where Redis keeps silent.
    retry = redis.retry.Retry(redis.backoff.NoBackoff(), 1, (redis.exceptions.ConnectionError,))
    try:
        client = redis.Redis.from_url(url, socket_connect_timeout=1.0, socket_timeout=1.0, retry=retry)
        pool = client.connection_pool
        # Options are looked at when a connection is built, which for itself does not connect.
        pool.connection_class(**pool.connection_kwargs)
    except Exception as error:
        return None, error
    return client, None


def place_of(client: Any) -> str:
    """Where a client connects to, as a URL without user and password; words for a cluster or Sentinel."""
    nodes = getattr(getattr(client, "nodes_manager", None), "startup_nodes", None)
    if isinstance(nodes, dict):
        return _several("cluster", [(node.host, node.port) for node in nodes.values()])
    pool = getattr(client, "connection_pool", None)
    sentinels = getattr(getattr(pool, "sentinel_manager", None), "sentinels", None)
    if isinstance(sentinels, list):
        asked = [_settings(sentinel) for sentinel in sentinels]
        known_as = f"{getattr(pool, 'service_name', '')} of sentinel"
        return _several(known_as, [(each.get("host"), each.get("port")) for each in asked])
    settings = _settings(client)
    if (path := settings.get("path")) is not None:
        return f"unix://{path}?db={database_of(client)}"
    is_tls = "SSL" in getattr(getattr(pool, "connection_class", None), "__name__", "")
    address = _address(settings.get("host"), settings.get("port"))
    return f"{'rediss' if is_tls else 'redis'}://{address}/{database_of(client)}"


def database_of(client: Any) -> int:
    """The number of the database that a client works on."""
    number = _settings(client).get("db")
    return number if isinstance(number, int) else 0


def secrets_of(client: Any) -> list[str]:
    """The passwords that a client was given."""
    settings = _settings(client)
    return [str(settings[name]) for name in ("password", "ssl_password") if settings.get(name)]


def _settings(client: Any) -> dict[str, Any]:
    holder = getattr(client, "nodes_manager", None) or getattr(client, "connection_pool", None)
    settings = getattr(holder, "connection_kwargs", None)
    return settings if isinstance(settings, dict) else {}


def _several(kind: str, addresses: list[tuple[Any, Any]]) -> str:
    named = [_address(host, port) for host, port in addresses[:_MOST_NODES]]
    return f"{kind} {', '.join(named)}{', ...' if len(addresses) > _MOST_NODES else ''}"


def _address(host: Any, port: Any) -> str:
    host = str(host or "localhost")
    return f"{f'[{host}]' if ':' in host else host}:{port or 6379}"
