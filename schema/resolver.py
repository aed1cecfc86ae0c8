"""Strawberry's decorators with a description in both languages, as decorators that keep a function's type."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import strawberry

from schema.declare import Says
from schema.reads import READS, Reading

F = TypeVar("F", bound=Callable[..., Any])


def resolver(en: str, zh: str, reads: Reading | None = None) -> Callable[[F], F]:
    """Return `strawberry.field(description=...)`; `reads` says what the function reads, where it only reads."""
    metadata = None if reads is None else {READS: reads}
    return cast(Callable[[F], F], strawberry.field(description=str(Says(en, zh)), metadata=metadata))


def mutation(en: str, zh: str) -> Callable[[F], F]:
    """Return `strawberry.mutation(description=...)`."""
    return cast(Callable[[F], F], strawberry.mutation(description=str(Says(en, zh))))


def subscription(en: str, zh: str) -> Callable[[F], F]:
    """Return `strawberry.subscription(description=...)`."""
    return cast(Callable[[F], F], strawberry.subscription(description=str(Says(en, zh))))
