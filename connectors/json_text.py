"""JSON as platforms send it: bytes that are no UTF-8, or that are nested without end, spoil one record and not its page."""

import re

DAMAGED = "\ufdd0"
"""Stands where bytes were no UTF-8: a noncharacter of Unicode, which no sender can mean."""

_ESCAPED = re.compile("[\udc80-\udcff]+")


def mended(content: bytes) -> bytes:
    """Return JSON as valid UTF-8 in which DAMAGED stands for what was none, so that the records beside it can be read."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return _ESCAPED.sub(DAMAGED, content.decode("utf-8", "surrogateescape")).encode()
    return content


def is_damaged(raw: bytes) -> bool:
    """Return whether a record cut out of `mended` text, or a delivery as it came, is not the UTF-8 that its sender meant."""
    if DAMAGED.encode() in raw:
        return True
    try:
        raw.decode()
    except UnicodeDecodeError:
        return True
    return False
