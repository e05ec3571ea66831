"""Whose code a frame runs: an author's, or a library's under it."""

from __future__ import annotations

import os
from types import FrameType

_LIBRARIES = ("requests_partnerauth", "requests", "urllib3")
_STANDARD = os.path.dirname(os.__file__) + os.sep


def is_authors(frame: FrameType) -> bool:
    """Whether it is neither this package's, nor requests', nor the standard library's."""
    module, path = str(frame.f_globals.get("__name__")), frame.f_code.co_filename
    is_standard = path.startswith(("<frozen", _STANDARD)) and "site-packages" not in path
    return module.partition(".")[0] not in _LIBRARIES and not is_standard
