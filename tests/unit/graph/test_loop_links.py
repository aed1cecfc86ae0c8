"""The table of links, and the walk over it: complete, indexed, the same from everywhere, and bounded."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, StaticPool, create_engine, event, insert

from hub.graph.loops.loop import loop_of
from hub.mirror.loop_links import CAUSES, HINTS, LINKS, OUR_NUMBERS, SUBJECT_RULES
from hub.mirror.rows import Rows
from hub.mirror.tables import CONTENT_HASH, METADATA, TABLES
from hub.reconcile.rules import RULES
from schema.declare import ENTITIES
from schema.entities import TaskStatus, TaskType
from schema.entity import Entity, key_of
from schema.loop import IN_LOOPS, Loop
from schema.step_kinds import StepKind
from tests.builders import (
    HOUR,
    SHOP_CODE,
    approval,
    campaign,
    credit_record,
    figures_check,
    finding,
    grid_event,
    repair,
    score_entry,
    self_report,
    task,
    task_result,
)
from tests.settable_clock import START
from tests.unit.graph.chains import CASES, beside, owed
from tests.unit.graph.records import SEES_ALL

NOW = START + 90 * HOUR


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = create_engine("sqlite://", poolclass=StaticPool)
    METADATA.create_all(made)
    yield made
    made.dispose()


def put(connection: Connection, rows: Rows, records: list[Entity]) -> None:
    for record in records:
        table = TABLES[type(record).__name__]
        extra = {CONTENT_HASH: b""} if CONTENT_HASH in table.c else {}
        connection.execute(insert(table), {**rows.as_row(record), **extra})


# --- The table -------------------------------------------------------------------------------------------------------


def test_every_rule_has_its_line() -> None:
    lines = {rule: entity for rule, entity, _, _ in CAUSES}
    missing = [rule.name for rule in RULES if rule.name not in lines and rule.name not in SUBJECT_RULES]
    assert missing == [], "a rule whose obligations no loop shows; add it to CAUSES in hub/mirror/loop_links.py"
    parts = {"Rectification": "TaskResult", "TaskNumber": "VerificationTask"}
    wrong = [
        rule.name for rule in RULES if rule.name in lines and parts.get(rule.cause_entity, rule.cause_entity) != lines[rule.name]
    ]
    assert wrong == []


def test_both_ends_of_every_link_exist_and_are_found_by_an_index() -> None:
    for link in LINKS:
        for entity, column in ((link.child, link.column), (link.parent, link.known_by)):
            assert column in ENTITIES[entity].fields, link
            leading = {index.columns.keys()[0] for index in TABLES[entity].indexes} | {ENTITIES[entity].key}
            assert column in leading or (entity, column) == ("GridEvent", "related"), link


def test_every_entity_of_a_loop_is_linked_and_every_link_is_between_such() -> None:
    linked = {link.child for link in LINKS} | {link.parent for link in LINKS}
    assert linked == set(IN_LOOPS) | {"KeySubject"}
    assert {entity for entity, _ in HINTS} <= linked
    assert {entity for entity, _ in OUR_NUMBERS.values()} <= linked


# --- The walk --------------------------------------------------------------------------------------------------------


Grow = Callable[[Any, str], list[Entity]]
OVER = {"status": TaskStatus.DONE, "external_no": None}
GROWTH: dict[str, list[Grow]] = {
    "Approval": [
        lambda one, new: [task(task_id=new, origin_ref=one.approval_no, **OVER)],
        lambda one, new: [owed("approval-verification", new, one.approval_no, "CreateTask", "enforcement")],
        lambda one, new: [owed("key-supervision", f"{SHOP_CODE}:{one.approval_no}", SHOP_CODE, "PutKeySubject", "enforcement")],
    ],
    "VerificationTask": [
        lambda one, new: [task_result(result_id=new, task_id=one.task_id, order_no=f"O-{new}")],
        lambda one, new: [credit_record(record_id=new, biz_no=f"B-{new}", evidence_ref=one.task_id)],
        lambda one, new: [
            task(task_id=new, type=TaskType.SPECIAL, origin_platform="enforcement", origin_ref=one.task_id, **OVER),
            owed("penalty-referral", new, one.task_id, "CreateTask", "enforcement"),
        ],
    ],
    "TaskResult": [
        lambda one, new: [finding(finding_id=new, result_id=one.result_id, task_id=one.task_id)],
        lambda one, new: [task(task_id=new, type=TaskType.RECHECK, origin_platform="enforcement", origin_ref=one.order_no, **OVER)],
        lambda one, new: [owed("recheck", one.order_no, one.order_no, "CreateTask", "enforcement")],
    ],
    "Finding": [
        lambda one, new: [credit_record(record_id=new, biz_no=f"B-{new}", evidence_ref=None, evidence_finding=one.finding_id)],
        lambda one, new: [owed("breach-record", one.finding_id, one.task_id, "PostCreditRecord", "credit")],
    ],
    "CreditRecord": [
        lambda one, new: [repair(repair_id=new, biz_no=new, record_id=one.record_id)],
        lambda one, new: [self_report(report_no=new, repairs_biz_no=one.biz_no)],
        lambda one, new: [credit_record(record_id=new, biz_no=f"B-{new}", evidence_ref=None, caused_by=one.biz_no)],
        lambda one, new: [score_entry(biz_no=one.biz_no)],
    ],
    "GridEvent": [
        lambda one, new: [grid_event(event_no=new, related=(one.event_no, "E-GONE"))],
        lambda one, new: [task(task_id=new, type=TaskType.GRID, origin_platform="grid", origin_ref=one.event_no, **OVER)],
    ],
    "SelfReport": [
        lambda one, new: [figures_check(check_no=new, report_no=one.report_no)],
        lambda one, new: [task(task_id=new, type=TaskType.SPECIAL, origin_platform="selfgov", origin_ref=one.report_no, **OVER)],
    ],
}


@st.composite
def chains(draw: st.DrawFn) -> list[Entity]:
    """A random chain: each record hangs on a random earlier one by a random link; sometimes two that have grown apart are closed
    to a circle."""
    roots: list[Entity] = [approval(), grid_event(), self_report(repairs_biz_no=None), task(origin_ref=None, **OVER)]
    records: dict[tuple[str, str], Entity] = {}

    def add(record: Entity) -> None:
        records.setdefault((type(record).__name__, key_of(record)), record)

    add(draw(st.sampled_from(roots)))
    for at in range(draw(st.integers(0, 12))):
        one = draw(st.sampled_from([record for (name, _), record in records.items() if name in GROWTH]))
        for record in draw(st.sampled_from(GROWTH[type(one).__name__]))(one, f"X{at:02}"):
            add(record)
    events = [name for entity, name in records if entity == "GridEvent"]
    if len(events) > 1:
        add(grid_event(event_no="E-CIRCLE", related=(events[0], events[-1])))
    return draw(st.permutations(list(records.values())))


@settings(max_examples=50, deadline=None)
@given(chain=chains())
def test_from_every_record_of_a_random_chain_the_same_steps_come_out(engine: Engine, rows: Rows, chain: list[Entity]) -> None:
    with engine.connect() as connection:
        put(connection, rows, [*chain, *beside(chain)] if not any(key_of(one) == "OTHER" for one in chain) else chain)
        found: list[Loop] = []
        for record in chain:
            loop = loop_of(connection, rows, type(record).__name__, key_of(record), NOW, SEES_ALL)
            assert loop is not None
            found.append(loop)
        connection.rollback()
    assert all(loop == found[0] for loop in found[1:])
    told = {(type(step.record).__name__, key_of(step.record)) for step in found[0].steps if step.record}  # type: ignore[arg-type]
    silent = {"Obligation", "Finding"}
    assert {(type(one).__name__, key_of(one)) for one in chain if type(one).__name__ not in silent} <= told
    assert not [step.id for step in found[0].steps if "OTHER" in step.id]
    place = {step.id: at for at, step in enumerate(found[0].steps)}
    assert len(place) == len(found[0].steps)
    for step in found[0].steps:
        assert set(step.causes) <= place.keys()


def statements(engine: Engine, rows: Rows, records: list[Entity], of: Entity) -> tuple[int, Loop]:
    counted: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            counted.append(statement)

    with engine.connect() as connection:
        put(connection, rows, records)
        event.listen(engine, "before_cursor_execute", note)
        loop = loop_of(connection, rows, type(of).__name__, key_of(of), NOW, SEES_ALL)
        event.remove(engine, "before_cursor_execute", note)
        connection.rollback()
    assert loop is not None
    return len(counted), loop


def wide(count: int) -> list[Entity]:
    """An approval with so many checks, each with a result, two findings, and a record for each."""
    records: list[Entity] = [approval()]
    for at in range(count):
        records += [task(task_id=f"T{at}", **OVER), task_result(result_id=f"T{at}/0", task_id=f"T{at}")]
        for each in (f"F{at}a", f"F{at}b"):
            records += [
                finding(finding_id=each, result_id=f"T{at}/0", task_id=f"T{at}"),
                owed("breach-record", each, f"T{at}", "PostCreditRecord", "credit"),
                credit_record(
                    record_id=f"C-{each}", biz_no=f"N/breach-record:{each}", evidence_ref=f"T{at}", evidence_finding=each
                ),
            ]
    return records


def test_the_number_of_statements_does_not_grow_with_the_chain(engine: Engine, rows: Rows) -> None:
    few, small = statements(engine, rows, wide(2), approval())
    many, large = statements(engine, rows, wide(60), approval())
    assert len(large.steps) > 20 * len(small.steps)
    assert many == few < 40


def test_a_chain_without_end_is_cut(engine: Engine, rows: Rows) -> None:
    records = [credit_record(record_id=f"C{at}", biz_no=f"C{at}", caused_by=f"C{at - 1}", evidence_ref=None) for at in range(300)]
    count, loop = statements(engine, rows, list(records), records[150])
    assert loop.truncated
    assert not loop.complete
    assert len(loop.steps) == 129  # as many links in each direction as there are rounds, and the one in the middle
    assert count < 700


def test_a_joint_inspection_as_large_as_the_citys_is_shown_whole(engine: Engine, rows: Rows) -> None:
    own = {"origin_platform": None, "origin_ref": None, "campaign_id": "C0001", **OVER}
    records: list[Entity] = [task(task_id=f"T{at}", **own) for at in range(98)]
    records += [task_result(result_id=f"T{at}/0", task_id=f"T{at}", order_no=f"O{at}") for at in range(98)]
    _, loop = statements(engine, rows, [campaign(), *records], records[0])
    assert not loop.truncated
    assert len(loop.steps) == 1 + 98 * 3


def test_a_command_that_this_version_does_not_know_breaks_no_loop(engine: Engine, rows: Rows) -> None:
    period = f"{SHOP_CODE}:2019"
    strange = owed("comprehensive-deduction", f"{period}:1", period, "New", "credit", payload=b'{"command":"New"}')
    _, loop = statements(engine, rows, [credit_record(), strange], credit_record())
    assert {step.kind for step in loop.steps} == {StepKind.RECORD_CREATED}


@pytest.mark.parametrize("case", CASES)
def test_a_loop_costs_a_few_dozen_statements(engine: Engine, rows: Rows, case: str) -> None:
    records = CASES[case]()
    count, _ = statements(engine, rows, records, records[-1])
    assert count < 70
