"""What the library says to Python, said to those who set it up by environment or command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable


def reworded(message: str, arguments: Iterable[str], name_of: Callable[[str], str], forget: str = "") -> str:
    """A message that names settings as the user wrote them, and the command for what Python would call.

    Args:
        message: What the library says: ``name it in origins=``, ``or until forget()``.
        arguments: The constructor arguments that it may name.
        name_of: What the user calls an argument.
        forget: What drops a remembered refusal.
    """
    names = "|".join(sorted(arguments, key=len, reverse=True))

    def named(found: re.Match[str]) -> str:
        return f"{'set ' if found['verb'] else ''}{name_of(found['argument'])}"

    message = re.sub(rf"(?P<verb>pass )?\b(?P<argument>{names})=(True|False)?", named, message)
    return message.replace("forget()", f"`{forget}`") if forget else message
