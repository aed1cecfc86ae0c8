"""What headers say of time: an HTTP date, and how long to wait."""

from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx


def retry_after_seconds(response: httpx.Response, now: datetime, header: str = "retry-after") -> float | None:
    """Return the wait that an answer asks for in `header`, in seconds, never negative; None without a readable one.

    An HTTP date is measured against the answer's own Date header where it has one, so that clocks may differ.
    """
    asked = response.headers.get(header, "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked)
    until, since = http_date(asked), http_date(response.headers.get("date", ""))
    return max(0.0, (until - (since or now)).total_seconds()) if until is not None else None


def http_date(text: str) -> datetime | None:
    """Return the moment that an HTTP date names, aware; None for anything else."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
