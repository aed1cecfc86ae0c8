"""Whether a value that a caller brought can be compared with a column at all. Asked by filters and cursors."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from schema.declare import Field, Step

LARGEST = 2**63 - 1


def check_comparable(field: Field, value: Any) -> None:
    """Return if the column could hold the value; raise ValueError saying why not. A text may be as long as it likes."""
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("it holds a NUL character, which no text here does")
    if isinstance(value, int) and abs(value) > LARGEST:
        raise ValueError("it exceeds 64 bits")
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError("it is a time without a zone")
    if isinstance(value, Decimal):
        step = field.marks[Step].of
        if not value.is_finite() or abs(value) > LARGEST * step:
            raise ValueError("it is too large")
        if value % step:
            raise ValueError(f"it is {value}, and the values move in steps of {step}")
