"""What the library says to Python, said to those who set it up by environment or command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable


def reworded(message: str, arguments: Iterable[str], name_of: Callable[[str], str], forget: str = "") -> str:
    """A message that names settings as the user wrote them, and the command for what Python would call.

    Args:
        message: What the library says: ``name it in origins=``, ``pass login_path="/msg"``, ``or until
            forget()``. What is there for Python alone, ``give hmac= in Python``, stays as it is.
        arguments: The constructor arguments that it may name.
        name_of: What the user calls an argument.
        forget: What drops a remembered refusal.
    """
    names = "|".join(sorted(arguments, key=len, reverse=True))

    def named(found: re.Match[str]) -> str:
        verb = "set" if found["verb"] == "pass" else found["verb"]
        value = f" to {found['value']}" if found["value"] else ""
        return f"{verb} {name_of(found['argument'])}{value}"

    ours = rf'\b(?P<verb>pass|in) (?P<argument>{names})=(?:True|False|"(?P<value>[^"]*)")?'
    message = re.sub(ours, named, message)
    return message.replace("forget()", f"`{forget}`") if forget else message
