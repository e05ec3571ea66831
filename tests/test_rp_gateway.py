"""RpGatewayAuth, held against rp.Gateway's document."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import partial as reply_of
from typing import Any, ClassVar

import pytest
import requests
from partner_contract import PartnerContract, read_document
from recording_server import Answer, Heard, recording_server

from requests_partnerauth import InvalidLoginResponse, LoginRejected, MemoryTokenCache, RpGatewayAuth
from requests_partnerauth.simulator import Call, Reply, SimulatedPartner, SimulatedRpGateway

DOCUMENT = read_document("rp-gateway")
SAMPLE = DOCUMENT["success"]["response"]
JSON = {"Content-Type": "application/json"}


class TestRpGateway(PartnerContract):
    auth_class = RpGatewayAuth
    sample = DOCUMENT["success"]
    token_of_sample: ClassVar = {
        "value": SAMPLE["authenticationCode"],
        "details": {name: SAMPLE[name] for name in ("status", "customerId", "userName")},
    }
    refusals: ClassVar = {
        "error": (None, "error description"),
        "customer": (None, "error.customer.required"),
        "fields": (None, "error.login.fields.required"),
        "status": ("401", "Access denied"),
    }

    def documented_login(self, credentials: Mapping[str, Any]) -> Mapping[str, Any]:
        account = {"user": "username", "passwd": "password", "uid": "uid", "customerId": "customer_id"}
        sent = {member: credentials[argument] for member, argument in account.items()}
        assert DOCUMENT["login"]["json"] == {"op": "login", **sent}
        return DOCUMENT["login"]

    def token_in(self, call: Call) -> str | None:
        return (call.members() or call.query).get("sid")

    def secret_in(self, partner: SimulatedPartner) -> object:
        return partner.login_calls[-1].json()["passwd"]

    def test_without_customer_id_none_is_sent(self, partner: SimulatedRpGateway) -> None:
        """A user of one customer need not name it."""
        self.auth(partner, customer_id=None).token()

        assert "customerId" not in partner.login_calls[0].json()

    def test_a_user_of_two_customers_must_name_one(self, partner: SimulatedRpGateway) -> None:
        """The partner's refusal is told; a customer that is named goes along, a number as its digits."""
        partner.accounts[0]["customer_id"] = ("26233", "26234")

        with pytest.raises(LoginRejected) as caught:
            self.auth(partner, customer_id=None).token()
        self.auth(partner, customer_id=26234).token()

        assert caught.value.partner_message == "error.customer.required"
        assert partner.login_calls[-1].json()["customerId"] == "26234"

    def test_customers_of_one_user_have_tokens_of_their_own(self, partner: SimulatedRpGateway) -> None:
        """customer_id belongs to the account; 26233 and "26233" are one."""
        partner.accounts[0]["customer_id"] = ("26233", "26234")
        cache = MemoryTokenCache()

        tokens = [
            self.auth(partner, cache=cache, customer_id=customer).token().value
            for customer in ("26233", 26233, "26234")
        ]

        assert tokens[0] == tokens[1] != tokens[2]
        assert partner.logins == 2

    def test_further_login_members(self, partner: SimulatedRpGateway) -> None:
        """login_fields go along with the login as they were when the auth was built; others have no token."""
        partner.login_fields = {"loc": "AU", "appCode": 7}
        cache, fields = MemoryTokenCache(), {"loc": "AU", "appCode": 7}
        auth = self.auth(partner, cache=cache, login_fields=fields)
        fields["loc"] = "NZ"
        auth.token()

        assert partner.login_calls[0].json() == {**DOCUMENT["login"]["json"], "loc": "AU", "appCode": 7}
        again = self.auth(partner, cache=cache, login_fields={"appCode": 7, "loc": "AU"})
        assert again.token() == auth.token()
        with pytest.raises(LoginRejected, match=r"error\.login\.fields\.required"):
            self.auth(partner, cache=cache).token()

    def test_every_operation_at_one_path(
        self, partner: SimulatedRpGateway, session: requests.Session
    ) -> None:
        """With login_path="/msg" login and calls go to one URL, told apart by `op`."""
        partner.login_path = "/msg"
        session.auth = self.auth(partner, login_path="/msg")
        url = partner.base_url + "/msg"

        assert session.post(url, json={"op": "getUserDetails"}).status_code == 200
        partner.revoke()
        assert session.post(url, json={"op": "getUserDetails"}).status_code == 200
        assert session.get(url, params={"op": "getUserDetails"}).status_code == 200

        assert {call.path for call in (*partner.login_calls, *partner.calls)} == {"/msg"}
        assert (partner.logins, partner.accepted) == (2, 3)

    def test_after_a_404_the_other_path_is_named(self, partner: SimulatedRpGateway) -> None:
        """Two of the partner's papers disagree about the path: the error says so, and locks nothing."""
        partner.answer_logins(Reply.of_text("Not Found", 404))
        for path, told in (("/msg", False), ("/msg/login", True)):
            partner.login_path = path
            with pytest.raises(InvalidLoginResponse) as caught:
                self.auth(partner, login_path=path).token()
            assert ('login_path="/msg"' in str(caught.value)) is told

        partner.answer_logins(Reply.of_text("Forbidden", 400))
        with pytest.raises(InvalidLoginResponse) as caught:
            self.auth(partner, login_path=path).token()
        assert "login_path" not in str(caught.value)

    def test_the_outer_basic_goes_with_every_call(
        self, partner: SimulatedRpGateway, session: requests.Session
    ) -> None:
        """gateway_auth is sent with the login, each request and the resend, in UTF-8."""
        partner.gateway_auth = ("gäte", "p:wörd")
        auth = self.auth(partner, gateway_auth=("gäte", "p:wörd"))

        assert session.get(partner.base_url + "/a", auth=auth).status_code == 200
        partner.revoke()
        assert session.post(partner.base_url + "/a", json={"op": "x"}, auth=auth).status_code == 200

        basic = "Basic " + b64encode("gäte:p:wörd".encode()).decode()
        calls = [*partner.login_calls, *partner.calls]
        assert [call.headers["Authorization"] for call in calls] == [basic] * 5

    @pytest.mark.parametrize("gateway_auth", [None, ("gate", "wrong-word")])
    def test_a_gateway_that_refuses(
        self, partner: SimulatedRpGateway, gateway_auth: tuple[str, str] | None
    ) -> None:
        """The gateway's own words are told, and no password."""
        partner.gateway_auth = ("gate", "right-word")

        with pytest.raises(LoginRejected) as caught:
            self.auth(partner, gateway_auth=gateway_auth).token()

        assert (caught.value.code, caught.value.partner_message) == ("401", "Access denied: gateway")
        assert "wrong-word" not in str(caught.value)

    def test_between_its_own_hosts_the_outer_basic_goes_along(
        self, partner: SimulatedRpGateway, session: requests.Session
    ) -> None:
        """requests drops it on the way to another port: that hop is refused, and sent again with it."""

        def gateway(heard: Heard) -> Answer:
            if heard.header("Authorization") is None:
                return Answer(401, {"Content-Type": "text/plain"}, b"Access denied: gateway")
            return Answer(200, JSON, b'{"response": {"status": "success"}}')

        partner.gateway_auth = ("gate", "right-word")
        with recording_server() as other:
            other.answer = gateway
            session.auth = self.auth(partner, gateway_auth=("gate", "right-word"), origins=[other.url])
            target = {"to": f"{other.url}/next", "status": "307"}
            answer = session.post(f"{partner.base_url}/redirect", params=target, json={"op": "x"})

        assert answer.status_code == 200
        assert [heard.header("Authorization") is not None for heard in other.heard] == [False, True]
        assert partner.logins == 1

    def test_another_gateway_password_means_another_token(self, partner: SimulatedRpGateway) -> None:
        """The outer password guards the token as the inner one does."""
        partner.gateway_auth = ("gate", "right-word")
        cache = MemoryTokenCache()
        self.auth(partner, cache=cache, gateway_auth=("gate", "right-word")).token()

        with pytest.raises(LoginRejected):
            self.auth(partner, cache=cache, gateway_auth=("gate", "wrong-word")).token()

    def test_a_login_elsewhere_ends_the_session(
        self, partner: SimulatedRpGateway, session: requests.Session
    ) -> None:
        """The next request is told so, logs in and is sent once more."""
        session.auth = self.auth(partner)
        session.get(partner.base_url + "/a")
        partner.login_elsewhere()

        answer = session.get(partner.base_url + "/a")

        assert (answer.status_code, len(answer.history), partner.logins) == (200, 1, 2)

    def test_401_is_read_before_it_is_believed(
        self, partner: SimulatedRpGateway, session: requests.Session
    ) -> None:
        """401 is a signal with the documented words, in the body's shape or without a word; else not."""
        ended = {"response": {"status": "error", "description": "error.invalid.sessiontoken"}}
        signals = {
            "words": reply_of(Reply.of_text, "Access denied: invalid authentication token.", 401),
            "shape": reply_of(
                lambda: Reply(401, {"Content-Type": "application/json"}, json.dumps(ended).encode())
            ),
            "silent": reply_of(Reply, 401),
        }
        self.each_refreshes_once(partner, session, signals)

        errors = {
            "gateway": reply_of(Reply.of_text, "Access denied: gateway", 401),
            "other": reply_of(
                lambda: Reply(
                    401, JSON, b'{"response": {"status": "error", "description": "error.forbidden"}}'
                )
            ),
            "longer": reply_of(
                Reply.of_json, {"response": {"status": "error", "description": "error.invalid.sessiontokens"}}
            ),
            "elsewhere": reply_of(Reply.of_json, {"description": "error.invalid.sessiontoken"}),
        }
        self.none_refreshes(partner, session, errors)
