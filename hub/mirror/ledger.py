"""The ledger of obligations: what is owed, who is on it, and what became of each call (the diagram is in docs/architecture.md).

    DUE -claim-> LEASED -accepted-> SENT -seen in the mirror-> CLOSED

Claims and completions are here, what is put back in lapsed.py; what is owed is decided by the rules (hub/reconcile/rules) and
written by `settle.py`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, Update, bindparam, case, func, select, update

from connectors.base import Item
from hub.mirror import obligation_changes
from hub.mirror.database import insert_into, lock_names
from hub.mirror.rows import Rows, micros
from hub.mirror.tables import TABLES
from schema.declare import declared
from schema.entities import OPEN_STATES, Attempt, AttemptOutcome, Exchange, Obligation, ObligationState

OBLIGATION, ATTEMPT = TABLES["Obligation"], TABLES["Attempt"]
OPEN = [state.value for state in OPEN_STATES]
ENDED = [state.value for state in ObligationState if state not in OPEN_STATES]
"""Asked instead of OPEN where a chain is looked at: no index holds it, so that a planner without statistics takes the chain's."""
COLUMNS = [OBLIGATION.c[name] for name in declared(Obligation).fields]
CHUNK = 500
# Statements that run again and again are made once: making one costs more than running it.
OF_CAUSES = (
    select(*COLUMNS)
    .where(OBLIGATION.c.rule == bindparam("rule"), OBLIGATION.c.cause.in_(bindparam("causes", expanding=True)))
    .order_by(OBLIGATION.c.key)  # the order in which everybody locks them
)
OF_CAUSES_LOCKED = OF_CAUSES.with_for_update()
EARLIER = OBLIGATION.alias("earlier")
BLOCKED = (
    select(1)
    .where(EARLIER.c.chain == OBLIGATION.c.chain, EARLIER.c.sequence < OBLIGATION.c.sequence, EARLIER.c.state.not_in(ENDED))
    .correlate(OBLIGATION)
    .exists()
)
DUE_NOW = (
    select(*COLUMNS)
    .where(OBLIGATION.c.platform == bindparam("platform"), OBLIGATION.c.state == "DUE", OBLIGATION.c.next_at <= bindparam("now"))
    .where(OBLIGATION.c.chain.is_(None) | ~BLOCKED)
    .order_by(OBLIGATION.c.due_at, OBLIGATION.c.key)
    .limit(bindparam("most"))
)
DUE_NOW_LOCKED = DUE_NOW.with_for_update(skip_locked=True)
LEASED = (
    update(OBLIGATION)
    .where(OBLIGATION.c.key == bindparam("b_key"))
    .values(state="LEASED", fence=bindparam("b_fence"), attempts=bindparam("b_attempts"), lease_until=bindparam("b_until"))
)
STANDING = select(OBLIGATION.c.key, OBLIGATION.c.fence).where(
    OBLIGATION.c.key.in_(bindparam("keys", expanding=True)), OBLIGATION.c.state == "LEASED"
)
STANDING_LOCKED = STANDING.order_by(OBLIGATION.c.key).with_for_update()
NEXT_DUE = select(func.min(OBLIGATION.c.next_at)).where(OBLIGATION.c.platform == bindparam("platform"), OBLIGATION.c.state == "DUE")


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one claimed obligation; written only if the claim (`fence`) still stands."""

    key: str
    fence: int
    attempt_id: str
    at: datetime
    outcome: AttemptOutcome
    state: ObligationState
    next_at: datetime
    detail: str | None = None
    receipt: str | None = None
    unknown_since: datetime | None = None
    tries: int = 0
    exchanges: tuple[Exchange, ...] = ()
    """What was said of it, for the attempt."""
    shows: tuple[Item, ...] = ()
    """What the platform showed in its answer; the worker hands it to the mirror once the completion is written."""


def read_obligations(connection: Connection, rows: Rows, statement: Select[Any], **bound: Any) -> list[Obligation]:
    """Return what a statement of COLUMNS finds, with these values."""
    read = rows.reader(Obligation)
    return [read(row) for row in connection.execute(statement, bound)]


def by_keys(connection: Connection, rows: Rows, keys: Sequence[str], *, lock: bool = False) -> dict[str, Obligation]:
    """Return obligations by key; unknown keys are left out. With `lock` nobody claims or completes them until we commit."""
    found: dict[str, Obligation] = {}
    for start in range(0, len(keys), CHUNK):
        statement = select(*COLUMNS).where(OBLIGATION.c.key.in_(keys[start : start + CHUNK])).order_by(OBLIGATION.c.key)
        found.update({one.key: one for one in read_obligations(connection, rows, _locked(connection, statement, lock))})
    return found


def by_causes(
    connection: Connection, rows: Rows, rule: str, causes: Sequence[str], *, lock: bool = False
) -> dict[str, list[Obligation]]:
    """Return a rule's obligations of each cause, in the order of their chain. `lock` is as in `by_keys`."""
    found: dict[str, list[Obligation]] = defaultdict(list)
    for start in range(0, len(causes), CHUNK):
        statement = OF_CAUSES_LOCKED if lock and connection.dialect.name == "postgresql" else OF_CAUSES
        for one in read_obligations(connection, rows, statement, rule=rule, causes=causes[start : start + CHUNK]):
            found[one.cause].append(one)
    return {cause: sorted(some, key=lambda one: (one.sequence, one.key)) for cause, some in found.items()}


