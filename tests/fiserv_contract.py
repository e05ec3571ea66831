"""What the three Fiserv logins have in common, on top of the contract of every partner."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
import requests
from partner_contract import PartnerContract, read

from requests_partnerauth import InvalidLoginResponse, LoginRejected
from requests_partnerauth.simulator import Call, Reply, SimulatedPartner

STATUS_REFUSALS: Mapping[str, tuple[str | None, str]] = {
    "bad-credential": ("402", "Bad Credential"),
    "bad-credential-string": ("402", "Bad Credential"),
    "forbidden": ("403", "Forbidden"),
    "forbidden-status": ("403", "Forbidden"),
    "messages-status": ("401", "Token not found"),
}


def in_capitals(code: int | str, message: str, http_status: int = 200, **members: Any) -> Reply:
    """A status object as the OpenAPI files spell it."""
    return Reply.of_json({"Status": {"StatusCode": code, "Message": message}, **members}, http_status)


class FiservContract(PartnerContract):
    """A status object in every reply, and the bare token in ``Authorization``."""

    def token_in(self, call: Call) -> str | None:
        return call.headers.get("Authorization")

    def test_the_header_and_its_prefix_are_arguments(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """Where a partner's copy wants another header, it gets that one alone."""
        auth = self.auth(partner, token_header="X-Session", token_prefix="Bearer ")

        session.get(partner.base_url + "/a", auth=auth)

        headers = partner.calls[0].headers
        assert headers["X-Session"] == "Bearer " + partner.issued[0]
        assert "Authorization" not in headers

    def test_a_status_beside_the_token_is_accepted_in_every_spelling(self, partner: SimulatedPartner) -> None:
        """200 as a number or a text, under names in small letters or capitals, is success."""
        wanted = {"refresh_token": None, "lifetime": None, **self.token_of_sample}
        plain = {name: member for name, member in self.sample.items() if name != "status"}
        for status in (
            {"status": {"statusCode": "200", "message": "Success"}},
            {"Status": {"StatusCode": 200, "Message": "Success"}},
            {"Status": {"StatusCode": "200", "Message": "Success"}},
        ):
            partner.answer_logins(Reply.of_json({**plain, **status}))

            token = read(self.auth(partner).token())

            details = {name: value for name, value in token["details"].items() if name in wanted["details"]}
            assert {**token, "details": details} == wanted

    def test_a_wrong_address_is_no_matter_of_credentials(self, partner: SimulatedPartner) -> None:
        """A page where the login was expected, or "Token not found" in a 200, is no refusal."""
        for answer in (
            Reply.of_text("<html>Not Found</html>", 404),
            Reply.of_text("<html>Welcome</html>"),
            in_capitals(200, "Token not found"),
        ):
            partner.answer_logins(answer)
            with pytest.raises(InvalidLoginResponse):
                self.auth(partner).token()

    def test_a_code_that_no_document_has_is_a_refusal(self, partner: SimulatedPartner) -> None:
        """It may be about the password: it is told with its words, and remembered."""
        partner.answer_logins(in_capitals(423, "Locked"))
        auth = self.auth(partner)
        for _ in range(2):
            with pytest.raises(LoginRejected) as caught:
                auth.token()
            assert (caught.value.code, caught.value.partner_message) == ("423", "Locked")

        assert partner.login_attempts == 1

    def test_expiry_signals_in_capitals(self, partner: SimulatedPartner, session: requests.Session) -> None:
        """The signals count in the OpenAPI file's spelling too."""
        signals = {
            "401": partial(in_capitals, 401, "Unauthorized"),
            "401-text": partial(in_capitals, "401", "Unauthorized"),
            "not-found": partial(in_capitals, "200", "Token Not Found."),
            "token-not-valid": partial(
                in_capitals, "401", "Token not valid or Token had not passed at all", 401
            ),
        }

        self.each_refreshes_once(partner, session, signals)

    def test_expiry_signals_in_other_places(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """The words count under `message` and `messages`, in the status or at the top, in usual capitals."""
        words = ("Token not found", "token not found.", "Token Not Found", "TOKEN NOT FOUND")
        signals = {
            f"{name} {text}": partial(Reply.of_json, {**members, name: text})
            for text in words
            for name, members in (("message", {}), ("messages", {"status": {"statusCode": 200}}))
        }
        inside = {"statusCode": "200", "message": "Success", "messages": "Token not found"}
        signals["beside"] = partial(Reply.of_json, {"status": inside})

        self.each_refreshes_once(partner, session, signals)

    def test_what_only_looks_like_a_signal(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """403, another code, a longer message, a 401 elsewhere in the reply: none of them."""
        errors = {
            "403": partial(in_capitals, "403", "Forbidden", 403),
            "402": partial(in_capitals, 402, "Bad Credential"),
            "longer": partial(in_capitals, 404, "Token not found in the list of merchants"),
            "elsewhere": partial(Reply.of_json, {"data": {"status": {"statusCode": 401}}}),
            "longer-at-top": partial(Reply.of_json, {"messages": "Token not found in the list of merchants"}),
            "list-of-words": partial(Reply.of_json, {"messages": ["Token not found"]}),
            "no-object": partial(Reply.of_json, {"status": 401}),
            "true": partial(in_capitals, True, "Success"),
            "list": partial(Reply.of_json, [{"status": {"statusCode": 401}}]),
            "text": partial(Reply.of_text, '"Token not found"'),
        }

        self.none_refreshes(partner, session, errors)
