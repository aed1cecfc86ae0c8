"""penalty-referral, read like its row in DOMAIN.md: a recheck finds the same item unmended -> a SPECIAL task of the case unit."""

from dataclasses import replace
from datetime import datetime

import pytest

from hub.domain.policy_values import Department
from hub.mirror.queries import Check
from hub.reconcile.rule import Rulebook, Verdict
from hub.reconcile.rules.penalty_referral import Facts, PenaltyReferral
from schema.commands import CreateTask
from schema.entities import Conclusion, Obligation, ObligationState, TaskStatus, TaskType, VerificationTask
from schema.identifiers import outgoing_number
from tests.builders import OTHER_CODE, SHOP_CODE, observed
from tests.settable_clock import BEIJING, START
from tests.unit.reconcile.city import BOOK, POLICY, City, kinds, observation, only
from tests.unit.reconcile.ordered import (
    ORDER,
    RECHECK_ID,
    RECHECK_KEY,
    REFERRAL_KEY,
    ordering,
    recheck_task,
    rechecked,
    referral_task,
)

RULE = PenaltyReferral()
NONCONFORM, UNREACHABLE = Conclusion.NONCONFORM, Conclusion.UNREACHABLE


def derive(
    said: Check,
    *checks: Check,
    tasks: tuple[VerificationTask, ...] = (),
    ledger: tuple[Obligation, ...] = (),
    book: Rulebook = BOOK,
) -> Verdict:
    return RULE.derive(Facts(said, ORDER, checks, tasks), ledger, book, START)


def command(verdict: Verdict) -> CreateTask:
    made = only(verdict).command
    assert isinstance(made, CreateTask)
    return made


# --- What is unmended ------------------------------------------------------------------------------------------------


def test_the_same_item_unmended_is_referred_to_the_case_unit() -> None:
    verdict = derive(rechecked("WH-001", of={"urgency": 2}), ordering("WH-001", "WH-002"))
    made = command(verdict)
    assert made.external_no == outgoing_number("PR", REFERRAL_KEY)
    assert (made.type, made.department, made.urgency) == (TaskType.SPECIAL, "ZFJ", 2)  # the culture bureau's cases go there
    assert (made.origin_platform, made.origin_ref, made.checklist) == ("enforcement", RECHECK_ID, ("WH-001",))
    assert [one.code for one in made.subjects] == [SHOP_CODE]
    assert kinds(verdict) == []


def test_it_is_due_at_once_and_its_check_when_policy_says() -> None:
    verdict = derive(rechecked("WH-001", checked_at=datetime(2019, 9, 2, 15, tzinfo=BEIJING)), ordering())
    assert only(verdict).due.at == datetime(2019, 9, 2, 15, tzinfo=BEIJING)
    assert command(verdict).due_at == datetime(2019, 9, 30, 23, 59, 59, tzinfo=BEIJING)


def test_a_recheck_that_conforms_refers_nothing() -> None:
    assert derive(rechecked(), ordering()) == Verdict(version=3)


def test_items_that_were_not_ordered_are_for_ops_and_refer_nothing() -> None:
    verdict = derive(rechecked("WH-009"), ordering("WH-001"))
    assert (verdict.owed, kinds(verdict)) == ((), ["new-items-in-recheck"])
    assert ("WH-009" in verdict.troubles[0].message, ORDER in verdict.troubles[0].message) == (True, True)


def test_an_unmended_item_beside_a_new_one_is_referred_and_the_new_one_is_for_ops() -> None:
    verdict = derive(rechecked("WH-001", "WH-009"), ordering("WH-001"))
    assert (command(verdict).checklist, kinds(verdict)) == (("WH-001",), ["new-items-in-recheck"])


@pytest.mark.parametrize(
    ("said", "order", "items"),
    [
        pytest.param(rechecked(conclusion=NONCONFORM), ordering("WH-001"), ("WH-001",), id="the recheck lists none"),
        pytest.param(rechecked("WH-009"), ordering()._replace(findings=[]), ("WH-009",), id="the order lists none"),
        pytest.param(rechecked(conclusion=NONCONFORM), ordering()._replace(findings=[]), (), id="neither lists any"),
    ],
)
def test_where_none_is_listed_nonconform_is_unmended(said: Check, order: Check, items: tuple[str, ...]) -> None:
    verdict = derive(said, order)
    assert (command(verdict).checklist, kinds(verdict)) == (items, [])


def test_an_item_that_another_subject_was_to_mend_is_new_at_this_one() -> None:
    other = ordering("WH-002", task_id="T-ORDER-2", subject_code=OTHER_CODE)
    verdict = derive(rechecked("WH-002"), ordering("WH-001"), other)
    assert (verdict.owed, kinds(verdict)) == ((), ["new-items-in-recheck"])


def test_nobody_reached_refers_nothing_and_is_not_told_a_second_time() -> None:
    assert derive(rechecked("WH-001", conclusion=UNREACHABLE), ordering()) == Verdict(version=3)


@pytest.mark.parametrize("status", [one for one in TaskStatus if one is not TaskStatus.DONE])
def test_only_a_finished_recheck_refers(status: TaskStatus) -> None:
    assert derive(rechecked("WH-001", of={"status": status}), ordering()).owed == ()


def test_the_recheck_itself_gives_no_order_that_it_could_be_compared_with() -> None:
    said = rechecked("WH-001", order_no=ORDER)
    assert only(derive(said, said)).command is None


# --- Whose case it is ------------------------------------------------------------------------------------------------


def test_a_department_without_a_case_unit_gets_its_own_cases() -> None:
    verdict = derive(rechecked("WH-001", of={"department_code": "JT"}), ordering())
    assert (command(verdict).department, kinds(verdict)) == ("JT", [])