def _locked(connection: Connection, statement: Select[Any], lock: bool) -> Select[Any]:
    """On SQLite a writing transaction is alone anyway."""
    return statement.with_for_update() if lock and connection.dialect.name == "postgresql" else statement


def insert(connection: Connection, rows: Rows, obligations: Sequence[Obligation]) -> None:
    """Write obligations that are new; one whose key exists is left as it is.

    Chained ones that name no place of their own (`sequence`) get the next number of their chain.
    """
    if not obligations:
        return
    chains = sorted({one.chain for one in obligations if one.chain and not one.sequence})
    # Two rules may add to one chain at the same time; equal numbers would let both be claimed at once.
    lock_names(connection, [f"chain:{chain}" for chain in chains])
    last: dict[str, int] = {}
    for start in range(0, len(chains), CHUNK):
        here = OBLIGATION.c.chain.in_(chains[start : start + CHUNK])
        highest = select(OBLIGATION.c.chain, func.max(OBLIGATION.c.sequence)).where(here).group_by(OBLIGATION.c.chain)
        last.update({row[0]: row[1] for row in connection.execute(highest)})
    values = []
    for one in obligations:
        sequence = one.sequence
        if one.chain and not sequence:
            sequence = last[one.chain] = last.get(one.chain, 0) + 1
        values.append(rows.as_row(one))
        values[-1]["sequence"] = sequence
    new = insert_into(connection, OBLIGATION).on_conflict_do_nothing(index_elements=["key"]).returning(OBLIGATION.c.key)
    obligation_changes.note(connection, list(connection.execute(new, values).scalars()), created=True)


def change(connection: Connection, rows: Rows, key: str, **columns: Any) -> None:
    """Change columns of one obligation."""
    connection.execute(update(OBLIGATION).where(OBLIGATION.c.key == key).values(rows.values(Obligation, **columns)))
    obligation_changes.note(connection, [key])


def claim(connection: Connection, rows: Rows, platform: str, limit: int, now: datetime, lease: timedelta) -> list[Obligation]:
    """Take what is due for a platform, most urgent first, and write its attempts ahead of the calls.

    Nothing is taken whose chain has an earlier open obligation. The returned obligations carry their new fence.
    """
    due = DUE_NOW_LOCKED if connection.dialect.name == "postgresql" else DUE_NOW
    taken = [
        msgspec.structs.replace(
            one, state=ObligationState.LEASED, fence=one.fence + 1, attempts=one.attempts + 1, lease_until=now + lease
        )
        for one in read_obligations(connection, rows, due, platform=platform, now=micros(now), most=limit)
    ]
    if taken:
        _write_claims(connection, rows, taken, now)
    return taken


