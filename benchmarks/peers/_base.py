"""What every peer is asked to do."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, ClassVar

import requests
from requests_toolbelt import MultipartEncoder

from ..home import Account
from ..server import SECRET, USER

LIMIT = 10


class Peer:
    """One library in its documented use, with one account. Cases ask it for requests; the server counts.

    Args:
        account: The account on the server.
        secret: The secret it logs in with.
        header: Where the token goes, for those who can choose.
        directory: Where tokens are shared between processes, for those who can.
    """

    name: ClassVar[str]
    distribution: ClassVar[str]
    imports: ClassVar[str]
    scheme: ClassVar[str] = "Bearer"
    logs_in: ClassVar[bool] = True
    own_header: ClassVar[bool] = False
    shares: ClassVar[str] = ""
    counted: ClassVar[str] = "auth object"
    lifetime_ahead: ClassVar[int | None] = None
    ahead_after: ClassVar[float] = 0.0
    cannot: ClassVar[dict[str, str]] = {}

    def __init__(
        self,
        account: Account,
        *,
        secret: str = SECRET,
        header: str = "Authorization",
        directory: str | None = None,
    ) -> None:
        self.account = account
        self.user, self.secret = USER, secret
        self.header, self.directory = header, directory
        if self.scheme != "Bearer":
            account.control(scheme=self.scheme)
        self.prepare()

    def prepare(self) -> None:
        """Make what a user would make once."""
        raise NotImplementedError

    def get(self, path: str = "/api/thing") -> int:
        """Get it; the status."""
        raise NotImplementedError

    def post(self, body: Any, headers: dict[str, str] | None = None) -> int:
        """Post it; the status."""
        raise NotImplementedError

    def post_form(self, data: bytes) -> int:
        """Post it as a multipart form, from a stream where the library has one."""
        raise NotImplementedError

    def settle(self) -> None:
        """Called once a token is in hand and its refresh ahead is about to be measured."""

    def keep(self) -> Any:
        """What a user would hold on to beside the session."""
        raise NotImplementedError

    def requests(self, number: int) -> list[Any]:
        """So many requests that are not signed yet."""
        raise NotImplementedError

    def signer(self) -> Callable[[Any], Any]:
        """What signs one of them; a token is in hand already."""
        raise NotImplementedError

    def copies(self) -> dict[str, tuple[Any, Callable[[Any], int]]]:
        """What a user might pickle, and how the copy is used."""
        raise NotImplementedError


class SessionPeer(Peer):
    """A peer whose user holds a `requests.Session`."""

    session: requests.Session

    def get(self, path: str = "/api/thing") -> int:
        return self.session.get(self.account.url + path, timeout=LIMIT).status_code

    def post(self, body: Any, headers: dict[str, str] | None = None) -> int:
        url = self.account.url + "/api/thing"
        return self.session.post(url, data=body, headers=headers, timeout=LIMIT).status_code

    def post_form(self, data: bytes) -> int:
        form = MultipartEncoder({"file": ("data.bin", io.BytesIO(data))})
        return self.post(form, {"Content-Type": form.content_type})

    def keep(self) -> Any:
        return self.session

    def requests(self, number: int) -> list[Any]:
        return unsigned(self.account.url + "/api/thing", number)

    def copies(self) -> dict[str, tuple[Any, Callable[[Any], int]]]:
        return {"session": (self.session, self._with_session)}

    def _with_session(self, session: requests.Session) -> int:
        return session.get(self.account.url + "/api/thing", timeout=LIMIT).status_code


class AuthPeer(SessionPeer):
    """A peer that is an auth object of `requests`."""

    def prepare(self) -> None:
        self.auth = self.make_auth()
        self.session = requests.Session()
        self.session.auth = self.auth

    def make_auth(self) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
        """The auth object."""
        raise NotImplementedError

    def keep(self) -> Any:
        return self.auth

    def signer(self) -> Callable[[Any], Any]:
        return self.auth

    def copies(self) -> dict[str, tuple[Any, Callable[[Any], int]]]:
        return {"auth": (self.auth, self._with_auth), **super().copies()}

    def _with_auth(self, auth: Any) -> int:
        with requests.Session() as session:
            return session.get(self.account.url + "/api/thing", auth=auth, timeout=LIMIT).status_code


def unsigned(url: str, number: int) -> list[requests.PreparedRequest]:
    """Prepared requests of which none has been signed."""
    model = requests.Request("GET", url, headers={"Accept": "application/json"}).prepare()
    prepared = [model.copy() for _ in range(number)]
    for request in prepared:
        # copy() would leave them one list of hooks between them.
        request.hooks = {"response": []}
    return prepared
