"""The id that a delivery bears, found without trusting or reading the rest of it: for deliveries that are refused, too."""

import re

LONGEST = 80
"""Characters of an id that are kept."""
_LOOKED_THROUGH = 100_000


def claimed_id(pattern: re.Pattern[bytes], body: bytes) -> str | None:
    """Return what the pattern's first group finds near the body's beginning; None where it is not there, or no printable text."""
    found = pattern.search(body[:_LOOKED_THROUGH])
    if found is None:
        return None
    text = found[1].decode("utf-8", "replace").strip()[:LONGEST]
    return text if text and text.isprintable() and "\ufffd" not in text else None
