"""Two auths on one request: applied in order, and what comes after ours signs again on the resend."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import pickle
import re
from collections.abc import Iterator

import pytest
import requests
from acme_service import AcmeAuth, AcmeService, acme_service
from placed import PlacedAuth
from recording_server import Answer, Heard, recording_server
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth

from requests_partnerauth import (
    CookiePlacement,
    HeaderPlacement,
    MemoryTokenCache,
    PartnerAuth,
    Placement,
    QueryPlacement,
    SessionFieldsPlacement,
    Token,
)

KEY = b"a made-up key"


@pytest.fixture
def service() -> Iterator[AcmeService]:
    """A partner with refresh tokens and a logout."""
    with acme_service() as service:
        yield service


def auth_for(service: AcmeService) -> AcmeAuth:
    return AcmeAuth(base_url=service.url, cache=MemoryTokenCache())


class Signing(AuthBase):
    """Signs token and a number that it uses once."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["X-Nonce"] = str(next(self.numbers))
        request.headers["X-Signature"] = signature(
            request.headers.get("X-Acme-Token"), request.headers["X-Nonce"]
        )
        return request


def signature(token: str | None, nonce: str | None) -> str:
    return hmac.new(KEY, f"{token}:{nonce}".encode(), hashlib.sha256).hexdigest()


def checking(seen: set[str | None]) -> object:
    """What turns down a wrong signature, and a nonce that came before."""

    def check(heard: Heard) -> Answer | None:
        nonce = heard.header("X-Nonce")
        good = heard.header("X-Signature") == signature(heard.header("X-Acme-Token"), nonce)
        if not good or nonce in seen:
            return Answer(400, {}, b"bad signature or nonce")
        seen.add(nonce)
        return None

    return check


def test_a_signature_is_made_anew_on_the_resend(service: AcmeService) -> None:
    """Over the new token, with a nonce of its own; the server checks both."""
    auth, seen = auth_for(service) + Signing(), set[str | None]()
    service.answers["/api"] = checking(seen)  # type: ignore[assignment]
    for _ in range(3):
        response = requests.get(f"{service.url}/api", auth=auth)
        assert response.status_code == 200
        service.revoke()
    assert len(seen) == 5


def test_what_comes_before_ours_signs_without_our_token(service: AcmeService) -> None:
    """On the resend as well: the token is none of its business, and its nonce is used once."""
    signed: list[tuple[str | None, str | None]] = []

    def check(heard: Heard) -> None:
        signed.append((heard.header("X-Signature"), heard.header("X-Nonce")))

    auth = Signing() + auth_for(service)
    service.answers["/api"] = check
    requests.get(f"{service.url}/api", auth=auth)
    service.revoke()
    response = requests.get(f"{service.url}/api", auth=auth)
    assert (response.status_code, len(response.history)) == (200, 1)
    assert signed == [(signature(None, str(number)), str(number)) for number in (1, 2, 3)]


@pytest.mark.parametrize("ours_first", [True, False])
def test_basic_beside_a_token(service: AcmeService, ours_first: bool) -> None:
    """Both are there, first and resent."""
    basic = HTTPBasicAuth("ann", "made-up")
    auth = auth_for(service) + basic if ours_first else basic + auth_for(service)
    service.answers["/api"] = lambda heard: None if heard.header("Authorization") else Answer(400)
    for _ in range(2):
        assert requests.get(f"{service.url}/api", auth=auth).status_code == 200
        service.revoke()


class DigestService:
    """Asks for Digest before it looks at the token; a nonce is good for three requests, each count once."""

    def __init__(self) -> None:
        self.challenges = 0
        self._used: dict[str, set[str]] = {}

    def __call__(self, heard: Heard) -> Answer | None:
        header = heard.header("Authorization") or ""
        fields = dict(re.findall(r'(\w+)="?([^",]+)"?', header))
        used = self._used.get(fields.get("nonce", ""))
        if used is not None and len(used) < 3 and fields["nc"] not in used and self._is_good(heard, fields):
            used.add(fields["nc"])
            return None
        self.challenges += 1
        nonce = f"nonce{self.challenges}"
        self._used[nonce] = set()
        challenge = f'Digest realm="acme", nonce="{nonce}", qop="auth", algorithm=MD5'
        return Answer(401, {"WWW-Authenticate": challenge}, b"{}")

    @staticmethod
    def _is_good(heard: Heard, fields: dict[str, str]) -> bool:
        def md5(text: str) -> str:
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        one, two = md5("ann:acme:made-up"), md5(f"{heard.method}:{fields['uri']}")
        middle = f"{fields['nonce']}:{fields['nc']}:{fields['cnonce']}:{fields['qop']}"
        return fields["response"] == md5(f"{one}:{middle}:{two}")


