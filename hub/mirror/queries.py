"""Every named read that rules and sweeps use. The `*_unsettled` ones find, over the whole mirror in one statement each,
the causes that a rule may owe something for and was not asked about, and those that it was last asked about in another version."""

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Select, and_, bindparam, literal, or_, select, union

from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from schema.declare import declared
from schema.entities import CreditRecord, Finding, InspectionItem, Obligation, TaskResult, VerificationTask
from schema.entity import Entity, Mirrored

E = TypeVar("E", bound=Entity)
CHUNK = 500
APPROVAL, TASK, EVENT, OBLIGATION, OPS_ITEM = (
    TABLES[name] for name in ("Approval", "VerificationTask", "GridEvent", "Obligation", "OpsItem")
)


def records_where(connection: Connection, rows: Rows, entity: type[E], column: str, values: Iterable[str]) -> dict[str, list[E]]:
    """Return current records grouped by a column's value, each group in the order of the key."""
    grouped, wanted = defaultdict[str, list[E]](list), sorted(set(values))
    known = connection.info.get(READ_ONCE) if issubclass(entity, Mirrored) else None
    if known is None:
        return _read_where(connection, rows, entity, column, wanted)
    found: dict[str, list[E]] = known[entity, column]
    if missing := [value for value in wanted if value not in found]:
        read = _read_where(connection, rows, entity, column, missing)
        found.update({value: read.get(value, []) for value in missing})
    grouped.update({value: list(found[value]) for value in wanted if found[value]})
    return grouped


def _read_where(connection: Connection, rows: Rows, entity: type[E], column: str, wanted: Sequence[str]) -> dict[str, list[E]]:
    read, grouped = rows.reader(entity), defaultdict[str, list[E]](list)
    for start in range(0, len(wanted), CHUNK):
        for row in connection.execute(_selecting(entity, column), {"wanted": wanted[start : start + CHUNK]}):
            record = read(row)
            grouped[str(getattr(record, column))].append(record)
    return grouped


@cache
def _selecting(entity: type[Entity], column: str) -> Select[Any]:
    """Return the statement for `records_where`: made once, as making it costs more than running it."""
    told = declared(entity)
    table = TABLES[told.name]
    here = table.c[column].in_(bindparam("wanted", expanding=True))
    return select(*(table.c[name] for name in told.fields)).where(here).order_by(table.c[told.key])


READ_ONCE = "bihuan.read_once"
"""Under this name a connection keeps what `reading_once` has read."""


@contextlib.contextmanager
def reading_once(connection: Connection) -> Iterator[None]:
    """Let `records_where` read each mirrored record once inside: many rules look at the same few.

    The mirror must not change meanwhile, by this transaction or, for the causes that are settled, by another: `hold` sees to it.
    """
    kept = connection.info  # asked once: of a connection that was lost meanwhile nothing may be asked
    kept[READ_ONCE] = defaultdict(dict)
    try:
        yield
    finally:
        kept.pop(READ_ONCE, None)


class Check(NamedTuple):
    """A task with all it concluded."""

    task: VerificationTask
    results: Sequence[TaskResult]
    findings: Sequence[Finding]


def checks(connection: Connection, rows: Rows, column: str, values: Iterable[str]) -> dict[str, list[Check]]:
    """Return tasks with results and findings, grouped by one of the task's columns, the oldest first."""
    tasks = records_where(connection, rows, VerificationTask, column, values)
    ids = [task.task_id for group in tasks.values() for task in group]
    results = records_where(connection, rows, TaskResult, "task_id", ids)
    findings = records_where(connection, rows, Finding, "task_id", ids)
    return {
        value: [
            Check(task, results.get(task.task_id, []), findings.get(task.task_id, []))
            for task in sorted(group, key=lambda task: (task.created_at, task.task_id))
        ]
        for value, group in tasks.items()
    }


def records_by_biz_no(connection: Connection, rows: Rows, numbers: Iterable[str]) -> dict[str, list[CreditRecord]]:
    """Return credit records by the sender's number."""
    return records_where(connection, rows, CreditRecord, "biz_no", numbers)


