"""The key supervision list (重点监管对象): the causes for which a subject is on it, and the one entry that names them. Pure.

One entry a subject, which each PUT replaces. So every command says what the whole entry must be, and an entry that names
several causes proves them all. A cause can come again after it was taken off, by a correction: that is its next round, with
keys of its own. Asked by rules/key_supervision.py and rules/key_supervision_off.py.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from hub.mirror.queries import Check
from hub.mirror.rows import content_of
from hub.reconcile.dozens import Period
from hub.reconcile.standing import may_exist
from schema.commands import PutKeySubject, RemoveKeySubject
from schema.entities import Approval, KeySubject, Obligation
from schema.entity import Entity
from schema.identifiers import outgoing_number

PUT, OFF = "key-supervision", "key-supervision-off"
PUT_PREFIX, OFF_PREFIX = "KS", "KO"
BETWEEN = "；"
BROKEN, SERIOUS, YEAR = "未履行告知承诺：", "严重失信：", "年度"
ROUND = re.compile(r"(?P<cause>.+?)(?::round-(?P<round>[0-9]+))?")


class Commitment(NamedTuple):
    """A promise that was found broken, now or before: approval, its check with our number, and the rechecks that followed."""

    approval: Approval
    check: Check
    rechecks: Sequence[Check]


class Facts(NamedTuple):
    """All that may put a subject on the list, its entry, and what the ledger holds of putting it there and taking it off."""

    code: str
    commitments: Sequence[Commitment]
    periods: Sequence[Period]
    entry: KeySubject | None
    puts: Sequence[Obligation]
    offs: Sequence[Obligation]
    moved: bool = False
    """Whether the credit platform has another code for the subject now: all its causes are open there, and none here."""

    @property
    def version(self) -> int:
        """Return the entry's version, 0 where there is none."""
        return self.entry.version if self.entry else 0

    @property
    def named(self) -> frozenset[str]:
        """Return the causes that the entry names."""
        return named_in(self.entry.reason) if self.entry else frozenset()


class Cause(NamedTuple):
    """Why a subject is on the list: an approval's number, or `serious-<year>`; it is open while `ended_at` is None."""

    name: str
    started_at: datetime
    since: date
    ended_at: datetime | None


class Place(NamedTuple):
    """Which cause an obligation is about, and how many times that one came."""

    cause: str
    round: int


def put_key(code: str, place: Place) -> str:
    """Return the key of a cause's being put on the list."""
    return f"{PUT}:{code}:{_written(place)}"


def off_key(code: str, place: Place) -> str:
    """Return the key of a cause's being taken off the list."""
    return f"{OFF}:{code}:{_written(place)}"


def place_of(one: Obligation) -> Place:
    """Return what an obligation of either rule is about."""
    rest = one.key.removeprefix(f"{one.rule}:{one.cause}:")
    found = ROUND.fullmatch(rest)
    return Place(found["cause"], int(found["round"] or 1)) if found else Place(rest, 1)


def _written(place: Place) -> str:
    return place.cause if place.round == 1 else f"{place.cause}:round-{place.round}"


def rounds_of(ledger: Iterable[Obligation]) -> dict[str, int]:
    """Return the last round of each cause that may have come true on the platform."""
    rounds: dict[str, int] = {}
    for one in ledger:
        if may_exist(one):
            cause, number = place_of(one)
            rounds[cause] = max(rounds.get(cause, 0), number)
    return rounds


def present(cause: str, offs: Mapping[str, int]) -> Place:
    """Return the round in which a cause is: the one after its last being taken off, as far as that may have come true."""
    return Place(cause, offs.get(cause, 0) + 1)


def entry_for(code: str, causes: Sequence[Cause], offs: Mapping[str, int]) -> PutKeySubject | RemoveKeySubject:
    """Return what makes the entry right: all open causes in words, our number for the newest; or off, where none is open."""
    in_order = sorted((one for one in causes if one.ended_at is None), key=lambda one: (one.started_at, one.name))
    if not in_order:
        return RemoveKeySubject(code=code)
    return PutKeySubject(
        code=code,
        reason=BETWEEN.join(in_words(one.name) for one in in_order),
        since=min(one.since for one in in_order),
        ref=outgoing_number(PUT_PREFIX, put_key(code, present(in_order[-1].name, offs))),
    )


def in_words(cause: str) -> str:
    """Return a cause as the entry names it."""
    kind, _, year = cause.partition("-")
    return f"{SERIOUS}{year}{YEAR}" if kind == "serious" else f"{BROKEN}{cause}"


def named_in(reason: str) -> frozenset[str]:
    """Return the causes that an entry's reason names in our words; what others wrote there is passed over."""
    found = set()
    for part in reason.split(BETWEEN):
        if part.startswith(BROKEN):
            found.add(part.removeprefix(BROKEN))
        elif part.startswith(SERIOUS) and part.endswith(YEAR):
            found.add(f"serious-{part.removeprefix(SERIOUS).removesuffix(YEAR)}")
    return frozenset(found)


def chain_of(code: str) -> str:
    """Return the chain in which a subject's entry is kept in order."""
    return f"key-subject:{code}"


def shown(facts: Facts) -> str | None:
    """Return what speaks for and against a subject's being on the list as JSON, for ops: checks, rechecks, records, the entry."""
    said: list[Entity] = [facts.entry] if facts.entry else []
    for one in facts.commitments:
        for check in (one.check, *one.rechecks):
            said += [check.task, *check.results]
    said += [record for period in facts.periods for record in period.records]
    return content_of(said[0], said[1:]).decode() if said else None
