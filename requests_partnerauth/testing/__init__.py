"""For tests of code that uses these auths: a pytest plugin, a filter for vcrpy, a contract for own partners.

Write ``pytest_plugins = ["requests_partnerauth.testing"]`` into the top-level ``conftest.py``; the extra
``testing`` installs what it needs. Where a test wants no login at all, `PartnerAuth.preset` gives the auth
a token, and with it every other auth of the same account and secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from .._engine.registry import forget_all
from ..caches.memory import process_wide
from ..simulator import PartnerSimulator
from .cassettes import vcr_filters

if TYPE_CHECKING:
    from .contract import PartnerContract as PartnerContract

__all__ = ["PartnerContract", "mocked_partners", "partner_simulator", "vcr_filters"]


def __getattr__(name: str) -> Any:
    # The plugin is loaded with every run of a user's tests; the contract with those of an own partner.
    if name != "PartnerContract":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .contract import PartnerContract

    return PartnerContract


@pytest.fixture
def partner_simulator() -> Iterator[PartnerSimulator]:
    """The five partners on a loopback socket, for one test.

    ``BexAuth(**partner_simulator.bex.credentials)`` logs in there. The tokens in the memory of the process
    are dropped before and after the test.
    """
    forget_all(process_wide())
    with PartnerSimulator() as simulator:
        yield simulator
    forget_all(process_wide())


@pytest.fixture
def mocked_partners() -> Iterator[PartnerSimulator]:
    """The five partners behind `responses`, for one test: no socket, and no other host is reached.

    ``BexAuth(**mocked_partners.bex.credentials)`` logs in there; a partner's `base_url` may be set to the
    real one first. What a test adds with ``responses.add`` is answered beside them. The tokens in the memory
    of the process are dropped before and after the test.
    """
    import responses

    forget_all(process_wide())
    with responses.mock as mock:
        yield PartnerSimulator().register(mock)
    forget_all(process_wide())
