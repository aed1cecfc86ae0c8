"""A subject's own list follows repair and expiry (扣分状态): an entry of zz_score becomes repaired, or expired.

Key: credit record and state. Repaired when nothing is open; expired when the time for repairing is over and points are open,
which comes by time alone: the sweep finds it (`elapsed`). Due at once. Proof: the entry in that state in the mirror.
A repair that was completed in time may be accepted after the expiry: then repaired follows expired.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from hub.domain.points import repair_until
from hub.mirror import score_queries
from hub.mirror.rows import Rows, content_of
from hub.mirror.score_queries import Score
from hub.reconcile.rule import Candidates, Changes, Owed, Rule, Rulebook, Verdict, said_in
from hub.reconcile.score import PLACES, can_be_repaired, chain_of, entry_of, plain, takes_points
from hub.reconcile.standing import THERE, may_exist
from schema.commands import AnyCommand, PutScore
from schema.entities import CreditRecord, Obligation, ScoreEntry, ScoreState
from schema.entity import Observation

NAME = "score-state"


def key_for(record_id: str, state: ScoreState) -> str:
    """Return the key of a record's entry in a state."""
    return f"{NAME}:{record_id}:{state.value.lower()}"


class ScoreStates(Rule[Score]):
    """A record's points are repaired or their time is over -> zz_score, self-governance; key: credit record and state."""

    name = NAME
    prefix = "SS"
    cause_entity = "CreditRecord"

    def causes(self, observation: Observation) -> Iterable[str]:
        """A credit record."""
        record = observation.record
        return [record.record_id] if isinstance(record, CreditRecord) else []

    def linked(self, connection: Connection, rows: Rows, changes: Changes) -> Iterable[str]:
        """Records whose entry was seen."""
        entries = [each.record.biz_no for each in said_in(changes) if isinstance(each.record, ScoreEntry)]
        return score_queries.records_numbered(connection, entries)

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Score]:
        """Return records with their entries."""
        return score_queries.scores(connection, rows, causes)

    def derive(self, facts: Score, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe the state that the entry must have now, none while it is open; an expiry that was sent was right at its time."""
        record = facts.record
        proven = {key_for(record.record_id, state): record.biz_no for state in _shown(facts.entry)}
        if not takes_points(record):  # what stands on the list is told of by score-notice, once
            there = frozenset(one.key for one in ledger if one.state in THERE)
            return Verdict(version=record.version, keep=there, proven=proven)
        if can_be_repaired(record, book.policy, now):
            return Verdict(version=record.version, proven=proven)
        if record.open_points > 0:
            return Verdict(version=record.version, owed=(self._owed(record, ScoreState.EXPIRED, book),), proven=proven)
        expired = key_for(record.record_id, ScoreState.EXPIRED)
        return Verdict(
            version=record.version,
            owed=(self._owed(record, ScoreState.REPAIRED, book),),
            keep=frozenset(one.key for one in ledger if one.key == expired and may_exist(one)),
            proven=proven,
        )

    def _owed(self, record: CreditRecord, state: ScoreState, book: Rulebook) -> Owed:
        since = record.updated_at if state is ScoreState.REPAIRED else repair_until(record.occurred_at, book.policy)
        return Owed(
            key=key_for(record.record_id, state),
            platform="selfgov",
            kind="PutScore",
            command=entry_of(record, state, book.policy),
            due=book.policy.due(NAME, None, since),
            subject_code=record.subject_code,
            chain=chain_of(record),
            place=PLACES[state],
        )

    def material(self, command: AnyCommand) -> str | None:
        """Points, item, subject and state of the entry."""
        if not isinstance(command, PutScore):
            return None
        return f"{plain(command.points)} points for {command.item_code} of {command.code}, {command.state.value.lower()}"

    def shows(self, facts: Score) -> str | None:
        """The credit record."""
        return content_of(facts.record).decode()

    def candidates(self, book: Rulebook, now: datetime) -> Candidates:
        """Records of which nothing is open, or whose time is over, and whose entry does not say so."""

        over = self.elapsed(book, now)

        def find(connection: Connection, after: str, limit: int) -> list[str]:
            unsaid = score_queries.states_unsettled(connection, NAME, after, limit)
            return sorted({*unsaid, *over(connection, after, limit)})[:limit]

        return find

    def elapsed(self, book: Rulebook, now: datetime) -> Candidates:
        """Records whose entry is open although their time is over."""
        return lambda connection, after, limit: score_queries.states_elapsed(connection, now, after, limit)


def _shown(entry: ScoreEntry | None) -> Iterable[ScoreState]:
    """Return the states that an entry in the mirror proves: one that is repaired has gone past its expiry, if there was one."""
    if entry is None or entry.state is ScoreState.OPEN:
        return ()
    return (ScoreState.EXPIRED,) if entry.state is ScoreState.EXPIRED else (ScoreState.EXPIRED, ScoreState.REPAIRED)
