"""Logins that partner APIs want first, as `requests` auth objects.

Each name is imported when it is first used: a script pays for its own partner, not for the other four.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._auth import PartnerAuth
    from ._http.replies import json_object
    from ._placement._base import Placement
    from ._placement.cookies import CookiePlacement
    from ._placement.fields import SessionFieldsPlacement
    from ._placement.header import HeaderPlacement
    from ._placement.query import QueryPlacement
    from ._token import Token
    from .caches.file import FileTokenCache
    from .caches.keyring import KeyringTokenCache
    from .caches.memory import MemoryTokenCache
    from .caches.redis import RedisTokenCache
    from .errors import (
        ForeignOrigin,
        InvalidLoginResponse,
        LoginRejected,
        LoginTimeout,
        LoginUnavailable,
        PartnerAuthError,
    )
    from .partners.bex import BexAuth
    from .partners.fiserv_boarding import FiservBoardingAuth
    from .partners.fiserv_commerce_connect import FiservCommerceConnectAuth
    from .partners.fiserv_partner import FiservPartnerAuth
    from .partners.rp_gateway import RpGatewayAuth

    __version__: str

__all__ = [
    "BexAuth",
    "CookiePlacement",
    "FileTokenCache",
    "FiservBoardingAuth",
    "FiservCommerceConnectAuth",
    "FiservPartnerAuth",
    "ForeignOrigin",
    "HeaderPlacement",
    "InvalidLoginResponse",
    "KeyringTokenCache",
    "LoginRejected",
    "LoginTimeout",
    "LoginUnavailable",
    "MemoryTokenCache",
    "PartnerAuth",
    "PartnerAuthError",
    "Placement",
    "QueryPlacement",
    "RedisTokenCache",
    "RpGatewayAuth",
    "SessionFieldsPlacement",
    "Token",
    "__version__",
    "json_object",
]

_MODULES = {
    "BexAuth": "partners.bex",
    "CookiePlacement": "_placement.cookies",
    "FileTokenCache": "caches.file",
    "FiservBoardingAuth": "partners.fiserv_boarding",
    "FiservCommerceConnectAuth": "partners.fiserv_commerce_connect",
    "FiservPartnerAuth": "partners.fiserv_partner",
    "HeaderPlacement": "_placement.header",
    "KeyringTokenCache": "caches.keyring",
    "MemoryTokenCache": "caches.memory",
    "PartnerAuth": "_auth",
    "Placement": "_placement._base",
    "QueryPlacement": "_placement.query",
    "RedisTokenCache": "caches.redis",
    "RpGatewayAuth": "partners.rp_gateway",
    "SessionFieldsPlacement": "_placement.fields",
    "Token": "_token",
    "json_object": "_http.replies",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "__version__":
        from importlib.metadata import version

        globals()[name] = version(__name__)
        return globals()[name]
    module = import_module(f".{_MODULES.get(name, 'errors')}", __name__)
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
