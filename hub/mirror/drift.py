"""Reports and findings of comparisons with platforms (schema/entities/drift.py). Written by hub/intake, read by the graph."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, case, func, select, update

from connectors.buckets import Digest
from hub.mirror.database import insert_into
from hub.mirror.rows import Rows, micros
from hub.mirror.tables import TABLES
from schema.declare import declared
from schema.entities import DriftFinding, DriftKind, DriftMethod, DriftReport, DriftState

REPORT, FINDING = TABLES["DriftReport"], TABLES["DriftFinding"]
STANDING = (DriftState.OPEN.value, DriftState.WAITING.value)
CHUNK = 500


class Compared(NamedTuple):
    """What is compared: the name of a report."""

    platform: str
    entity: str
    method: DriftMethod

    @property
    def report_id(self) -> str:
        """Return the report's key."""
        return f"{self.platform}/{self.entity}/{self.method.value}"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One difference as it was just seen."""

    key: str
    kind: DriftKind
    state: DriftState
    bucket: str | None = None
    our_version: int | None = None
    their_version: int | None = None
    ours: Digest | None = None
    theirs: Digest | None = None
    item_id: str | None = None


def known(connection: Connection, rows: Rows, compared: Compared, first_at: datetime) -> None:
    """Let there be a report; one that is new says that the first comparison is due at `first_at`."""
    new = DriftReport(
        report_id=compared.report_id,
        platform=compared.platform,
        entity=compared.entity,
        method=compared.method,
        started_at=None,
        ended_at=None,
        failure=None,
        checked=0,
        differing=0,
        missing_here=0,
        missing_there=0,
        outdated_here=0,
        newer_here=0,
        unexplained=0,
        repaired=0,
        waiting=0,
        next_at=first_at,
    )
    connection.execute(
        insert_into(connection, REPORT).values(rows.as_row(new)).on_conflict_do_nothing(index_elements=["report_id"])
    )


def begin(connection: Connection, rows: Rows, compared: Compared, now: datetime) -> None:
    """Say that a comparison has begun."""
    known(connection, rows, compared, now)
    _change(connection, rows, compared, started_at=now, ended_at=None, failure=None)


def end(
    connection: Connection,
    rows: Rows,
    compared: Compared,
    now: datetime,
    *,
    next_at: datetime,
    started_at: datetime,
    checked: int = 0,
    differing: int = 0,
    failure: str | None = None,
) -> None:
    """Say that a comparison has ended, what it found, and when the next one is due."""
    _change(
        connection,
        rows,
        compared,
        started_at=started_at,
        ended_at=now,
        failure=failure,
        checked=checked,
        differing=differing,
        next_at=next_at,
    )
    if failure is None:
        _end_unseen(connection, compared, started_at, now)
    recount(connection, rows, compared)


def _change(connection: Connection, rows: Rows, compared: Compared, **changes: object) -> None:
    values = rows.values(DriftReport, **changes)
    connection.execute(update(REPORT).where(REPORT.c.report_id == compared.report_id).values(values))


def _end_unseen(connection: Connection, compared: Compared, started_at: datetime, now: datetime) -> None:
    """End what stood before the comparison and was not seen by it."""
    here = (FINDING.c.report_id == compared.report_id) & FINDING.c.state.in_(STANDING) & (FINDING.c.seen_at < micros(started_at))
    connection.execute(update(FINDING).where(here).values(state=DriftState.ENDED.value, ended_at=micros(now)))


def recount(connection: Connection, rows: Rows, compared: Compared) -> None:
    """Bring the figures of a report in line with its findings: those that its last comparison has seen."""
    since = select(REPORT.c.started_at).where(REPORT.c.report_id == compared.report_id).scalar_subquery()
    grouped = (
        select(FINDING.c.kind, FINDING.c.state, func.count())
        .where(FINDING.c.report_id == compared.report_id, FINDING.c.seen_at >= since)
        .group_by(FINDING.c.kind, FINDING.c.state)
    )
    found = [(DriftKind(kind), DriftState(state), number) for kind, state, number in connection.execute(grouped)]
    kinds = {kind: sum(number for each, _, number in found if each is kind) for kind in DriftKind}
    states = {state: sum(number for _, each, number in found if each is state) for state in DriftState}
    _change(
        connection,
        rows,
        compared,
        missing_here=kinds[DriftKind.MISSING_HERE],
        missing_there=kinds[DriftKind.MISSING_THERE],
        outdated_here=kinds[DriftKind.OUTDATED_HERE],
        newer_here=kinds[DriftKind.NEWER_HERE],
        unexplained=kinds[DriftKind.UNEXPLAINED],
        repaired=states[DriftState.REPAIRED] + states[DriftState.TOMBSTONED],
        waiting=states[DriftState.WAITING] + states[DriftState.APPROVED],
    )


def note(connection: Connection, rows: Rows, compared: Compared, seen: Iterable[Seen], now: datetime) -> None:
    """Keep differences, each once: one that is seen again keeps when it was found first."""
    values = [rows.as_row(_finding(compared, one, now)) for one in seen]
    if not values:
        return
    insert = insert_into(connection, FINDING)
    changed: dict[str, object] = {
        name: insert.excluded[name] for name in declared(DriftFinding).fields if name not in {"finding_id", "found_at"}
    }
    # What had ended and is there again was found anew.
    changed["found_at"] = case((FINDING.c.ended_at.is_(None), FINDING.c.found_at), else_=insert.excluded.found_at)
    connection.execute(insert.on_conflict_do_update(index_elements=["finding_id"], set_=changed), values)


def _finding(compared: Compared, one: Seen, now: datetime) -> DriftFinding:
    identity = hashlib.sha256(msgspec.json.encode([compared.report_id, one.key, one.kind.value])).hexdigest()[:32]
    return DriftFinding(
        finding_id=identity,
        report_id=compared.report_id,
        platform=compared.platform,
        entity=compared.entity,
        record_key=one.key,
        kind=one.kind,
        state=one.state,
        bucket=one.bucket,
        our_version=one.our_version,
        their_version=one.their_version,
        our_count=one.ours.count if one.ours else None,
        their_count=one.theirs.count if one.theirs else None,
        our_digest=one.ours.digest if one.ours else None,
        their_digest=one.theirs.digest if one.theirs else None,
        found_at=now,
        seen_at=now,
        ended_at=None if one.state.value in STANDING or one.state is DriftState.APPROVED else now,
        item_id=one.item_id,
    )


def in_state(
    connection: Connection,
    rows: Rows,
    state: DriftState,
    limit: int,
    item_id: str | None = None,
    platform: str | None = None,
) -> list[DriftFinding]:
    """Return findings in a state, of one item of the ops list, of one platform, or of all."""
    columns, here = [FINDING.c[name] for name in declared(DriftFinding).fields], FINDING.c.state == state.value
    if item_id is not None:
        here &= FINDING.c.item_id == item_id
    if platform is not None:
        here &= FINDING.c.platform == platform
    read = rows.reader(DriftFinding)
    return [read(row) for row in connection.execute(select(*columns).where(here).order_by(FINDING.c.finding_id).limit(limit))]


def platforms_in_state(connection: Connection, state: DriftState) -> list[str]:
    """Return the platforms that have findings in a state, in order."""
    here = select(FINDING.c.platform).where(FINDING.c.state == state.value).distinct().order_by(FINDING.c.platform)
    return list(connection.execute(here).scalars())


def decide(connection: Connection, item_id: str, state: DriftState) -> int:
    """Bring what waits for an item's decision into a state; return how many findings that are."""
    here = (FINDING.c.item_id == item_id) & (FINDING.c.state == DriftState.WAITING.value)
    return int(connection.execute(update(FINDING).where(here).values(state=state.value)).rowcount)


