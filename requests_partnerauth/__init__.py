"""Logins that partner APIs want first, as `requests` auth objects."""

from ._auth import PartnerAuth
from ._placement import HeaderPlacement, SessionFieldsPlacement
from ._token import Token
from .caches import MemoryTokenCache
from .errors import ForeignOrigin, InvalidLoginResponse, LoginRejected, LoginUnavailable, PartnerAuthError
from .partners import BexAuth, FiservBoardingAuth, FiservCommerceConnectAuth, FiservPartnerAuth, RpGatewayAuth

__all__ = [
    "BexAuth",
    "FiservBoardingAuth",
    "FiservCommerceConnectAuth",
    "FiservPartnerAuth",
    "ForeignOrigin",
    "HeaderPlacement",
    "InvalidLoginResponse",
    "LoginRejected",
    "LoginUnavailable",
    "MemoryTokenCache",
    "PartnerAuth",
    "PartnerAuthError",
    "RpGatewayAuth",
    "SessionFieldsPlacement",
    "Token",
]
