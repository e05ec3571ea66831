"""What the partners with a password share: it may change while the auth is in use."""

from __future__ import annotations

from .._auth import PartnerAuth
from .._settings import checks


class PasswordAuth(PartnerAuth):
    """An auth whose secret is a password."""

    @property
    def password(self) -> str:
        """The password. Set it on a living auth, and the next login sends the new one."""
        return self.secret or ""

    @password.setter
    def password(self, password: str) -> None:
        self.secret = checks.text("password", password)
