"""The tokens that a simulated partner has granted and not yet ended."""

from __future__ import annotations

from typing import Any

from attrs import define, field, frozen


@frozen
class Grant:
    """One granted token: whose it is and since when."""

    value: str = field(repr=False)
    kind: str
    account: dict[str, Any] = field(repr=False, eq=False)
    granted_at: float


@define(eq=False)
class TokenMemory:
    """Live tokens by kind and value. Knows no lock: its partner holds one around it."""

    _live: dict[tuple[str, str], Grant] = field(factory=dict, repr=False)

    def add(self, grant: Grant, *, one_session: bool) -> None:
        """Make a token live; where an account has one session, its older tokens of that kind end."""
        if one_session:
            self._live = {
                key: old
                for key, old in self._live.items()
                if old.kind != grant.kind or old.account is not grant.account
            }
        self._live[grant.kind, grant.value] = grant

    def find(self, kind: str, value: str, *, now: float, lifetime: float | None) -> Grant | None:
        """The live grant of a value, unless its lifetime is over."""
        grant = self._live.get((kind, value))
        if grant is None or (lifetime is not None and now - grant.granted_at >= lifetime):
            return None
        return grant

    def values(self, *, now: float, lifetime: float | None) -> set[str]:
        """The values of all live tokens."""
        return {value for kind, value in self._live if self.find(kind, value, now=now, lifetime=lifetime)}

    def clear(self) -> None:
        """End every token."""
        self._live.clear()
