"""Times as most platforms write them: Beijing, without a zone (platforms/README.md)."""

import re
from datetime import datetime, timedelta, timezone

from connectors.record_fields import text

BEIJING = timezone(timedelta(hours=8))
"""Times without a zone are Beijing time."""

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


def beijing_time(value: object) -> datetime:
    """Convert `yyyy-MM-dd HH:mm:ss`, Beijing, to an aware moment."""
    written = text(value)
    if not _TIME.fullmatch(written):
        raise ValueError("must be yyyy-MM-dd HH:mm:ss")
    return datetime.fromisoformat(written).replace(tzinfo=BEIJING)


def beijing_text(moment: datetime) -> str:
    """Return an aware moment as `yyyy-MM-dd HH:mm:ss`, Beijing; parts of a second are dropped."""
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
