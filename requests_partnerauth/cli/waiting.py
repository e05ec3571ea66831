"""Signs of life while a login is waited for: the log says what is tried, this how long it has been."""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType

from .._auth import PartnerAuth
from .._http.origins import origin_of

logger = logging.getLogger(__name__)

_EVERY = 2.0


class Waiting:
    """Tells in the log, in a `with` block, what is waited for, and every two seconds that it still is."""

    def __init__(self, auth: PartnerAuth) -> None:
        self._auth = auth
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="partnerauth-waiting", daemon=True)

    def __enter__(self) -> Waiting:
        if logger.isEnabledFor(logging.DEBUG):
            auth = self._auth
            logger.debug(
                "%s: a token for %s from %s, %g s at most for its login",
                auth.partner, auth.who(), origin_of(auth.base_url), auth._log_in.limit,
            )  # fmt: skip
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _tell(self) -> None:
        started = time.monotonic()
        while not self._over.wait(_EVERY):
            logger.debug("%s: still waiting after %.0f s", self._auth.partner, time.monotonic() - started)
