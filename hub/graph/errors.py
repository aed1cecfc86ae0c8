"""Every error of the graph gets a code, and a fault of ours loses its text: it goes to the log, under a correlation id."""

import logging
import re
import traceback

from graphql import GraphQLError, GraphQLSyntaxError

from hub.graph.limits import DEPTH_LIMIT, TOKEN_LIMIT
from hub.mirror.database import DatabaseUnavailable
from schema.graph_errors import BAD_USER_INPUT, INTERNAL, UNAVAILABLE
from schema.identifiers import redact

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"

LONGEST = 2_000
"""Characters of a message; some quote what the client sent."""
SUGGESTION = re.compile(r" Did you mean [^?]{0,500}\?")
"""graphql-core leaves them out of what it validates, and not of what it says of variables."""

log = logging.getLogger(__name__)


def coded(error: GraphQLError, *, before_execution: bool, correlation_id: str, suggestions: bool = True) -> GraphQLError:
    """Return the error as the caller may see it, with `extensions.code`; without `suggestions` of names that were not asked for."""
    cause = error.original_error
    if isinstance(cause, DatabaseUnavailable):
        return _like(error, "the hub's database cannot answer now; try again", UNAVAILABLE, retryable=True)
    if isinstance(cause, RecursionError) and before_execution:
        return _like(error, "the document is nested too deeply; send several operations", DEPTH_LIMIT)
    if cause is not None and not isinstance(cause, GraphQLError):
        log.error("graph %s: %s", correlation_id, redact("".join(traceback.format_exception(cause))))
        message = f"internal error; the hub's log has it under {correlation_id}"
        return _like(error, message, INTERNAL, correlationId=correlation_id)
    if error.extensions and "code" in error.extensions:
        return error
    if isinstance(error, GraphQLSyntaxError):
        return _like(error, error.message[:LONGEST], _parse_code(error.message))
    message = error.message if len(error.message) <= LONGEST else f"{error.message[:LONGEST]} ..."
    message = message if suggestions else SUGGESTION.sub("", message)
    return _like(error, message, VALIDATION_FAILED if before_execution else BAD_USER_INPUT)


def _parse_code(message: str) -> str:
    """Return the code of a syntax error; graphql-core tells its own limits by their text only."""
    if "nested too deeply" in message:
        return DEPTH_LIMIT
    return TOKEN_LIMIT if "tokens. Parsing aborted" in message else PARSE_FAILED


def _like(error: GraphQLError, message: str, code: str, **details: object) -> GraphQLError:
    """Return an error of the same place with another text."""
    return GraphQLError(message, error.nodes, error.source, error.positions, error.path, extensions={"code": code, **details})
