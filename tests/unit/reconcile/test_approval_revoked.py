"""approval-revoked, read like its row in DOMAIN.md: its task is cancelled if it has not begun, else it is for ops."""

import pytest

from connectors.base import Receipt
from connectors.errors import PermanentError, UnknownOutcome
from hub.reconcile.rule import Verdict
from hub.reconcile.rules.approval_revoked import ApprovalRevoked, Facts, key_for
from schema.commands import CancelTask
from schema.entities import ApprovalState, Obligation, ObligationState, TaskStatus, VerificationTask
from tests.builders import SHOP_CODE, approval, observed
from tests.settable_clock import START
from tests.unit.reconcile.city import APPROVAL_KEY, APPROVAL_NO, BOOK, TASK_ID, City, approval_task, kinds, only
from tests.unit.reconcile.worker_side import Office

RULE = ApprovalRevoked()
KEY = key_for(APPROVAL_NO)
GRANTED = observed(approval())
REVOKED = observed(approval(version=2, state=ApprovalState.REVOKED))
NOT_BEGUN = [TaskStatus.PENDING, TaskStatus.DISPATCHED]
BEGUN = [TaskStatus.ACCEPTED, TaskStatus.IN_PROGRESS, TaskStatus.DONE, TaskStatus.TRANSFERRED]


@pytest.fixture
def hub(city: City) -> Office:
    return Office(city.database, city.rows, city.clock, city.derivation)


def derive(task: VerificationTask | None, verification: Obligation | None = None, *ledger: Obligation) -> Verdict:
    return RULE.derive(
        Facts(approval(version=2, state=ApprovalState.REVOKED), (task,) if task else (), verification), ledger, BOOK, START
    )


def seen(status: TaskStatus, version: int = 2) -> VerificationTask:
    return approval_task(status=status, version=version)


# --- What is owed ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", NOT_BEGUN)
def test_a_check_that_has_not_begun_is_cancelled_at_once(status: TaskStatus) -> None:
    owed = only(derive(seen(status)))
    assert owed.command == CancelTask(task_id=TASK_ID, reason=f"审批 {APPROVAL_NO} 已撤销")
    assert (owed.key, owed.platform, owed.due.at, owed.subject_code) == (KEY, "enforcement", approval().updated_at, SHOP_CODE)


@pytest.mark.parametrize("status", BEGUN)
def test_a_check_that_has_begun_is_for_ops(status: TaskStatus) -> None:
    verdict = derive(seen(status))
    assert (verdict.owed, kinds(verdict)) == ((), ["approval-revoked.not-cancelled"])
    message = verdict.troubles[0].message
    assert (APPROVAL_NO in message, TASK_ID in message, status.value in message) == (True, True, True)


def test_a_check_that_is_cancelled_is_the_proof_and_owes_nothing() -> None:
    verdict = derive(seen(TaskStatus.CANCELLED))
    assert (verdict.owed, verdict.proven, kinds(verdict)) == ((), {KEY: TASK_ID}, [])


@pytest.mark.parametrize("state", [ApprovalState.ACCEPTED, ApprovalState.GRANTED, ApprovalState.REFUSED])
def test_what_is_not_revoked_cancels_nothing(state: ApprovalState) -> None:
    facts = Facts(approval(state=state), (seen(TaskStatus.PENDING),), None)
    assert RULE.derive(facts, (), BOOK, START) == Verdict(version=1)


# --- From beginning to end -------------------------------------------------------------------------------------------


async def test_a_check_that_was_never_sent_is_withdrawn_and_nothing_is_to_cancel(city: City) -> None:
    await city.say(GRANTED)
    await city.say(REVOKED)
    assert await city.lines() == {APPROVAL_KEY: "WITHDRAWN"}
    assert await city.ops() == []


