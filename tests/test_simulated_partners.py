"""The simulated partners keep what their documents promise, over a socket and behind `responses`."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import pytest
import requests
from simulator_contract import SimulatorContract

from requests_partnerauth.simulator import (
    PartnerSimulator,
    SimulatedBex,
    SimulatedFiservCommerceConnect,
    SimulatedRpGateway,
)

HARD_PASSWORD = 'p+%&=#é:ü "\\'


def encrypted(key: str, iv: str, payload: dict[str, Any]) -> str:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    raw = json.dumps(payload).encode()
    padding = 16 - len(raw) % 16
    sealer = Cipher(algorithms.AES(b64decode(key)), modes.CBC(b64decode(iv))).encryptor()
    return b64encode(sealer.update(raw + bytes([padding]) * padding) + sealer.finalize()).decode()


class TestBex(SimulatorContract):
    name = "bex"

    def log_in(self, session: requests.Session, url: str, **credentials: Any) -> requests.Response:
        return session.post(url, json={name: credentials[name] for name in ("username", "password")})

    def token(self, reply: requests.Response) -> str | None:
        value: str | None = reply.json().get("value")
        return value

    def call(self, session: requests.Session, url: str, token: str, **more: Any) -> requests.Response:
        headers = {"token": token, **more.get("headers", {})}
        return session.get(url, headers=headers, allow_redirects=more.get("redirect", True))

    @pytest.mark.parametrize("way", ["json", "query", "get"])
    def test_every_way_to_log_in(
        self, simulator: PartnerSimulator, session: requests.Session, way: str
    ) -> None:
        """A password full of special characters arrives whole by JSON, by URL parameters and by GET."""
        simulator.bex.add_account(username="other", password=HARD_PASSWORD)
        given = {"username": "other", "password": HARD_PASSWORD}
        url = simulator.bex.base_url + "/api/service/login"
        sent: dict[str, Any] = {"json": given} if way == "json" else {"params": given}
        reply = session.request("GET" if way == "get" else "POST", url, **sent)
        assert len(reply.json()["value"]) == 60

    @pytest.mark.parametrize("asked", [True, "true"])
    def test_the_alternate_token(
        self, simulator: PartnerSimulator, session: requests.Session, asked: bool | str
    ) -> None:
        """Downloads take the alternate token in the body alone, and other calls do not take it."""
        bex: SimulatedBex = simulator.bex
        given = {"username": "user123", "password": "pass1234"}
        url = bex.base_url + bex.login_path
        usual = session.post(url, json=given).json()["value"]
        alternate = session.post(url, json={**given, "preferAlternateToken": asked}).json()["value"]
        download = bex.base_url + bex.alternate_paths[0]

        pdf = session.post(download, json={"token": alternate})

        assert pdf.headers["Content-Type"] == "application/pdf"
        assert session.post(download, json={"token": usual}).status_code == 401
        assert session.get(bex.base_url + "/x", headers={"token": alternate}).status_code == 401


class FiservContract(SimulatorContract):
    def token(self, reply: requests.Response) -> str | None:
        value: str | None = reply.json().get("data", {}).get("token")
        return value

    def call(self, session: requests.Session, url: str, token: str, **more: Any) -> requests.Response:
        headers = {"Authorization": token, **more.get("headers", {})}
        return session.get(url, headers=headers, allow_redirects=more.get("redirect", True))


class TestFiservBoarding(FiservContract):
    name = "fiserv-boarding"

    def log_in(self, session: requests.Session, url: str, **credentials: Any) -> requests.Response:
        return session.post(url, json={name: credentials[name] for name in ("username", "password")})

    def test_ttl(self, simulator: PartnerSimulator, session: requests.Session) -> None:
        """The lifetime stands where and as it was set, and nowhere by default."""
        partner = simulator.fiserv_boarding
        url, good = partner.base_url + partner.login_path, partner.credentials
        assert {"status", "data"} == set(self.log_in(session, url, **good).json())
        partner.ttl = "15"
        assert self.log_in(session, url, **good).json()["ttl"] == "15"
        partner.ttl_in_data = True
        assert self.log_in(session, url, **good).json()["data"]["ttl"] == "15"


class TestFiservPartner(FiservContract):
    name = "fiserv-partner"

    def log_in(self, session: requests.Session, url: str, **credentials: Any) -> requests.Response:
        basic = b64encode(f"{credentials['username']}:{credentials['password']}".encode()).decode()
        query = {"ain": credentials["ain"], "source": credentials["source"]}
        return session.get(url, params=query, headers={"Authorization": f"Basic {basic}"})

    def token(self, reply: requests.Response) -> str | None:
        value: str | None = reply.json().get("authToken")
        return value

    def test_the_shape_of_a_login(self, simulator: PartnerSimulator, session: requests.Session) -> None:
        """The tokens look like the document's, a UTF-8 password arrives whole, a wrong ain is refused."""
        partner = simulator.fiserv_partner
        partner.add_account(username="other", password=HARD_PASSWORD)
        good = {**partner.credentials, "username": "other", "password": HARD_PASSWORD}
        url = partner.base_url + partner.login_path

        reply = self.log_in(session, url, **good).json()

        assert (
            len(reply["authToken"].split(".")),
            len(reply["refreshToken"].split(".")),
            reply["ttl"],
        ) == (5, 3, 30)
        assert 1500 < len(reply["authToken"]) < 1580
        assert self.token(self.log_in(session, url, **{**good, "ain": "1"})) is None


