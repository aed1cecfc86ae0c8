"""How the ledger follows the mirror: every state of an obligation against every correction of its cause, on both databases."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.domain.errors import PolicyMissing
from hub.mirror import ledger as book_of_obligations
from hub.mirror.database import PostgreSQLDatabase
from hub.mirror.queries import Check
from hub.mirror.rows import Rows
from hub.reconcile.rule import Rulebook, Verdict
from hub.reconcile.rules.approval_verification import ApprovalVerification, Facts
from hub.reconcile.rules.breach_record import BreachRecord
from hub.reconcile.settle import settle
from schema.commands import CreateTask, PostCreditRecord
from schema.entities import ApprovalState, Conclusion, Obligation, ObligationState, TaskStatus, TaskType
from tests.builders import SHOP_CODE, approval, credit_profile, credit_record, inspection_item, observed, task, task_result
from tests.settable_clock import START, SettableClock
from tests.unit.reconcile.city import APPROVAL_KEY, APPROVAL_NO, BOOK, TASK_ID, City, approval_task, bad, done_check, observation

BREACH_KEY = "breach-record:F0001"
GRANTED = observed(approval())
REVOKED = observed(approval(version=2, state=ApprovalState.REVOKED))
REFUSED = observed(approval(version=2, state=ApprovalState.REFUSED))
SENT, CLOSED, DUE, WAITING = ObligationState.SENT, ObligationState.CLOSED, ObligationState.DUE, ObligationState.WAITING
STUCK, LEASED, WAIVED, SETTLED = ObligationState.STUCK, ObligationState.LEASED, ObligationState.WAIVED, ObligationState.SETTLED


def found(version: int = 1, points: str = "2.0", *, withdrawn: bool = False, **fields: Any) -> Check:
    """A random check that found a dirty kitchen, in one version or another."""
    of = task(
        type=TaskType.RANDOM, status=TaskStatus.DONE, origin_platform=None, origin_ref=None, external_no=None, version=version
    )
    findings = [] if withdrawn else [bad(points=Decimal(points), version=version, **fields)]
    conclusion = Conclusion.CONFORM if withdrawn else Conclusion.NONCONFORM
    return Check(of, [task_result(version=version, conclusion=conclusion)], findings)


async def breach(city: City, state: ObligationState = DUE, **columns: Any) -> None:
    """Let a breach of two points be found, and its record be as far as that."""
    await city.say(observation(found()))
    if state is not DUE or columns:
        sent = {"sent_at": START, "receipt": "CR0001"} if state in {SENT, CLOSED} else {}
        await city.put(BREACH_KEY, **{"state": state} | sent | columns)


async def points_of(city: City) -> Decimal:
    command = await city.command(BREACH_KEY)
    assert isinstance(command, PostCreditRecord)
    return command.points


# --- Owed, and not in the ledger -------------------------------------------------------------------------------------


async def test_what_is_owed_is_written_down_due_at_once(city: City) -> None:
    await city.say(GRANTED)
    one = (await city.ledger())[APPROVAL_KEY]
    assert (one.state, one.rule, one.cause, one.cause_version) == (DUE, "approval-verification", APPROVAL_NO, 1)
    assert (one.next_at, one.created_at, one.attempts, one.fence) == (START, START, 0, 0)
    assert one.policy_version == BOOK.policy.version
    assert isinstance(await city.command(APPROVAL_KEY), CreateTask)


async def test_what_the_platform_has_already_is_closed_from_the_beginning(city: City) -> None:
    await city.say(observed(approval_task()))
    await city.say(GRANTED)
    one = (await city.ledger())[APPROVAL_KEY]
    assert (one.state, one.receipt, one.closed_at, one.sent_at) == (CLOSED, TASK_ID, START, None)


async def test_what_something_is_missing_for_waits_and_names_it(city: City) -> None:
    await city.say(observation(done_check()))
    one = (await city.ledger())[f"breach-record:{APPROVAL_NO}"]
    assert (one.state, one.needs, one.payload) == (WAITING, f"approval {APPROVAL_NO} in the mirror", b"")


async def test_twice_equals_once(city: City, clock: SettableClock) -> None:
    await city.say(GRANTED, observation(found()), observation(done_check(version=2, task_id="T-DONE")))
    await breach(city, SENT)
    await city.say(observation(found(2, withdrawn=True)))
    before = await city.ledger(), await city.ops()
    clock.advance(60)
    await city.settle_all()
    await city.settle_all()
    assert (await city.ledger(), await city.ops()) == before


# --- Proven ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [WAITING, DUE, SENT, STUCK])
async def test_an_open_obligation_closes_when_its_proof_is_seen(city: City, state: ObligationState) -> None:
    await city.say(GRANTED)
    await city.put(APPROVAL_KEY, state=state, unknown_since=START, last_error="TIMEOUT", needs="something")
    await city.say(observed(approval_task()))
    one = (await city.ledger())[APPROVAL_KEY]
    assert (one.state, one.receipt, one.closed_at) == (CLOSED, TASK_ID, START)
    assert (one.unknown_since, one.last_error, one.needs) == (None, None, None)


@pytest.mark.parametrize("state", [LEASED, WAIVED, SETTLED, ObligationState.WITHDRAWN])
async def test_what_is_not_open_is_not_closed(city: City, state: ObligationState) -> None:
    await city.say(GRANTED)
    await city.put(APPROVAL_KEY, state=state)
    if state is ObligationState.WITHDRAWN:
        await city.say(REFUSED)
    await city.say(observed(approval_task()))
    assert await city.lines() == {APPROVAL_KEY: state.value}


# --- Owed no longer --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [WAITING, DUE, STUCK])
async def test_what_has_not_been_sent_is_withdrawn(city: City, state: ObligationState) -> None:
    await breach(city, state)
    await city.say(observation(found(2, withdrawn=True)))
    one = (await city.ledger())[BREACH_KEY]
    assert (one.state, one.reason) == (ObligationState.WITHDRAWN, "its cause was corrected before it was sent")
    assert await city.ops() == []


@pytest.mark.parametrize("state", [SENT, CLOSED, SETTLED])
async def test_what_has_been_sent_is_for_ops_with_both_versions(city: City, state: ObligationState) -> None:
    await breach(city, state)
    await city.say(observation(found(2, withdrawn=True)))
    (item,) = await city.ops()
    assert (item.kind, item.cause, item.opened_at) == ("breach-record.withdrawn-after-sent", BREACH_KEY, START)
    assert '"points":"2.0"' in (item.before or "")
    assert '"conclusion":"CONFORM"' in (item.after or "")
    assert "settle it there by hand" in item.message
    one = (await city.ledger())[BREACH_KEY]
    assert one.state is state
    assert one.reason == "corrected after it was sent; owed now: nothing"


async def test_what_may_have_been_sent_is_not_made_any_more_and_is_for_ops_to_look_up(city: City) -> None:
    await breach(city, DUE, unknown_since=START)
    await city.say(observation(found(2, withdrawn=True)))
    assert await city.lines() == {BREACH_KEY: "WITHDRAWN"}
    (item,) = await city.ops()
    assert "may have been sent to credit" in item.message


async def test_an_obligation_under_call_is_left_alone_until_the_call_has_ended(city: City) -> None:
    await breach(city, LEASED)
    await city.say(observation(found(2, withdrawn=True)))
    assert (await city.ledger())[BREACH_KEY].cause_version == 1
    await city.accept(BREACH_KEY)
    await city.settle_all()
    assert [item.kind for item in await city.ops()] == ["breach-record.withdrawn-after-sent"]


async def test_a_waived_obligation_whose_cause_is_gone_cannot_be_taken_back(city: City) -> None:
    await breach(city, WAIVED, reason="double", decided_by="lou")
    await city.say(observation(found(2, withdrawn=True)))
    one = (await city.ledger())[BREACH_KEY]
    assert (one.state, one.decided_by) == (ObligationState.WITHDRAWN, "lou")
    assert one.reason == "double; then its cause was corrected before it was sent"


async def test_what_is_owed_again_after_it_was_withdrawn_is_due_again(city: City, clock: SettableClock) -> None:
    await breach(city)
    await city.say(observation(found(2, withdrawn=True)))
    clock.advance(60)
    await city.say(observation(found(3, "4.0")))
    one = (await city.ledger())[BREACH_KEY]
    assert (one.state, one.next_at, one.reason) == (DUE, clock(), None)
    assert await points_of(city) == Decimal("4.0")


async def test_what_may_have_been_sent_and_is_owed_otherwise_after_its_withdrawal_is_made_certain_and_told(
    city: City, clock: SettableClock
) -> None:
    await breach(city, DUE, unknown_since=START)
    await city.say(observation(found(2, withdrawn=True)))
    clock.advance(60)
    await city.say(observation(found(3, "4.0")))
    one = (await city.ledger())[BREACH_KEY]
    assert (one.state, one.next_at, one.unknown_since) == (DUE, clock(), START)
    assert await points_of(city) == Decimal("2.0")
    assert [item.kind for item in await city.ops()] == ["breach-record.changed-after-sent", "breach-record.withdrawn-after-sent"]


async def test_what_may_have_been_sent_and_is_owed_as_before_after_its_withdrawal_is_made_certain(city: City) -> None:
    await breach(city, DUE, unknown_since=START)
    await city.say(observation(found(2, withdrawn=True)))
    await city.say(observation(found(3)))
    one = (await city.ledger())[BREACH_KEY]
    assert (one.state, one.reason, one.unknown_since) == (DUE, None, START)
    assert [item.kind for item in await city.ops()] == ["breach-record.withdrawn-after-sent"]


async def test_a_withdrawal_is_told_once_and_once_more_when_it_happens_again(city: City) -> None:
    await breach(city, CLOSED)
    for version, withdrawn in ((2, True), (3, True), (4, False), (5, True), (6, True)):
        await city.say(observation(found(version, withdrawn=withdrawn)))
        expected = 1 if version < 5 else 2
        assert len(await city.ops()) == expected, version


async def test_a_revoked_approval_cancels_the_task_that_was_not_made(city: City) -> None:
    await city.say(GRANTED)
    await city.say(REVOKED)
    assert await city.lines() == {APPROVAL_KEY: "WITHDRAWN"}


async def test_an_approval_that_was_refused_after_all_when_its_task_was_made_is_for_ops(city: City) -> None:
    await city.say(GRANTED, observed(approval_task()))
    await city.say(REFUSED)
    assert await city.lines() == {APPROVAL_KEY: "CLOSED"}
    assert [item.kind for item in await city.ops()] == ["approval-verification.withdrawn-after-sent"]


async def test_proof_and_refusal_in_one_go_close_it_and_tell_ops(city: City) -> None:
    await city.say(GRANTED)
    await city.accept(APPROVAL_KEY)
    await city.say(REFUSED, observed(approval_task()))
    assert await city.lines() == {APPROVAL_KEY: "CLOSED"}
    assert [item.kind for item in await city.ops()] == ["approval-verification.withdrawn-after-sent"]


# --- Owed otherwise --------------------------------------------------------------------------------------------------


async def test_changed_points_are_adjusted_while_unsent(city: City) -> None:
    await breach(city)
    await city.say(observation(found(2, "3.5")))
    assert await points_of(city) == Decimal("3.5")
    assert await city.lines() == {BREACH_KEY: "DUE"}
    assert await city.ops() == []


@pytest.mark.parametrize("state", [SENT, CLOSED, SETTLED])
async def test_changed_points_are_for_ops_once_sent(city: City, state: ObligationState) -> None:
    await breach(city, state)
    await city.say(observation(found(2, "3.5")))
    (item,) = await city.ops()
    assert item.kind == "breach-record.changed-after-sent"
    assert ('"points":"2.0"' in (item.before or ""), '"points":"3.5"' in (item.after or "")) == (True, True)
    assert "2.0 points" in item.message
    assert "3.5 points" in item.message
    assert await points_of(city) == Decimal("2.0")
    assert (await city.ledger())[BREACH_KEY].state is state


async def test_changed_points_are_for_ops_when_they_may_have_been_sent(city: City) -> None:
    await breach(city, DUE, unknown_since=START)
    await city.say(observation(found(2, "3.5")))
    assert await points_of(city) == Decimal("2.0")
    assert await city.lines() == {BREACH_KEY: "DUE"}
    assert "may have been sent" in (await city.ops())[0].message


async def test_points_that_came_back_are_told_no_more_and_another_change_is(city: City) -> None:
    await breach(city, CLOSED)
    for version, points, told in ((2, "3.5", 1), (3, "3.5", 1), (4, "2.0", 1), (5, "3.5", 2), (6, "4.0", 3)):
        await city.say(observation(found(version, points)))
        assert len(await city.ops()) == told, version
    assert (await city.ledger())[BREACH_KEY].reason == (
        f"corrected after it was sent; owed now: REGULATORY_POINTS WH-001, 4.0 points, for {task_result().subject_code}"
    )


async def test_what_was_settled_by_hand_keeps_its_reason_beside_the_correction(city: City) -> None:
    await breach(city, SETTLED, reason="by telephone")
    await city.say(observation(found(2, withdrawn=True)))
    assert (await city.ledger())[BREACH_KEY].reason == "by telephone; corrected after it was sent; owed now: nothing"
    await city.say(observation(found(3)))
    assert (await city.ledger())[BREACH_KEY].reason == "by telephone"


async def test_a_correction_measured_by_policy_is_told_once_however_often_it_is_looked_at(city: City) -> None:
    await breach(city, CLOSED)
    nameless = found(2)
    await city.say(observation(nameless._replace(findings=[bad(version=2, points=None)])))  # policy: 6 points
    for _ in range(3):
        assert "6.0 points" in ((await city.ledger())[BREACH_KEY].reason or "")
        assert len(await city.ops()) == 1
        await city.settle_all()


async def test_a_change_of_no_weight_is_not_told(city: City) -> None:
    await breach(city, CLOSED)
    await city.say(observation(found(2, note="look again")))
    one = (await city.ledger())[BREACH_KEY]
    assert (one.cause_version, one.reason, await city.ops()) == (2, None, [])


async def test_what_was_refused_is_tried_again_once_it_is_another_command(city: City, clock: SettableClock) -> None:
    await breach(city, STUCK, tries=4, last_error="HTTP_422")
    clock.advance(60)
    await city.say(observation(found(2)))
    assert await city.lines() == {BREACH_KEY: "STUCK"}
    await city.say(observation(found(3, "3.5")))
    one = (await city.ledger())[BREACH_KEY]
    assert (one.state, one.next_at, one.tries) == (DUE, clock(), 0)
    assert await points_of(city) == Decimal("3.5")


async def test_a_waived_obligation_is_kept_right_for_the_day_it_is_taken_back(city: City) -> None:
    await breach(city, WAIVED, reason="double")
    await city.say(observation(found(2, "3.5")))
    one = (await city.ledger())[BREACH_KEY]
    assert (one.state, one.reason) == (WAIVED, "double")
    assert await points_of(city) == Decimal("3.5")


async def test_a_due_obligation_waits_again_when_something_it_needs_is_gone(city: City) -> None:
    await breach(city)
    unknown = found(2)
    await city.say(observation(unknown._replace(findings=[bad(version=2, item_code="WH-900", severity=None, points=None)])))
    assert await city.lines() == {BREACH_KEY: "WAITING"}


# --- Waiting, and released -------------------------------------------------------------------------------------------


async def test_an_approval_that_comes_after_its_check_releases_what_waits_for_it(city: City) -> None:
    await city.say(observation(done_check()))
    await city.say(GRANTED)
    assert await city.lines() == {
        APPROVAL_KEY: "CLOSED",
        f"breach-record:{APPROVAL_NO}": "DUE",
        f"commitment-blacklist:{APPROVAL_NO}": "DUE",
        f"key-supervision:{SHOP_CODE}:{APPROVAL_NO}": "DUE",
        f"verification-result:{TASK_ID}:1": "DUE",
    }


async def test_an_old_code_from_the_credit_platform_releases_a_record(city: City) -> None:
    old = approval(subject_code=None, old_number="330782000012345")
    nameless = Check(approval_task(status=TaskStatus.DONE), [task_result(subject_code=None)], [])
    await city.say(observed(old), observation(nameless))
    assert (await city.lines())[f"breach-record:{APPROVAL_NO}"] == "WAITING"
    assert [item.kind for item in await city.ops()] == ["unresolved-old-number"]
    await city.say(observed(credit_profile(old_codes=("330782000012345",))))
    assert (await city.lines())[f"breach-record:{APPROVAL_NO}"] == "DUE"


async def test_an_item_that_the_platform_publishes_releases_a_record(city: City) -> None:
    await city.say(observation(found()._replace(findings=[bad(item_code="WH-900", severity=None, points=None)])))
    assert await city.lines() == {BREACH_KEY: "WAITING"}
    await city.say(observed(inspection_item(item_code="WH-900", points=Decimal("1.5"))))
    assert await city.lines() == {BREACH_KEY: "DUE"}
    assert await points_of(city) == Decimal("1.5")


async def test_the_record_on_the_platform_closes_its_obligation(city: City) -> None:
    await breach(city, SENT)
    number = BreachRecord().number(BREACH_KEY)
    await city.say(observed(credit_record(biz_no=number, evidence_ref=TASK_ID, evidence_finding="F0001")))
    assert (await city.lines())[BREACH_KEY] == "CLOSED"


async def test_the_record_of_a_finding_that_is_gone_closes_its_obligation_too(city: City) -> None:
    await breach(city, SENT)
    await city.say(observation(found(2, withdrawn=True)))
    number = BreachRecord().number(BREACH_KEY)
    await city.say(observed(credit_record(biz_no=number, evidence_ref=TASK_ID, evidence_finding="F0001")))
    assert (await city.lines())[BREACH_KEY] == "CLOSED"


# --- What cannot be decided, and what happens at the same time -------------------------------------------------------


class Undecided(ApprovalVerification):
    """A rule that finds no policy for one approval."""

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        if facts.approval.approval_no == "YW-BAD":
            raise PolicyMissing("no deadline; add its table to deadlines.toml")
        return super().derive(facts, ledger, book, now)


async def test_a_cause_that_policy_cannot_decide_goes_to_the_ops_list_and_its_neighbours_go_on(city: City) -> None:
    city.derivation.rules = (Undecided(),)
    await city.say(observed(approval(approval_no="YW-BAD")), GRANTED)
    assert await city.lines() == {APPROVAL_KEY: "DUE"}
    (item,) = await city.ops()
    assert (item.kind, item.cause) == ("approval-verification.undecided", "YW-BAD")
    assert "deadlines.toml" in item.message


async def test_nobody_claims_what_is_being_judged(
    postgresql_database: PostgreSQLDatabase, rows: Rows, clock: SettableClock
) -> None:
    city = City(postgresql_database, rows, clock)
    await breach(city)
    lease = timedelta(seconds=90)
    async with postgresql_database.engine.begin() as judging:
        await judging.run_sync(settle, rows, BreachRecord(), [TASK_ID], BOOK, START)  # finds it right, and changes nothing
        assert await postgresql_database.write(book_of_obligations.claim, rows, "credit", 10, START, lease) == []
    (claimed,) = await postgresql_database.write(book_of_obligations.claim, rows, "credit", 10, START, lease)
    assert claimed.key == BREACH_KEY