async def test_the_cancellation_closes_when_the_task_shows_it_and_ops_hears_nothing(city: City, hub: Office) -> None:
    await city.say(GRANTED, observed(approval_task()))
    await city.say(REVOKED)
    assert await city.lines() == {APPROVAL_KEY: "CLOSED", KEY: "DUE"}
    await hub.worker.work_once("enforcement")
    assert hub.connectors["enforcement"].calls == [KEY]
    assert (await city.lines())[KEY] == "SENT"
    await city.say(observed(seen(TaskStatus.CANCELLED)))
    assert await city.lines() == {APPROVAL_KEY: "CLOSED", KEY: "CLOSED"}
    await city.sweep.everything()
    assert await city.ops() == []


async def test_a_check_that_was_sent_and_has_not_been_seen_is_waited_for_by_name(city: City, hub: Office) -> None:
    await city.say(GRANTED)
    await hub.worker.work_once("enforcement")
    await city.say(REVOKED)
    one = (await city.ledger())[KEY]
    assert (one.state.value, one.needs) == ("WAITING", f"the task of approval {APPROVAL_NO} in the mirror")
    await city.say(observed(approval_task()))
    assert await city.lines() == {APPROVAL_KEY: "CLOSED", KEY: "DUE"}
    assert await city.ops() == []


async def test_a_revocation_during_the_call_is_carried_out_afterwards(city: City, hub: Office) -> None:
    await city.say(GRANTED)
    async with hub.held_call("enforcement", APPROVAL_KEY):
        await city.say(REVOKED)
        assert await city.lines() == {APPROVAL_KEY: "LEASED", KEY: "WAITING"}
    assert await city.lines() == {APPROVAL_KEY: "SENT", KEY: "WAITING"}
    assert await city.ops() == []


async def test_a_call_that_is_refused_after_the_revocation_leaves_nothing_to_wait_for(city: City, hub: Office) -> None:
    await city.say(GRANTED)
    hub.connectors["enforcement"].replies[APPROVAL_KEY] = [PermanentError("enforcement", "HTTP_400", "unknown department")]
    async with hub.held_call("enforcement", APPROVAL_KEY):
        await city.say(REVOKED)
    assert await city.lines() == {APPROVAL_KEY: "WITHDRAWN", KEY: "WITHDRAWN"}


async def test_a_check_whose_fate_is_unknown_is_for_ops_once_and_is_cancelled_should_it_show_up(city: City, hub: Office) -> None:
    await city.say(GRANTED)
    hub.connectors["enforcement"].replies[APPROVAL_KEY] = [UnknownOutcome("enforcement", "TIMEOUT", "no answer", START)]
    await hub.worker.work_once("enforcement")
    await city.say(REVOKED)
    assert await city.lines() == {APPROVAL_KEY: "WITHDRAWN"}
    assert [item.kind for item in await city.ops()] == ["approval-verification.withdrawn-after-sent"]
    await city.say(observed(approval_task()))
    assert await city.lines() == {APPROVAL_KEY: "WITHDRAWN", KEY: "DUE"}
    assert len(await city.ops()) == 1


async def test_a_check_whose_fate_was_unknown_and_that_shows_up_with_the_revocation_is_cancelled_silently(
    city: City, hub: Office
) -> None:
    await city.say(GRANTED)
    hub.connectors["enforcement"].replies[APPROVAL_KEY] = [UnknownOutcome("enforcement", "TIMEOUT", "no answer", START)]
    await hub.worker.work_once("enforcement")
    await city.say(REVOKED, observed(approval_task()))
    assert await city.lines() == {APPROVAL_KEY: "CLOSED", KEY: "DUE"}
    assert await city.ops() == []


async def test_what_was_accepted_and_never_seen_is_not_waited_for_for_ever(city: City, hub: Office) -> None:
    await city.say(GRANTED)
    await hub.worker.work_once("enforcement")
    await city.say(REVOKED)
    city.clock.advance(121)  # the echo time
    await hub.worker.rescue()
    assert await city.lines() == {APPROVAL_KEY: "WITHDRAWN", KEY: "WITHDRAWN"}
    assert [item.kind for item in await city.ops()] == ["approval-verification.withdrawn-after-sent"]


