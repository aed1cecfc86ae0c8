"""What a rule is: it looks at the mirror and says what must exist elsewhere. Rules live in rules/, one file each.

`derive` is pure and level-triggered: it reads state, never event contents, and twice equals once. Apply asks it when a
record changes, the sweep asks it about everything: there is one rule, not two.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import msgspec
from sqlalchemy import Connection

from connectors.base import Quarantined
from hub.domain.deadlines import Due
from hub.domain.policy import Policy
from hub.mirror.ops_list import Trouble
from hub.mirror.rows import Rows
from schema.commands import AnyCommand
from schema.entities import Obligation
from schema.entity import Observation, Tombstone
from schema.identifiers import outgoing_number

F = TypeVar("F")
Changes = Sequence[Observation | Tombstone]
"""What was applied in one go: all of it is newer than what was held."""
Candidates = Callable[[Connection, str, int], list[str]]
"""Returns causes in order, beginning after one, at most so many."""


class Rulebook(msgspec.Struct, frozen=True):
    """What rules decide by, beside the mirror."""

    policy: Policy
    region: str
    """The city's region code, six digits, where a record names none."""


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that must exist on a platform. Without a command it waits for what `needs` names."""

    key: str
    platform: str
    kind: str
    """Name of the command's class."""
    command: AnyCommand | None
    due: Due
    subject_code: str | None
    needs: str | None = None
    """What it waits for. The same text is what `Rule.releases` says when that comes."""
    chain: str | None = None
    place: int = 0
    """Its place in the chain, so that the order is right in whatever order things were derived."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says of one cause."""

    version: int
    """Version of the cause that this was derived from."""
    owed: tuple[Owed, ...] = ()
    keep: frozenset[str] = frozenset()
    """Keys of obligations that stay as they are, though they are not owed now: they were right when they were made."""
    proven: Mapping[str, str] = {}
    """Key -> the platform's own number of the proof that was seen in the mirror."""
    troubles: tuple[Trouble, ...] = ()
    mended: frozenset[tuple[str, str]] = frozenset()
    """Kind and cause of what ops was told and that is over by itself; those items of the ops list are resolved."""
    quarantined: Quarantined | None = None
    """The cause itself, where it is good and yet can lead to nothing; it stays in the quarantine as long as this says so."""


class Quarantine(NamedTuple):
    """Where a rule names causes that can lead to nothing: what it says of them is its own, and it alone takes it back."""

    platform: str
    reason: str


class Rule(ABC, Generic[F]):
    """One row of DOMAIN.md's table."""

    name: ClassVar[str]
    prefix: ClassVar[str]
    """Short prefix of the numbers that we send out."""
    cause_entity: ClassVar[str]
    """Name of the entity whose key is the cause."""
    replaces: ClassVar[bool] = False
    """Whether its commands replace what is there as a whole: one that may have been sent, and is to be sent again, is then
    corrected to what is owed now."""
    shares_keys: ClassVar[bool] = False
    """Whether two causes may owe the same key: what the one owes no longer is then taken over by the other."""
    quarantine: ClassVar[Quarantine | None] = None
    """Set where its verdicts may quarantine their cause."""

    def number(self, key: str) -> str:
        """Return our number for an obligation on its platform: the prefix and 40 hex of SHA-256 of the key."""
        return outgoing_number(self.prefix, key)

    @abstractmethod
    def causes(self, observation: Observation) -> Iterable[str]:
        """Return the causes that a changed record may matter for."""

    def linked(self, connection: Connection, rows: Rows, changes: Changes) -> Iterable[str]:
        """Return further causes that applied changes matter for: what only mirror and ledger can name, of what is gone too."""
        return ()

    @abstractmethod
    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, F]:
        """Return what the rule must know of each cause, in a number of statements that does not grow with the causes."""

    @abstractmethod
    def derive(self, facts: F, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Return what is owed because of one cause, and what of the ledger is proven. Pure."""

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Return causes over the whole mirror that this rule may owe something for, in order, beginning after one.

        Each rule has this, or `candidates` where policy or time decides which causes those are.
        """
        raise NotImplementedError(f"{self.name}: neither unsettled nor candidates")

    def candidates(self, book: Rulebook, now: datetime) -> Candidates:
        """Return what the sweep asks for causes: `unsettled`, where neither policy nor time matters for that."""
        return self.unsettled

    def elapsed(self, book: Rulebook, now: datetime) -> Candidates | None:
        """Return causes for which time alone has changed what is owed, found by an index; None where time changes nothing.

        They are among `candidates` too.
        """
        return None

    def releases(self, observation: Observation) -> Iterable[str]:
        """Return what waiting obligations may need (`Owed.needs`) and a changed record may give them."""
        return ()

    def material(self, command: AnyCommand) -> str | None:
        """Return, in words, what of a sent command must still be right; where it differs later, ops is told."""
        return None

    def is_refused(self, one: Obligation) -> bool:
        """Return whether the platform refused it for good, in words that it has only for what is not there.

        Calls before that had no known outcome then were not carried out: no person has to look.
        """
        return False

    def shows(self, facts: F) -> str | None:
        """Return, as JSON, what the cause says now: ops sees it beside what was sent."""
        return None


AnyRule = Rule[Any]


def said_in(changes: Changes) -> list[Observation]:
    """Return what platforms said of records that are there."""
    return [each for each in changes if isinstance(each, Observation)]
