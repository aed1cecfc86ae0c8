"""What changed between two schemas, by what it does to front ends. graphql-core finds the changes."""

import re
from enum import Enum
from typing import NamedTuple

from graphql import GraphQLError, GraphQLSchema, build_schema
from graphql.utilities import BreakingChange, DangerousChange, find_schema_changes

PRIVATE = re.compile(r"\b_(Entity|Service|Any)\b")
"""Types that a federation gateway alone asks for; its own composition judges them."""


class Severity(Enum):
    """What a change does to front ends."""

    BREAKING = "breaking"
    """Operations that were valid are refused, or answers lose what they had."""
    DANGEROUS = "dangerous"
    """Operations stay valid, and may get what their authors did not think of: a new enum value, a new member of a union."""
    SAFE = "safe"


class Change(NamedTuple):
    """One change, in words."""

    severity: Severity
    kind: str
    """graphql-core's name of it, as FIELD_REMOVED."""
    what: str


class UnreadableSchema(Exception):
    """A text is no schema; the message says where."""


def changes(old: str, new: str) -> list[Change]:
    """Return what changed from one SDL to another, the worst first; raise UnreadableSchema.

    Descriptions and directives count as safe changes; that a field is deprecated is none at all.
    """
    found = [_change(each) for each in find_schema_changes(_read(old, "the old schema"), _read(new, "the new schema"))]
    order = list(Severity)
    ours = [each for each in found if not PRIVATE.search(each.what)]
    return sorted(ours, key=lambda each: (order.index(each.severity), each.kind, each.what))


def _change(found: object) -> Change:
    if isinstance(found, BreakingChange):
        severity = Severity.BREAKING
    elif isinstance(found, DangerousChange):
        severity = Severity.DANGEROUS
    else:
        severity = Severity.SAFE
    return Change(severity, found.type.name, found.description)  # type: ignore[attr-defined]


def _read(sdl: str, which: str) -> GraphQLSchema:
    try:
        return build_schema(sdl, assume_valid_sdl=True)  # federation's directives are imported by @link, and not defined
    except (GraphQLError, TypeError) as error:
        raise UnreadableSchema(f"{which} cannot be read: {error}") from error