class TestFiservCommerceConnect(FiservContract):
    name = "fiserv-commerce-connect"

    def headers(self, credentials: dict[str, Any]) -> dict[str, str]:
        key, details = credentials["key"], credentials["payload"]["transactionDetails"]
        signed = [details[name] for name in ("clientTransactionId", "amount", "currencyCode")]
        message = "".join([credentials["merchant_id"], *signed, key]).encode()
        return {
            "keyValue": key,
            "ivValue": credentials["iv"],
            "merchantId": credentials["merchant_id"],
            "HMAC": hmac.new(key.encode(), message, hashlib.sha512).hexdigest(),
        }

    def log_in(self, session: requests.Session, url: str, **credentials: Any) -> requests.Response:
        sealed = encrypted(credentials["key"], credentials["iv"], credentials["payload"])
        return session.post(url, json={"encryptData": sealed}, headers=self.headers(credentials))

    def test_the_envelope(self, simulator: PartnerSimulator, session: requests.Session) -> None:
        """The payload is read; a missing or wrong HMAC and a broken ciphertext are refused."""
        partner: SimulatedFiservCommerceConnect = simulator.fiserv_commerce_connect
        good = partner.credentials
        url = partner.base_url + partner.login_path
        self.log_in(session, url, **good)
        assert [good["payload"]] == partner.payloads
        sealed = {"encryptData": encrypted(good["key"], good["iv"], good["payload"])}
        headers = self.headers(good)
        refused: list[tuple[dict[str, str], dict[str, Any], str]] = [
            (sealed, {"HMAC": None}, "HMAC is empty"),
            (sealed, {"HMAC": "0" * 128}, "HMAC is invalid"),
            (sealed, {"merchantId": "another"}, "HMAC is invalid"),
            ({"encryptData": "AAAA"}, {}, "encryptData is invalid"),
            ({}, {}, "encryptData is invalid"),
        ]
        for body, changed, message in refused:
            reply = session.post(url, json=body, headers={**headers, **changed}).json()
            assert {"errorCode": "FPDR4002", "errorMessage": message} == reply["response"]
        partner.require_hmac, partner.session_token_shape = False, True
        del headers["HMAC"]
        reply = session.post(url, json=sealed, headers=headers).json()
        assert partner.issued[-1] == reply["response"]["sessionTokenId"]

    def test_an_hmac_from_the_server(self, simulator: PartnerSimulator, session: requests.Session) -> None:
        """/getHMAC opens the same envelope and gives an HMAC that is good for one login."""
        partner = simulator.fiserv_commerce_connect
        good = partner.credentials
        body = {"encryptData": encrypted(good["key"], good["iv"], good["payload"])}
        headers = {"keyValue": good["key"], "ivValue": good["iv"]}
        url = partner.base_url + partner.hmac_path
        given = session.post(url, json=body, headers=headers).json()["hmac"]
        login = partner.base_url + partner.login_path
        signed = {**headers, "HMAC": given}

        assert self.token(session.post(login, json=body, headers=signed))
        again = session.post(login, json=body, headers=signed).json()
        assert again["response"]["errorMessage"] == "HMAC is invalid"
        assert "hmac" not in session.post(url, json=body, headers={**headers, "keyValue": "x"}).json()
        assert "hmac" not in session.post(url, json={}, headers=headers).json()
        assert session.get(url).status_code == 405
        assert (partner.logins, partner.login_attempts, partner.refusals) == (1, 2, 0)


