"""The worker: claim, call, complete; what fails, what hangs, what is lost, and what that does to everything else."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select
from structlog.typing import EventDict

from connectors.base import Receipt
from connectors.errors import PermanentError, PlatformDown, TransientError, UnknownOutcome
from connectors.lease import may_send
from hub.mirror import ledger
from hub.mirror.database import DatabaseUnavailable, PostgreSQLDatabase
from hub.mirror.queries import Check
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from hub.reconcile.rules.approval_verification import ApprovalVerification, Facts
from hub.reconcile.rules.grid_dispatch import GridDispatch
from schema.entities import ApprovalState, AttemptOutcome, Conclusion, ObligationState, TaskStatus, TaskType
from tests.builders import approval, exchange, observed, task, task_result
from tests.servers import someone_waits
from tests.settable_clock import START, SettableClock
from tests.unit.reconcile.city import APPROVAL_KEY, EVENT_NO, City, approval_task, bad, event_task, observation, road_event
from tests.unit.reconcile.worker_side import Attempts, Ensured, Office, Unreliable

BREACH_KEY = "breach-record:F0001"
FOUND = Check(
    task(task_id="T-RANDOM", type=TaskType.RANDOM, status=TaskStatus.DONE, origin_platform=None, origin_ref=None, external_no=None),
    [task_result(task_id="T-RANDOM", result_id="T-RANDOM/0")],
    [bad(task_id="T-RANDOM", result_id="T-RANDOM/0")],
)
GRANTED = observed(approval())


@pytest.fixture
def hub(city: City) -> Office:
    return Office(city.database, city.rows, city.clock, city.derivation)


@pytest.fixture
def attempts(city: City) -> Attempts:
    return Attempts(city.database, city.rows)


def enforcement_error(kind: type[TransientError], code: str, retry_after: float | None = None) -> TransientError:
    return kind("enforcement", code, "it did not work", retry_after)


# --- What the platform says ------------------------------------------------------------------------------------------


async def test_an_accepted_call_is_only_sent_and_closes_when_the_mirror_shows_it(
    city: City, hub: Office, attempts: Attempts
) -> None:
    await city.say(GRANTED)
    assert await hub.worker.work_once("enforcement") == 1
    one = (await city.ledger())[APPROVAL_KEY]
    assert (one.state.value, one.receipt, one.sent_at, one.attempts) == ("SENT", "enforcement-1", START, 1)
    assert (one.lease_until, one.tries, one.last_error) == (None, 0, None)
    assert await attempts() == [(f"{APPROVAL_KEY}#1", "ACCEPTED", None)]
    assert await hub.worker.work_once("enforcement") == 0
    await city.say(observed(approval_task()))
    assert await city.lines() == {APPROVAL_KEY: "CLOSED"}


async def test_what_an_answer_shows_reaches_the_mirror_behind_the_completion(city: City, hub: Office) -> None:
    await city.say(GRANTED)
    shown = observed(approval_task())
    hub.connectors["enforcement"].replies[APPROVAL_KEY] = [Receipt(reference="T1", shows=(shown,))]
    await hub.worker.work_once("enforcement")
    assert hub.shown == [("enforcement", "answer", shown)]
    assert await city.lines() == {APPROVAL_KEY: "SENT"}


async def test_what_cannot_be_mirrored_leaves_the_obligation_sent_and_the_worker_working(city: City, hub: Office) -> None:
    """It is then not seen in time, and looked up again."""
    await city.say(GRANTED)
    for trouble in (DatabaseUnavailable("gone for a while"), ValueError("cannot be applied")):
        hub.mirror_fails = trouble
        hub.connectors["enforcement"].replies[APPROVAL_KEY] = [Receipt(reference="T1", shows=(observed(approval_task()),))]
        await city.put(APPROVAL_KEY, state=ObligationState.DUE, next_at=START)
        assert await hub.worker.work_once("enforcement") == 1
        assert await city.lines() == {APPROVAL_KEY: "SENT"}


async def test_an_answer_that_is_its_own_proof_closes_at_once(city: City, hub: Office) -> None:
    await city.say(observed(road_event()), observed(event_task()))
    hub.connectors["grid"].replies[f"grid-dispatch:{EVENT_NO}:1/2"] = [Receipt(reference=EVENT_NO, repeated=True, proof=True)]
    await hub.worker.work_once("grid")
    one = (await city.ledger())[f"grid-dispatch:{EVENT_NO}:1/2"]
    assert (one.state.value, one.closed_at) == ("CLOSED", START)


async def test_what_the_mirror_showed_before_the_answer_came_closes_with_the_answer(city: City, hub: Office) -> None:
    await city.say(GRANTED)
    async with hub.held_call("enforcement", APPROVAL_KEY):
        await city.say(observed(approval_task()))
        assert await city.lines() == {APPROVAL_KEY: "LEASED"}
    assert await city.lines() == {APPROVAL_KEY: "CLOSED"}


async def test_a_failure_that_may_heal_is_tried_again_later_and_later(city: City, hub: Office, attempts: Attempts) -> None:
    await city.say(GRANTED)
    failures = [enforcement_error(TransientError, "UNREACHABLE") for _ in range(3)]
    hub.connectors["enforcement"].replies[APPROVAL_KEY] = [*failures]
    waits = []
    for _ in range(3):
        await hub.worker.work_once("enforcement")
        one = (await city.ledger())[APPROVAL_KEY]
        waits.append((one.next_at - city.clock()).total_seconds())
        assert (one.state.value, one.last_error) == ("DUE", "UNREACHABLE: enforcement: it did not work")
        assert await hub.worker.work_once("enforcement") == 0  # not before its time
        city.clock.set(one.next_at)
    assert 0.5 <= waits[0] <= 1 < waits[1] * 1.0001 <= 2.001
    assert 2 <= waits[2] <= 4
    await hub.worker.work_once("enforcement")
    one = (await city.ledger())[APPROVAL_KEY]
    assert (one.state.value, one.attempts, one.tries, one.last_error) == ("SENT", 4, 0, None)
    assert [outcome for _, outcome, _ in await attempts()] == ["FAILED"] * 3 + ["ACCEPTED"]


async def test_it_waits_no_less_than_the_platform_asks(city: City, hub: Office) -> None:
    await city.say(GRANTED)
    hub.connectors["enforcement"].replies[APPROVAL_KEY] = [enforcement_error(TransientError, "RATE_LIMITED", 1800.0)]
    await hub.worker.work_once("enforcement")
    wait = (await city.ledger())[APPROVAL_KEY].next_at - START
    assert timedelta(seconds=1800) <= wait <= timedelta(seconds=1801)


async def test_a_wait_without_end_is_cut_to_a_day(city: City, hub: Office) -> None:
    await city.say(GRANTED)
    hub.connectors["enforcement"].replies[APPROVAL_KEY] = [enforcement_error(TransientError, "HTTP_503", 1e15)]
    await hub.worker.work_once("enforcement")
    assert (await city.ledger())[APPROVAL_KEY].next_at - START <= timedelta(days=1, seconds=1)


async def test_a_refusal_is_stuck_until_a_person_looks(city: City, hub: Office, attempts: Attempts) -> None:
    await city.say(GRANTED)
    hub.connectors["enforcement"].replies[APPROVAL_KEY] = [PermanentError("enforcement", "HTTP_400", "unknown department 'WH'")]
    await hub.worker.work_once("enforcement")
    one = (await city.ledger())[APPROVAL_KEY]
    assert (one.state.value, one.last_error) == ("STUCK", "HTTP_400: enforcement: unknown department 'WH'")
    assert await attempts() == [(f"{APPROVAL_KEY}#1", "REFUSED", "HTTP_400: enforcement: unknown department 'WH'")]
    city.clock.advance(1e6)
    assert await hub.worker.work_once("enforcement") == 0


async def test_personal_numbers_in_an_error_are_masked(city: City, hub: Office) -> None:
    await city.say(GRANTED)
    refusal = PermanentError("enforcement", "HTTP_400", "no such person 33078219850412031X, call 13905790001")
    hub.connectors["enforcement"].replies[APPROVAL_KEY] = [refusal]
    await hub.worker.work_once("enforcement")
    error = (await city.ledger())[APPROVAL_KEY].last_error or ""
    assert "33078219850412031X" not in error
    assert "13905790001" not in error


async def test_a_call_without_known_outcome_is_looked_up_from_then_on(city: City, hub: Office, attempts: Attempts) -> None:
    await city.say(GRANTED)
    first, second = START + timedelta(seconds=1), START + timedelta(seconds=50)
    hub.connectors["enforcement"].replies[APPROVAL_KEY] = [
        UnknownOutcome("enforcement", "TIMEOUT", "no answer", first, 34.0),
        enforcement_error(TransientError, "UNREACHABLE"),
        UnknownOutcome("enforcement", "TIMEOUT", "no answer", second, 34.0),
        Receipt(reference="T1", repeated=True),
    ]
    for _ in range(4):
        await hub.worker.work_once("enforcement")
        city.clock.advance(60)
    assert [call.unknown_since for call in hub.connectors["enforcement"].ensured] == [None, first, first, second]
    one = (await city.ledger())[APPROVAL_KEY]
    assert (one.state.value, one.receipt, one.unknown_since) == ("SENT", "T1", None)
    assert [(outcome, detail) for _, outcome, detail in await attempts()] == [
        ("UNKNOWN", "TIMEOUT: enforcement: no answer"),
        ("FAILED", "UNREACHABLE: enforcement: it did not work"),
        ("UNKNOWN", "TIMEOUT: enforcement: no answer"),
        ("ACCEPTED", "it was there already"),
    ]


async def test_what_was_accepted_and_never_seen_is_looked_up_and_sent_again(city: City, hub: Office) -> None:
    await city.say(GRANTED)
    await hub.worker.work_once("enforcement")
    city.clock.advance(119)
    await hub.worker.rescue()
    assert await city.lines() == {APPROVAL_KEY: "SENT"}
    city.clock.advance(1)
    await hub.worker.rescue()
    assert await city.lines() == {APPROVAL_KEY: "DUE"}
    await hub.worker.work_once("enforcement")
    assert [call.unknown_since for call in hub.connectors["enforcement"].ensured] == [None, START]
    assert await city.lines() == {APPROVAL_KEY: "SENT"}


# --- What one obligation's trouble does to the others ----------------------------------------------------------------


async def test_an_unexpected_exception_is_counted_and_the_others_go_on(
    city: City, hub: Office, attempts: Attempts, logged: list[EventDict]
) -> None:
    await city.say(GRANTED, observed(approval(approval_no="YW2")))
    hub.connectors["enforcement"].replies[APPROVAL_KEY] = [ZeroDivisionError("0")]
    assert await hub.worker.work_once("enforcement") == 2
    assert await city.lines() == {APPROVAL_KEY: "DUE", "approval-verification:YW2": "SENT"}
    one = (await city.ledger())[APPROVAL_KEY]
    assert (one.unknown_since, one.tries) == (START, 1)  # it may have called before it broke
    assert ("UNEXPECTED: enforcement: unexpected ZeroDivisionError in the connector; the log has it") in (one.last_error or "")
    assert [event["key"] for event in logged if event["event"] == "a connector failed unexpectedly"] == [APPROVAL_KEY]


async def test_what_is_no_command_is_never_sent_and_made_anew(city: City, hub: Office, attempts: Attempts) -> None:
    await city.say(GRANTED)
    whole = (await city.ledger())[APPROVAL_KEY].payload
    await city.put(APPROVAL_KEY, payload=b'{"command":"Abolished"}')
    await hub.worker.work_once("enforcement")
    assert hub.connectors["enforcement"].calls == []
    ((_, outcome, detail),) = await attempts()
    assert (outcome, "is no command of this version of the hub" in (detail or "")) == ("REFUSED", True)
    one = (await city.ledger())[APPROVAL_KEY]
    assert (one.state.value, one.payload) == ("DUE", whole)


async def test_what_is_no_command_and_may_have_been_sent_is_stuck(city: City, hub: Office) -> None:
    await city.say(GRANTED)
    await city.put(APPROVAL_KEY, payload=b'{"command":"Abolished"}', unknown_since=START)
    await hub.worker.work_once("enforcement")
    assert await city.lines() == {APPROVAL_KEY: "STUCK"}


async def test_a_poison_obligation_blocks_its_own_chain_and_nothing_else(city: City, hub: Office) -> None:
    other = "YW20190805000999"
    await city.say(observed(road_event()), observed(road_event(event_no=other)), observed(event_task()))
    number = GridDispatch().number(f"grid-dispatch:{other}:1/1")
    await city.say(observed(event_task(origin_ref=other, task_id="T-OTHER", external_no=number)))
    poison = f"grid-dispatch:{EVENT_NO}:1/2"
    hub.connectors["grid"].replies[poison] = [PermanentError("grid", "NOT_POSSIBLE", "code 1")]
    of = event_task(version=2, status=TaskStatus.DONE)
    ended = Check(of, [task_result(task_id=of.task_id, result_id=f"{of.task_id}/0", conclusion=Conclusion.CONFORM)], [])
    await city.say(observation(ended))
    for _ in range(3):
        await hub.worker.work_once("grid")
        city.clock.advance(60)
    states = await city.lines()
    assert (states[poison], states[f"grid-feedback:{EVENT_NO}:1"]) == ("STUCK", "DUE")
    assert states[f"grid-dispatch:{other}:1/2"] == "SENT"
    assert hub.connectors["grid"].calls == [poison, f"grid-dispatch:{other}:1/2"]


async def test_a_platform_with_an_open_breaker_is_left_alone_while_others_go_on(city: City, hub: Office) -> None:
    await city.say(GRANTED, observation(FOUND))
    hub.connectors["enforcement"].closed_until = START + timedelta(seconds=15)
    assert [await hub.worker.work_once(name) for name in ("enforcement", "credit")] == [0, 1]
    assert await city.lines() == {APPROVAL_KEY: "DUE", BREACH_KEY: "SENT"}
    assert (await city.ledger())[APPROVAL_KEY].attempts == 0
    city.clock.advance(15)
    assert await hub.worker.work_once("enforcement") == 1


async def test_that_the_platform_is_down_does_not_count_against_an_obligation(city: City, hub: Office) -> None:
    await city.say(GRANTED)
    hub.connectors["enforcement"].replies[APPROVAL_KEY] = [enforcement_error(PlatformDown, "PLATFORM_DOWN", 15.0)]
    await hub.worker.work_once("enforcement")
    one = (await city.ledger())[APPROVAL_KEY]
    assert (one.state.value, one.tries) == ("DUE", 0)


async def test_what_was_said_of_each_call_is_kept_with_it(city: City, hub: Office, attempts: Attempts) -> None:
    await city.say(GRANTED)
    enforcement = hub.connectors["enforcement"]
    first, second = exchange(outcome="TIMEOUT", answer=None), exchange(answer="200 OK\n\n{}")
    enforcement.replies[APPROVAL_KEY] = [UnknownOutcome("enforcement", "TIMEOUT", "no answer", START, 34.0)]
    enforcement.says[APPROVAL_KEY] = [first]
    await hub.worker.work_once("enforcement")
    city.clock.advance(60)
    enforcement.says[APPROVAL_KEY] = [second]
    await hub.worker.work_once("enforcement")
    assert [one.exchanges for one in await attempts.whole()] == [(first,), (second,)]


async def test_where_no_call_was_made_nothing_was_said(city: City, hub: Office, attempts: Attempts) -> None:
    await city.say(GRANTED)
    hub.connectors["enforcement"].replies[APPROVAL_KEY] = [PlatformDown("enforcement", "PLATFORM_DOWN", "left alone", 9.0)]
    await hub.worker.work_once("enforcement")
    assert [one.exchanges for one in await attempts.whole()] == [()]


# --- What is lost on the way -----------------------------------------------------------------------------------------


async def test_a_crash_between_claim_and_completion_is_looked_up_by_the_next(city: City, hub: Office, attempts: Attempts) -> None:
    await city.say(GRANTED)
    (claimed,) = await hub.claim()
    city.clock.advance(89)
    await hub.worker.rescue()
    assert await hub.worker.work_once("enforcement") == 0
    city.clock.advance(2)
    await hub.worker.rescue()
    assert await hub.worker.work_once("enforcement") == 1
    (call,) = hub.connectors["enforcement"].ensured
    assert call.unknown_since == claimed.lease_until  # it may have called until then
    assert await city.lines() == {APPROVAL_KEY: "SENT"}
    assert [outcome for _, outcome, _ in await attempts()] == ["UNKNOWN", "ACCEPTED"]


async def test_what_was_to_be_made_true_is_known_of_a_process_that_died_and_what_was_said_is_not(
    city: City, hub: Office, attempts: Attempts
) -> None:
    await city.say(GRANTED)
    (claimed,) = await hub.claim()
    city.clock.advance(91)
    await hub.worker.rescue()
    (one,) = await attempts.whole()
    assert (one.outcome, one.exchanges) == (AttemptOutcome.UNKNOWN, None)
    assert (one.command or "").encode() == claimed.payload


async def test_what_was_corrected_while_a_process_died_with_it_is_not_sent_any_more(city: City, hub: Office) -> None:
    await city.say(GRANTED)
    await hub.claim()
    await city.say(observed(approval(version=2, state=ApprovalState.REFUSED)))
    city.clock.advance(91)
    await hub.worker.rescue()
    assert await hub.worker.work_once("enforcement") == 0
    assert await city.lines() == {APPROVAL_KEY: "WITHDRAWN"}
    assert [item.kind for item in await city.ops()] == ["approval-verification.withdrawn-after-sent"]


async def test_what_was_corrected_after_it_was_accepted_and_never_seen_is_not_sent_again(city: City, hub: Office) -> None:
    await city.say(GRANTED)
    await hub.worker.work_once("enforcement")
    await city.say(observed(approval(version=2, state=ApprovalState.REFUSED)))
    city.clock.advance(121)
    await hub.worker.rescue()
    assert await hub.worker.work_once("enforcement") == 0
    assert len(hub.connectors["enforcement"].calls) == 1
    assert len(await city.ops()) == 1


async def test_a_correction_during_the_call_is_seen_when_it_has_ended(city: City, hub: Office) -> None:
    await city.say(GRANTED)
    async with hub.held_call("enforcement", APPROVAL_KEY):
        await city.say(observed(approval(version=2, state=ApprovalState.REFUSED)))
    assert await city.lines() == {APPROVAL_KEY: "SENT"}
    assert [item.kind for item in await city.ops()] == ["approval-verification.withdrawn-after-sent"]


async def test_a_call_that_outlasts_its_lease_keeps_it_as_long_as_its_worker_lives(city: City, hub: Office) -> None:
    await city.say(GRANTED)
    other = hub.another()
    async with hub.held_call("enforcement", APPROVAL_KEY):
        for _ in range(4):
            city.clock.advance(60)
            await hub.worker.rescue()  # renews first
            await other.rescue()
            assert await other.work_once("enforcement") == 0
    assert await city.lines() == {APPROVAL_KEY: "SENT"}
    assert hub.connectors["enforcement"].calls == [APPROVAL_KEY]


async def test_a_completion_is_refused_when_the_claim_is_anothers_by_now(
    city: City, hub: Office, attempts: Attempts, logged: list[EventDict]
) -> None:
    await city.say(GRANTED)
    other = hub.another()
    async with hub.held_call("enforcement", APPROVAL_KEY):
        city.clock.advance(91)  # the process was paused: nothing was renewed
        await other.rescue()
        hub.connectors["enforcement"].replies[APPROVAL_KEY] = [PermanentError("enforcement", "HTTP_400", "refused to the second")]
        await other.work_once("enforcement")
        assert await city.lines() == {APPROVAL_KEY: "STUCK"}
    one = (await city.ledger())[APPROVAL_KEY]
    assert (one.state.value, one.receipt, one.attempts) == ("STUCK", None, 2)
    assert [outcome for _, outcome, _ in await attempts()] == ["ACCEPTED", "REFUSED"]
    assert "a completion came too late: the claim is another's" in [event["event"] for event in logged]


async def test_completions_are_kept_until_the_database_is_back(city: City, hub: Office) -> None:
    unreliable = Unreliable(city.database)
    hub = Office(unreliable, city.rows, city.clock, city.derivation)
    await city.say(GRANTED)
    async with hub.held_call("enforcement", APPROVAL_KEY):
        unreliable.away = 3
    assert await city.lines() == {APPROVAL_KEY: "SENT"}
    assert city.clock() == START + timedelta(seconds=3)


async def test_nothing_is_claimed_while_the_database_is_away(city: City) -> None:
    unreliable = Unreliable(city.database)
    hub = Office(unreliable, city.rows, city.clock, city.derivation)
    await city.say(GRANTED)
    unreliable.away = 1
    assert [await hub.worker.work_once("enforcement") for _ in range(2)] == [0, 1]


class BreaksOnSent(ApprovalVerification):
    """A rule with a mistake in it that shows when one approval's task was accepted."""

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        accepted = ledger.by_causes(connection, rows, self.name, list(causes))
        if any(one.cause == "YW-BAD" and one.receipt for held in accepted.values() for one in held):
            raise ZeroDivisionError
        return super().load(connection, rows, causes)


