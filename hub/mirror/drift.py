"""Reports and findings of comparisons with platforms (schema/entities/drift.py). Written by hub/intake, read by the graph."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, case, func, select, update

from connectors.buckets import Digest
from hub.mirror.database import insert_into
from hub.mirror.rows import Rows, micros, moment
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


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a comparison has come, as it is written down."""

    behind: str
    """The last bucket that was gone through."""
    suspects: tuple[str, ...] = ()
    """Buckets gone through that differed, and are looked into in the end."""


class Progress(NamedTuple):
    """A comparison under way: since when, how many buckets were compared and differ, and where it goes on; None: at its start."""

    started_at: datetime
    checked: int
    differing: int
    place: Place | None


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
        place=None,
    )
    connection.execute(
        insert_into(connection, REPORT).values(rows.as_row(new)).on_conflict_do_nothing(index_elements=["report_id"])
    )


def let_be_due(connection: Connection, platform: str, now: datetime) -> list[str]:
    """Let every comparison with a platform be due at `now`; return the ids of their reports, in order."""
    due = update(REPORT).where(REPORT.c.platform == platform).values(next_at=micros(now)).returning(REPORT.c.report_id)
    return sorted(connection.execute(due).scalars())


def begin(connection: Connection, rows: Rows, compared: Compared, now: datetime) -> Progress:
    """Say that a comparison has begun, or goes on where it broke off; return how far it has come."""
    known(connection, rows, compared, now)
    columns = (REPORT.c.started_at, REPORT.c.place, REPORT.c.checked, REPORT.c.differing)
    row = connection.execute(select(*columns).where(REPORT.c.report_id == compared.report_id)).one()
    if row.place is not None:
        _change(connection, rows, compared, ended_at=None, failure=None)
        return Progress(moment(row.started_at), row.checked, row.differing, msgspec.json.decode(row.place, type=Place))
    _change(connection, rows, compared, started_at=now, ended_at=None, failure=None, checked=0, differing=0)
    return Progress(now, 0, 0, None)


def is_broken_off(connection: Connection, compared: Compared) -> bool:
    """Return whether the last comparison has not come to its end and goes on at its place; true of one under way as well."""
    here = select(REPORT.c.place).where(REPORT.c.report_id == compared.report_id)
    return connection.execute(here).scalar() is not None


def advance(connection: Connection, rows: Rows, compared: Compared, before: Progress, after: Progress) -> bool:
    """Keep how far a comparison has come, in the transaction of what it found.

    False when another process has begun or gone on with it meanwhile.
    """
    changes = {"place": _written(after.place), "checked": after.checked, "differing": after.differing}
    return _change(connection, rows, compared, before, **changes)


def end(
    connection: Connection,
    rows: Rows,
    compared: Compared,
    now: datetime,
    *,
    next_at: datetime,
    progress: Progress,
    failure: str | None = None,
) -> bool:
    """Say that a comparison has ended, what it found, and when the next one is due; one that failed goes on from its place.

    False when another process has begun or gone on with it meanwhile: then nothing is said.
    """
    changes: dict[str, object] = {"checked": progress.checked, "differing": progress.differing}
    if failure is None:
        changes["place"] = None
    if not _change(connection, rows, compared, progress, ended_at=now, failure=failure, next_at=next_at, **changes):
        return False
    if failure is None:
        _end_unseen(connection, compared, progress.started_at, now)
    recount(connection, rows, compared)
    return True


def _written(place: Place | None) -> str | None:
    return None if place is None else msgspec.json.encode(place).decode()


def _change(connection: Connection, rows: Rows, compared: Compared, at: Progress | None = None, **changes: object) -> bool:
    """Change a report, where `at` is given only if its comparison has come just as far; return whether it was changed."""
    mine = REPORT.c.report_id == compared.report_id
    if at is not None:
        mine &= (REPORT.c.started_at == micros(at.started_at)) & REPORT.c.place.is_not_distinct_from(_written(at.place))
    return bool(connection.execute(update(REPORT).where(mine).values(rows.values(DriftReport, **changes))).rowcount)


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
    """Keep differences, each once: one that is seen again keeps when it was found first, and what an operator is asked of it."""
    values = [rows.as_row(_finding(compared, one, now)) for one in seen]
    if not values:
        return
    insert = insert_into(connection, FINDING)
    changed: dict[str, object] = {
        name: insert.excluded[name] for name in declared(DriftFinding).fields if name not in {"finding_id", "found_at"}
    }
    # What had ended and is there again was found anew.
    changed["found_at"] = case((FINDING.c.ended_at.is_(None), FINDING.c.found_at), else_=insert.excluded.found_at)
    waits, approved = FINDING.c.state == DriftState.WAITING.value, FINDING.c.state == DriftState.APPROVED.value
    is_open, now_waits = (insert.excluded.state == state.value for state in (DriftState.OPEN, DriftState.WAITING))
    for name in ("state", "item_id"):
        changed[name] = case(((waits & is_open) | (approved & (is_open | now_waits)), FINDING.c[name]), else_=insert.excluded[name])
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


def missing_there(connection: Connection, rows: Rows, compared: Compared, since: datetime) -> list[DriftFinding]:
    """Return what a comparison has not seen on the platform since a moment, and about which nobody has decided."""
    columns, read = [FINDING.c[name] for name in declared(DriftFinding).fields], rows.reader(DriftFinding)
    here = (FINDING.c.report_id == compared.report_id) & (FINDING.c.seen_at >= micros(since)) & FINDING.c.state.in_(STANDING)
    wanted = select(*columns).where(here, FINDING.c.kind == DriftKind.MISSING_THERE.value).order_by(FINDING.c.finding_id)
    return [read(row) for row in connection.execute(wanted)]


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