def _write_claims(connection: Connection, rows: Rows, taken: Sequence[Obligation], now: datetime) -> None:
    connection.execute(
        LEASED,
        [
            {"b_key": one.key, "b_fence": one.fence, "b_attempts": one.attempts, "b_until": micros(one.lease_until or now)}
            for one in taken
        ],
    )
    connection.execute(ATTEMPT.insert(), [rows.as_row(attempt_of(one, now)) for one in taken])
    obligation_changes.note(connection, [one.key for one in taken])


def attempt_of(obligation: Obligation, now: datetime) -> Attempt:
    """Return the attempt that a claim begins."""
    return Attempt(
        attempt_id=attempt_id(obligation),
        obligation_key=obligation.key,
        number=obligation.attempts,
        started_at=now,
        ended_at=None,
        outcome=AttemptOutcome.RUNNING,
        detail=None,
        command=obligation.payload.decode(errors="replace"),
    )


def attempt_id(obligation: Obligation) -> str:
    """Return the id of a claimed obligation's running attempt."""
    return f"{obligation.key}#{obligation.attempts}"


def complete(connection: Connection, rows: Rows, completions: Sequence[Completion]) -> list[str]:
    """Write what became of claimed obligations; return the keys whose claim still stood. The attempts are kept in any case.

    A batch costs three statements; of several completions of one obligation the claim's own fence lets one through.
    """
    if not completions:
        return []
    standing = _standing(connection, [done.key for done in completions])
    stood = [done for done in completions if standing.get(done.key) == done.fence]
    if stood:
        connection.execute(_completing(), [_completed(rows, done) for done in stood])
        obligation_changes.note(connection, [done.key for done in stood])
    connection.execute(
        ENDED_ATTEMPT,
        [
            {
                "b_id": done.attempt_id,
                "b_outcome": done.outcome.value,
                "b_at": micros(done.at),
                "b_detail": rows.keep("Attempt", "detail", done.detail),
                "b_exchanges": rows.keep("Attempt", "exchanges", done.exchanges),
            }
            for done in completions
        ],
    )
    return [done.key for done in stood]


COMPLETED = ("state", "next_at", "last_error", "unknown_since", "tries")
"""Columns that every completion writes."""
ENDED_ATTEMPT = (
    update(ATTEMPT)
    .where(ATTEMPT.c.attempt_id == bindparam("b_id"))
    .values(
        outcome=bindparam("b_outcome"), ended_at=bindparam("b_at"), detail=bindparam("b_detail"), exchanges=bindparam("b_exchanges")
    )
)


@cache
def _completing() -> Update:
    written: dict[str, Any] = {name: bindparam(f"b_{name}") for name in COMPLETED}
    statement = update(OBLIGATION).where(OBLIGATION.c.key == bindparam("b_key")).values(lease_until=None, **written)
    for name in ("receipt", "sent_at", "closed_at"):  # these stay where a completion says nothing of them
        statement = statement.values({name: func.coalesce(bindparam(f"b_{name}"), OBLIGATION.c[name])})
    return statement


def _standing(connection: Connection, keys: Sequence[str]) -> dict[str, int]:
    """Return the fence of each obligation that is claimed now, locked until the transaction ends."""
    found: dict[str, int] = {}
    for start in range(0, len(keys), CHUNK):
        statement = STANDING_LOCKED if connection.dialect.name == "postgresql" else STANDING
        found.update({row[0]: row[1] for row in connection.execute(statement, {"keys": keys[start : start + CHUNK]})})
    return found


def _completed(rows: Rows, done: Completion) -> dict[str, Any]:
    accepted = done.receipt is not None
    values = rows.values(
        Obligation,
        key=done.key,
        state=done.state,
        next_at=done.next_at,
        last_error=done.detail if done.outcome is not AttemptOutcome.ACCEPTED else None,
        unknown_since=done.unknown_since,
        tries=done.tries,
        receipt=done.receipt,
        sent_at=done.at if accepted else None,
        closed_at=done.at if done.state is ObligationState.CLOSED else None,
    )
    return {f"b_{name}": value for name, value in values.items()}


