"""The arguments that every auth takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypedDict

import requests

from ..caches._base import TokenCache


class Common(TypedDict, total=False):
    """What every auth takes beside its partner's own arguments; see `PartnerAuth`."""

    origins: Iterable[str]
    cache: TokenCache | str
    login_session: requests.Session | None
    login_timeout: float | tuple[float, float]
    keep_login_cookies: bool
    rejection_cooldown: float
    refresh_cooldown: float
    expired_when: Callable[[requests.Response], bool] | None
    resend: bool
    refresh_ahead: bool
    allow_http: bool
