"""Histories of what platforms say, in any order and with any repetition, end in the same things being required.

Times and withdrawn obligations are left out, and so is what took effect on a platform meanwhile: which sending of an event
this is, and what was written back last, are facts of the ledger, not of the order of arrival.
"""

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from hub.mirror.queries import Check
from hub.mirror.records import Outcome, upsert
from hub.mirror.rows import Rows
from hub.mirror.subjects import know_subjects
from hub.mirror.tables import TABLES
from hub.reconcile.derive import Derivation
from hub.reconcile.rules import RULES
from hub.reconcile.settle import settle
from schema.entities import (
    OPEN_STATES,
    ApprovalState,
    Conclusion,
    EventStatus,
    ObligationState,
    Procedure,
    TaskStatus,
    TaskType,
)
from schema.entity import Observation
from schema.identifiers import outgoing_number
from tests.builders import (
    SHOP_CODE,
    approval,
    credit_profile,
    credit_record,
    inspection_item,
    key_subject,
    observed,
    task,
    task_result,
)
from tests.settable_clock import START
from tests.unit.reconcile.city import APPROVAL_NO, BOOK, approval_task, bad, event_task, observation, read_ledger, road_event, taken

OLD_NUMBER, ORDER_NO = "330782000012345", "ZG-1"
CAUSES = {
    "Approval": "approval_no",
    "VerificationTask": "task_id",
    "GridEvent": "event_no",
    "TaskResult": "order_no",
    "Coordination": "coordination_id",
    "CampaignRequest": "request_no",
    "CreditRecord": "record_id",
}
"""Where the causes of all rules stand."""


# --- Histories: of each record, what was said of it from version to version ------------------------------------------


@st.composite
def approvals(draw: st.DrawFn) -> list[Observation]:
    states = draw(st.lists(st.sampled_from(list(ApprovalState)), min_size=1, max_size=4))
    known = draw(st.integers(0, 4))
    return [
        observed(
            approval(
                version=version,
                state=state,
                decided_at=None if state is ApprovalState.ACCEPTED else START,
                procedure=draw(st.sampled_from(list(Procedure))),
                department_code=draw(st.sampled_from(["WH", "ZFJ"])),
                subject_code=SHOP_CODE if version > known else None,
                old_number=OLD_NUMBER,
            )
        )
        for version, state in enumerate(states, 1)
    ]


CONCLUSIONS = st.sampled_from(list(Conclusion))


@st.composite
def checks_of_approval(draw: st.DrawFn) -> list[Observation]:
    said = []
    for version in range(1, draw(st.integers(0, 4)) + 1):
        of = approval_task(
            task_id="T-A", version=version, status=draw(st.sampled_from([TaskStatus.PENDING, TaskStatus.DONE, TaskStatus.DONE]))
        )
        code = draw(st.sampled_from([None, SHOP_CODE]))
        result = task_result(
            task_id="T-A",
            result_id="T-A/0",
            version=version,
            conclusion=draw(CONCLUSIONS),
            subject_code=code,
            order_no=draw(st.sampled_from([None, ORDER_NO])),
        )
        said.append(observation(Check(of, [result], [])))
    return said


@st.composite
def random_checks(draw: st.DrawFn) -> list[Observation]:
    said = []
    for version in range(1, draw(st.integers(0, 4)) + 1):
        of = task(
            task_id="T-R",
            type=TaskType.RANDOM,
            version=version,
            status=draw(st.sampled_from([TaskStatus.IN_PROGRESS, TaskStatus.DONE, TaskStatus.DONE])),
            origin_platform=None,
            origin_ref=None,
            external_no=None,
        )
        result = task_result(task_id="T-R", result_id="T-R/0", version=version, conclusion=draw(CONCLUSIONS))
        findings = [
            bad(
                finding_id,
                task_id="T-R",
                result_id="T-R/0",
                version=version,
                item_code=draw(st.sampled_from(["SCJG-001", "WH-900"])),
                points=draw(st.sampled_from([None, Decimal("0.5"), Decimal(2)])),
                severity=None,
                conform=draw(st.booleans()),
            )
            for finding_id in ("F1", "F2")
            if draw(st.booleans())
        ]
        said.append(observation(Check(of, [result], findings)))
    return said


@st.composite
def events(draw: st.DrawFn) -> list[Observation]:
    course = [EventStatus.REPORTED, EventStatus.SENT, EventStatus.SENT, EventStatus.ACCEPTED, EventStatus.HANDLED]
    statuses = course[draw(st.integers(0, 2)) : draw(st.integers(2, 5))]
    said = []
    for version, status in enumerate(statuses, 1):
        category, named = draw(st.sampled_from(["JT-03", "XX-99"])), draw(st.sampled_from([None, "ZFJ"]))
        said.append(
            observed(road_event(version=version, status=status, category=category, department_code=named, title=f"第{version}版"))
        )
    return said


@st.composite
def checks_of_event(draw: st.DrawFn) -> list[Observation]:
    said = []
    for version in range(1, draw(st.integers(0, 3)) + 1):
        of = event_task(version=version, status=draw(st.sampled_from([TaskStatus.PENDING, TaskStatus.DONE, TaskStatus.CANCELLED])))
        result = task_result(task_id=of.task_id, result_id=f"{of.task_id}/0", version=version, conclusion=draw(CONCLUSIONS))
        said.append(observation(Check(of, [result], [])))
    return said


