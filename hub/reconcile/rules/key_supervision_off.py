"""A cause that is over comes off the key supervision list; with the last one the subject does.

A cause ends when a recheck conforms, when the period of a serious subject is over, or when a correction takes it away (ops is
told of that one too, by key-supervision). Key: subject, cause, as it was put. Due: at once. Proof: the entry no longer names the
cause, and is gone where none is open; only once its having been put was seen, since until then the mirror shows nothing of it.

The entry is put again with the causes that are open, and taken off only when there is none. Time alone can end a cause, so the
sweep compares every entry with the causes that are open. What the entry names counts as put, whoever lost the ledger; and where
it names a cause again after that was seen to be off, it comes off once more.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from hub.domain.points import period_of
from hub.mirror import supervision_queries
from hub.mirror.rows import Rows
from hub.reconcile.listed import among_listed
from hub.reconcile.rule import Candidates, Changes, Owed, Rule, Rulebook, Verdict
from hub.reconcile.rules.key_supervision import causes_of, load_subjects, subjects_touched, subjects_traced
from hub.reconcile.standing import may_exist
from hub.reconcile.supervision import (
    OFF,
    OFF_PREFIX,
    SERIOUS,
    Cause,
    Facts,
    Place,
    chain_of,
    entry_for,
    named_in,
    off_key,
    place_of,
    rounds_of,
    shown,
)
from schema.entities import OPEN_STATES, Obligation, ObligationState
from schema.entity import Observation

NAME = OFF


class KeySupervisionOff(Rule[Facts]):
    """A cause that was put has ended -> an entry without it, or none, enforcement; key: subject, cause."""

    name = NAME
    prefix = OFF_PREFIX
    cause_entity = "KeySubject"
    replaces = True

    def causes(self, observation: Observation) -> Iterable[str]:
        """An entry, a record of points, a promise or the checks on it, an old number that has a code: for their subject."""
        return subjects_touched(observation)

    def linked(self, connection: Connection, rows: Rows, changes: Changes) -> Iterable[str]:
        """An entry that is gone; the subject behind a check that does not name it."""
        return subjects_traced(connection, changes)

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return subjects with all that may keep them on the list."""
        return load_subjects(connection, rows, causes)

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe an entry without each cause that was put, or is named, and is not open."""
        causes = causes_of(facts, book.policy.points, now)
        known, open_now = {one.name: one for one in causes}, {one.name for one in causes if one.ended_at is None}
        over = [place for place in _put(facts, ledger) if place.cause not in open_now]
        owed = [self._owed(facts, place, known.get(place.cause), causes, ledger, book, now) for place in over]
        keys = {each.key for each in owed}
        places = {one.key: place_of(one) for one in ledger} | {off_key(facts.code, place): place for place in over}
        return Verdict(
            version=facts.version,
            owed=tuple(owed),
            keep=frozenset(one.key for one in ledger if may_exist(one)) - keys,
            proven={key: facts.code for key, place in places.items() if _seen(place, facts, open_now)},
        )

    def _owed(
        self,
        facts: Facts,
        place: Place,
        cause: Cause | None,
        causes: Sequence[Cause],
        ledger: Sequence[Obligation],
        book: Rulebook,
        now: datetime,
    ) -> Owed:
        command = entry_for(facts.code, causes, rounds_of(ledger))
        ended_at = cause.ended_at if cause and cause.ended_at else now
        return Owed(
            key=off_key(facts.code, place),
            platform="enforcement",
            kind=type(command).__name__,
            command=command,
            due=book.policy.due(NAME, None, ended_at),
            subject_code=facts.code,
            chain=chain_of(facts.code),
        )

    def shows(self, facts: Facts) -> str | None:
        """The entry, and what speaks for and against it."""
        return shown(facts)

    def candidates(self, book: Rulebook, now: datetime) -> Candidates:
        """Subjects whose entry names other causes than are open, or has another version."""

        def others(connection: Connection, after: str, limit: int) -> list[str]:
            return supervision_queries.outdated(connection, NAME, after, limit)

        return among_listed(others, book.policy.points.dozen, int(period_of(now)))

    def elapsed(self, book: Rulebook, now: datetime) -> Candidates:
        """Subjects whose entry names a serious period that is over."""
        year = int(period_of(now))

        def find(connection: Connection, after: str, limit: int) -> list[str]:
            found: list[str] = []
            while not found and (entries := supervision_queries.entries(connection, after, limit, naming=SERIOUS)):
                found = [one.code for one in entries if any(_is_over(cause, year) for cause in named_in(one.reason))]
                after = entries[-1].code
            return found

        return find


def _is_over(cause: str, year: int) -> bool:
    kind, _, of = cause.partition("-")
    return kind == "serious" and of.isdecimal() and int(of) < year


def _put(facts: Facts, ledger: Sequence[Obligation]) -> list[Place]:
    """Return the round in which each cause was put, as far as we know: by the ledger, or by the entry itself."""
    rounds = rounds_of(facts.puts)
    seen_off = rounds_of(one for one in ledger if one.state is ObligationState.CLOSED)
    for cause in facts.named:
        rounds[cause] = max(rounds.get(cause, 1), seen_off.get(cause, 0) + 1)
    return [Place(cause, number) for cause, number in sorted(rounds.items())]


def _seen(place: Place, facts: Facts, open_now: set[str]) -> bool:
    """Return whether the mirror shows that a cause is off; while its being put is under way, it shows nothing of that."""
    before = [one for one in facts.puts if place_of(one).cause == place.cause and place_of(one).round <= place.round]
    going = any(one.state in OPEN_STATES for one in before)
    return not going and place.cause not in facts.named and (facts.entry is None or bool(open_now))
