"""The peers, one module each."""

from __future__ import annotations

from ._base import Peer
from .authlib import Authlib
from .azure_core import AzureCore
from .basic import Basic
from .botocore import Botocore
from .digest import Digest
from .fifteen_lines import FifteenLines
from .google_auth import GoogleAuth, GoogleAuthWorker
from .httpx_auth import HttpxAuth
from .ours import Ours
from .requests_auth import RequestsAuth
from .requests_oauth2client import RequestsOauth2Client
from .requests_oauthlib import RequestsOauthlib

PEERS: dict[str, type[Peer]] = {
    peer.name: peer
    for peer in (
        Ours, Basic, Digest, RequestsAuth, RequestsOauthlib, RequestsOauth2Client, Authlib, GoogleAuth,
        AzureCore, HttpxAuth, Botocore, FifteenLines,
    )
}  # fmt: skip
"""Everyone, in the order of the tables."""

VARIANTS: dict[str, type[Peer]] = {GoogleAuthWorker.name: GoogleAuthWorker}
"""Settings that change one case only."""

__all__ = ["PEERS", "VARIANTS", "Peer"]
