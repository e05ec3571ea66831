"""Auth plugins for HTTPie, one per partner: ``http -A bex -a user:password https://api.bex.co.za/...``.

HTTPie lets nobody name types of his own: a class of the user's is ``-A partnerauth``, and the environment
names it: ``PARTNERAUTH_CLASS=acme_api:AcmeAuth``.

Everything beside user name and password comes from the environment, as for `from_env`; with both of them
there as well, ``-a`` may be left away. Tokens are kept in a `FileTokenCache`, so that a second command
does not log in again, unless ``PARTNERAUTH_CACHE`` says otherwise.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from . import BexAuth, FiservBoardingAuth, FiservCommerceConnectAuth, FiservPartnerAuth, RpGatewayAuth
from ._auth import PartnerAuth
from ._settings.cache_choice import cache_named
from ._settings.from_env import CACHE_VARIABLE, auth_from_env, variable
from ._settings.own_class import class_named, place
from ._settings.textual import arguments_of, is_secret
from ._settings.wording import reworded
from .errors import LoginTimeout, LoginUnavailable, PartnerAuthError

if TYPE_CHECKING:

    class AuthPlugin:
        """What HTTPie, which has no types, wants of a plugin."""

        raw_auth: str | None

    def parse_auth(text: str) -> Any:
        """HTTPie's reading of ``-a``."""
else:
    from httpie.cli.argtypes import parse_auth
    from httpie.plugins import AuthPlugin

__all__ = [
    "BexPlugin",
    "FiservBoardingPlugin",
    "FiservCommerceConnectPlugin",
    "FiservPartnerPlugin",
    "OwnPlugin",
    "RpGatewayPlugin",
]

_CLASS_VARIABLE = "PARTNERAUTH_CLASS"
# HTTPie's --timeout is no argument of a call that its user wrote.
_OF_A_CALL = "; login_timeout bounds a login, the timeout= of a call does not"


class _PartnerPlugin(AuthPlugin):
    """One partner's auth for HTTPie.

    HTTPie is told not to read ``-a`` itself: it would write a password into its session files, in clear,
    and could not load a session that was saved without ``-a``.
    """

    auth_class: type[PartnerAuth]
    auth_type: str
    name: str
    # What the two halves of -a are.
    user_argument: str | None = "username"
    secret_argument: str | None = "password"
    no_user: str = "-a has no meaning here, all is in the environment"
    description: str = "The rest from the environment; see requests_partnerauth."
    auth_require = False
    auth_parse = False
    netrc_parse = False

    def get_auth(self, username: str | None = None, password: str | None = None) -> PartnerAuth:
        """The auth, from ``-a`` and the environment. Leaves HTTPie nothing to store but the user name."""
        settings = self._credentials()
        if not self._is_cache_chosen():
            settings["cache"] = cache_named("file")
        try:
            auth = auth_from_env(self.auth_class, settings)
        except (ValueError, ImportError) as error:
            why = str(error)
        except Exception as error:
            why = f"{self.auth_class.__name__} is at fault: {place(error)}"
        else:
            self._reword_errors()
            return auth
        raise _told(f"{self.auth_type}: {why}")

    def _reword_errors(self) -> None:
        """Let errors name variables and commands. This process is HTTPie's: nobody else reads them in it."""
        partner = os.environ[_CLASS_VARIABLE] if isinstance(self, OwnPlugin) else self.auth_type
        forget = f"partnerauth forget {partner}" + ("" if self._is_cache_chosen() else " --cache file")
        name_of = partial(variable, self.auth_class)

        def said(error: PartnerAuthError) -> str:
            message = " ".join(map(str, error.args))
            message = message.replace(_OF_A_CALL, "")
            return reworded(message, arguments_of(self.auth_class), name_of, forget)

        PartnerAuthError.__str__ = said  # type: ignore[method-assign, assignment]
        # Of a requests.Timeout HTTPie says that the request timed out, and nothing else.
        LoginTimeout.__bases__ = (LoginUnavailable,)

    def _is_cache_chosen(self) -> bool:
        return bool(self._environ("cache") or os.environ.get(CACHE_VARIABLE))

    def _credentials(self) -> dict[str, Any]:
        if not self.raw_auth:
            return {}
        if self.user_argument is None or self.secret_argument is None:
            self.raw_auth = None
            raise _told(f"{self.auth_type}: {self.no_user}")
        given = parse_auth(self.raw_auth)
        self.raw_auth = given.key
        if not given.has_password():
            if self._environ(self.secret_argument):
                return {self.user_argument: given.key}
            try:
                given.prompt_password(urlsplit(self._environ("base_url")).netloc or self.auth_type)
            except SystemExit:
                raise _told(f"{self.auth_type}: no password was given") from None
        return {self.user_argument: given.key, self.secret_argument: given.value}

    def _environ(self, argument: str) -> str:
        return os.environ.get(variable(self.auth_class, argument), "")


class BexPlugin(_PartnerPlugin):
    """``-A bex``."""

    name = "BEX"
    auth_type = BexAuth.partner
    auth_class = BexAuth


class FiservBoardingPlugin(_PartnerPlugin):
    """``-A fiserv-boarding``."""

    name = "Fiserv merchant boarding"
    auth_type = FiservBoardingAuth.partner
    auth_class = FiservBoardingAuth


class FiservCommerceConnectPlugin(_PartnerPlugin):
    """``-A fiserv-commerce-connect``: key, IV and payload are in the environment, ``-a`` has no meaning."""

    name = "Fiserv Commerce Connect"
    auth_type = FiservCommerceConnectAuth.partner
    auth_class = FiservCommerceConnectAuth
    user_argument = None
    no_user = "-a has no meaning here; key, IV and payload are in the environment"


class FiservPartnerPlugin(_PartnerPlugin):
    """``-A fiserv-partner``."""

    name = "Fiserv partner"
    auth_type = FiservPartnerAuth.partner
    auth_class = FiservPartnerAuth


class RpGatewayPlugin(_PartnerPlugin):
    """``-A rp-gateway``."""

    name = "rp.Gateway"
    auth_type = RpGatewayAuth.partner
    auth_class = RpGatewayAuth


class OwnPlugin(_PartnerPlugin):
    """``-A partnerauth``: the class that ``PARTNERAUTH_CLASS`` names as ``module:Class``."""

    name = "A class of your own"
    auth_type = "partnerauth"
    description = f"The class that {_CLASS_VARIABLE} names: acme_api:AcmeAuth."

    def get_auth(self, username: str | None = None, password: str | None = None) -> PartnerAuth:
        """The auth of that class, from ``-a`` and the environment."""
        try:
            self.auth_class = class_named(os.environ.get(_CLASS_VARIABLE, ""), PartnerAuth)
        except ValueError as error:
            why = str(error)
        else:
            wanted = [argument for argument in arguments_of(self.auth_class).values() if argument.required]
            self.user_argument = next((each.name for each in wanted if not is_secret(each)), None)
            self.secret_argument = next((each.name for each in wanted if is_secret(each)), None)
            return super().get_auth(username, password)
        raise _told(f"{_CLASS_VARIABLE}: {why}")


def _told(why: str) -> SystemExit:
    """Tell it as HTTPie tells its own errors, on one line and without a traceback; what is to be raised."""
    sys.stderr.write(f"\nhttp: error: {why}\n")
    return SystemExit(1)
