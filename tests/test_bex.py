"""BexAuth, held against BEX's document."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial as reply_of
from typing import Any, ClassVar

import pytest
import requests
from partner_contract import HARD_PASSWORD, PartnerContract, PublishedContract, read_document

from requests_partnerauth import BexAuth, LoginRejected, MemoryTokenCache
from requests_partnerauth.simulator import Call, Reply, SimulatedBex, SimulatedPartner

DOCUMENT = read_document("bex")
SAMPLE = DOCUMENT["success"]


DOWNLOADS: Mapping[str, Mapping[str, Any]] = {
    "/api/service/downloadewaybill": {"waybillNumber": "W123"},
    "/api/service/downloadparcellabels": {"waybillNumbers": ["W123", "W124"]},
}


def ex(words: object) -> Reply:
    return Reply.of_json({"ex": words})


class TestBex(PartnerContract):
    auth_class = BexAuth
    sample = SAMPLE
    token_of_sample: ClassVar = {
        "value": SAMPLE["value"],
        "details": {name: member for name, member in SAMPLE.items() if name != "value"},
    }
    refusals: ClassVar = {
        "ex": (None, "Invalid username or password."),
        "status": ("401", "Unauthorized"),
        "forbidden": ("403", "Forbidden"),
    }

    def documented_login(self, credentials: Mapping[str, Any]) -> Mapping[str, Any]:
        login = DOCUMENT["login"]
        assert login["query"] == {name: credentials[name] for name in ("username", "password")}
        return {"method": login["method"], "path": login["path"], "json": login["query"]}

    def token_in(self, call: Call) -> str | None:
        return call.headers.get("token")

    def secret_in(self, partner: SimulatedPartner) -> object:
        return partner.login_calls[-1].json()["password"]

    @pytest.mark.parametrize(("login_via", "method"), [("query", "POST"), ("get", "GET")])
    def test_a_login_through_the_url(self, partner: SimulatedBex, login_via: str, method: str) -> None:
        """The document's URL parameters, by either method, and no body; a hard password comes through."""
        self.auth(partner, login_via=login_via).token()
        partner.change_password(HARD_PASSWORD)
        self.auth(partner, login_via=login_via).token()

        first, second = partner.login_calls
        assert (first.method, first.path) == (method, DOCUMENT["login"]["path"])
        assert first.query == DOCUMENT["login"]["query"]
        assert second.query["password"] == HARD_PASSWORD
        assert first.body == second.body == b""
        assert partner.logins == 2

    @pytest.mark.parametrize("login_via", ["json", "query", "get"])
    def test_the_alternate_token_is_asked_for(self, partner: SimulatedBex, login_via: str) -> None:
        """preferAlternateToken goes along where asked for: true in JSON, the text in a URL."""
        self.auth(partner, login_via=login_via, alternate_token=True).token()
        self.auth(partner, login_via=login_via).token()

        alternate, usual = ({**call.query, **(call.json() or {})} for call in partner.login_calls)
        assert alternate == {**usual, "preferAlternateToken": True if login_via == "json" else "true"}

    def test_both_tokens_of_an_account_live_side_by_side(
        self, partner: SimulatedBex, session: requests.Session
    ) -> None:
        """Two auth objects over one cache hold two tokens; each logs in once and serves its own calls."""
        cache = MemoryTokenCache()
        usual = self.auth(partner, cache=cache)
        alternate = self.auth(partner, cache=cache, alternate_token=True)

        for _ in range(2):
            assert session.get(partner.base_url + "/a", auth=usual).status_code == 200
            for path, members in DOWNLOADS.items():
                label = session.post(partner.base_url + path, json=members, auth=alternate)
                assert label.content.startswith(b"%PDF")
        assert usual.token().value != alternate.token().value
        assert partner.logins == 2

    def test_the_alternate_token_goes_into_the_request(
        self, partner: SimulatedBex, session: requests.Session
    ) -> None:
        """It is a member of the JSON body, or a parameter where there is none; no header tells it."""
        session.auth = auth = self.auth(partner, alternate_token=True)
        url, members = partner.base_url + "/api/service/downloadewaybill", {"waybillNumber": "W123"}

        session.post(url, json=members)
        session.get(url, params=members)

        posted, got = partner.calls
        assert posted.json() == {**members, "token": auth.token().value}
        assert got.query == {**members, "token": auth.token().value}
        assert "token" not in {**posted.headers, **got.headers}

    def test_a_download_is_sent_again_with_the_new_token_in_its_body(
        self, partner: SimulatedBex, session: requests.Session
    ) -> None:
        """An expiry, told by status or in JSON where a PDF was asked for, costs one login and one resend."""
        session.auth = self.auth(partner, alternate_token=True)
        url = partner.base_url + "/api/service/downloadparcellabels"
        session.post(url, json={"waybillNumbers": ["W1", "W2"]})
        for signal in partner.expiry_signals:
            partner.expiry_signal = signal
            partner.revoke()
            partner.reset_counts()

            label = session.post(url, json={"waybillNumbers": ["W1", "W2"]})

            assert label.content.startswith(b"%PDF")
            assert [call.json()["waybillNumbers"] for call in partner.calls] == [["W1", "W2"]] * 2
            assert partner.calls[1].json()["token"] == partner.issued[-1] != partner.calls[0].json()["token"]
            assert partner.logins == 1

    def test_an_ex_is_an_error_even_beside_a_token(self, partner: SimulatedBex) -> None:
        """A login reply that names an error grants nothing, whatever else is in it."""
        partner.answer_logins(Reply.of_json({**SAMPLE, "ex": "Account locked"}))

        with pytest.raises(LoginRejected) as caught:
            self.auth(partner).token()
        assert caught.value.partner_message == "Account locked"

    def test_an_empty_ex_is_none(self, partner: SimulatedBex) -> None:
        """A login reply with an empty or null `ex` grants its token."""
        for empty in ("", None):
            partner.answer_logins(Reply.of_json({**SAMPLE, "ex": empty}))

            assert self.auth(partner).token().value == SAMPLE["value"]

    def test_words_that_say_the_token_is_bad(self, partner: SimulatedBex, session: requests.Session) -> None:
        """An `ex` that says the token itself is invalid, unknown, missing or expired is an expiry signal."""
        words = (
            "Invalid token",
            "Invalid token.",
            "INVALID TOKEN!",
            " invalid  token ",
            "Token is invalid",
            "Token invalid.",
            "The token is not valid.",
            "The token is invalid or has expired.",
            "Your token has expired.",
            "This token has already expired",
            "Your session token has expired.",
            "Token expired",
            "Invalid or expired token.",
            "An invalid token",
            "Unknown token.",
            "Unknown access token",
            "Token not recognised.",
            "Token not recognized.",
            "Token not found",
            "Missing token",
            "Token missing.",
            "Token is missing or invalid.",
            "Token is required",
            "No token",
            "No token provided.",
            "Invalid token supplied.",
            "The supplied token is invalid.",
            "The token provided is not valid",
            "Authentication token is invalid.",
            "Token is no longer valid.",
            "Token does not exist",
            "Token could not be found.",
            "Token expired, please login again",
            "Your session token has expired. Please log in again.",
        )

        self.each_refreshes_once(partner, session, {each: reply_of(ex, each) for each in words})

    def test_words_that_merely_name_the_token(self, partner: SimulatedBex, session: requests.Session) -> None:
        """An `ex` about anything else is a business error, also where it names the token."""
        words = (
            "Account number is not registered for transactions with this token.",
            "Token is not valid for this account number.",
            "Invalid account number for this token.",
            "The account of this token has expired.",
            "This token is not allowed to create waybills.",
            "Waybill not found for this token.",
            "Invalid token count.",
            "No token limit is set for this account.",
            "Your quota has expired. The token is valid.",
            "Invalid waybill number.",
            "Token does not exist for this account.",
            "Please log in again.",
            "Invalid username or password.",
            "Unknown service",
            "Expired",
            "token",
            "",
        )
        errors = {each: reply_of(ex, each) for each in words}
        others = {"list": reply_of(ex, ["Invalid token."]), "null": reply_of(ex, None)}
        others["elsewhere"] = reply_of(Reply.of_json, {"ex": "", "note": "Invalid token."})

        self.none_refreshes(partner, session, {**errors, **others})


class TestTheAlternateToken(PublishedContract):
    """What holds for every partner holds for a BEX auth that places its token in the request."""

    auth_class = BexAuth
    arguments: ClassVar = {"username": "user123", "password": "pass1234", "alternate_token": True}
    login_reply = SAMPLE
    rejection: ClassVar = {"ex": "Invalid username or password."}
    expiry: ClassVar = {"ex": "Invalid token."}
