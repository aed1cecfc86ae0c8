"""What operators may do, in which state, and what is left of it in ledger and audit; on both databases."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import pytest

from connectors.errors import PermanentError
from hub.mirror.ops_list import Trouble, open_items
from hub.reconcile import operations
from schema.entities import ApprovalState, ObligationState
from schema.operations import Outcome
from schema.user_errors import ReasonMissing, UnknownObligation, UnknownOpsItem, UserError, WrongState
from tests.builders import approval, observed
from tests.settable_clock import START
from tests.unit.reconcile.city import APPROVAL_KEY, APPROVAL_NO, City, approval_task, done_check, observation
from tests.unit.reconcile.worker_side import Office

Decide = Callable[[City], Awaitable[Outcome]]
OPEN_TO_DECISION = {ObligationState.WAITING, ObligationState.DUE, ObligationState.SENT, ObligationState.STUCK}


async def granted(city: City, state: ObligationState = ObligationState.DUE, **columns: object) -> None:
    await city.say(observed(approval()))
    await city.put(APPROVAL_KEY, state=state, **columns)


async def retry(city: City, *keys: str, reason: str | None = None) -> Outcome:
    return await city.database.write(operations.retry, city.derivation, keys, reason, "lou", city.clock())


async def waive(city: City, key: str = APPROVAL_KEY, reason: str = "made by telephone") -> Outcome:
    return await city.database.write(operations.waive, city.rows, key, reason, "lou", city.clock())


async def settle_by_hand(city: City, key: str = APPROVAL_KEY, reason: str = "done in the office") -> Outcome:
    return await city.database.write(operations.settle_by_hand, city.rows, key, reason, "lou", city.clock())


async def resolve(city: City, item_id: str, resolution: str = "called the town") -> Outcome:
    return await city.database.write(operations.resolve_ops_item, city.rows, item_id, resolution, "lou", city.clock())


def refusals(outcome: Outcome) -> Sequence[type[UserError]]:
    assert outcome.done == ()
    return [type(each) for each in outcome.refused]


async def audit(city: City) -> list[tuple[str, str, str, str | None, str | None]]:
    return [(one.action, one.actor, one.target, one.reason, one.outcome) for one in await city.audited()]


# --- Retry -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [ObligationState.STUCK, ObligationState.WAIVED, ObligationState.SETTLED])
async def test_what_is_stuck_waived_or_settled_becomes_due_again_now(city: City, state: ObligationState) -> None:
    await granted(city, state, tries=5, reason="why", decided_by="chen", decided_at=START, next_at=START + timedelta(days=1))
    city.clock.advance(60)
    assert await retry(city, APPROVAL_KEY, reason="the department exists now") == Outcome(done=(APPROVAL_KEY,))
    one = (await city.ledger())[APPROVAL_KEY]
    assert (one.state, one.next_at, one.tries, one.reason, one.decided_by, one.decided_at) == (
        ObligationState.DUE,
        city.clock(),
        0,
        None,
        None,
        None,
    )
    assert await audit(city) == [("retryObligations", "lou", APPROVAL_KEY, "the department exists now", f"{state.value} -> DUE")]


async def test_a_retry_that_is_asked_twice_is_done_once(city: City) -> None:
    await granted(city, ObligationState.STUCK)
    for _ in range(2):
        assert await retry(city, APPROVAL_KEY) == Outcome(done=(APPROVAL_KEY,))
    assert len(await audit(city)) == 1


async def test_what_goes_on_by_itself_or_is_over_cannot_be_retried(city: City) -> None:
    await granted(city)
    for state in (ObligationState.WAITING, ObligationState.SENT, ObligationState.CLOSED, ObligationState.WITHDRAWN):
        await city.put(APPROVAL_KEY, state=state, needs="approval YW9 in the mirror")
        (error,) = (await retry(city, APPROVAL_KEY)).refused
        assert isinstance(error, WrongState)
        assert (error.state, error.allowed, error.path) == (state.value, ["STUCK", "WAIVED", "SETTLED"], ["keys", "0"])
        assert ("approval YW9 in the mirror" in error.message) == (state is ObligationState.WAITING)
        assert await city.lines() == {APPROVAL_KEY: state.value}


async def test_each_key_is_done_or_refused_for_itself(city: City) -> None:
    await granted(city, ObligationState.STUCK)
    outcome = await retry(city, "nonsense", APPROVAL_KEY)
    assert outcome.done == (APPROVAL_KEY,)
    (error,) = outcome.refused
    assert isinstance(error, UnknownObligation)
    assert (error.key, error.path) == ("nonsense", ["keys", "0"])
    assert "nonsense" in error.message


async def test_what_had_been_sent_is_looked_up_when_it_is_taken_back(city: City) -> None:
    await granted(city, ObligationState.SETTLED, sent_at=START)
    await retry(city, APPROVAL_KEY)
    assert (await city.ledger())[APPROVAL_KEY].unknown_since == START


@pytest.mark.parametrize("decide", [waive, settle_by_hand])
async def test_what_was_corrected_meanwhile_is_taken_back_as_it_is_owed_now(city: City, decide: Decide) -> None:
    """A settled obligation keeps its command, for nobody knows what was done by hand; taken back unsent, it follows its cause."""
    await city.say(observed(approval()))
    await decide(city)
    await city.say(observed(approval(version=2, matter_name="another name")))
    before = (await city.ledger())[APPROVAL_KEY].payload
    await retry(city, APPROVAL_KEY)
    one = (await city.ledger())[APPROVAL_KEY]
    assert (one.state, b"another name" in one.payload, before != one.payload) == (
        ObligationState.DUE,
        True,
        decide is settle_by_hand,
    )


async def test_what_is_not_owed_any_more_is_not_sent_when_it_is_taken_back(city: City) -> None:
    await city.say(observed(approval()))
    await settle_by_hand(city)
    await city.say(observed(approval(version=2, state=ApprovalState.REVOKED)))
    assert await city.lines() == {APPROVAL_KEY: "SETTLED"}
    await retry(city, APPROVAL_KEY)
    assert (await city.lines())[APPROVAL_KEY] == "WITHDRAWN"


async def test_what_waited_for_something_waits_again_when_it_is_taken_back(city: City) -> None:
    key = f"breach-record:{APPROVAL_NO}"
    await city.say(observation(done_check()))
    assert (await city.lines())[key] == "WAITING"
    await waive(city, key)
    await retry(city, key)
    assert (await city.lines())[key] == "WAITING"


async def test_a_refusal_is_cured_retried_and_closed(city: City) -> None:
    hub = Office(city.database, city.rows, city.clock, city.derivation)
    await city.say(observed(approval()))
    hub.connectors["enforcement"].replies[APPROVAL_KEY] = [PermanentError("enforcement", "HTTP_400", "unknown department")]
    await hub.worker.work_once("enforcement")
    await retry(city, APPROVAL_KEY)
    await hub.worker.work_once("enforcement")
    await city.say(observed(approval_task()))
    assert await city.lines() == {APPROVAL_KEY: "CLOSED"}


# --- Waive, settle by hand -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("decide", "decided"), [(waive, ObligationState.WAIVED), (settle_by_hand, ObligationState.SETTLED)])
async def test_only_what_is_open_and_not_under_call_can_be_decided(city: City, decide: Decide, decided: ObligationState) -> None:
    await granted(city)
    for state in ObligationState:
        await city.put(APPROVAL_KEY, state=state)
        outcome = await decide(city)
        if state in OPEN_TO_DECISION or state is decided:
            assert outcome == Outcome(done=(APPROVAL_KEY,))
            assert await city.lines() == {APPROVAL_KEY: decided.value}
        else:
            assert refusals(outcome) == [WrongState]
            assert await city.lines() == {APPROVAL_KEY: state.value}


async def test_who_decided_and_why_stands_in_ledger_and_audit(city: City) -> None:
    await granted(city, ObligationState.STUCK)
    await waive(city)
    one = (await city.ledger())[APPROVAL_KEY]
    assert (one.decided_by, one.decided_at, one.reason) == ("lou", city.clock(), "made by telephone")
    await waive(city, reason="asked twice")
    assert (await city.ledger())[APPROVAL_KEY].reason == "made by telephone"
    assert await audit(city) == [("waiveObligation", "lou", APPROVAL_KEY, "made by telephone", "STUCK -> WAIVED")]


async def test_a_decision_without_a_reason_is_refused(city: City) -> None:
    await granted(city)
    assert refusals(await waive(city, reason=" \n")) == [ReasonMissing]
    assert refusals(await settle_by_hand(city, reason="")) == [ReasonMissing]
    assert await city.lines() == {APPROVAL_KEY: "DUE"}


async def test_a_decision_on_nothing_is_refused(city: City) -> None:
    assert refusals(await waive(city)) == [UnknownObligation]
    assert refusals(await settle_by_hand(city)) == [UnknownObligation]


async def test_what_was_waived_stays_waived_whatever_the_mirror_says(city: City) -> None:
    await granted(city)
    await waive(city)
    await city.say(observed(approval(version=2)), observed(approval_task()))
    await city.sweep.everything()
    assert await city.lines() == {APPROVAL_KEY: "WAIVED"}


async def test_a_waived_obligation_lets_its_chain_go_on(city: City) -> None:
    hub = Office(city.database, city.rows, city.clock, city.derivation)
    await granted(city, chain="c", sequence=1, state=ObligationState.STUCK)
    await city.say(observed(approval(approval_no="YW2")))
    await city.put("approval-verification:YW2", chain="c", sequence=2)
    assert await hub.worker.work_once("enforcement") == 0
    await waive(city)
    assert await hub.worker.work_once("enforcement") == 1


async def test_ops_is_not_told_once_more_of_a_correction_after_settling_it(city: City) -> None:
    await granted(city, ObligationState.SENT, sent_at=START)
    await city.say(observed(approval(version=2, state=ApprovalState.REFUSED)))
    assert len(await city.ops()) == 1
    await settle_by_hand(city)
    city.clock.advance(60)
    await city.settle_all()
    assert len(await city.ops()) == 1
    assert ((await city.ledger())[APPROVAL_KEY].reason or "").startswith("done in the office; corrected after it was sent")


# --- The ops list ----------------------------------------------------------------------------------------------------


async def test_an_item_is_resolved_by_someone_and_for_a_reason(city: City) -> None:
    trouble = Trouble(kind="unreachable", cause="T1", message="nobody reached")
    await city.database.write(open_items, city.rows, [trouble], START)
    city.clock.advance(60)
    assert await resolve(city, trouble.item_id) == Outcome(done=(trouble.item_id,))
    (item,) = await city.ops()
    assert (item.resolved_at, item.resolved_by, item.resolution) == (city.clock(), "lou", "called the town")
    assert await audit(city) == [("resolveOpsItem", "lou", trouble.item_id, "called the town", "resolved")]


async def test_an_item_that_is_resolved_already_stays_as_it_was_resolved(city: City) -> None:
    trouble = Trouble(kind="unreachable", cause="T1", message="nobody reached")
    await city.database.write(open_items, city.rows, [trouble], START)
    await resolve(city, trouble.item_id)
    assert await resolve(city, trouble.item_id, "something else") == Outcome(done=(trouble.item_id,))
    assert (await city.ops())[0].resolution == "called the town"
    assert len(await audit(city)) == 1


async def test_an_item_that_does_not_exist_or_gets_no_resolution_is_refused(city: City) -> None:
    trouble = Trouble(kind="unreachable", cause="T1", message="nobody reached")
    await city.database.write(open_items, city.rows, [trouble], START)
    assert refusals(await resolve(city, "nonsense")) == [UnknownOpsItem]
    assert refusals(await resolve(city, trouble.item_id, " ")) == [ReasonMissing]
    assert (await city.ops())[0].resolved_at is None
