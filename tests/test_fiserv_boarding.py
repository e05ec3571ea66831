"""FiservBoardingAuth, held against Fiserv's document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from fiserv_contract import STATUS_REFUSALS, FiservContract
from manual_clock import ManualClock
from partner_contract import read_document

from requests_partnerauth import FiservBoardingAuth, LoginRejected, PartnerAuth
from requests_partnerauth.simulator import Reply, SimulatedFiservBoarding, SimulatedPartner

DOCUMENT = read_document("fiserv-boarding")


class TestFiservBoarding(FiservContract):
    auth_class = FiservBoardingAuth
    sample = DOCUMENT["success"]
    token_of_sample: ClassVar = {
        "value": DOCUMENT["success"]["data"]["token"],
        "details": {"userName": DOCUMENT["success"]["data"]["userName"]},
    }
    refusals: ClassVar = {
        **STATUS_REFUSALS,
        "unauthorized": ("401", "Authenticatin failed"),
        "unauthorized-status": ("401", "Authenticatin failed"),
    }

    def documented_login(self, credentials: Mapping[str, Any]) -> Mapping[str, Any]:
        assert DOCUMENT["login"]["json"] == {name: credentials[name] for name in ("username", "password")}
        return DOCUMENT["login"]

    def secret_in(self, partner: SimulatedPartner) -> object:
        return partner.login_calls[-1].json()["password"]

    def test_the_documents_error(self, partner: SimulatedFiservBoarding) -> None:
        """The document's own error sample, HTTP 200 as it is, is a refusal with its code and words."""
        partner.answer_logins(Reply.of_json(DOCUMENT["error"]))

        with pytest.raises(LoginRejected) as caught:
            self.auth(partner).token()
        assert (caught.value.code, caught.value.partner_message) == ("402", "Bad Credential")

    @pytest.mark.parametrize("ttl_in_data", [False, True])
    @pytest.mark.parametrize(
        ("ttl", "unit", "seconds"),
        [
            (30, timedelta(minutes=1), 1800),
            ("30", timedelta(minutes=1), 1800),
            (0.5, timedelta(minutes=1), 30),
            (30, timedelta(seconds=1), 30),
            (2, timedelta(hours=1), 7200),
            (30, 60, 1800),
            (30, 0.5, 15),
            (0.25, timedelta(seconds=1), 1),
            (0, timedelta(minutes=1), None),
            (-5, timedelta(minutes=1), None),
            (None, timedelta(minutes=1), None),
            (True, timedelta(minutes=1), None),
            ("soon", timedelta(minutes=1), None),
            ("NaN", timedelta(minutes=1), None),
            (10**400, timedelta(minutes=1), None),
        ],
    )
    def test_ttl(
        self,
        partner: SimulatedFiservBoarding,
        ttl_in_data: bool,
        ttl: object,
        unit: timedelta | float,
        seconds: float | None,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """ttl counts at the top and in data, in the given unit; no positive number means no known end."""
        monkeypatch.setattr(PartnerAuth, "_clock", ManualClock())
        partner.ttl, partner.ttl_in_data = ttl, ttl_in_data

        lifetime = self.auth(partner, ttl_unit=unit).token().lifetime

        assert lifetime == (None if seconds is None else pytest.approx(seconds, abs=0.5))

    def test_a_token_without_ttl_has_no_known_end(self, partner: SimulatedFiservBoarding) -> None:
        """The document's sample has no ttl: the expiry signal alone ends such a token."""
        token = self.auth(partner).token()

        assert (token.expires_at, token.lifetime) == (None, None)