def records_of_checks(connection: Connection, rows: Rows, tasks: Iterable[str]) -> dict[str, list[CreditRecord]]:
    """Return credit records that stand on these tasks, by the sender's number."""
    found: dict[str, list[CreditRecord]] = defaultdict(list)
    for group in records_where(connection, rows, CreditRecord, "evidence_ref", tasks).values():
        for record in group:
            found[record.biz_no].append(record)
    return found


def items_by_code(connection: Connection, rows: Rows, codes: Iterable[str]) -> dict[str, InspectionItem]:
    """Return inspection items that the enforcement platform publishes, by code."""
    return {code: found[0] for code, found in records_where(connection, rows, InspectionItem, "item_code", codes).items()}


def obligations_of(connection: Connection, rows: Rows, rule: str, causes: Iterable[str]) -> dict[str, list[Obligation]]:
    """Return another rule's obligations by cause."""
    found = records_where(connection, rows, Obligation, "cause", causes)
    return {cause: [one for one in group if one.rule == rule] for cause, group in found.items()}


def approvals_unsettled(connection: Connection, rule: str, after: str, limit: int) -> list[str]:
    """Return granted approvals whose verification was never derived, or from another version."""
    asked = (OBLIGATION.c.rule == rule) & (OBLIGATION.c.cause == APPROVAL.c.approval_no)
    otherwise = select(1).where(asked, OBLIGATION.c.cause_version != APPROVAL.c.version).exists()
    wanted = [
        and_(APPROVAL.c.state == "GRANTED", ~settled_at(rule, APPROVAL, "approval_no")),  # of another version too
        and_(APPROVAL.c.state != "GRANTED", otherwise),
    ]
    return first_causes(connection, [(APPROVAL.c.approval_no, each) for each in wanted], after, limit)


def write_backs_unsettled(connection: Connection, rule: str, after: str, limit: int) -> list[str]:
    """Return approvals with a finished check that says something and was never written back, or from another version."""
    here = and_(TASK.c.status == "DONE", TASK.c.origin_platform == "approval", TASK.c.origin_ref > after)
    # First what the two indexes alone tell, then the few that are left: what a check that reached nobody concluded, say.
    left = select(TASK.c.origin_ref).where(here, ~settled_at(rule, TASK, "origin_ref")).cte("left").prefix_with("MATERIALIZED")
    of, said = TASK.alias("of"), TABLES["TaskResult"]
    ours = and_(of.c.origin_ref == left.c.origin_ref, of.c.origin_platform == "approval", of.c.external_no.is_not(None))
    concluded = and_(said.c.task_id == of.c.task_id, said.c.conclusion != "UNREACHABLE")
    # Not EXISTS, which a planner would answer for all checks there are at once.
    any_said = select(literal(1)).where(ours, of.c.status == "DONE", concluded).limit(1).scalar_subquery()
    asked = (OBLIGATION.c.rule == rule) & (OBLIGATION.c.cause == left.c.origin_ref)
    any_asked = select(literal(1)).where(asked).limit(1).scalar_subquery()
    done = (left.c.origin_ref, or_(any_said.is_not(None), any_asked.is_not(None)))
    begun = and_(TASK.c.status != "DONE", TASK.c.origin_platform == "approval")
    differs = (
        (OBLIGATION.c.rule == rule) & (OBLIGATION.c.cause == TASK.c.origin_ref) & (OBLIGATION.c.cause_version != TASK.c.version)
    )
    again = (TASK.c.origin_ref, and_(begun, select(1).where(differs).exists()))
    return first_causes(connection, [done, again], after, limit)


