"""A department asks a town for help (部门协管): what it issues on the enforcement platform is passed on to the grid platform.

Key: coordination. Due: 1 hour. Proof: the grid platform's own coordination with our number.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from hub.mirror import coordination_queries, ledger, queries
from hub.mirror.rows import Rows, content_of
from hub.reconcile.rule import Changes, Owed, Rule, Rulebook, Verdict, said_in
from hub.reconcile.standing import may_exist
from schema.commands import AnyCommand, IssueCoordination
from schema.entities import Coordination, CoordinationStatus, Obligation, TownCoordination
from schema.entity import Observation
from schema.identifiers import outgoing_number

NAME = "coordination-dispatch"
PREFIX = "CO"
DISPATCH = 1
"""Its place in the chain of a coordination; the feedbacks follow."""


class Facts(NamedTuple):
    """A coordination, and what the town has of it under our number, the oldest first."""

    coordination: Coordination
    at_town: Sequence[TownCoordination]


def key_for(coordination_id: str) -> str:
    """Return the key of what passes a coordination on."""
    return f"{NAME}:{coordination_id}"


def town_number(coordination_id: str) -> str:
    """Return the number that a coordination carries on the grid platform (outNo)."""
    return outgoing_number(PREFIX, key_for(coordination_id))


def chain_of(coordination_id: str) -> str:
    """Return the chain in which a coordination is passed on and fed back."""
    return f"coordination:{coordination_id}"


def coordinations_named(connection: Connection, observations: Iterable[Observation]) -> list[str]:
    """Return the coordinations behind what towns say: they name them by our number only."""
    numbers = {one.record.out_no for one in observations if isinstance(one.record, TownCoordination)}
    return ledger.causes_having(connection, NAME, "number", numbers)


class CoordinationDispatch(Rule[Facts]):
    """A department issues a coordination -> coordination event, grid; key: coordination."""

    name = NAME
    prefix = PREFIX
    cause_entity = "Coordination"

    def causes(self, observation: Observation) -> Iterable[str]:
        """A coordination."""
        record = observation.record
        return [record.coordination_id] if isinstance(record, Coordination) else []

    def linked(self, connection: Connection, rows: Rows, changes: Changes) -> Iterable[str]:
        """What a town has of one."""
        return coordinations_named(connection, said_in(changes))

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return coordinations with what the towns have of them."""
        found = queries.records_where(connection, rows, Coordination, "coordination_id", causes)
        at_towns = queries.records_where(connection, rows, TownCoordination, "out_no", [town_number(cause) for cause in found])
        return {cause: Facts(one, at_towns.get(town_number(cause), [])) for cause, (one,) in found.items()}

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe it while it is issued; one that was handled without us is not passed on any more.

        One that a town has under our number was passed on, also where the ledger that knew it is lost.
        """
        one = facts.coordination
        key = key_for(one.coordination_id)
        proven = {key: facts.at_town[0].town_no} if facts.at_town else {}
        made = frozenset(each.key for each in ledger if may_exist(each))
        if one.status is not CoordinationStatus.ISSUED and (made or not facts.at_town):
            return Verdict(version=one.version, keep=made, proven=proven)
        owed = Owed(
            key=key,
            platform="grid",
            kind="IssueCoordination",
            command=IssueCoordination(
                out_no=self.number(key),
                department=one.department_code,
                town=one.town,
                category=one.category,
                content=one.content,
                limit_at=one.due_at,
            ),
            due=book.policy.due(NAME, None, one.updated_at),
            subject_code=None,
            chain=chain_of(one.coordination_id),
            place=DISPATCH,
        )
        return Verdict(version=one.version, owed=(owed,), proven=proven)

    def material(self, command: AnyCommand) -> str | None:
        """Which town is asked what, and by when."""
        if not isinstance(command, IssueCoordination):
            return None
        return f"{command.town}, {command.category}: {command.content}, for {command.department} by {command.limit_at.isoformat()}"

    def shows(self, facts: Facts) -> str | None:
        """The coordination."""
        return content_of(facts.coordination).decode()

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Issued coordinations that were never passed on."""
        return coordination_queries.coordinations_unsettled(connection, NAME, after, limit)
