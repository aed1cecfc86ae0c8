"""What follows from checks, coordinations and requests is the same whatever the order of arrival; see test_order_free.py."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from hub.mirror.rows import Rows
from hub.reconcile.rules.campaign import campaign_number
from hub.reconcile.rules.coordination_dispatch import town_number
from schema.entities import Conclusion, CoordinationStatus, TaskStatus, TownCoordinationStatus
from schema.entity import Observation
from tests.builders import campaign, campaign_request, coordination, observed, town_coordination
from tests.unit.reconcile.city import observation
from tests.unit.reconcile.ordered import DEADLINE, ORDER, ordering, recheck_task, rechecked, referral_task
from tests.unit.reconcile.test_order_free import live_through

ITEMS = st.lists(st.sampled_from(["WH-001", "WH-002"]), unique=True)
STATUS = st.sampled_from([TaskStatus.IN_PROGRESS, TaskStatus.DONE, TaskStatus.DONE, TaskStatus.DONE])
NUMBERS = st.sampled_from([None, ORDER, ORDER, "ZG-0002"])


@st.composite
def orders(draw: st.DrawFn, task_id: str) -> list[Observation]:
    return [
        observation(
            ordering(
                *draw(ITEMS),
                task_id=task_id,
                version=version,
                order=draw(NUMBERS),
                deadline=DEADLINE + timedelta(days=draw(st.integers(0, 1))),
                of={"status": draw(STATUS), "department_code": draw(st.sampled_from(["WH", "XX"]))},
            )
        )
        for version in range(1, draw(st.integers(0, 3)) + 1)
    ]


@st.composite
def rechecks(draw: st.DrawFn) -> list[Observation]:
    said = [observed(recheck_task())] if draw(st.booleans()) else []
    for version in range(2, draw(st.integers(1, 4)) + 1):
        given_order = draw(NUMBERS)
        found = rechecked(
            *draw(ITEMS),
            conclusion=draw(st.sampled_from(list(Conclusion))),
            of={"status": draw(STATUS), "version": version},
            order_no=given_order,
            order_deadline=DEADLINE if given_order else None,
        )
        said.append(observation(found))
    return said


@st.composite
def others(draw: st.DrawFn) -> list[Observation]:
    number, said = coordination().coordination_id, list[Observation]()
    if draw(st.booleans()):
        said.append(observed(referral_task(status=draw(st.sampled_from([TaskStatus.PENDING, TaskStatus.CANCELLED])))))
    for version in range(1, draw(st.integers(0, 3)) + 1):
        status = draw(st.sampled_from([CoordinationStatus.ISSUED, CoordinationStatus.ISSUED, CoordinationStatus.HANDLED]))
        said.append(observed(coordination(version=version, status=status, content=draw(st.sampled_from(["核实", "协助"])))))
    for version in range(1, draw(st.integers(0, 3)) + 1):
        opinion, at_town = draw(st.sampled_from(["甲", "乙"])), draw(st.sampled_from(list(TownCoordinationStatus)))
        said.append(observed(town_coordination(out_no=town_number(number), version=version, status=at_town, opinion=opinion)))
    if draw(st.booleans()):
        said.append(observed(campaign_request()))
    if draw(st.booleans()):
        said.append(observed(campaign(external_no=campaign_number(campaign_request().request_no))))
    return said


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Observation], list[Observation]]:
    ordered = [one for kind in (orders("T-ORDER"), orders("T-ORDER-2"), rechecks(), others()) for one in draw(kind)]
    repeated = draw(st.lists(st.sampled_from(ordered), max_size=6)) if ordered else []
    return ordered, draw(st.permutations([*ordered, *repeated]))


@given(histories())
@settings(max_examples=40, deadline=None)
def test_any_order_with_any_repetition_requires_the_same(
    engine: Engine, rows: Rows, history: tuple[list[Observation], list[Observation]]
) -> None:
    ends = []
    for order in history:
        with engine.connect() as connection:
            ends.append(live_through(connection, rows, order))
            connection.rollback()
    assert ends[0] == ends[1]
