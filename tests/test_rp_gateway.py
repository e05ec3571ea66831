"""RpGatewayAuth, held against rp.Gateway's document."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import partial as reply_of
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from partner_contract import PartnerContract, read_document

from requests_partnerauth import LoginRejected, MemoryTokenCache, RpGatewayAuth
from requests_partnerauth.simulator import Call, Reply, SimulatedPartner, SimulatedRpGateway

DOCUMENT = read_document("rp-gateway")
SAMPLE = DOCUMENT["success"]["response"]
JSON = {"Content-Type": "application/json"}


def exactly(text: str | bytes) -> Any:
    """A JSON document whose numbers are kept as they are written."""
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)


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

    def sent(
        self, partner: SimulatedPartner, session: requests.Session, **request: Any
    ) -> tuple[Call, dict[str, str]]:
        """How a request arrives, and the session fields that belong to it."""
        auth = self.auth(partner)
        answer = session.request(
            request.pop("method", "POST"), partner.base_url + "/search", auth=auth, **request
        )
        assert answer.status_code == 200
        return partner.calls[-1], {"uid": partner.credentials["uid"], "sid": auth.token().value}

    def test_a_json_object_gets_the_fields_as_members(
        self, partner: SimulatedRpGateway, session: requests.Session
    ) -> None:
        """sid and uid join the user's own members; the query stays empty."""
        call, fields = self.sent(partner, session, json={"op": "search", "suburb": "Zürich"})

        assert call.json() == {"op": "search", "suburb": "Zürich", **fields}
        assert call.query == {}
        assert int(call.headers["Content-Length"]) == len(call.body)

    @pytest.mark.parametrize("body", ["{}", " { } ", "{\n}\n"])
    def test_an_empty_json_object(
        self, partner: SimulatedRpGateway, session: requests.Session, body: str
    ) -> None:
        """An object without members gets the two, and nothing else."""
        call, fields = self.sent(partner, session, data=body, headers=JSON)

        assert call.json() == fields

    @pytest.mark.parametrize(
        "own",
        [
            "",
            '"sid": "old", ',
            '"uid" :\t"old" , "sid":null,',
            '"s\\u0069d": {"sid": [1, "}"]}, "uid": "a", "uid": "b", ',
        ],
    )
    def test_json_keeps_what_is_written_in_it(
        self, partner: SimulatedRpGateway, session: requests.Session, own: str
    ) -> None:
        """Digits, order, letters and escapes stay as they are; fields of the user's own name give way."""
        members = (
            '"price": 1.10, "huge": 1e400, "tiny": -0.0E-7, "digits": 123456789012345678901234567890, '
            '"place": "Zürich \\u00fc \\" , }", "nested": {"sid": "kept", "rate": 0.10}, '
            '"list": [1.0, {"uid": 2}]'
        )
        for body in (f"{{{own}{members}}}", f"{{{members}{',' if own else ''}{own.rstrip(', ')}}}"):
            call, fields = self.sent(partner, session, data=body.encode(), headers=JSON)

            assert members in call.body.decode()
            assert exactly(call.body) == {**exactly(f"{{{members}}}"), **fields}
            assert list(exactly(call.body))[-2:] == ["uid", "sid"]

    def test_a_form_gets_the_fields_as_fields(
        self, partner: SimulatedRpGateway, session: requests.Session
    ) -> None:
        """The user's own pairs keep their order, repetitions and spelling; own sid and uid give way."""
        call, fields = self.sent(
            partner,
            session,
            data=[("q", "a+b & ü"), ("sid", "old"), ("q", "2"), ("uid", "old"), ("empty", "")],
        )

        pairs = parse_qsl(call.body.decode(), keep_blank_values=True)
        assert pairs == [("q", "a+b & ü"), ("q", "2"), ("empty", ""), *fields.items()]
        assert call.query == {}

    def test_a_request_without_a_body_gets_them_into_the_query(
        self, partner: SimulatedRpGateway, session: requests.Session
    ) -> None:
        """The user's own query keeps order, repetitions and spelling; own sid and uid give way."""
        query = "q=a%2Bb&sid=old&q=%C3%BC+2&uid=old&flag&empty="
        call, fields = self.sent(partner, session, method="GET", params=query)

        assert urlsplit(call.url).query.startswith("q=a%2Bb&q=%C3%BC+2&flag&empty=&")
        assert call.query == {"q": "ü 2", "flag": "", "empty": "", **fields}
        assert call.body == b""

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b'[{"sid": 1}, 2.50]', "application/json"),
            (b'"text"', "application/json"),
            (b'{"broken": ', "application/json"),
            (b'{"json": "in disguise"}', "application/octet-stream"),
            (b"\xff\xfe\x00{}", "application/json"),
            (b"\x89PNG\r\n\x00\xff", "image/png"),
            (b"<xml/>", "text/xml"),
        ],
    )
    def test_any_other_body_is_left_alone(
        self, partner: SimulatedRpGateway, session: requests.Session, body: bytes, content_type: str
    ) -> None:
        """A body that is no JSON object and no form arrives byte for byte; the fields are in the query."""
        call, fields = self.sent(
            partner, session, data=body, params={"q": "1"}, headers={"Content-Type": content_type}
        )

        assert call.body == body
        assert call.query == {"q": "1", **fields}

    def test_a_multipart_body_is_left_alone(
        self, partner: SimulatedRpGateway, session: requests.Session
    ) -> None:
        """Files and their boundary arrive byte for byte; the fields are in the query."""
        plain = requests.Request(
            "POST", "http://partner.example", files={"photo": ("a.jpg", b"\xff\x00\r\n--", "image/jpeg")}
        ).prepare()
        call, fields = self.sent(
            partner, session, data=plain.body, headers={"Content-Type": plain.headers["Content-Type"]}
        )

        assert call.body == plain.body
        assert call.query == fields

    @pytest.mark.parametrize(
        "request_with",
        [
            {"json": {"op": "search"}},
            {"data": {"q": "1"}},
            {"params": {"q": "1"}},
            {"json": [1, 2]},
            {"files": {"photo": b"\xff"}},
        ],
    )
    def test_a_resend_replaces_the_fields(
        self, partner: SimulatedRpGateway, session: requests.Session, request_with: dict[str, Any]
    ) -> None:
        """After the end of the session the same request goes out with the new sid, once in it."""
        session.auth = auth = self.auth(partner)
        auth.token()
        partner.revoke()

        answer = session.post(partner.base_url + "/search", **request_with)

        first, second = partner.calls
        old, new = partner.issued
        assert answer.status_code == 200
        assert second.body.decode("latin-1") == first.body.decode("latin-1").replace(old, new)
        assert second.url == first.url.replace(old, new)
        assert (second.url + second.body.decode("latin-1")).count(new) == 1

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
