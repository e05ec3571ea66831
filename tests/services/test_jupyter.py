"""Jupyter Server, run for real: a login of two steps, two cookies and a header that repeats one of them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from jupyter_auth import JupyterAuth
from service import PASSWORD, Door, door_to, free_port, program, serving
from together import together

from requests_partnerauth import LoginRejected, MemoryTokenCache

HASH = "import sys; from jupyter_server.auth import passwd; print(passwd(sys.argv[1], 'sha256'))"


class Jupyter:
    """A Jupyter Server behind a door. `restart` ends all logins: it signs cookies with another secret."""

    def __init__(self, home: Path, door: Door, running: ExitStack) -> None:
        self.door, self.url = door, door.url
        self._home, self._running = home, running
        self._starts = 0
        hashed = subprocess.run([program("jupyter"), "-c", HASH, PASSWORD], capture_output=True, check=True)
        self._hashed = hashed.stdout.decode().strip()
        self.restart()

    def restart(self) -> None:
        self._running.close()
        self._starts += 1
        self.door.port = free_port()
        settings = {
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.port": self.door.port,
            "ServerApp.port_retries": 0,
            "ServerApp.root_dir": self._home,
            "ServerApp.cookie_secret": f"made up {self._starts}",
            "IdentityProvider.token": "",
            "PasswordIdentityProvider.hashed_password": self._hashed,
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        command = (program("jupyter"), "-m", "jupyter_server", "--no-browser", "--allow-root", *options)
        alive = f"http://127.0.0.1:{self.door.port}/api"
        self._running.enter_context(serving(self._home, alive, *command))

    @property
    def logins(self) -> tuple[int, int]:
        """How many login pages were asked for, and how many passwords were sent."""
        return self.door.count("GET", "/login"), self.door.count("POST", "/login")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A Jupyter Server with a password, and an empty folder."""
    with door_to(0) as door, ExitStack() as running:
        yield Jupyter(tmp_path_factory.mktemp("jupyter"), door, running)


@pytest.fixture
def jupyter(running: Jupyter) -> Jupyter:
    """The same, with nobody counted yet."""
    running.door.forget()
    return running


def auth_for(jupyter: Jupyter, password: str = PASSWORD) -> JupyterAuth:
    return JupyterAuth(password, base_url=jupyter.url, cache=MemoryTokenCache())


def save(session: requests.Session, jupyter: Jupyter, name: str, text: str) -> requests.Response:
    file = {"type": "file", "format": "text", "content": text}
    return session.put(f"{jupyter.url}/api/contents/{name}", json=file)


def test_a_login_that_ended_is_replaced(jupyter: Jupyter, session: requests.Session) -> None:
    """Two steps make a login; files are read and written with it, and after its end with the next one."""
    session.auth = auth_for(jupyter)
    assert save(session, jupyter, "plan.txt", "step one").status_code == 201
    assert session.get(f"{jupyter.url}/api/contents/plan.txt").json()["content"] == "step one"
    assert jupyter.logins == (1, 1)
    jupyter.restart()
    saved = save(session, jupyter, "plan.txt", "step two")
    assert (saved.status_code, [refused.status_code for refused in saved.history]) == (200, [403])
    assert session.get(f"{jupyter.url}/api/contents/plan.txt").json()["content"] == "step two"
    assert jupyter.logins == (2, 2)


def test_a_redirect_to_the_login_is_a_signal(jupyter: Jupyter, session: requests.Session) -> None:
    """A download that is answered by a redirect to the login page is sent again, and is the file."""
    session.auth = auth_for(jupyter)
    save(session, jupyter, "map.txt", "a canyon")
    jupyter.restart()
    assert session.get(f"{jupyter.url}/files/map.txt").text == "a canyon"
    assert jupyter.logins == (2, 2)


def test_the_cookies_stay_out_of_the_session(jupyter: Jupyter, session: requests.Session) -> None:
    """The session's own cookie travels beside the login's, and the login's are never the session's."""
    session.auth = auth_for(jupyter)
    session.cookies.set("colour", "sand")
    sent = session.get(f"{jupyter.url}/api/contents").request.headers["Cookie"]
    assert sorted(pair.partition("=")[0][:8] for pair in sent.split("; ")) == ["_xsrf", "colour", "username"]
    assert session.cookies.get_dict() == {"colour": "sand"}


def test_32_threads_share_each_login(jupyter: Jupyter) -> None:
    """32 threads without a login cost one of two steps, and so do 32 whose login has ended."""
    auth = auth_for(jupyter)
    for count in (1, 2):
        if count == 2:
            jupyter.restart()
        replies = together(32, lambda _: requests.get(f"{jupyter.url}/api/contents", auth=auth))
        assert [getattr(reply, "status_code", reply) for reply in replies] == [200] * 32
        assert jupyter.logins == (count, count)


def test_a_wrong_password_is_tried_once(jupyter: Jupyter) -> None:
    """What Jupyter refused is not asked again: no further password, no further page."""
    auth = auth_for(jupyter, "a wrong one")
    outcomes = together(8, lambda _: auth.token())
    assert [type(outcome) for outcome in outcomes] == [LoginRejected] * 8
    with pytest.raises(LoginRejected):
        requests.get(f"{jupyter.url}/api/contents", auth=auth)
    assert jupyter.logins == (1, 1)
