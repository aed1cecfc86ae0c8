"""Enums of the declarations as GraphQL enums, described by their own docstrings."""

from enum import Enum
from typing import TypeVar

import strawberry

K = TypeVar("K", bound=type[Enum])


def graph_enum(kind: K) -> K:
    """Return the enum itself, known to Strawberry; registered once however often it is asked for."""
    if "__strawberry_definition__" not in vars(kind):
        strawberry.enum(kind, description=(kind.__doc__ or "").strip() or None)
    return kind
