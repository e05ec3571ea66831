"""Where tokens are kept: memory by default; files, Redis or the keyring where they must outlive a process."""

from ._base import TokenCache

__all__ = ["TokenCache"]
