"""Where tokens are kept: memory by default."""

from .memory import MemoryTokenCache

__all__ = ["MemoryTokenCache"]
