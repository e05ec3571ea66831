"""Ends as partners name them: epoch seconds, dates, texts, the exp of a JSON Web Token."""

from __future__ import annotations

import base64
import json
import math
import re
from datetime import datetime, timedelta, timezone
from email.utils import mktime_tz, parsedate_tz

# No patterns compiled at the import, which every login pays for: few partners name an end.
_ISO = (
    r"(\d{4})-?(\d\d)-?(\d\d)[Tt ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d{1,12}))?)? ?"
    r"(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)"
)
_HTTP = r"[A-Z][a-z]{2,8}, \d{1,2}[ -][A-Z][a-z]{2}[ -](?:\d\d|\d{4}) \d\d:\d\d:\d\d GMT"
_ASCTIME = r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}"
_JWT = r"[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]*"


def moment(end: object) -> float | None:
    """Epoch seconds of a moment however it is named; None where it can't be read."""
    try:
        if isinstance(end, datetime):
            return end.timestamp() if end.utcoffset() is not None else None
        if isinstance(end, str):
            return _of_text(end.strip())
        if isinstance(end, (int, float)) and not isinstance(end, bool) and math.isfinite(end):
            return float(end)
    except (ValueError, OverflowError):
        pass
    return None


def end_of_jwt(value: str) -> float | None:
    """The exp of a JSON Web Token, None where it names none. Its signature is not checked.

    Raises:
        ValueError: It is none, or its payload or exp can't be read. The text may quote it.
    """
    parts = re.fullmatch(_JWT, value)
    if parts is None:
        raise ValueError("no three parts")
    payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    if not isinstance(payload, dict):
        raise ValueError("no object")
    if payload.get("exp") is None:
        return None
    end = moment(payload["exp"]) if not isinstance(payload["exp"], str) else None
    if end is None:
        raise ValueError("no number of seconds")
    return end


def _of_text(text: str) -> float | None:
    if (iso := re.fullmatch(_ISO, text, re.ASCII)) is not None:
        return _of_iso(iso)
    if re.fullmatch(f"{_HTTP}|{_ASCTIME}", text, re.ASCII) is None:
        return None
    parsed = parsedate_tz(text)
    if parsed is None:
        return None
    # It would take a day that there is not for one of the next month.
    datetime(*parsed[:6])
    return float(mktime_tz((*parsed[:9], 0)))


def _of_iso(iso: re.Match[str]) -> float:
    year, month, day, hour, minute, second = (int(iso[number] or 0) for number in range(1, 7))
    offset = timedelta(0)
    if iso[8] is None:
        offset = timedelta(hours=int(iso[10]), minutes=int(iso[11] or 0))
        offset = -offset if iso[9] == "-" else offset
    named = datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset))
    return named.timestamp() + float(f"0.{iso[7] or 0}")
