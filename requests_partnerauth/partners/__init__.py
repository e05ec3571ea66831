"""The partners, one module each. No I/O in any."""

from .bex import BexAuth
from .fiserv_boarding import FiservBoardingAuth
from .fiserv_commerce_connect import FiservCommerceConnectAuth
from .fiserv_partner import FiservPartnerAuth
from .rp_gateway import RpGatewayAuth

__all__ = ["BexAuth", "FiservBoardingAuth", "FiservCommerceConnectAuth", "FiservPartnerAuth", "RpGatewayAuth"]