async def test_what_became_of_the_others_is_kept_when_one_cannot_be_settled(
    city: City, hub: Office, logged: list[EventDict]
) -> None:
    city.derivation.rules = (BreaksOnSent(),)
    await city.say(GRANTED, observed(approval(approval_no="YW-BAD")), observed(approval(approval_no="YW3")))
    assert await hub.worker.work_once("enforcement") == 3
    assert set((await city.lines()).values()) == {"SENT"}
    assert [event["event"] for event in logged if event["log_level"] == "error"].count("a completion cannot be settled") >= 1


async def test_a_connector_may_send_as_long_as_the_claim_lasts(city: City, hub: Office) -> None:
    allowed: list[bool] = []

    def suspended(_: Ensured) -> Receipt:
        allowed.append(may_send(city.clock()))
        city.clock.advance(91)
        allowed.append(may_send(city.clock()))
        return Receipt(reference="RW1")

    await city.say(GRANTED)
    hub.connectors["enforcement"].replies[APPROVAL_KEY] = [suspended]
    await hub.worker.work_once("enforcement")
    assert allowed == [True, False]


async def test_one_that_cannot_be_settled_is_put_back_and_holds_up_no_other(
    city: City, hub: Office, logged: list[EventDict]
) -> None:
    city.derivation.rules = (BreaksOnSent(),)
    await city.say(GRANTED, observed(approval(approval_no="YW-BAD")), observed(approval(approval_no="YW3")))
    await hub.worker.work_once("enforcement")
    city.clock.advance(1 + hub.pace.echo_seconds)
    await hub.worker.rescue()
    assert set((await city.lines()).values()) == {"DUE"}
    assert "cannot settle what is put back" in [event["event"] for event in logged if event["log_level"] == "error"]