def renew(connection: Connection, claims: Sequence[tuple[str, int]], until: datetime) -> set[str]:
    """Lengthen the leases of claims (key and fence) that still stand, and return their keys. No lease becomes shorter."""
    fences = dict(claims)
    standing = _standing(connection, sorted(fences))
    mine = sorted(key for key, fence in standing.items() if fence == fences[key])
    longer = case((OBLIGATION.c.lease_until > micros(until), OBLIGATION.c.lease_until), else_=micros(until))
    for start in range(0, len(mine), CHUNK):
        here = OBLIGATION.c.key.in_(mine[start : start + CHUNK])
        connection.execute(update(OBLIGATION).where(here).values(lease_until=longer))
    return set(mine)


def abandon(connection: Connection, rows: Rows, one: Obligation, now: datetime) -> None:
    """Write that the attempt of a claim which is another's by now sent nothing. The obligation itself is the other's."""
    nothing = "the claim ended before the call could begin: nothing was sent"
    ended = rows.values(Attempt, outcome=AttemptOutcome.FAILED, ended_at=now, detail=nothing)
    connection.execute(update(ATTEMPT).where(ATTEMPT.c.attempt_id == attempt_id(one)).values(ended))


def next_due_at(connection: Connection, platform: str) -> int | None:
    """Return the earliest `next_at` of a platform's DUE obligations, microseconds."""
    return connection.execute(NEXT_DUE, {"platform": platform}).scalar()


def keys_made_at(connection: Connection, moment: datetime) -> list[str]:
    """Return the keys of the obligations that were derived at exactly this moment, in order."""
    here = select(OBLIGATION.c.key).where(OBLIGATION.c.created_at == micros(moment)).order_by(OBLIGATION.c.key)
    return list(connection.execute(here).scalars())


def backlog(connection: Connection) -> dict[tuple[str, str], int]:
    """Return the number of obligations by platform and state."""
    grouped = select(OBLIGATION.c.platform, OBLIGATION.c.state, func.count()).group_by(OBLIGATION.c.platform, OBLIGATION.c.state)
    return {(platform, state): count for platform, state, count in connection.execute(grouped)}


def causes_in(connection: Connection, rule: str, states: Sequence[str], after: str, limit: int) -> list[str]:
    """Return causes with obligations of a rule in some states, in order, beginning after one."""
    here = (OBLIGATION.c.rule == rule) & OBLIGATION.c.state.in_(states) & (OBLIGATION.c.cause > after)
    statement = select(OBLIGATION.c.cause).where(here).distinct().order_by(OBLIGATION.c.cause).limit(limit)
    return list(connection.execute(statement).scalars())


def causes_waiting_for(connection: Connection, rule: str, needs: Sequence[str]) -> list[str]:
    """Return causes of a rule's waiting obligations that need one of these."""
    found: set[str] = set()
    for start in range(0, len(needs), CHUNK):
        here = (
            (OBLIGATION.c.rule == rule) & (OBLIGATION.c.state == "WAITING") & OBLIGATION.c.needs.in_(needs[start : start + CHUNK])
        )
        found.update(connection.execute(select(OBLIGATION.c.cause).where(here)).scalars())
    return sorted(found)


def causes_having(connection: Connection, rule: str, column: str, values: Iterable[str]) -> list[str]:
    """Return, in order, the causes of a rule's obligations that have one of these values in a column: our number, the subject."""
    wanted, found = sorted(set(values)), set[str]()
    for start in range(0, len(wanted), CHUNK):
        here = (OBLIGATION.c.rule == rule) & OBLIGATION.c[column].in_(wanted[start : start + CHUNK])
        found.update(connection.execute(select(OBLIGATION.c.cause).where(here)).scalars())
    return sorted(found)


def open_keys(connection: Connection, limit: int = 50) -> Iterable[tuple[str, str, str | None]]:
    """Return (key, state, needs) of open obligations, the earliest due first: what a report names."""
    statement = (
        select(OBLIGATION.c.key, OBLIGATION.c.state, OBLIGATION.c.needs)
        .where(OBLIGATION.c.state.in_(OPEN))
        .order_by(OBLIGATION.c.due_at)
        .limit(limit)
    )
    return [(key, state, needs) for key, state, needs in connection.execute(statement)]
