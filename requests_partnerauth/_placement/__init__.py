"""Where a token goes in a request, and how it is taken out again. Knows requests, nothing of partners."""

from ._base import Placement
from .cookies import CookiePlacement, WithCookies
from .fields import SessionFieldsPlacement
from .header import HeaderPlacement
from .query import QueryPlacement

__all__ = [
    "CookiePlacement",
    "HeaderPlacement",
    "Placement",
    "QueryPlacement",
    "SessionFieldsPlacement",
    "WithCookies",
]