def test_a_department_that_no_policy_names_gets_its_own_cases_and_ops_is_told_once_for_all() -> None:
    verdicts = [derive(rechecked("WH-001", of={"department_code": "XX", "task_id": no}), ordering()) for no in ("T1", "T2")]
    assert [command(verdict).department for verdict in verdicts] == ["XX", "XX"]
    assert [kinds(verdict) for verdict in verdicts] == [["unknown-department"]] * 2
    assert len({trouble.item_id for verdict in verdicts for trouble in verdict.troubles}) == 1
    assert ("'XX'" in verdicts[0].troubles[0].message, "departments.csv" in verdicts[0].troubles[0].message) == (True, True)


def test_the_case_unit_is_policy() -> None:
    departments = tuple(one for one in POLICY.departments if one.code != "WH")
    book = Rulebook(replace(POLICY, departments=(*departments, Department("WH", "文旅体局", "文旅", "YJ"))), "330782")
    assert command(derive(rechecked("WH-001"), ordering(), book=book)).department == "YJ"


# --- Order not seen, corrections -------------------------------------------------------------------------------------


def test_an_order_that_was_not_seen_yet_is_waited_for_by_name() -> None:
    owed = only(derive(rechecked("WH-001")))
    assert (owed.command, owed.needs) == (None, f"order {ORDER} in the mirror")
    assert list(RULE.releases(observation(ordering()))) == [owed.needs]


async def test_a_referral_that_waits_is_released_when_its_order_comes(city: City) -> None:
    await city.say(observation(rechecked("WH-001")))
    assert (await city.lines())[REFERRAL_KEY] == "WAITING"
    await city.say(observation(ordering()))
    assert (await city.lines())[REFERRAL_KEY] == "DUE"
    await city.accept(REFERRAL_KEY)
    await city.say(observed(referral_task()))
    assert await city.lines() == {
        RECHECK_KEY: "CLOSED",
        REFERRAL_KEY: "CLOSED",
        "breach-record:F-T-ORDER-WH-001": "DUE",
    }


async def test_a_recheck_that_is_not_ours_refers_as_well(city: City) -> None:
    await city.say(observation(ordering()), observation(rechecked("WH-001", of={"external_no": None})))
    assert (await city.lines())[REFERRAL_KEY] == "DUE"


@pytest.mark.parametrize(
    ("sent", "state", "kind"), [(False, "WITHDRAWN", []), (True, "SENT", ["penalty-referral.withdrawn-after-sent"])]
)
async def test_a_recheck_that_is_corrected_to_conform(city: City, sent: bool, state: str, kind: list[str]) -> None:
    await city.say(observation(ordering()), observation(rechecked("WH-001")))
    if sent:
        await city.accept(REFERRAL_KEY)
    await city.say(observation(rechecked(of={"version": 3})))
    assert (await city.lines())[REFERRAL_KEY] == state
    assert [item.kind for item in await city.ops()] == kind


@pytest.mark.parametrize("sent", [False, True])
async def test_an_order_that_is_withdrawn_leaves_its_referral_without_a_ground(city: City, sent: bool) -> None:
    await city.say(observation(ordering()), observation(rechecked("WH-001")))
    if sent:
        await city.accept(REFERRAL_KEY)
    await city.say(observation(ordering(version=2, order=None)))
    one = (await city.ledger())[REFERRAL_KEY]
    told = [item.kind for item in await city.ops() if item.kind.startswith("penalty-referral")]
    if sent:
        assert (one.state, told) == (ObligationState.SENT, ["penalty-referral.withdrawn-after-sent"])
    else:
        assert (one.state, one.needs, told) == (ObligationState.WAITING, f"order {ORDER} in the mirror", [])


async def test_an_order_that_is_corrected_to_other_items_is_for_ops_when_the_referral_was_sent(city: City) -> None:
    await city.say(observation(ordering("WH-001", "WH-002")), observation(rechecked("WH-001", "WH-002")))
    await city.accept(REFERRAL_KEY)
    await city.say(observation(ordering("WH-001", version=2)))
    told = sorted(item.kind for item in await city.ops())
    assert told == ["new-items-in-recheck", "penalty-referral.changed-after-sent", "recheck.changed-after-sent"]


async def test_a_correction_of_the_order_that_no_rule_was_asked_about_is_found_by_the_sweep(city: City) -> None:
    await city.say(observation(ordering("WH-001")), observation(rechecked("WH-001")))
    await city.put(REFERRAL_KEY, state=ObligationState.CLOSED, sent_at=START)
    await city.keep_silent(observation(ordering("WH-002", version=2)))
    await city.sweep.everything()
    assert "penalty-referral.withdrawn-after-sent" in [item.kind for item in await city.ops()]


async def test_a_recheck_takes_no_points_and_a_referral_neither(city: City) -> None:
    await city.say(observation(ordering()), observation(rechecked("WH-001")))
    done = referral_task(status=TaskStatus.DONE, version=2)
    await city.say(observation(rechecked("WH-001", of={"version": 3})), observed(done))
    assert [key for key in await city.lines() if key.startswith("breach-record")] == ["breach-record:F-T-ORDER-WH-001"]


@pytest.mark.parametrize(
    ("record", "causes"),
    [
        (recheck_task(), [RECHECK_ID]),
        (referral_task(), [RECHECK_ID]),
        (recheck_task(origin_platform="grid"), []),
        (recheck_task(type=TaskType.COMMITMENT), []),
        (referral_task(origin_ref=None), []),
    ],
)
def test_rechecks_of_orders_and_their_referrals_are_what_it_listens_to(record: VerificationTask, causes: list[str]) -> None:
    assert list(RULE.causes(observed(record))) == causes
