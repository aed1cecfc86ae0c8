"""Whether a value that a caller brought can be compared with a column at all, and how it compares without a database.

Asked by filters, cursors and subscriptions.
"""

import operator
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from schema.declare import Field, Step
from schema.slices import Comparison

LARGEST = 2**63 - 1
ORDERING: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


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


def holds(value: Any, comparison: Comparison) -> bool:
    """Return whether a comparison holds for a value, as it would in SQL: a missing value is equal to, and less than, nothing."""
    if comparison.word == "is_null":
        return (value is None) is bool(comparison.value)
    if value is None:
        return False
    if comparison.word == "in":
        return value in comparison.value
    return ORDERING[comparison.word](value, comparison.value)