# --- Several workers, and the loop -----------------------------------------------------------------------------------


async def test_two_workers_never_discharge_one_obligation_at_once_or_twice(
    postgresql_database: PostgreSQLDatabase, rows: Rows, clock: SettableClock, logged: list[EventDict]
) -> None:
    city = City(postgresql_database, rows, clock)
    hub = Office(postgresql_database, rows, clock, city.derivation)
    await city.say(*(observed(approval(approval_no=f"YW{number:03}")) for number in range(60)))

    async def work_alone() -> int:
        worker, counted, idle = hub.another(), 0, 0
        while idle < 3:  # a claim can come back empty only because the other holds what it looked at
            found = await worker.work_once("enforcement", limit=7)
            counted, idle = counted + found, 0 if found else idle + 1
        return counted

    counted = await asyncio.gather(work_alone(), work_alone(), work_alone())
    enforcement = hub.connectors["enforcement"]
    assert sum(counted) == 60
    assert (sorted(enforcement.calls), enforcement.twice) == (sorted(await city.ledger()), set())
    assert set((await city.lines()).values()) == {"SENT"}
    assert await postgresql_database.read(_attempts) == 60
    assert [event for event in logged if event["log_level"] == "error"] == []


async def test_a_completion_and_a_correction_of_one_cause_do_not_wait_for_each_other_in_a_circle(
    postgresql_database: PostgreSQLDatabase, rows: Rows, clock: SettableClock
) -> None:
    city = City(postgresql_database, rows, clock)
    hub = Office(postgresql_database, rows, clock, city.derivation)
    await city.say(GRANTED)
    every = list((await city.ledger()).values())
    async with hub.held_call("enforcement", APPROVAL_KEY) as working:
        async with postgresql_database.engine.begin() as correcting:
            await correcting.run_sync(city.derivation.hold, every)
            hub.hold.set()
            await someone_waits(postgresql_database)
            await correcting.run_sync(city.derivation.settle_obligations, every, START)
        await working
    assert await city.lines() == {APPROVAL_KEY: "SENT"}


