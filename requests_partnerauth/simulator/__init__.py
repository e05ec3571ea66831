"""The five partners in miniature, for tests without the partners.

Each is a plain callable from `Call` to `Reply` with memory and controls; `PartnerSimulator` opens two doors
to them: a loopback server with real threads, and `responses`. Written from the partners' documents alone,
without the rest of this package, so that one can be held against the other.
"""

from __future__ import annotations

from ._messages import Call, Headers, Reply
from ._partner import ABSENT, SimulatedPartner
from ._simulator import PartnerSimulator
from .bex import SimulatedBex
from .fiserv_boarding import SimulatedFiservBoarding
from .fiserv_commerce_connect import SimulatedFiservCommerceConnect
from .fiserv_partner import SimulatedFiservPartner
from .rp_gateway import SimulatedRpGateway

__all__ = [
    "ABSENT",
    "Call",
    "Headers",
    "PartnerSimulator",
    "Reply",
    "SimulatedBex",
    "SimulatedFiservBoarding",
    "SimulatedFiservCommerceConnect",
    "SimulatedFiservPartner",
    "SimulatedPartner",
    "SimulatedRpGateway",
]