class TestRpGateway(SimulatorContract):
    name = "rp-gateway"
    uid = "TWISTUSER001"

    def log_in(self, session: requests.Session, url: str, **credentials: Any) -> requests.Response:
        body = {
            "op": "login",
            "uid": credentials["uid"],
            "user": credentials["username"],
            "passwd": credentials["password"],
        }
        if credentials["customer_id"] is not None:
            body["customerId"] = credentials["customer_id"]
        return session.post(url, json=body)

    def token(self, reply: requests.Response) -> str | None:
        value: str | None = reply.json()["response"].get("authenticationCode")
        return value

    def call(self, session: requests.Session, url: str, token: str, **more: Any) -> requests.Response:
        return session.get(
            url,
            params={"uid": self.uid, "sid": token},
            headers=more.get("headers"),
            allow_redirects=more.get("redirect", True),
        )

    @pytest.mark.parametrize("way", ["json", "data", "params"])
    def test_where_the_session_travels(
        self, simulator: PartnerSimulator, session: requests.Session, way: str
    ) -> None:
        """The session is read from JSON, form and query alike, and a foreign uid is refused."""
        partner: SimulatedRpGateway = simulator.rp_gateway
        token = self.granted(session, partner)
        fields = {"op": "find", "uid": self.uid, "sid": token}
        send: Callable[..., requests.Response] = session.post
        reply = send(partner.base_url + "/msg/x", **{way: fields})
        members = {} if way == "params" else {"op": "find", "uid": self.uid}
        assert members == reply.json()["echo"]["members"]
        assert token not in reply.text
        refused = send(partner.base_url + "/msg/x", **{way: {**fields, "uid": "somebody"}})
        assert refused.json()["response"]["description"] == "error.invalid.sessiontoken"

    def test_customers(self, simulator: PartnerSimulator, session: requests.Session) -> None:
        """A user of two customers has to name one of them."""
        partner = simulator.rp_gateway
        partner.add_account(username="two", customer_id=("1", "2"))
        url, given = partner.base_url + partner.login_path, {**partner.credentials, "username": "two"}
        assert self.token(self.log_in(session, url, **{**given, "customer_id": None})) is None
        assert self.token(self.log_in(session, url, **{**given, "customer_id": "3"})) is None
        assert self.token(self.log_in(session, url, **{**given, "customer_id": "2"}))

    def test_further_login_members(self, simulator: PartnerSimulator, session: requests.Session) -> None:
        """Where the partner wants more members, a login without them is refused."""
        partner = simulator.rp_gateway
        partner.login_fields = {"loc": "AU"}
        refused = self.log_in(session, partner.base_url + partner.login_path, **partner.credentials)
        assert refused.json()["response"]["description"] == "error.login.fields.required"

    def test_one_path_for_every_operation(
        self, simulator: PartnerSimulator, session: requests.Session
    ) -> None:
        """At /msg a call is a login where its `op` says so, in body, form or query."""
        partner = simulator.rp_gateway
        partner.login_path = "/msg"
        token = self.granted(session, partner)
        fields = {"op": "find", "uid": self.uid, "sid": token}
        url = partner.base_url + "/msg"
        assert session.post(url, json=fields).json()["response"] == {"status": "success"}
        assert session.post(url, data=fields).json()["response"] == {"status": "success"}
        assert session.get(url, params=fields).json()["response"] == {"status": "success"}
        assert (partner.logins, partner.login_attempts, partner.accepted) == (1, 1, 3)

    def test_the_outer_login(self, simulator: PartnerSimulator, session: requests.Session) -> None:
        """With a gateway login set, every call needs it, the login included."""
        partner = simulator.rp_gateway
        partner.gateway_auth = ("gate", HARD_PASSWORD)
        url = partner.base_url + partner.login_path
        assert self.log_in(session, url, **partner.credentials).text == "Access denied: gateway"
        basic = b64encode(f"gate:{HARD_PASSWORD}".encode()).decode()
        session.headers["Authorization"] = f"Basic {basic}"
        token = self.granted(session, partner)
        assert self.call(session, partner.base_url + "/x", token).status_code == 200
        del session.headers["Authorization"]
        assert self.call(session, partner.base_url + "/x", token).status_code == 401
        assert partner.refusals == 0