def settle(connection: Connection, rows: Rows, findings: Sequence[DriftFinding], state: DriftState, now: datetime) -> None:
    """End findings in a state, and bring the reports in line."""
    ids = [one.finding_id for one in findings]
    for start in range(0, len(ids), CHUNK):
        here = FINDING.c.finding_id.in_(ids[start : start + CHUNK])
        connection.execute(update(FINDING).where(here).values(state=state.value, ended_at=micros(now)))
    for compared in {Compared(one.platform, one.entity, DriftMethod(one.report_id.rsplit("/", 1)[1])) for one in findings}:
        recount(connection, rows, compared)


def waiting_items(connection: Connection, platform: str, entity: str) -> set[str]:
    """Return the items of the ops list for which findings of an entity wait."""
    here = (FINDING.c.platform == platform) & (FINDING.c.entity == entity) & (FINDING.c.state == DriftState.WAITING.value)
    return {str(item) for item in connection.execute(select(FINDING.c.item_id).where(here).distinct()).scalars() if item}


def standing(connection: Connection) -> dict[str, dict[str, int]]:
    """Return, by platform, how many findings are open and how many wait for an operator."""
    grouped = (
        select(FINDING.c.platform, FINDING.c.state, func.count())
        .where(FINDING.c.state.in_(STANDING))
        .group_by(FINDING.c.platform, FINDING.c.state)
    )
    found: dict[str, dict[str, int]] = {}
    for platform, state, number in connection.execute(grouped):
        found.setdefault(platform, {})[state] = number
    return found


def reports(connection: Connection, rows: Rows, platform: str | None = None) -> list[DriftReport]:
    """Return all reports, or those of a platform, in a fixed order."""
    columns, read = [REPORT.c[name] for name in declared(DriftReport).fields], rows.reader(DriftReport)
    wanted = select(*columns).order_by(REPORT.c.report_id)
    if platform is not None:
        wanted = wanted.where(REPORT.c.platform == platform)
    return [read(row) for row in connection.execute(wanted)]
