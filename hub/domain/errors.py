"""What the domain says when it cannot answer. Rules make items of the ops list from these; nobody catches them to guess on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class PolicyProblem:
    """One thing wrong in one place of the policy files.

    `line` and `column` count from 1. In a CSV file the column is the field's, in a TOML file the character's; `name` is the
    column's header or the key. `cure` says what is wrong and what would be right.
    """

    file: str
    line: int
    column: int
    name: str
    cure: str

    def __str__(self) -> str:
        named = f" ({self.name})" if self.name else ""
        return f"{self.file}, line {self.line}, column {self.column}{named}: {self.cure}"


class DomainError(Exception):
    """Anything that the domain refuses to answer."""


class PolicyError(DomainError):
    """The policy files cannot be used as they stand; `problems` holds all that is wrong in them, in the order of the files."""

    def __init__(self, problems: tuple[PolicyProblem, ...]) -> None:
        self.problems = problems
        many = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n  ".join([f"policy files: {many}", *map(str, problems)]))


class PolicyMissing(DomainError):
    """No policy answers this question: a row or a table has to be added; the message says where."""


class BeyondCalendar(DomainError):
    """A deadline would lie behind the last day that there is: a platform's "without limit" (9999-12-31) was counted on from."""


class PointsInvalid(DomainError):
    """Points that a platform named are negative or no step of 0.5, so that no credit record can carry them."""
