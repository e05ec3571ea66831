"""Logins that partner APIs want first, as `requests` auth objects."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._auth import PartnerAuth
from ._placement import HeaderPlacement, SessionFieldsPlacement
from ._token import Token
from .caches.memory import MemoryTokenCache
from .errors import ForeignOrigin, InvalidLoginResponse, LoginRejected, LoginUnavailable, PartnerAuthError

if TYPE_CHECKING:
    from .caches.file import FileTokenCache
    from .caches.keyring import KeyringTokenCache
    from .caches.redis import RedisTokenCache
    from .partners.bex import BexAuth
    from .partners.fiserv_boarding import FiservBoardingAuth
    from .partners.fiserv_commerce_connect import FiservCommerceConnectAuth
    from .partners.fiserv_partner import FiservPartnerAuth
    from .partners.rp_gateway import RpGatewayAuth

__all__ = [
    "BexAuth",
    "FileTokenCache",
    "FiservBoardingAuth",
    "FiservCommerceConnectAuth",
    "FiservPartnerAuth",
    "ForeignOrigin",
    "HeaderPlacement",
    "InvalidLoginResponse",
    "KeyringTokenCache",
    "LoginRejected",
    "LoginUnavailable",
    "MemoryTokenCache",
    "PartnerAuth",
    "PartnerAuthError",
    "RedisTokenCache",
    "RpGatewayAuth",
    "SessionFieldsPlacement",
    "Token",
]

_IMPORTED_WHEN_USED = {
    "BexAuth": ".partners.bex",
    "FileTokenCache": ".caches.file",
    "FiservBoardingAuth": ".partners.fiserv_boarding",
    "FiservCommerceConnectAuth": ".partners.fiserv_commerce_connect",
    "FiservPartnerAuth": ".partners.fiserv_partner",
    "KeyringTokenCache": ".caches.keyring",
    "RedisTokenCache": ".caches.redis",
    "RpGatewayAuth": ".partners.rp_gateway",
}


def __getattr__(name: str) -> Any:
    if name not in _IMPORTED_WHEN_USED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_IMPORTED_WHEN_USED[name], __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
