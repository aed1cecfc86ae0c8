"""The error of someone who shows a key or a token that does not hold, or none that is understood."""

from schema.graph_errors import UNAUTHENTICATED, GraphError


class Unproven(GraphError):
    """`reason` stands in `extensions.reason`; `error` is the code of RFC 6750, section 3.1, for WWW-Authenticate."""

    def __init__(self, reason: str, message: str, error: str | None = "invalid_token") -> None:
        super().__init__(UNAUTHENTICATED, message, reason=reason)
        self.reason = reason
        self.error = error

    @property
    def challenge(self) -> str:
        """Return WWW-Authenticate. What it says is ours alone: nothing of the token stands in it."""
        if self.error is None:
            return 'Bearer realm="bihuan"'
        return f'Bearer realm="bihuan", error="{self.error}", error_description="{self.reason}"'


class KeysUnavailable(Exception):
    """A token may be good, and nobody can tell: the provider's keys could not be had. The caller may come again."""
