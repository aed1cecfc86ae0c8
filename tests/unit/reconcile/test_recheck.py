"""recheck, read like its row in DOMAIN.md: a rectification is ordered -> a recheck task, enforcement; key: order."""

from datetime import datetime, timedelta

import pytest

from hub.mirror.queries import Check
from hub.reconcile.rule import Verdict
from hub.reconcile.rules.recheck import Facts, Recheck
from schema.commands import CreateTask, TaskSubject
from schema.entities import Obligation, ObligationState, TaskStatus, TaskType, VerificationTask
from schema.identifiers import outgoing_number
from tests.builders import OTHER_CODE, SHOP_CODE, observed
from tests.settable_clock import BEIJING, START
from tests.unit.reconcile.city import BOOK, City, observation, only
from tests.unit.reconcile.ordered import DEADLINE, ORDER, RECHECK_ID, RECHECK_KEY, ordering, recheck_task, rechecked

RULE = Recheck()


def derive(*checks: Check, tasks: tuple[VerificationTask, ...] = (), ledger: tuple[Obligation, ...] = ()) -> Verdict:
    return RULE.derive(Facts(ORDER, checks, tasks), ledger, BOOK, START)


def command(*checks: Check) -> CreateTask:
    made = only(derive(*checks)).command
    assert isinstance(made, CreateTask)
    return made


# --- What is owed ----------------------------------------------------------------------------------------------------


def test_an_order_owes_a_recheck_of_the_same_subject_by_the_same_department() -> None:
    made = command(ordering("WH-002", "WH-001", of={"department_code": "WH", "urgency": 1}))
    assert made.external_no == outgoing_number("RC", RECHECK_KEY)
    assert (made.type, made.department, made.urgency) == (TaskType.RECHECK, "WH", 1)
    assert [(one.code, one.name) for one in made.subjects] == [(SHOP_CODE, "义乌市天䶮印刷有限公司")]
    assert (made.origin_platform, made.origin_ref) == ("enforcement", ORDER)
    assert made.checklist == ("WH-001", "WH-002")


def test_the_task_is_due_at_once_whenever_the_order_ends() -> None:
    owed = only(derive(ordering(checked_at=START, deadline=START + timedelta(days=30))))
    assert (owed.key, owed.platform, owed.due.at, owed.subject_code) == (RECHECK_KEY, "enforcement", START, SHOP_CODE)


@pytest.mark.parametrize(
    ("deadline", "due"),
    [
        pytest.param(datetime(2019, 9, 4, 18), datetime(2019, 9, 5, 23, 59, 59), id="the next day"),  # noqa: DTZ001  (zoned below)
        pytest.param(datetime(2019, 9, 6, 0), datetime(2019, 9, 9, 23, 59, 59), id="over a weekend"),  # noqa: DTZ001
        pytest.param(datetime(2019, 9, 12, 12), datetime(2019, 9, 16, 23, 59, 59), id="over the Mid-Autumn holiday"),  # noqa: DTZ001
        pytest.param(datetime(2019, 9, 28, 12), datetime(2019, 9, 29, 23, 59, 59), id="a Sunday that is worked"),  # noqa: DTZ001
    ],
)
def test_the_recheck_is_due_on_the_first_working_day_after_the_deadline(deadline: datetime, due: datetime) -> None:
    assert command(ordering(deadline=deadline.replace(tzinfo=BEIJING))).due_at == due.replace(tzinfo=BEIJING)


def test_only_items_that_do_not_conform_are_on_the_checklist() -> None:
    check = ordering("WH-001", "WH-002")
    kept = [one for one in check.findings if one.item_code == "WH-001"]
    assert command(check._replace(findings=kept)).checklist == ("WH-001",)


def test_an_order_that_lists_no_item_is_rechecked_without_a_checklist() -> None:
    assert command(ordering()._replace(findings=[])).checklist == ()


@pytest.mark.parametrize("status", [TaskStatus.PENDING, TaskStatus.IN_PROGRESS, TaskStatus.CANCELLED])
def test_an_order_counts_once_its_check_is_finished(status: TaskStatus) -> None:
    assert derive(ordering(of={"status": status})).owed == ()
    assert only(derive(ordering(of={"status": TaskStatus.TRANSFERRED}))).command is not None


def test_a_subject_that_nobody_knows_is_named_all_the_same() -> None:
    made = command(ordering(subject_code=None, subject_name=None))
    assert made.subjects == (TaskSubject(code=None, name="当事人"),)


def test_one_order_on_several_results_and_tasks_is_one_recheck_of_all_their_subjects() -> None:
    later = ordering("WH-003", task_id="T-ORDER-2", subject_code=OTHER_CODE, of={"department_code": "ZFJ"})
    made = command(ordering("WH-001"), later)
    assert [one.code for one in made.subjects] == [SHOP_CODE, OTHER_CODE]
    assert made.checklist == ("WH-001", "WH-003")
    assert made.department == "WH"


def test_of_several_deadlines_that_of_the_last_check_counts() -> None:
    first = ordering(checked_at=START, deadline=DEADLINE + timedelta(days=7))
    last = ordering(task_id="T-ORDER-2", checked_at=START + timedelta(hours=1), deadline=DEADLINE)
    assert command(first, last).due_at == command(last, first).due_at == datetime(2019, 9, 5, 23, 59, 59, tzinfo=BEIJING)


