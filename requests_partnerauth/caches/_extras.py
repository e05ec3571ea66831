"""Packages that only some caches need."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Never run: PyInstaller looks for imports in the bytecode, and finds none in import_module.
    import filelock  # noqa: F401
    import keyring  # noqa: F401
    import platformdirs  # noqa: F401
    import redis  # noqa: F401


def needed(module: str, extra: str) -> Any:
    """The module, imported when a cache is built and not before.

    Raises:
        ModuleNotFoundError: It is not installed; the message says what to type.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
    raise ModuleNotFoundError(
        f"{module} is not installed, and this token cache needs it: "
        f'pip install "requests-partnerauth[{extra}]"',
        name=module,
    )
