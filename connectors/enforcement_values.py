"""How the enforcement platform writes values: JSON, ISO 8601 with offset, points in text; and what becomes of a bad record."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import msgspec

from connectors.base import Item, Quarantined
from connectors.json_text import is_damaged
from connectors.record_fields import BadFieldError, Fields, decimal, instant, observed, subject_code, text, texts
from schema.entity import Mirrored, Observation

PLATFORM: Final = "enforcement"
_TENTH = Decimal("0.1")


def day(value: object) -> str:
    """Convert a date, `yyyy-MM-dd`."""
    written = text(value)
    try:
        return date.fromisoformat(written).isoformat()
    except ValueError:
        raise ValueError("must be a date yyyy-MM-dd") from None


def points(value: object) -> Decimal:
    """Convert points, none below 0, to one decimal where that is exact: `3` and `3.0` are equal content."""
    amount = decimal(value)
    if amount < 0:
        raise ValueError("must not be below 0")
    tenths = amount.quantize(_TENTH)
    return tenths if tenths == amount else amount


def subject_codes(value: object) -> tuple[str, ...]:
    """Convert a list of subject codes."""
    return tuple(subject_code(code) for code in texts(value))


def updated_at(record: object) -> datetime | None:
    """Return a record's updatedAt, None where it cannot be read."""
    try:
        return instant(record.get("updatedAt")) if isinstance(record, dict) else None
    except (ValueError, OverflowError):
        return None


def read_record(record: object, entity: type[Mirrored], key: str, make: Callable[[Fields], Observation]) -> Item:
    """Return what `make` observes in a record, or a Quarantined; `key` is the field with the record's key."""
    content = msgspec.json.encode(record)
    if not isinstance(record, dict):
        return Quarantined(reason="BAD_VALUE", detail=f"{entity.__name__}: not an object", content=content, entity=entity.__name__)

    def observation() -> Observation:
        if is_damaged(content):
            raise BadFieldError("BAD_ENCODING", "not valid UTF-8 text")
        return make(Fields(record))

    return observed(observation, entity=entity.__name__, key=record.get(key), content=content)