@st.composite
def points(draw: st.DrawFn) -> list[Observation]:
    """Records of findings, some cancelled later, in two years; they were accepted in the order of their numbers."""
    said = []
    for number in range(1, draw(st.integers(0, 5)) + 1):
        costs, year = draw(st.sampled_from(["0.5", "5.5", "6", "12", "33"])), draw(st.sampled_from([2019, 2019, 2018]))
        for version in range(1, draw(st.integers(1, 2)) + 1):
            record = taken(number, costs, occurred_at=START.replace(year=year), version=version, cancelled=version > 1)
            said.append(observed(record))
    return said


@st.composite
def rechecks(draw: st.DrawFn) -> list[Observation]:
    said = []
    for version in range(1, draw(st.integers(0, 3)) + 1):
        of = task(
            task_id="T-RECHECK",
            type=TaskType.RECHECK,
            version=version,
            status=draw(st.sampled_from([TaskStatus.PENDING, TaskStatus.DONE, TaskStatus.DONE])),
            origin_platform="enforcement",
            origin_ref=ORDER_NO,
            external_no=None,
        )
        code = draw(st.sampled_from([None, SHOP_CODE]))
        result = task_result(
            task_id="T-RECHECK", result_id="T-RECHECK/0", version=version, conclusion=draw(CONCLUSIONS), subject_code=code
        )
        said.append(observation(Check(of, [result], [])))
    return said


@st.composite
def entries(draw: st.DrawFn) -> list[Observation]:
    """At most one: what an entry proved before it was replaced is a fact of the ledger."""
    named = draw(st.lists(st.sampled_from([f"未履行告知承诺：{APPROVAL_NO}", "严重失信：2019年度", "人工列入"]), max_size=2))
    return [observed(key_subject(reason="；".join(named)))] if named else []


@st.composite
def credit(draw: st.DrawFn) -> list[Observation]:
    said = []
    number = outgoing_number("BR", "breach-record:F1")
    for version in range(1, draw(st.integers(0, 2)) + 1):
        cancelled = draw(st.booleans())
        said.append(
            observed(
                credit_record(
                    record_id="CR-F1",
                    version=version,
                    biz_no=number,
                    evidence_ref="T-R",
                    evidence_finding="F1",
                    cancelled=cancelled,
                )
            )
        )
    if draw(st.booleans()):
        said.append(observed(credit_profile(old_codes=(OLD_NUMBER,))))
    said += draw(points())
    if draw(st.booleans()):
        said.append(observed(inspection_item(item_code="WH-900", points=Decimal(4), severity=None)))
    return said


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Observation], list[Observation]]:
    """Return a history in the order of versions, and the same in another order with repetitions."""
    kinds = (approvals(), checks_of_approval(), random_checks(), events(), checks_of_event(), credit(), rechecks(), entries())
    ordered = [one for kind in kinds for one in draw(kind)]
    repeated = draw(st.lists(st.sampled_from(ordered), max_size=6)) if ordered else []
    return ordered, draw(st.permutations([*ordered, *repeated]))


# --- What is required in the end -------------------------------------------------------------------------------------


def live_through(connection: Connection, rows: Rows, history: Sequence[Observation]) -> dict[str, object]:
    """Let the history be said, one observation a transaction; return what is required in the end."""
    derivation = Derivation(rows, RULES, BOOK)
    for one in history:
        changes = upsert(connection, rows, [one])
        know_subjects(
            connection, rows, [item for item, outcome in changes if outcome is Outcome.APPLIED and isinstance(item, Observation)]
        )
        derivation(connection, changes, START)
    return required(connection, rows)


def required(connection: Connection, rows: Rows) -> dict[str, object]:
    """Return what is open with all that matters of it; and, of what is closed, what the present state of the mirror owes."""
    causes = _causes(connection)
    for rule in RULES:  # as the sweep does
        settle(connection, rows, rule, causes, BOOK, START)
    ledger = read_ledger(connection, rows)
    verdicts = [rule.derive(facts, (), BOOK, START) for rule in RULES for facts in rule.load(connection, rows, causes).values()]
    owed = {owed.key for verdict in verdicts for owed in verdict.owed}
    found: dict[str, object] = {}
    for key, one in ledger.items():
        if one.state in OPEN_STATES:
            # Of an entry's causes, which was found first, and by when it was owed then, is a matter of arrival.
            place, due_at = (0, None) if one.rule.startswith("key-supervision") else (one.sequence, one.due_at)
            found[key] = (one.state, one.platform, one.payload, one.needs, one.subject_code, one.chain, place, due_at)
        elif one.state is ObligationState.CLOSED and key in owed:
            found[key] = one.state
    assert owed <= found.keys(), "what the mirror owes is in the ledger, and not withdrawn"
    return found


def _causes(connection: Connection) -> list[str]:
    found = [connection.execute(select(TABLES[name].c[column])).scalars() for name, column in CAUSES.items()]
    told = {key for keys in found for key in keys if key is not None}
    return sorted(told | {SHOP_CODE, f"{SHOP_CODE}:2019", f"{SHOP_CODE}:2018"})


@given(histories())
@settings(max_examples=15, deadline=None)
def test_any_order_with_any_repetition_requires_the_same(
    engine: Engine, rows: Rows, history: tuple[list[Observation], list[Observation]]
) -> None:
    ends = []
    for order in history:
        with engine.connect() as connection:
            ends.append(live_through(connection, rows, order))
            connection.rollback()
    assert ends[0] == ends[1]
