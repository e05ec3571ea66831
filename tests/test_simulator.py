"""The simulated partners keep what their documents promise, over a socket and behind `responses`."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import random
import socket
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import responses

from requests_partnerauth.simulator import (
    Call,
    PartnerSimulator,
    Reply,
    SimulatedBex,
    SimulatedFiservCommerceConnect,
    SimulatedPartner,
    SimulatedRpGateway,
)

HARD_PASSWORD = 'p+%&=#é:ü "\\'


@pytest.fixture
def simulator() -> Iterator[PartnerSimulator]:
    with PartnerSimulator() as running:
        yield running


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


def encrypted(key: str, iv: str, payload: dict[str, Any]) -> str:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    raw = json.dumps(payload).encode()
    padding = 16 - len(raw) % 16
    sealer = Cipher(algorithms.AES(b64decode(key)), modes.CBC(b64decode(iv))).encryptor()
    return b64encode(sealer.update(raw + bytes([padding]) * padding) + sealer.finalize()).decode()


class PartnerContract:
    """What holds for every partner; a subclass says how to log in and how to call."""

    name: str

    @pytest.fixture
    def partner(self, simulator: PartnerSimulator) -> SimulatedPartner:
        return simulator.partners[self.name]

    def log_in(self, session: requests.Session, url: str, **credentials: Any) -> requests.Response:
        raise NotImplementedError

    def token(self, reply: requests.Response) -> str | None:
        raise NotImplementedError

    def call(self, session: requests.Session, url: str, token: str, **more: Any) -> requests.Response:
        raise NotImplementedError

    def granted(self, session: requests.Session, partner: SimulatedPartner) -> str:
        credentials = partner.credentials
        token = self.token(self.log_in(session, credentials["base_url"] + partner.login_path, **credentials))
        assert token is not None
        return token

    def test_a_login_grants_a_token_that_is_accepted(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """The good credentials give a fresh token, and a call with it is echoed without the token."""
        token = self.granted(session, partner)

        reply = self.call(
            session, partner.base_url + "/any/path?q=a%2Bb", token, headers={"X-Request-Id": "7"}
        )

        echo = reply.json()["echo"]
        assert (reply.status_code, echo["path"], echo["request_id"]) == (200, "/any/path", "7")
        assert echo["query"]["q"] == "a+b"
        assert token not in reply.text
        assert [token] == partner.issued
        assert {token} == partner.live_tokens
        assert (partner.logins, partner.login_attempts, partner.accepted, partner.refusals) == (1, 1, 1, 0)

    def test_wrong_credentials_are_refused(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """A changed secret turns old credentials away with the partner's first login error."""
        old = partner.credentials
        partner.change_password("bmV3IGtleSBuZXcga2V5IG5ldyBrZXkgbmV3IGtleSE=")

        reply = self.log_in(session, partner.base_url + partner.login_path, **old)

        assert self.token(reply) is None
        assert next(iter(partner.login_errors.values()))().body == reply.content
        assert (partner.logins, partner.login_attempts, partner.refused_logins) == (0, 1, 1)

    def test_a_bad_token_gets_the_chosen_expiry_signal(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """Every signal by name comes back for a revoked token."""
        token = self.granted(session, partner)
        partner.revoke()
        for name, make in partner.expiry_signals.items():
            partner.expiry_signal = name

            reply = self.call(session, partner.base_url + "/x", token)

            assert (make().status, make().body) == (reply.status_code, reply.content)
        assert len(partner.expiry_signals) == partner.refusals == len(partner.calls)
        assert partner.expiry_signals["status"]().status == 401

    def test_the_clock_ends_a_token(self, partner: SimulatedPartner, session: requests.Session) -> None:
        """A token is good until its lifetime is over on the partner's own clock."""
        now = [0.0]
        partner.clock, partner.lifetime = lambda: now[0], 60.0
        token = self.granted(session, partner)

        now[0] = 59.0
        self.call(session, partner.base_url + "/x", token)
        now[0] = 60.0
        self.call(session, partner.base_url + "/x", token)

        assert (partner.accepted, partner.refusals) == (1, 1)
        assert set() == partner.live_tokens

    def test_one_session(self, partner: SimulatedPartner, session: requests.Session) -> None:
        """A login elsewhere ends the token only where an account has one session."""
        for one_session in (False, True):
            partner.one_session = one_session
            token = self.granted(session, partner)
            elsewhere = partner.login_elsewhere()
            assert elsewhere in partner.live_tokens
            assert (token in partner.live_tokens) is not one_session
        assert partner.logins == 2

    def test_the_same_value_again(self, partner: SimulatedPartner, session: requests.Session) -> None:
        """A value that was revoked is bad until a login grants it again."""
        partner.same_value = "always-this-one"
        token = self.granted(session, partner)
        partner.revoke()
        self.call(session, partner.base_url + "/x", token)
        assert token == self.granted(session, partner)
        self.call(session, partner.base_url + "/x", token)
        assert (partner.refusals, partner.accepted) == (1, 1)

    def test_scripted_login_answers(self, partner: SimulatedPartner, session: requests.Session) -> None:
        """The next so many logins get the answer; a callable may let one through."""
        url, good = partner.base_url + partner.login_path, partner.credentials
        partner.answer_logins(Reply.of_text("down", 503), times=2)
        assert [self.log_in(session, url, **good).status_code for _ in range(3)] == [503, 503, 200]
        partner.answer_logins(lambda call: None)
        assert self.token(self.log_in(session, url, **good))
        partner.answer_logins(partner.login_outages["status-500"]())
        assert self.log_in(session, url, **good).status_code == 500
        partner.answer_logins(None)
        assert self.token(self.log_in(session, url, **good))
        assert (partner.login_attempts, partner.logins) == (6, 3)

    def test_fixed_answers_and_special_paths(
        self, partner: SimulatedPartner, session: requests.Session
    ) -> None:
        """Special paths answer what they say, and a fixed answer goes before the token."""
        token, base = self.granted(session, partner), partner.base_url
        assert self.call(session, base + "/always-refuse", token).status_code == 401
        assert (partner.always_refused, partner.refusals) == (1, 0)
        pdf = self.call(session, base + "/pdf", token)
        assert (len(pdf.content), pdf.headers["Content-Type"]) == (300_000, "application/pdf")
        assert pdf.content == self.call(session, base + "/pdf", token).content
        assert 90_000 < len(self.call(session, base + "/json?size=100000", token).content) < 110_000
        assert self.call(session, base + "/forbidden", token).status_code == 403
        moved = self.call(
            session, base + "/redirect?to=http%3A%2F%2Fx.test%2Fa%3Fb%3D1&status=307", token, redirect=False
        )
        assert (moved.status_code, moved.headers["Location"]) == (307, "http://x.test/a?b=1")
        for name, make in partner.business_errors.items():
            assert make().body == self.call(session, f"{base}/business-error?name={name}", token).content
        assert self.call(session, base + "/set-cookie", token).cookies["simulator"] == "seen"
        partner.answer("/fixed", Reply.of_text("fixed"))
        assert self.call(session, base + "/fixed/below", "no token").text == "fixed"
        partner.answer("/fixed", None)
        self.call(session, base + "/fixed/below", "no token")
        assert partner.refusals == 1

    def test_broken_answers(self, partner: SimulatedPartner, session: requests.Session) -> None:
        """A truncated and a reset answer reach the client as network errors, and the next call works."""
        token = self.granted(session, partner)
        for broken in (Reply(200, {}, b"x" * 100, truncate=True), Reply(reset=True)):
            partner.answer("/", broken)
            with pytest.raises(requests.RequestException):
                self.call(session, partner.base_url + "/x", token)
        partner.answer("/", None)
        assert self.call(session, partner.base_url + "/x", token).status_code == 200

    def test_threads(self, partner: SimulatedPartner) -> None:
        """Thirty-two threads log in and call at once, and every one of them is counted."""

        def work(_: int) -> int:
            with requests.Session() as own:
                own.trust_env = False
                token = self.granted(own, partner)
                return self.call(own, partner.base_url + "/x", token).status_code

        partner.one_session = False
        with ThreadPoolExecutor(32) as pool:
            assert list(pool.map(work, range(64))) == [200] * 64
        assert (partner.logins, partner.accepted, partner.refusals) == (64, 64, 0)
        assert len(set(partner.issued)) == 64

    def test_misbehaviour(self, partner: SimulatedPartner, session: requests.Session) -> None:
        """Misbehaviour strikes about as often as asked, in every kind, until the partner behaves."""
        token = self.granted(session, partner)
        kinds = ("refuse", "body", "outage", "truncate", "reset")
        partner.misbehave(random.Random(7), rate=0.15, kinds=kinds)
        broken = 0
        for _ in range(80):
            try:
                self.call(session, partner.base_url + "/x", token)
            except requests.RequestException:
                broken += 1
        assert set(kinds) == set(partner.misbehaved)
        assert broken == partner.misbehaved["truncate"] + partner.misbehaved["reset"]
        partner.behave()
        partner.reset_counts()
        assert self.call(session, partner.base_url + "/x", token).status_code == 200
        assert (len(partner.calls), partner.login_attempts) == (1, 0)

    def test_behind_responses(self) -> None:
        """The same partner answers behind `responses`, and one that is never called is no failure."""
        with responses.RequestsMock() as mock, requests.Session() as session:
            partner = PartnerSimulator().register(mock).partners[self.name]
            token = self.granted(session, partner)
            reply = self.call(session, partner.base_url + "/x?q=1", token)
            assert reply.json()["echo"]["query"]["q"] == "1"
            partner.revoke()
            self.call(session, partner.base_url + "/x", token)
            partner.answer("/x", Reply(reset=True))
            with pytest.raises(requests.ConnectionError):
                self.call(session, partner.base_url + "/x", token)
            partner.answer("/x", Reply(200, {}, b"x" * 100, truncate=True))
            with pytest.raises(requests.RequestException):
                self.call(session, partner.base_url + "/x", token)
            assert (partner.logins, partner.accepted, partner.refusals) == (1, 1, 1)


class TestBex(PartnerContract):
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


class FiservContract(PartnerContract):
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


class TestRpGateway(PartnerContract):
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


class TestSocketDoor:
    """What the server itself owes its clients."""

    def test_bodies_arrive_whole(self, simulator: PartnerSimulator, session: requests.Session) -> None:
        """A body with a length and a chunked one arrive byte for byte, on one connection."""
        body = os.urandom(200_000)
        headers = {"token": simulator.bex.login_elsewhere()}
        chunks = (body[start : start + 7_001] for start in range(0, len(body), 7_001))
        for data in (body, chunks):
            echo = session.put(simulator.bex.base_url + "/x", data=data, headers=headers).json()["echo"]
            assert (hashlib.sha256(body).hexdigest(), len(body)) == (echo["sha256"], echo["length"])

    def test_chunked_replies_and_head(self, simulator: PartnerSimulator, session: requests.Session) -> None:
        """A reply is chunked where asked; HEAD gets the length and no body."""
        simulator.bex.answer("/x", Reply(200, {}, b"whole", chunked=True))
        reply = session.get(simulator.bex.base_url + "/x")
        assert (reply.content, reply.headers.get("Content-Length")) == (b"whole", None)
        simulator.bex.answer("/x", Reply(200, {}, b"whole"))
        head = session.head(simulator.bex.base_url + "/x")
        assert (head.content, head.headers["Content-Length"]) == (b"", "5")

    def test_an_unknown_prefix(self, simulator: PartnerSimulator, session: requests.Session) -> None:
        """A path under no partner is not found."""
        root = simulator.bex.base_url.removesuffix("/bex")
        assert [session.get(root + path).status_code for path in ("/", "/bexx/api")] == [404, 404]

    def test_a_client_that_hangs_up(
        self, simulator: PartnerSimulator, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """A client that leaves in the middle of its body, or before the answer, prints nothing."""
        seen = threading.Event()

        def large(call: Call) -> Reply:
            seen.set()
            return Reply(200, {}, b"x" * 1_000_000)

        simulator.bex.answer("/x", large)
        where = urlsplit(simulator.bex.base_url)
        for sent in (b"Content-Length: 10\r\n\r\nabc", b"Content-Length: 0\r\n\r\n"):
            with socket.create_connection((where.hostname, where.port or 0)) as client:
                client.sendall(b"POST /bex/x HTTP/1.1\r\nHost: here\r\n" + sent)
        assert seen.wait(10)
        simulator.stop()
        assert capfd.readouterr().err == ""

    def test_stopping_hangs_up(self, simulator: PartnerSimulator, session: requests.Session) -> None:
        """After stop() nobody is served, not even over a connection kept alive."""
        simulator.bex.answer("/x", Reply(200))
        assert session.get(simulator.bex.base_url + "/x").status_code == 200
        simulator.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(simulator.bex.base_url + "/x")

    def test_a_callable_runs_outside_the_lock(
        self, simulator: PartnerSimulator, session: requests.Session
    ) -> None:
        """A test's own answer may use the controls of the partner it answers for."""

        def revoke(call: Call) -> Reply | None:
            simulator.bex.revoke()
            return None

        token = simulator.bex.login_elsewhere()
        simulator.bex.answer("/x", revoke)
        assert session.get(simulator.bex.base_url + "/x", headers={"token": token}).status_code == 401