async def test_a_cancellation_that_is_refused_as_the_task_has_begun_ends_on_the_ops_list(city: City, hub: Office) -> None:
    await city.say(GRANTED, observed(approval_task()))
    await city.say(REVOKED)
    hub.connectors["enforcement"].replies[KEY] = [PermanentError("enforcement", "NOT_POSSIBLE", "the task is ACCEPTED")]
    await hub.worker.work_once("enforcement")
    assert (await city.lines())[KEY] == "STUCK"
    await city.say(observed(seen(TaskStatus.ACCEPTED)))
    assert (await city.lines())[KEY] == "WITHDRAWN"
    assert [item.kind for item in await city.ops()] == ["approval-revoked.not-cancelled"]
    await city.say(observed(seen(TaskStatus.DONE, 3)))
    assert len(await city.ops()) == 1


async def test_a_cancellation_of_unknown_outcome_of_a_task_that_has_begun_is_for_ops_once(city: City, hub: Office) -> None:
    await city.say(GRANTED, observed(approval_task()))
    await city.say(REVOKED)
    hub.connectors["enforcement"].replies[KEY] = [UnknownOutcome("enforcement", "TIMEOUT", "no answer", START)]
    await hub.worker.work_once("enforcement")
    await city.say(observed(seen(TaskStatus.IN_PROGRESS)))
    assert (await city.lines())[KEY] == "WITHDRAWN"
    assert [item.kind for item in await city.ops()] == ["approval-revoked.withdrawn-after-sent"]
    await city.say(observed(seen(TaskStatus.DONE, 3)))
    assert len(await city.ops()) == 1


async def test_somebody_else_who_cancels_it_first_closes_ours(city: City, hub: Office) -> None:
    await city.say(GRANTED, observed(approval_task()))
    await city.say(REVOKED)
    await city.say(observed(seen(TaskStatus.CANCELLED)))
    assert (await city.lines())[KEY] == "CLOSED"
    assert await hub.worker.work_once("enforcement") == 0
    assert await city.ops() == []


@pytest.mark.parametrize(
    ("sent", "state", "kind"), [(False, "WITHDRAWN", []), (True, "SENT", ["approval-revoked.withdrawn-after-sent"])]
)
async def test_an_approval_that_is_granted_after_all(city: City, sent: bool, state: str, kind: list[str]) -> None:
    await city.say(GRANTED, observed(approval_task()))
    await city.say(REVOKED)
    if sent:
        await city.accept(KEY)
    await city.say(observed(approval(version=3)))
    assert (await city.lines())[KEY] == state
    assert [item.kind for item in await city.ops()] == kind


async def test_a_check_that_was_made_by_hand_is_for_ops(city: City) -> None:
    await city.say(GRANTED)
    await city.put(APPROVAL_KEY, state=ObligationState.SETTLED)
    await city.say(REVOKED)
    assert await city.lines() == {APPROVAL_KEY: "SETTLED"}
    assert [item.kind for item in await city.ops()] == ["approval-revoked.not-cancelled"]


async def test_a_revocation_that_no_rule_was_asked_about_is_found_by_the_sweep(city: City) -> None:
    await city.say(GRANTED)
    await city.keep_silent(REVOKED, observed(approval_task()))
    await city.sweep.everything()
    assert await city.lines() == {APPROVAL_KEY: "CLOSED", KEY: "DUE"}


async def test_the_result_of_a_check_that_was_cancelled_already_is_a_repetition(city: City, hub: Office) -> None:
    await city.say(GRANTED, observed(approval_task()))
    await city.say(REVOKED)
    hub.connectors["enforcement"].replies[KEY] = [Receipt(reference=TASK_ID, repeated=True)]
    await hub.worker.work_once("enforcement")
    await city.say(observed(seen(TaskStatus.CANCELLED)))
    assert (await city.lines())[KEY] == "CLOSED"
