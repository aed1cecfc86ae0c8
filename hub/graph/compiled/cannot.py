"""What is not compiled, and why: counted by reason, and answered by graphql-core instead."""

from collections import Counter
from enum import Enum


class Reason(Enum):
    """Why graphql-core answers."""

    REFUSED = "REFUSED"
    """It does not pass the gate: no query, not valid, beyond a limit, or of several operations none is named."""
    VARIABLES = "VARIABLES"
    """A variable has no value of its type."""
    ARGUMENT = "ARGUMENT"
    """An argument of a field is refused."""
    LIVE = "LIVE"
    """A field is to be asked of its platform."""
    RIGHT = "RIGHT"
    """The caller lacks a right that some of the fields ask for."""
    METHOD = "METHOD"
    """A field is a method of the engine, not a read of the mirror."""
    INTROSPECTION = "INTROSPECTION"
    """A field shows the schema."""
    VALUE = "VALUE"
    """A value cannot be shown: where the error belongs is for graphql-core to say."""
    UNAVAILABLE = "UNAVAILABLE"
    """The database cannot answer now: as above."""
    STATEMENT = "STATEMENT"
    """The database refused a statement: a fault of the plan, which the log tells."""


class Cannot(Exception):
    """This operation is for graphql-core."""

    def __init__(self, reason: Reason, what: str) -> None:
        super().__init__(f"{reason.value}: {what}")
        self.reason = reason


class Tally:
    """How many operations were compiled answers, and how many were not, by reason. For one process, since its start."""

    def __init__(self) -> None:
        self.compiled = 0
        self.interpreted: Counter[Reason] = Counter()

    def counts(self) -> dict[str, int]:
        """Return all numbers by name, those of nothing too."""
        return {"COMPILED": self.compiled, **{reason.value: self.interpreted[reason] for reason in Reason}}