def _attempts(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(TABLES["Attempt"])).scalar_one()


async def a_moment(seconds: float) -> None:
    await asyncio.sleep(0.001)


async def test_the_loop_discharges_on_all_platforms_until_it_is_cancelled(city: City) -> None:
    hub = Office(city.database, city.rows, city.clock, city.derivation, sleep=a_moment)
    hub.connectors["grid"].closed_until = START + timedelta(hours=1)
    running = asyncio.create_task(hub.worker.run())
    await city.say(GRANTED, observation(FOUND), observed(road_event()))
    hub.worker.wake()
    states = await city.until(lambda states: not {"DUE", "LEASED"} & set(states.values()))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert states == {
        APPROVAL_KEY: "SENT",
        BREACH_KEY: "SENT",
        f"grid-dispatch:{EVENT_NO}:1/1": "SENT",
        f"grid-dispatch:{EVENT_NO}:1/2": "WAITING",
    }


async def test_a_hanging_platform_does_not_hold_the_others(city: City) -> None:
    hub = Office(city.database, city.rows, city.clock, city.derivation, sleep=a_moment)
    hub.connectors["enforcement"].holds[APPROVAL_KEY] = [asyncio.Event()]
    running = asyncio.create_task(hub.worker.run())
    await city.say(GRANTED, observation(FOUND))
    await city.until(lambda states: (states[BREACH_KEY], states[APPROVAL_KEY]) == ("SENT", "LEASED"))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_call_that_the_end_of_the_process_cuts_off_is_looked_up_at_once_by_the_next(city: City, attempts: Attempts) -> None:
    hub = Office(city.database, city.rows, city.clock, city.derivation, sleep=a_moment)
    hub.connectors["enforcement"].holds[APPROVAL_KEY] = [asyncio.Event()]
    running = asyncio.create_task(hub.worker.run())
    await city.say(GRANTED)
    await city.until(lambda states: states[APPROVAL_KEY] == "LEASED")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    one = (await city.ledger())[APPROVAL_KEY]
    assert (one.state.value, one.lease_until, one.unknown_since) == ("DUE", None, START)
    assert [outcome for _, outcome, _ in await attempts()] == ["UNKNOWN"]


