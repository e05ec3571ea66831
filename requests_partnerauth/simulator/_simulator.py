"""All five partners together, and the two doors to them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING

from ._partner import SimulatedPartner
from ._server import PartnerServer
from .bex import SimulatedBex
from .fiserv_boarding import SimulatedFiservBoarding
from .fiserv_commerce_connect import SimulatedFiservCommerceConnect
from .fiserv_partner import SimulatedFiservPartner
from .rp_gateway import SimulatedRpGateway

if TYPE_CHECKING:
    from responses import RequestsMock


class PartnerSimulator:
    """Five partners with memory: served on a loopback port in a `with` block, or put behind `responses`.

    Example:
        >>> with PartnerSimulator() as simulator:
        ...     auth = BexAuth(**simulator.bex.credentials)
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.bex = SimulatedBex()
        self.fiserv_boarding = SimulatedFiservBoarding()
        self.fiserv_commerce_connect = SimulatedFiservCommerceConnect()
        self.fiserv_partner = SimulatedFiservPartner()
        self.rp_gateway = SimulatedRpGateway()
        self._address = (host, port)
        self._server: PartnerServer | None = None

    @property
    def partners(self) -> Mapping[str, SimulatedPartner]:
        """The partners by their short names."""
        every: tuple[SimulatedPartner, ...] = (
            self.bex,
            self.fiserv_boarding,
            self.fiserv_commerce_connect,
            self.fiserv_partner,
            self.rp_gateway,
        )
        return MappingProxyType({partner.name: partner for partner in every})

    def start(self) -> None:
        """Serve every partner under its base URL, from now on a loopback one."""
        if self._server is not None:
            raise RuntimeError("the simulator is being served already")
        brains = {f"/{name}": partner for name, partner in self.partners.items()}
        self._server = PartnerServer(self._address, brains)
        host, port = self._address[0], self._server.server_port
        for name, partner in self.partners.items():
            partner.base_url = f"http://{host}:{port}/{name}"
        self._server.start()

    def stop(self) -> None:
        """Stop serving; does nothing where nothing is served."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def register(self, mock: RequestsMock) -> PartnerSimulator:
        """Answer for every partner's base URL behind `responses`; returns the simulator itself."""
        from ._responses_door import register

        for partner in self.partners.values():
            register(mock, partner)
        return self

    def __enter__(self) -> PartnerSimulator:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