def test_a_recheck_that_names_the_order_once_more_gives_no_new_one_but_may_put_the_deadline_off() -> None:
    put_off = datetime(2019, 9, 10, tzinfo=BEIJING)
    again = rechecked("WH-001", "WH-009", order_no=ORDER, order_deadline=put_off, checked_at=START + timedelta(days=3))
    made = command(ordering("WH-001"), again)
    assert (made.checklist, made.due_at.day) == (("WH-001",), 11)
    assert derive(again).owed == ()


def test_an_order_without_a_deadline_waits_for_one() -> None:
    owed = only(derive(ordering(deadline=None)))
    assert (owed.command, owed.needs) == (None, f"a deadline of order {ORDER}")


def test_the_platforms_task_with_our_number_is_the_proof_and_the_oldest_of_two_counts() -> None:
    later = recheck_task(task_id="T-LATER", created_at=START + timedelta(seconds=1))
    assert derive(ordering(), tasks=(later, recheck_task())).proven == {RECHECK_KEY: RECHECK_ID}


def test_what_must_still_be_right_is_when_what_whom_and_by_whom() -> None:
    usual = RULE.material(command(ordering()))
    for other in (
        ordering(deadline=DEADLINE + timedelta(days=1)),
        ordering("WH-002"),
        ordering(subject_code=OTHER_CODE),
        ordering(of={"department_code": "ZFJ"}),
    ):
        assert RULE.material(command(other)) != usual
    assert RULE.material(command(ordering(remarks="别的话"))) == usual


# --- Corrections -----------------------------------------------------------------------------------------------------


async def test_an_order_is_rechecked_once_and_the_recheck_closes_it(city: City) -> None:
    await city.say(observation(ordering()))
    assert (await city.lines())[RECHECK_KEY] == "DUE"
    await city.accept(RECHECK_KEY)
    await city.say(observed(recheck_task()))
    assert (await city.lines())[RECHECK_KEY] == "CLOSED"


async def test_a_deadline_that_is_corrected_before_it_was_sent_changes_the_recheck(city: City) -> None:
    await city.say(observation(ordering()))
    await city.say(observation(ordering(version=2, deadline=DEADLINE + timedelta(days=1))))
    made = await city.command(RECHECK_KEY)
    assert isinstance(made, CreateTask)
    assert made.due_at.day == 6
    assert await city.ops() == []


async def test_a_deadline_that_is_corrected_after_it_was_sent_is_for_ops_with_both(city: City) -> None:
    await city.say(observation(ordering()))
    await city.accept(RECHECK_KEY)
    await city.say(observation(ordering(version=2, deadline=DEADLINE + timedelta(days=1))))
    (item,) = await city.ops()
    assert (item.kind, item.cause) == ("recheck.changed-after-sent", RECHECK_KEY)
    assert ("2019-09-05" in (item.before or ""), "2019-09-06" in (item.after or "")) == (True, True)
    assert (await city.lines())[RECHECK_KEY] == "SENT"


@pytest.mark.parametrize(("sent", "state", "kinds"), [(False, "WITHDRAWN", []), (True, "SENT", ["recheck.withdrawn-after-sent"])])
async def test_an_order_that_a_later_version_withdraws(city: City, sent: bool, state: str, kinds: list[str]) -> None:
    await city.say(observation(ordering()))
    if sent:
        await city.accept(RECHECK_KEY)
    await city.say(observation(ordering(version=2, order=None)))
    assert (await city.lines())[RECHECK_KEY] == state
    assert [item.kind for item in await city.ops()] == kinds


async def test_an_order_that_gets_another_number_is_another_order(city: City) -> None:
    await city.say(observation(ordering()))
    await city.say(observation(ordering(version=2, order="ZG-0002")))
    lines = await city.lines()
    assert (lines[RECHECK_KEY], lines["recheck:ZG-0002"]) == ("WITHDRAWN", "DUE")


async def test_an_order_that_one_of_two_checks_drops_stands_for_the_other(city: City) -> None:
    await city.say(observation(ordering()), observation(ordering("WH-003", task_id="T-ORDER-2")))
    await city.say(observation(ordering(version=2, order=None)))
    made = await city.command(RECHECK_KEY)
    assert isinstance(made, CreateTask)
    assert ((await city.lines())[RECHECK_KEY], made.checklist) == ("DUE", ("WH-003",))


async def test_an_order_that_is_given_in_a_recheck_is_rechecked_too(city: City) -> None:
    await city.say(observation(ordering()))
    await city.say(observation(rechecked("WH-001", order_no="ZG-0002", order_deadline=DEADLINE)))
    assert {key: state for key, state in (await city.lines()).items() if key.startswith("recheck:")} == {
        RECHECK_KEY: "CLOSED",
        "recheck:ZG-0002": "DUE",
    }


@pytest.mark.parametrize("sent", [False, True])
async def test_a_withdrawal_that_no_rule_was_asked_about_is_found_by_the_sweep(city: City, sent: bool) -> None:
    await city.say(observation(ordering()))
    if sent:
        await city.put(RECHECK_KEY, state=ObligationState.CLOSED, sent_at=START)
    await city.keep_silent(observation(ordering(version=2, order=None)))
    await city.sweep.everything()
    assert (await city.lines())[RECHECK_KEY] == ("CLOSED" if sent else "WITHDRAWN")
    assert [item.kind for item in await city.ops()] == (["recheck.withdrawn-after-sent"] if sent else [])


async def test_an_order_that_was_never_derived_is_found_by_the_sweep(city: City) -> None:
    await city.keep_silent(observation(ordering()))
    await city.sweep.everything()
    assert (await city.lines())[RECHECK_KEY] == "DUE"
