"""What the town did is told to the department that asked (协管反馈).

Key: coordination and version of the town's. Due: 1 working day. Proof: accepted, and the coordination is handled in the mirror.
The latest counts: another opinion in a later version is given again, the same one is not. Which versions were seen on the way,
and in which order, makes no difference.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from hub.mirror import coordination_queries, queries
from hub.mirror.rows import Rows, content_of
from hub.reconcile.rule import Changes, Owed, Rule, Rulebook, Verdict, said_in
from hub.reconcile.rules.coordination_dispatch import DISPATCH, chain_of, coordinations_named, town_number
from hub.reconcile.rules.coordination_dispatch import NAME as DISPATCHED_BY
from hub.reconcile.standing import command_of, may_exist
from schema.commands import AnyCommand, GiveCoordinationFeedback
from schema.entities import (
    Coordination,
    CoordinationStatus,
    Obligation,
    ObligationState,
    TownCoordination,
    TownCoordinationStatus,
)
from schema.entity import Observation

NAME = "coordination-feedback"
NO_OPINION = "镇街已办结"


class Facts(NamedTuple):
    """A coordination, and the town's with our number."""

    coordination: Coordination
    at_town: TownCoordination


def key_for(coordination_id: str, version: int) -> str:
    """Return the key of the feedback on one version of what the town says."""
    return f"{NAME}:{coordination_id}:{version}"


class CoordinationFeedback(Rule[Facts]):
    """The town has handled it -> feedback, enforcement; key: coordination and version."""

    name = NAME
    prefix = "CF"
    cause_entity = "Coordination"

    def causes(self, observation: Observation) -> Iterable[str]:
        """A coordination."""
        record = observation.record
        return [record.coordination_id] if isinstance(record, Coordination) else []

    def linked(self, connection: Connection, rows: Rows, changes: Changes) -> Iterable[str]:
        """What a town has of one."""
        return coordinations_named(connection, said_in(changes))

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return coordinations that a town has under our number, of several of the town's the first."""
        found = queries.records_where(connection, rows, Coordination, "coordination_id", causes)
        at_towns = queries.records_where(connection, rows, TownCoordination, "out_no", [town_number(cause) for cause in found])
        return {
            cause: Facts(one, at_towns[town_number(cause)][0]) for cause, (one,) in found.items() if town_number(cause) in at_towns
        }

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe the town's present opinion unless it is what was told last; earlier feedbacks stay as they are."""
        one, town = facts.coordination, facts.at_town
        handled = one.status is CoordinationStatus.HANDLED
        proven = {each.key: one.coordination_id for each in ledger if handled and each.state is ObligationState.SENT}
        made = [each for each in ledger if may_exist(each) or each.state is ObligationState.WAIVED]
        if town.status is not TownCoordinationStatus.HANDLED:  # what was told last no longer holds: for ops to settle
            return Verdict(version=town.version, keep=_keys(made[:-1]), proven=proven)
        # The department has closed it without us, unless the town has written since: of that the ledger may be lost, and to say it
        # once more is harmless, the latest counts (enforcement.md).
        if handled and not made and town.updated_at <= one.updated_at:
            return Verdict(version=town.version)
        last = made[-1] if made else None
        command = command_of(last) if last else None
        if last is not None and command is not None and self.material(command) == _opinion(town):
            owed, keep = self._owed(facts, last.key, last.sequence, book), _keys(made[:-1])
        else:
            owed, keep = self._owed(facts, key_for(one.coordination_id, town.version), DISPATCH + town.version, book), _keys(made)
        return Verdict(version=town.version, owed=(owed,), keep=keep, proven=proven)

    def _owed(self, facts: Facts, key: str, place: int, book: Rulebook) -> Owed:
        one, town = facts.coordination, facts.at_town
        return Owed(
            key=key,
            platform="enforcement",
            kind="GiveCoordinationFeedback",
            command=GiveCoordinationFeedback(
                coordination_id=one.coordination_id,
                grid_no=town.town_no,
                result="handled",
                opinion=_opinion(town),
                handled_at=town.updated_at,
            ),
            due=book.policy.due(NAME, None, town.updated_at),
            subject_code=None,
            chain=chain_of(one.coordination_id),
            place=place,
        )

    def material(self, command: AnyCommand) -> str | None:
        """What the town says."""
        return command.opinion if isinstance(command, GiveCoordinationFeedback) else None

    def shows(self, facts: Facts) -> str | None:
        """What the town has of it."""
        return content_of(facts.at_town).decode()

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Coordinations that the town has handled and that were never fed back."""
        return coordination_queries.town_answers_unsettled(connection, NAME, DISPATCHED_BY, after, limit)


def _opinion(town: TownCoordination) -> str:
    return town.opinion or NO_OPINION


def _keys(ledger: Iterable[Obligation]) -> frozenset[str]:
    return frozenset(one.key for one in ledger)
