"""Errors that the graph tells its callers. Each has a code for programs (`extensions.code`) and a text for people.

Whatever else is raised behind the graph is a fault of ours: hub/graph/errors.py hides its text and shows INTERNAL.
"""

from typing import Any

from graphql import GraphQLError

from schema.slices import FIRST_LIMIT

UNAUTHENTICATED = "UNAUTHENTICATED"
FORBIDDEN = "FORBIDDEN"
BAD_USER_INPUT = "BAD_USER_INPUT"
BAD_CURSOR = "BAD_CURSOR"
BAD_ID = "BAD_ID"
PAGE_LIMIT = "PAGE_LIMIT"
UNAVAILABLE = "UNAVAILABLE"
INTERNAL = "INTERNAL"


class GraphError(GraphQLError):
    """Something the caller can mend; `code` stands in `extensions.code`, `details` beside it."""

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(message, extensions={"code": code, **details})
        self.code = code


def page_too_large(field: str, first: int) -> GraphError:
    """Return the error of a list that is asked for more records than it gives at once."""
    message = f"{field}: first is {first}; at most {FIRST_LIMIT} at once, then go on with after: <endCursor>"
    return GraphError(PAGE_LIMIT, message, limit=FIRST_LIMIT)