def breaches_unsettled(connection: Connection, rule: str, after: str, limit: int) -> list[str]:
    """Return finished checks with a breach and without a record for each of its findings, or from another version.

    Checks that reached nobody are left out where ops was told: they lead to no more than that.
    """
    result, finding = TABLES["TaskResult"], TABLES["Finding"]
    over = TASK.c.status.in_(["DONE", "TRANSFERRED"])
    # A result has the version of its task, so that the indexes of results and ledger alone tell of most that they are settled.
    new, said = ~settled_at(rule, result, "task_id"), select(1).where(TASK.c.task_id == result.c.task_id, over).exists()
    told = select(1).where(OPS_ITEM.c.cause == result.c.task_id).exists()
    bad_finding = (finding.c.task_id == TASK.c.task_id) & finding.c.conform.is_(False)
    recorded = select(1).where(OBLIGATION.c.key == f"{rule}:" + finding.c.finding_id).exists()
    each_alone = and_(TASK.c.type.not_in(["COMMITMENT", "RECHECK"]), over)
    return first_causes(
        connection,
        [
            (result.c.task_id, and_(result.c.conclusion == "NONCONFORM", new, said)),
            (result.c.task_id, and_(result.c.conclusion == "UNREACHABLE", new, ~told, said)),
            (TASK.c.task_id, and_(over, select(1).where(bad_finding).exists(), ~settled_at(rule, TASK, "task_id"))),
            (TASK.c.task_id, and_(each_alone, select(1).where(bad_finding, ~recorded).exists())),
            outdated(rule, TASK, "task_id"),
        ],
        after,
        limit,
    )


def events_unsettled(connection: Connection, rule: str, after: str, limit: int) -> list[str]:
    """Return all grid events that wait for the hub, and those whose dispatch is from another version."""
    return unsettled_in(connection, rule, EVENT, "event_no", (EVENT.c.status == "SENT",), after, limit)


def answers_unsettled(connection: Connection, rule: str, after: str, limit: int) -> list[str]:
    """Return all grid events with an ended check and without an answer there, and those whose answer is from another version."""
    ended = TASK.c.status.in_(["DONE", "CANCELLED", "TRANSFERRED"])
    task = select(1).where(TASK.c.origin_ref == EVENT.c.event_no, TASK.c.origin_platform == "grid", ended).exists()
    here = and_(EVENT.c.status.in_(["SENT", "ACCEPTED"]), task)
    return unsettled_in(connection, rule, EVENT, "event_no", (here,), after, limit)


def settled_at(rule: str, table: Any, key: str) -> Any:
    """Return the condition that a rule was asked about a record at its present version, and owed something."""
    of_rule = (OBLIGATION.c.rule == rule) & (OBLIGATION.c.cause == table.c[key])
    return select(1).where(of_rule, OBLIGATION.c.cause_version == table.c.version).exists()


def unsettled_in(
    connection: Connection, rule: str, table: Any, key: str, wanted: Sequence[Any], after: str, limit: int, *, version: Any = None
) -> list[str]:
    """Return causes for which one of these conditions holds, or that the rule was last asked about in another version.

    `version` is an expression over the table where more than the record itself makes the version of a cause.
    """
    asked_before = outdated(rule, table, key, version=version)
    return first_causes(connection, [*((table.c[key], condition) for condition in wanted), asked_before], after, limit)


def outdated(rule: str, table: Any, key: str, *among: Any, version: Any = None) -> tuple[Any, Any]:
    """Return what `first_causes` takes: causes of a rule's obligations that were derived from another version than there is now.

    Asked from the ledger's side: a rule's obligations are fewer than the records that might have one, or as many.
    """
    now_at = table.c.version if version is None else version
    differs = select(1).where(table.c[key] == OBLIGATION.c.cause, OBLIGATION.c.cause_version != now_at, *among).exists()
    return OBLIGATION.c.cause, and_(OBLIGATION.c.rule == rule, differs)


def first_causes(connection: Connection, wanted: Sequence[tuple[Any, Any]], after: str, limit: int) -> list[str]:
    """Return the first values behind one, in order, of columns in rows for which the condition beside the column holds."""
    # Each part stops early by itself, which one condition with OR would not.
    parts = [
        select(cause.label("cause")).where(condition, cause > after).distinct().order_by(cause).limit(limit).subquery()
        for cause, condition in wanted
    ]
    found = union(*(select(part.c.cause) for part in parts)).subquery()
    return list(connection.execute(select(found.c.cause).order_by(found.c.cause).limit(limit)).scalars())
