"""What credit and self-governance say, in any order and with any repetition, ends in the same things being required.

The sibling of test_order_free.py for scores and repairs; what took effect meanwhile is left out there and here.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, StaticPool, create_engine

from hub.mirror.records import Outcome, upsert
from hub.mirror.rows import Rows
from hub.mirror.subjects import know_subjects
from hub.mirror.tables import METADATA
from hub.reconcile.derive import Derivation
from hub.reconcile.rule import AnyRule
from hub.reconcile.rules.repair import Repairs
from hub.reconcile.rules.score_notice import ScoreNotice
from hub.reconcile.rules.score_state import ScoreStates
from hub.reconcile.settle import settle
from schema.entities import OPEN_STATES, ObligationState, ReportState, ScoreState
from schema.entity import Observation
from tests.builders import OTHER_CODE, SHOP_CODE, approval, observed
from tests.settable_clock import START
from tests.unit.reconcile.city import BOOK, read_ledger
from tests.unit.reconcile.self_governance import BIZ_NO, RECORD_ID, credit_was_read, entry, made_repair, points_record, row

RULES: tuple[AnyRule, ...] = (ScoreNotice(), ScoreStates(), Repairs())
CAUSES = {"CreditRecord": [RECORD_ID], "SelfReport": ["4711", "4712"]}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = create_engine("sqlite://", poolclass=StaticPool)
    METADATA.create_all(made)
    yield made
    made.dispose()


@st.composite
def records(draw: st.DrawFn) -> list[Observation]:
    said, open_points = [], Decimal(4)
    long_ago = draw(st.booleans())
    for version in range(1, draw(st.integers(0, 4)) + 1):
        open_points -= draw(st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(4)]))
        said.append(
            observed(
                points_record(
                    version=version,
                    open_points=max(open_points, Decimal(0)),
                    occurred_at=START - timedelta(days=400 if long_ago else 0),
                    cancelled=version == 4,
                )
            )
        )
    return said


@st.composite
def rows_of(draw: st.DrawFn, report_no: str) -> list[Observation]:
    return [
        observed(
            row(
                minutes,
                report_no=report_no,
                state=draw(st.sampled_from(list(ReportState))),
                points=draw(st.sampled_from([None, Decimal("0.5"), Decimal(2), Decimal(5)])),
                repairs_biz_no=draw(st.sampled_from([None, BIZ_NO, BIZ_NO, "BR-NONE"])),
                subject_code=draw(st.sampled_from([SHOP_CODE, SHOP_CODE, OTHER_CODE])),
            )
        )
        for minutes in range(draw(st.integers(0, 3)))
    ]


@st.composite
def others(draw: st.DrawFn) -> list[Observation]:
    said = [observed(entry(ScoreState.OPEN))] if draw(st.booleans()) else []
    return said + ([observed(approval())] if draw(st.booleans()) else [])


@st.composite
def histories(draw: st.DrawFn) -> tuple[bool, list[Observation], list[Observation]]:
    """Return a history in the order of versions, and the same in another order with repetitions."""
    first = draw(rows_of("4711"))
    ordered = [*draw(records()), *first, *draw(rows_of("4712")), *draw(others())]
    if len(first) == 1 and draw(st.booleans()):  # of several, which one was sent is a fact of the ledger
        ordered.append(observed(made_repair()))
    repeated = draw(st.lists(st.sampled_from(ordered), max_size=6)) if ordered else []
    return draw(st.booleans()), ordered, draw(st.permutations([*ordered, *repeated]))


def live_through(connection: Connection, rows: Rows, history: Sequence[Observation], *, read: bool) -> dict[str, object]:
    """Let the history be said, one observation a transaction; return what is required in the end."""
    derivation = Derivation(rows, RULES, BOOK)
    if read:
        credit_was_read(connection, rows, START + timedelta(hours=1))
    for said in history:
        changes = upsert(connection, rows, [said])
        applied = [item for item, outcome in changes if outcome is Outcome.APPLIED]
        know_subjects(connection, rows, [item for item in applied if isinstance(item, Observation)])
        derivation(connection, changes, START)
    for rule in RULES:  # as the sweep does
        settle(connection, rows, rule, CAUSES[rule.cause_entity], BOOK, START)
    loaded = [(rule, rule.load(connection, rows, CAUSES[rule.cause_entity]).values()) for rule in RULES]
    owed = {each.key for rule, some in loaded for facts in some for each in rule.derive(facts, (), BOOK, START).owed}
    found: dict[str, object] = {}
    for key, one in read_ledger(connection, rows).items():
        if one.state in OPEN_STATES:
            found[key] = (one.state, one.platform, one.payload, one.needs, one.subject_code, one.chain, one.sequence, one.due_at)
        elif one.state is ObligationState.CLOSED and key in owed:
            found[key] = one.state
    assert owed <= found.keys(), "what the mirror owes is in the ledger, and not withdrawn"
    return found


@given(histories())
@settings(max_examples=25, deadline=None)
def test_any_order_with_any_repetition_requires_the_same(
    engine: Engine, rows: Rows, history: tuple[bool, list[Observation], list[Observation]]
) -> None:
    read, *orders = history
    ends = []
    for order in orders:
        with engine.connect() as connection:
            ends.append(live_through(connection, rows, order, read=read))
            connection.rollback()
    assert ends[0] == ends[1]
