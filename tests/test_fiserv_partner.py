"""FiservPartnerAuth, held against Fiserv's document."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from fiserv_contract import STATUS_REFUSALS, FiservContract
from partner_contract import read_document

from requests_partnerauth import FiservPartnerAuth, LoginRejected, MemoryTokenCache
from requests_partnerauth.simulator import Reply, SimulatedFiservPartner, SimulatedPartner

DOCUMENT = read_document("fiserv-partner")
SAMPLE = DOCUMENT["success"]


class TestFiservPartner(FiservContract):
    auth_class = FiservPartnerAuth
    sample = SAMPLE
    token_of_sample: ClassVar = {
        "value": SAMPLE["authToken"],
        "refresh_token": SAMPLE["refreshToken"],
        "lifetime": pytest.approx(30 * 60),
        "details": {"ttl": 30},
    }
    refusals: ClassVar = {
        **STATUS_REFUSALS,
        "unauthorized": ("401", "Unauthorized"),
        "unauthorized-status": ("401", "Unauthorized"),
    }

    def documented_login(self, credentials: Mapping[str, Any]) -> Mapping[str, Any]:
        basic = b64encode(f"{credentials['username']}:{credentials['password']}".encode()).decode()
        return {**DOCUMENT["login"], "headers": {"Authorization": f"Basic {basic}"}}

    def secret_in(self, partner: SimulatedPartner) -> object:
        scheme, encoded = partner.login_calls[-1].headers["Authorization"].split()
        assert scheme == "Basic"
        return b64decode(encoded).decode().split(":", 1)[1]

    def test_the_documents_error(self, partner: SimulatedFiservPartner) -> None:
        """The document's own error sample is a refusal with its code and words."""
        partner.answer_logins(Reply.of_json(DOCUMENT["error"]))

        with pytest.raises(LoginRejected) as caught:
            self.auth(partner).token()
        assert (caught.value.code, caught.value.partner_message) == ("402", "Bad Credential")

    @pytest.mark.parametrize(
        ("unit", "seconds"),
        [(timedelta(seconds=1), 30), (timedelta(minutes=1), 1800), (timedelta(hours=1), 108000)],
    )
    def test_the_unit_of_ttl_is_an_argument(
        self, partner: SimulatedFiservPartner, unit: timedelta, seconds: float
    ) -> None:
        """The same 30 is as long as the user says."""
        assert self.auth(partner, ttl_unit=unit).token().lifetime == pytest.approx(seconds)

    def test_the_refresh_token_is_kept_and_not_shown(self, partner: SimulatedFiservPartner) -> None:
        """It stands on the token, in neither its repr nor its details."""
        token = self.auth(partner).token()

        assert token.refresh_token is not None
        assert token.refresh_token not in repr(token)
        assert dict(token.details) == {"ttl": 30}

    def test_a_refresh_token_that_is_none(self, partner: SimulatedFiservPartner) -> None:
        """It is never sent: a reply with a number in its place is a login all the same."""
        partner.answer_logins(Reply.of_json({**SAMPLE, "refreshToken": 17}))

        assert self.auth(partner).token().refresh_token is None

    def test_ain_may_be_a_number(self, partner: SimulatedFiservPartner) -> None:
        """4700000 and "4700000" are one account."""
        cache = MemoryTokenCache()

        for ain in ("4700000", 4700000):
            self.auth(partner, cache=cache, ain=ain).token()

        assert [call.query["ain"] for call in partner.login_calls] == ["4700000"]

    @pytest.mark.parametrize("other", [{"ain": "4700001"}, {"source": "TAB"}, {"username": "another"}])
    def test_other_account_fields_mean_another_token(
        self, partner: SimulatedFiservPartner, other: Mapping[str, str]
    ) -> None:
        """ain and source belong to the account as the user name does."""
        cache = MemoryTokenCache()
        partner.add_account(**other)

        first = self.auth(partner, cache=cache).token()
        second = self.auth(partner, cache=cache, **other).token()

        assert first.value != second.value
        assert partner.logins == 2
