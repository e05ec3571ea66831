"""SECURITY.md is true: each promise has its test, and what is said to be unprotected is."""

from __future__ import annotations

import ast
import base64
import html
import pickle
import re
import unicodedata
import zlib
from functools import cache
from pathlib import Path

import pytest
import requests
from conftest import make_auth
from doc_pages import ROOT, tables_of
from placed import PlacedAuth, home
from recording_server import Answer, recording_server

from requests_partnerauth import HeaderPlacement, QueryPlacement
from requests_partnerauth._http.scrub import mentions
from requests_partnerauth.simulator import PartnerSimulator

PAGE = ROOT / "SECURITY.md"
SECRET = "made-up&pässword"


def rows_of(heading: str) -> dict[str, str]:
    """Names and tests of all tables whose first column is headed so."""
    rows = [row for table in tables_of(PAGE) if table[0][0] == heading for row in table[1:]]
    assert len({row[0] for row in rows}) == len(rows)
    return {row[0]: row[-1].strip("`") for row in rows}


PROMISES, GAPS = rows_of("promise"), rows_of("gap")


@cache
def functions_of(path: Path) -> dict[str, str]:
    """The tests of a file, by name, as they are written."""
    text = path.read_text(encoding="utf-8")
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    return {node.name: ast.get_source_segment(text, node) or "" for node in functions}


def test_there_are_promises_and_gaps() -> None:
    """The tables were found."""
    assert len(PROMISES) > 30
    assert len(GAPS) > 5


@pytest.mark.parametrize("name", [*PROMISES, *GAPS])
def test_each_names_a_test_that_is_there(name: str) -> None:
    """The test beside a promise exists and says that it is this promise's."""
    place = PROMISES.get(name) or GAPS[name]
    path, _, test = place.partition("::")
    written = functions_of(ROOT / path)[test]
    if name in PROMISES:
        (named,) = re.findall(r"# Promise: (.*)", written)
        assert name in named.split(", ")


def test_no_promise_is_left_out() -> None:
    """What a test calls a promise stands in SECURITY.md."""
    named: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        if path != Path(__file__):
            for names in re.findall(r"^ +# Promise: (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE):
                named |= set(names.split(", "))
    assert named == set(PROMISES)


def test_threats_are_met_by_promises() -> None:
    """What stops a threat is a promise of the same page."""
    (table,) = [table for table in tables_of(PAGE) if table[0][0] == "who"]
    assert len(table) > 6
    for row in table[1:]:
        assert set(row[-1].split(", ")) <= set(PROMISES), row[0]


@pytest.mark.parametrize(
    "text",
    [
        SECRET.encode().hex(),
        SECRET[::-1],
        f'["{SECRET[:8]}", "{SECRET[8:]}"]',
        zlib.compress(SECRET.encode()).decode("latin-1"),
        base64.b64encode(f"before {SECRET} behind".encode()).decode(),
        base64.encodebytes(SECRET.encode() * 5).decode(),
        base64.b64encode(SECRET.encode("utf-16-le")).decode(),
        html.escape(SECRET).replace(";", ""),
        unicodedata.normalize("NFD", SECRET),
    ],
    ids=[
        "hex", "reversed", "split", "compressed", "inside a longer base64", "base64 in lines",
        "base64 of UTF-16", "entities without semicolon", "another normal form",
    ],
)  # fmt: skip
def test_other_spellings_are_not_found(text: str) -> None:
    """Hex, reversed, split over fields, ...: not looked for, as SECURITY.md says; as it is, it is found."""
    secrets = [SECRET, SECRET * 5]
    assert not mentions(text, secrets)
    assert mentions(f"before {SECRET} behind", secrets)


def test_an_instrument_sees_the_query(session: requests.Session) -> None:
    """Whoever records the URL of a request records the token that a query placement put there."""
    with home() as partner:
        session.auth = auth = PlacedAuth(partner.url, QueryPlacement("key"))
        seen: list[str] = []
        session.hooks["response"].append(lambda response, **_: seen.append(response.request.url))
        session.get(f"{partner.url}/x")
        assert requests.utils.quote(auth.token().value, safe="") in seen[0]


def test_requests_own_errors_carry_the_token(session: requests.Session) -> None:
    """The request of a ConnectionError, raised while a call is sent, is the one with the token."""
    auth = PlacedAuth("http://127.0.0.1:9", HeaderPlacement("X-Token"))
    auth.preset("made-up-token")
    with pytest.raises(requests.ConnectionError) as caught:
        session.get("http://127.0.0.1:9/x", auth=auth)
    assert caught.value.request.headers["X-Token"] == "made-up-token"


def test_netrc_goes_along_on_a_hop(
    session: requests.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """requests puts the .netrc Basic on a hop at home; refused, the hop goes out once more with the token."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with home() as partner:
        session.auth = PlacedAuth(partner.url, HeaderPlacement("Authorization"))
        assert session.get(f"{partner.url}/x?to=/y").status_code == 200
        sent = [heard.header("Authorization") or "" for heard in partner.calls]
    assert [text.partition(" ")[0] == "Basic" for text in sent] == [False, True, False]
    assert partner.logins == 1


def test_what_the_user_writes_goes_along(session: requests.Session) -> None:
    """A token that the user wrote into a body goes abroad with a redirect, as requests does it."""
    with home() as partner, recording_server() as foreign:
        foreign.answer = Answer(200)
        session.auth = auth = PlacedAuth(partner.url, HeaderPlacement("X-Token"))
        url = f"{partner.url}/x?to={foreign.url}/y&status=307"
        session.post(url, data=auth.token().value)
        assert foreign.heard[0].body.decode() == auth.token().value


def test_a_pickle_holds_the_password() -> None:
    """An auth comes out of a pickle able to log in: the password is in there."""
    auth = make_auth(PartnerSimulator().bex, password=SECRET)
    assert SECRET.encode() in pickle.dumps(auth)
