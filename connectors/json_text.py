"""JSON as platforms send it: what is no character, or is nested without end, spoils one record and not its page."""

import re
from typing import Any, Final

import msgspec

DAMAGED: Final = "\ufdd0"
"""Stands where there was no character: a noncharacter of Unicode, which no sender can mean."""

_ESCAPED = re.compile("[\udc80-\udcff]+")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)
"""A whole surrogate pair, half of one (a text cut in the middle), or any other escape."""


def mended(content: bytes) -> bytes:
    """Return JSON in which DAMAGED stands for what was no character, so that the records beside it can be read.

    That are bytes that are no UTF-8, and escapes of half a surrogate pair, which JSON's grammar allows.
    """
    try:
        content.decode()
    except UnicodeDecodeError:
        content = _ESCAPED.sub(DAMAGED, content.decode("utf-8", "surrogateescape")).encode()
    if _SURROGATE.search(content):
        content = _ESCAPE.sub(lambda escape: DAMAGED.encode() if escape[1] else escape[0], content)
    return content


def decode(content: bytes) -> Any:
    """Return JSON as plain values, `mended`; raise ValueError where it is no JSON at all."""
    return msgspec.json.decode(mended(content))


def is_damaged(raw: bytes) -> bool:
    """Return whether a record cut out of `mended` text, or a text as it came, is not the UTF-8 that its sender meant."""
    if DAMAGED.encode() in raw:
        return True
    try:
        raw.decode()
    except UnicodeDecodeError:
        return True
    return False