@pytest.mark.parametrize("ours_first", [True, False])
def test_a_digest_challenge_is_no_expiry_signal(service: AcmeService, ours_first: bool) -> None:
    """It is answered by the Digest auth alone; an expiry beneath it is healed, each nonce count used once."""
    digest, asks = HTTPDigestAuth("ann", "made-up"), DigestService()
    auth = auth_for(service) + digest if ours_first else digest + auth_for(service)
    service.answers["/api"] = asks
    for number in range(6):
        assert requests.get(f"{service.url}/api", auth=auth).status_code == 200
        if number % 2:
            service.revoke()
    assert service.count["/login"] + service.count["/refresh"] == 3
    assert asks.challenges <= 6


class WithCookies(PlacedAuth):
    """Its token has a cookie of its own."""

    def parse_login(self, response: requests.Response) -> Token:
        return Token("secret/token", cookies={"node": "secret-node"})


@pytest.mark.parametrize("ours_first", [True, False])
@pytest.mark.parametrize(
    "placement",
    [
        HeaderPlacement("X-Token"),
        CookiePlacement("JSESSIONID"),
        QueryPlacement("key"),
        SessionFieldsPlacement("sid", {"uid": "secret-uid"}),
    ],
    ids=["header", "cookie", "query", "fields"],
)
def test_what_digest_sent_again_is_redirected_abroad(
    session: requests.Session, placement: Placement, ours_first: bool
) -> None:
    """Neither token nor cookie goes along where home answers Digest's copy of a request with a redirect."""
    # Promise: digest-abroad
    with recording_server() as home, recording_server() as foreign:

        def answer(heard: Heard) -> Answer:
            if heard.target == "/login":
                return Answer(body=b"{}")
            if not (heard.header("Authorization") or "").startswith("Digest "):
                return Answer(401, {"WWW-Authenticate": 'Digest realm="acme", nonce="n", qop="auth"'})
            assert "node=secret-node" in (heard.header("Cookie") or "")
            return Answer(307, {"Location": f"{foreign.url}/taken"})

        home.answer = answer
        digest, auth = HTTPDigestAuth("ann", "made-up"), WithCookies(home.url, placement)
        session.auth = auth + digest if ours_first else digest + auth
        for number, body in enumerate(({}, {"json": {"n": 1}}, {"data": {"n": 1}}), start=1):
            assert session.post(f"{home.url}/x", **body).url == f"{foreign.url}/taken"
            assert len(foreign.heard) == number
        assert [heard.target for heard in home.heard].count("/login") == 1
    assert "secret" not in foreign.everything


def test_two_partners_on_one_request(service: AcmeService) -> None:
    """Each token is refreshed by its own partner's signal."""
    with acme_service() as second:

        class SecondAuth(AcmeAuth):
            partner = "second"
            placement = HeaderPlacement("X-Second-Token")

            def signals_expiry(self, response: requests.Response) -> bool:
                return response.status_code == 499

        def both(heard: Heard) -> Answer | None:
            return None if heard.header("X-Second-Token") in second.live else Answer(499)

        service.answers["/api"] = both
        other = SecondAuth(base_url=second.url, origins=[service.url], cache=MemoryTokenCache())
        auth: PartnerAuth = auth_for(service)
        for revoked in ((), (service,), (second,), (service, second)):
            for partner in revoked:
                partner.revoke()
            assert requests.get(f"{service.url}/api", auth=auth + other).status_code == 200


def test_a_sum_pickles_and_tells_no_secret(service: AcmeService) -> None:
    """It goes along with its session into another process, and its repr holds neither password nor key."""
    auth = auth_for(service) + HTTPBasicAuth("ann", "another made-up")
    assert requests.get(f"{service.url}/api", auth=pickle.loads(pickle.dumps(auth))).status_code == 200
    assert "made-up" not in repr(auth)


def test_the_token_class_is_untouched(service: AcmeService) -> None:
    """What is added is an auth, not a token: a number is turned down by Python itself."""
    with pytest.raises(TypeError):
        requests.get(f"{service.url}/api", auth=auth_for(service) + 3)  # type: ignore[operator]
    assert isinstance(auth_for(service).token(), Token)
