"""Errors that the graph tells its callers. Each has a code for programs (`extensions.code`) and a text for people.

Whatever else is raised behind the graph is a fault of ours: hub/graph/errors.py hides its text and shows INTERNAL.
"""

from typing import Any

from graphql import GraphQLError

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
