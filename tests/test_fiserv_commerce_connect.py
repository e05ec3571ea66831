"""FiservCommerceConnectAuth, held against Fiserv's document and the known answer of its cipher."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
import requests
from conftest import wrong_secret
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from fiserv_contract import STATUS_REFUSALS, FiservContract
from partner_contract import HARD_PASSWORD, ImpatientClock, PublishedContract, read_document

from requests_partnerauth import (
    FiservCommerceConnectAuth,
    InvalidLoginResponse,
    LoginRejected,
    LoginUnavailable,
    MemoryTokenCache,
    PartnerAuth,
)
from requests_partnerauth.partners.fiserv_commerce_connect import encrypted
from requests_partnerauth.simulator import Call, Reply, SimulatedFiservCommerceConnect, SimulatedPartner

DOCUMENT = read_document("fiserv-commerce-connect")


def decrypted(sealed: str, key: str, iv: str) -> bytes:
    opener = Cipher(algorithms.AES(b64decode(key)), modes.CBC(b64decode(iv))).decryptor()
    unpadder = PKCS7(128).unpadder()
    padded = opener.update(b64decode(sealed)) + opener.finalize()
    return unpadder.update(padded) + unpadder.finalize()


def test_the_documents_sample_decrypts_and_encrypts_back() -> None:
    """The known answer: the sample opens to the digest on record and is made again byte for byte."""
    sealed, headers = DOCUMENT["login"]["json"]["encryptData"], DOCUMENT["login"]["headers"]
    key, iv = headers["keyValue"], headers["ivValue"]

    plain = decrypted(sealed, key, iv)

    known = DOCUMENT["plaintext"]
    assert (len(plain), hashlib.sha256(plain).hexdigest()) == (known["bytes"], known["sha256"])
    assert list(json.loads(plain)) == known["members"]
    assert encrypted(plain, key, iv) == sealed


def test_the_documents_sample_is_what_a_login_sends() -> None:
    """The sample's own payload, handed in as a mapping, gives the sample's request."""
    login = DOCUMENT["login"]
    headers = login["headers"]
    payload = json.loads(decrypted(login["json"]["encryptData"], headers["keyValue"], headers["ivValue"]))
    auth = FiservCommerceConnectAuth(
        headers["keyValue"],
        headers["ivValue"],
        payload,
        base_url="https://partner.example/FirstPayL2Services",
    )

    request = auth.login_request()

    assert (request.method, request.url) == (login["method"], f"{auth.base_url}{login['path']}")
    assert request.headers == headers
    sent = decrypted(request.json["encryptData"], headers["keyValue"], headers["ivValue"])
    assert json.loads(sent) == payload


class TestFiservCommerceConnect(FiservContract):
    auth_class = FiservCommerceConnectAuth
    sample = DOCUMENT["success"]
    token_of_sample: ClassVar = {
        "value": DOCUMENT["success"]["data"]["token"],
        "details": {"userName": DOCUMENT["success"]["data"]["userName"]},
    }
    refusals: ClassVar = {
        "hmac-empty": ("FPDR4002", "HMAC is empty"),
        "hmac-invalid": ("FPDR4002", "HMAC is invalid"),
        "payload-invalid": ("FPDR4002", "encryptData is invalid"),
        **STATUS_REFUSALS,
        "unauthorized": ("401", "Unauthorized"),
        "unauthorized-status": ("401", "Unauthorized"),
    }

    def documented_login(self, credentials: Mapping[str, Any]) -> Mapping[str, Any]:
        key, iv, payload = (credentials[name] for name in ("key", "iv", "payload"))
        assert DOCUMENT["login"]["headers"] == {"keyValue": key, "ivValue": iv}
        details = payload["transactionDetails"]
        merchant_id = credentials["merchant_id"]
        signed = [details[name] for name in ("clientTransactionId", "amount", "currencyCode")]
        message = "".join([merchant_id, *signed, key])
        headers = {
            **DOCUMENT["login"]["headers"],
            "merchantId": merchant_id,
            "HMAC": hmac.new(key.encode(), message.encode(), hashlib.sha512).hexdigest(),
        }
        document = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
        return {
            **DOCUMENT["login"],
            "headers": headers,
            "json": {"encryptData": encrypted(document, key, iv)},
        }

    def use_hard_secret(self, partner: SimulatedPartner) -> Mapping[str, Any]:
        return {"payload": self.payload(partner, udf={"udf1": HARD_PASSWORD})}

    def secret_in(self, partner: SimulatedPartner) -> object:
        return partner.payloads[-1]["udf"]["udf1"]

    def payload(self, partner: SimulatedPartner, order: str = "ORDER-0001", **members: Any) -> dict[str, Any]:
        payload = copy.deepcopy(partner.credentials["payload"])
        payload["transactionDetails"]["clientTransactionId"] = order
        return {**payload, **members}

    def test_the_payload_arrives_as_it_was_given(self, partner: SimulatedFiservCommerceConnect) -> None:
        """What the partner decrypts is the caller's document, letters beyond ASCII and numbers included."""
        payload = self.payload(partner, note="Zürich 東京", parts=[1, 2.5, None, True])

        self.auth(partner, payload=payload).token()

        assert partner.payloads == [payload]

    def test_a_payload_changed_later_changes_nothing(self, partner: SimulatedFiservCommerceConnect) -> None:
        """The token is made for the payload that the auth was built with."""
        payload = self.payload(partner)
        auth = self.auth(partner, payload=payload)

        payload["transactionDetails"]["amount"] = "999999.00"
        auth.token()

        assert partner.payloads == [self.payload(partner)]

    def test_the_documents_error(self, partner: SimulatedFiservCommerceConnect) -> None:
        """The document's own error sample is a refusal with its code and words."""
        partner.answer_logins(Reply.of_json(DOCUMENT["error"]))

        with pytest.raises(LoginRejected) as caught:
            self.auth(partner).token()
        assert (caught.value.code, caught.value.partner_message) == ("FPDR4002", "HMAC is empty")

    def test_without_merchant_id_no_hmac_is_sent(self, partner: SimulatedFiservCommerceConnect) -> None:
        """Neither header goes along; the partner says itself what it misses."""
        with pytest.raises(LoginRejected) as caught:
            self.auth(partner, merchant_id=None).token()

        assert (caught.value.code, caught.value.partner_message) == ("FPDR4002", "HMAC is empty")
        assert not {"HMAC", "merchantId"} & set(partner.login_calls[0].headers)

    def test_an_hmac_of_the_users_own(self, partner: SimulatedFiservCommerceConnect) -> None:
        """A callable gets the payload at each login and replaces the recipe, fields or no fields."""
        partner.require_hmac = False
        asked = []

        def sign(payload: Mapping[str, Any]) -> str:
            asked.append(payload)
            return "not-what-the-recipe-says"

        for merchant_id in (None, "MERCHANT0001"):
            auth = self.auth(partner, payload={"amount": "1.00"}, hmac=sign, merchant_id=merchant_id)
            assert asked == []
            with pytest.raises(LoginRejected) as caught:
                auth.token()
            assert caught.value.partner_message == "HMAC is invalid"
            assert asked.pop() == {"amount": "1.00"}
            assert partner.login_calls[-1].headers["HMAC"] == "not-what-the-recipe-says"

    def test_an_hmac_that_no_header_can_carry(self, partner: SimulatedFiservCommerceConnect) -> None:
        """What the callable gives is checked before it is sent, and not shown."""
        with pytest.raises(ValueError, match=r"^hmac: ") as caught:
            self.auth(partner, hmac=lambda payload: "split\r\nX-Other: 1").token()

        assert "X-Other" not in str(caught.value)
        assert partner.login_attempts == 0

    def test_a_callable_payload_is_asked_at_each_login(
        self, partner: SimulatedFiservCommerceConnect, session: requests.Session
    ) -> None:
        """Nothing is asked at construction; each login gets a payload of its own, with its own HMAC."""
        orders = iter(("ORDER-0001", "ORDER-0002", "ORDER-0003"))
        session.auth = auth = self.auth(partner, payload=lambda: self.payload(partner, next(orders)))

        assert session.get(partner.base_url + "/a").status_code == 200
        partner.revoke()
        assert session.get(partner.base_url + "/a").status_code == 200
        auth.forget()
        auth.token()

        sent = [payload["transactionDetails"]["clientTransactionId"] for payload in partner.payloads]
        assert sent == ["ORDER-0001", "ORDER-0002", "ORDER-0003"]
        assert len({call.headers["HMAC"] for call in partner.login_calls}) == 3

    def test_another_payload_means_another_token(self, partner: SimulatedFiservCommerceConnect) -> None:
        """The token belongs to its payload: equal ones share it, and no other ever sees it."""
        cache = MemoryTokenCache()
        first = self.auth(partner, cache=cache, payload=self.payload(partner, "ORDER-0001")).token()
        again = self.auth(partner, cache=cache, payload=self.payload(partner, "ORDER-0001")).token()
        other = self.auth(partner, cache=cache, payload=self.payload(partner, "ORDER-0002")).token()

        assert first.value == again.value != other.value
        assert partner.logins == 2

    def test_callable_payloads_share_with_nobody(self, partner: SimulatedFiservCommerceConnect) -> None:
        """Two auth objects over one callable and one cache have a token each."""
        cache = MemoryTokenCache()

        def payload() -> dict[str, Any]:
            return self.payload(partner)

        tokens = [self.auth(partner, cache=cache, payload=payload).token().value for _ in range(2)]

        assert len(set(tokens)) == partner.logins == 2

    def test_a_callable_payload_that_gives_no_mapping(self, partner: SimulatedFiservCommerceConnect) -> None:
        """It is told by the argument's name; nothing was sent."""
        with pytest.raises(ValueError, match=r"^payload: "):
            self.auth(partner, payload=lambda: "no mapping").token()

        assert partner.login_attempts == 0

    def test_the_shape_that_client_code_knows(
        self, partner: SimulatedFiservCommerceConnect, session: requests.Session
    ) -> None:
        """response.sessionTokenId is accepted where the document has data.token."""
        partner.session_token_shape = True
        auth = self.auth(partner)

        assert session.get(partner.base_url + "/a", auth=auth).status_code == 200
        assert auth.token().value == partner.issued[0]

    def from_server(self, partner: SimulatedPartner, **arguments: Any) -> FiservCommerceConnectAuth:
        return self.auth(partner, hmac="server", **arguments)

    def asked_for_hmac(self, partner: SimulatedFiservCommerceConnect) -> list[Call]:
        return [call for call in partner.calls if call.path == partner.hmac_path]

    def test_the_flow_that_asks_for_the_hmac_first(self, partner: SimulatedFiservCommerceConnect) -> None:
        """/getHMAC gets the login's envelope; what it answers is the header of the login."""
        flow = self.from_server(partner).login_flow(None)
        first = next(flow)
        second = flow.send(answered({"hmac": "5" * 128}))
        with pytest.raises(StopIteration) as end:
            flow.send(answered(DOCUMENT["success"]))

        assert (first.method, first.url) == ("POST", partner.base_url + "/getHMAC")
        assert (second.method, second.url) == ("POST", partner.base_url + "/getToken")
        assert first.json == second.json
        assert second.headers == {**first.headers, "HMAC": "5" * 128}
        assert "HMAC" not in first.headers
        assert end.value.value.value == DOCUMENT["success"]["data"]["token"]

    @pytest.mark.parametrize(
        ("reply", "error"),
        [
            (DOCUMENT["error"], LoginRejected),
            ({"status": {"statusCode": 402, "message": "Bad Credential"}}, LoginRejected),
            ({"status": {"statusCode": 500, "message": "Internal server error"}}, LoginUnavailable),
            ({"hmac": ""}, InvalidLoginResponse),
            ({"hmac": None}, InvalidLoginResponse),
            ({"hmac": "split\r\nX-Other: 1"}, InvalidLoginResponse),
            ({}, InvalidLoginResponse),
            ([], InvalidLoginResponse),
        ],
    )
    def test_a_first_step_that_gives_no_hmac(
        self, partner: SimulatedFiservCommerceConnect, reply: object, error: type[Exception]
    ) -> None:
        """It is judged as the login's own reply is, and nothing further is sent."""
        flow = self.from_server(partner).login_flow(None)
        next(flow)

        with pytest.raises(error) as caught:
            flow.send(answered(reply))
        assert "X-Other" not in str(caught.value)

    def test_an_hmac_from_the_server(
        self, partner: SimulatedFiservCommerceConnect, session: requests.Session
    ) -> None:
        """Each login, the one after an expiry too, asks for an HMAC of its own and is granted a token."""
        session.auth = self.from_server(partner)

        assert session.get(partner.base_url + "/a").status_code == 200
        partner.revoke()
        assert session.get(partner.base_url + "/a").status_code == 200

        assert (len(self.asked_for_hmac(partner)), partner.logins) == (2, 2)
        assert len({call.headers["HMAC"] for call in partner.login_calls}) == 2

    def test_a_callable_payload_is_asked_once_for_both_steps(
        self, partner: SimulatedFiservCommerceConnect
    ) -> None:
        """The HMAC is for the very payload that the login sends."""
        orders = iter(("ORDER-0001", "ORDER-0002"))
        self.from_server(partner, payload=lambda: self.payload(partner, next(orders))).token()

        (first,) = self.asked_for_hmac(partner)
        assert first.json() == partner.login_calls[0].json()

    def test_an_hmac_that_is_refused(self, partner: SimulatedFiservCommerceConnect) -> None:
        """What /getHMAC says against the key is a refusal of the login; no /getToken follows."""
        with pytest.raises(LoginRejected):
            self.from_server(partner, **wrong_secret(partner)).token()

        assert (len(self.asked_for_hmac(partner)), partner.login_attempts) == (1, 0)

    def test_a_refusal_for_lack_of_an_hmac_is_no_other_auths(
        self, partner: SimulatedFiservCommerceConnect
    ) -> None:
        """Who was refused without one logs in with one at once: that is what the refusal asks for."""
        cache = MemoryTokenCache()
        with pytest.raises(LoginRejected):
            self.auth(partner, hmac=None, merchant_id=None, cache=cache).token()

        assert self.from_server(partner, cache=cache).token().value == partner.issued[-1]

    def test_an_outage_between_the_steps_asks_for_another_hmac(
        self, partner: SimulatedFiservCommerceConnect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The login begins anew with its first step: an HMAC that may be used up is not sent again."""
        monkeypatch.setattr(PartnerAuth, "_clock", ImpatientClock())
        partner.answer_logins(Reply.of_text("Service Unavailable", 503), times=1)

        self.from_server(partner).token()

        assert (len(self.asked_for_hmac(partner)), partner.login_attempts) == (2, 2)
        assert len({call.headers["HMAC"] for call in partner.login_calls}) == 2


class TestTheHmacFromTheServer(PublishedContract):
    """What holds for every partner holds for a login of two steps."""

    auth_class = FiservCommerceConnectAuth
    arguments: ClassVar = {
        "key": DOCUMENT["login"]["headers"]["keyValue"],
        "iv": DOCUMENT["login"]["headers"]["ivValue"],
        "payload": {"amount": "1.00"},
        "hmac": "server",
    }
    login_reply: ClassVar = DOCUMENT["success"]
    rejection: ClassVar = DOCUMENT["error"]
    expiry: ClassVar = {"status": {"statusCode": 401, "message": "Unauthorized"}}

    def earlier_step(self, call: Call) -> Any:
        return {"hmac": "5" * 128} if call.path.endswith("/getHMAC") else None


def answered(obj: object) -> requests.Response:
    """A reply as a flow is sent it."""
    response = requests.Response()
    response.status_code, response._content = 200, json.dumps(obj).encode()
    return response