async def test_what_was_said_before_the_end_of_the_process_cut_a_call_off_is_kept(city: City, attempts: Attempts) -> None:
    hub = Office(city.database, city.rows, city.clock, city.derivation, sleep=a_moment)
    hub.connectors["enforcement"].holds[APPROVAL_KEY] = [asyncio.Event()]
    hub.connectors["enforcement"].says[APPROVAL_KEY] = [exchange(answer=None, outcome="CANCELLED")]
    running = asyncio.create_task(hub.worker.run())
    await city.say(GRANTED)
    await city.until(lambda states: states[APPROVAL_KEY] == "LEASED")
    await eventually_under_way(hub, APPROVAL_KEY)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    (one,) = await attempts.whole()
    assert [(each.outcome, each.answer) for each in one.exchanges or ()] == [("CANCELLED", None)]


async def eventually_under_way(hub: Office, key: str) -> None:
    while key not in hub.connectors["enforcement"].under_way:  # noqa: ASYNC110  (it has no event to wait for)
        await asyncio.sleep(0.001)


async def test_what_was_corrected_while_the_end_of_the_process_cut_it_off_is_not_sent_any_more(city: City) -> None:
    hub = Office(city.database, city.rows, city.clock, city.derivation, sleep=a_moment)
    hub.connectors["enforcement"].holds[APPROVAL_KEY] = [asyncio.Event()]
    running = asyncio.create_task(hub.worker.run())
    await city.say(GRANTED)
    await city.until(lambda states: states[APPROVAL_KEY] == "LEASED")
    await city.say(observed(approval(version=2, state=ApprovalState.REFUSED)))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await city.lines() == {APPROVAL_KEY: "WITHDRAWN"}
    assert len(await city.ops()) == 1
