"""Times on the command line: ISO 8601, with a zone or in this machine's local time."""

from datetime import datetime

from hub.commands.base import WRONG_SETTINGS, fail


def moment(text: str, option: str) -> datetime:
    """Return the aware moment that a text names; end with 2, naming the option, where it names none."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        way = "write it as 2019-09-11T09:00:00+08:00, or without the zone in local time"
        fail([f"{option} {text}: no time; {way}"], WRONG_SETTINGS)
