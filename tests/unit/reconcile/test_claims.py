"""Leases that last as long as their calls, however slow commits are; claims that are another's before their calls begin."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Concatenate, ParamSpec, TypeVar

import pytest
from sqlalchemy import Connection
from structlog.typing import EventDict

from hub.mirror import ledger
from hub.mirror.database import Database
from hub.reconcile.claims import MOST_MORE
from tests.builders import approval, observed
from tests.settable_clock import START, SettableClock
from tests.unit.reconcile.city import APPROVAL_KEY, City
from tests.unit.reconcile.worker_side import PACE, Attempts, Office, Unreliable

P = ParamSpec("P")
T = TypeVar("T")
GRANTED = observed(approval())
DEADLINE = 10.0
"""Seconds of a call of the platforms in these tests; a lease lasts 90."""


class Slow(Unreliable):
    """A database whose commits return `takes` seconds after everybody sees what they wrote."""

    def __init__(self, behind: Database, clock: SettableClock, takes: float) -> None:
        super().__init__(behind)
        self.clock, self.takes, self.written = clock, takes, 0

    async def write(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        done = await super().write(work, *args, **kwargs)
        self.written += 1
        assert self.written < 50, "it writes again and again"
        self.clock.advance(self.takes)
        return done


@pytest.fixture
def slow(city: City) -> Slow:
    return Slow(city.database, city.clock, 0.0)


@pytest.fixture
def hub(city: City, slow: Slow) -> Office:
    return Office(slow, city.rows, city.clock, city.derivation)


@pytest.fixture
def other(city: City) -> Office:
    """Another process, on a quick disk."""
    return Office(city.database, city.rows, city.clock, city.derivation)


@pytest.mark.parametrize("takes", [80.0, 89.0, 91.0, 200.0])
async def test_a_commit_that_takes_most_of_a_lease_or_more_does_not_keep_its_call_from_being_made(
    city: City, hub: Office, slow: Slow, takes: float
) -> None:
    await city.say(GRANTED)
    slow.takes = takes
    assert await hub.worker.work_once("enforcement") == 1
    one = (await city.ledger())[APPROVAL_KEY]
    assert (one.state.value, one.attempts, one.tries, one.last_error) == ("SENT", 1, 0, None)
    assert len(hub.connectors["enforcement"].calls) == 1


async def test_a_call_begins_only_under_a_lease_that_lasts_as_long_as_it_may_take(city: City, hub: Office, slow: Slow) -> None:
    await city.say(GRANTED)
    slow.takes = 200.0
    async with hub.held_call("enforcement", APPROVAL_KEY):
        until = (await city.ledger())[APPROVAL_KEY].lease_until
        assert until is not None
        assert until > hub.connectors["enforcement"].ensured[0].at + timedelta(seconds=DEADLINE)


async def test_what_commits_take_is_given_to_the_next_lease_on_top(city: City, hub: Office, slow: Slow) -> None:
    await city.say(GRANTED, observed(approval(approval_no="YW2")))
    slow.takes = 85.0
    await hub.worker.work_once("enforcement", limit=1)
    before = slow.written
    await hub.worker.work_once("enforcement", limit=1)
    assert slow.written - before == 2  # the claim and the completion: nothing had to be renewed
    assert len(hub.connectors["enforcement"].calls) == 2


async def test_a_machine_that_was_suspended_in_a_commit_does_not_claim_for_days(city: City, hub: Office, slow: Slow) -> None:
    await city.say(GRANTED, observed(approval(approval_no="YW2")))
    slow.takes = 3 * 86_400.0
    await hub.worker._claims.take("enforcement", 1)
    (one,) = await hub.worker._claims.take("enforcement", 1)
    assert one.lease_until is not None
    assert one.lease_until <= START + timedelta(seconds=slow.takes + PACE.lease_seconds) + MOST_MORE


async def test_many_that_need_a_longer_lease_at_once_share_a_transaction(city: City, hub: Office, slow: Slow) -> None:
    await city.say(*(observed(approval(approval_no=f"YW{number}")) for number in range(20)))
    slow.takes = 85.0
    claimed = await hub.worker._claims.take("enforcement", 20)
    before = slow.written
    assert all(await asyncio.gather(*(hub.worker._claims.lasts(one, DEADLINE) for one in claimed)))
    assert slow.written - before <= 2  # that of the first who came, and one for all the others


async def test_a_claim_that_is_anothers_before_its_call_is_dropped_and_no_try_is_counted(
    city: City, hub: Office, other: Office, logged: list[EventDict]
) -> None:
    await city.say(GRANTED)
    (one,) = await hub.worker._claims.take("enforcement", 1)
    city.clock.advance(91)
    await other.worker.rescue()
    await other.worker.work_once("enforcement")
    await hub.worker._discharge("enforcement", one)
    assert hub.connectors["enforcement"].calls == []
    assert other.connectors["enforcement"].calls == [APPROVAL_KEY]
    after = (await city.ledger())[APPROVAL_KEY]
    assert (after.state.value, after.attempts, after.tries) == ("SENT", 2, 0)
    outcomes = [(outcome, detail) for _, outcome, detail in await Attempts(city.database, city.rows)()]
    assert outcomes == [("FAILED", "the claim ended before the call could begin: nothing was sent"), ("ACCEPTED", None)]
    assert "dropped before its call: the claim is another's by now" in [event["event"] for event in logged]


async def test_a_claim_whose_lease_is_over_and_that_nobody_took_is_still_ours(city: City, hub: Office) -> None:
    await city.say(GRANTED)
    (one,) = await hub.worker._claims.take("enforcement", 1)
    city.clock.advance(1000)
    await hub.worker._discharge("enforcement", one)
    assert await city.lines() == {APPROVAL_KEY: "SENT"}


async def test_no_call_is_made_under_a_short_lease_while_the_database_is_away(city: City, hub: Office, slow: Slow) -> None:
    await city.say(GRANTED)
    (one,) = await hub.worker._claims.take("enforcement", 1)
    city.clock.advance(85)
    slow.away = 3
    await hub.worker._discharge("enforcement", one)
    assert await city.lines() == {APPROVAL_KEY: "SENT"}
    (call,) = hub.connectors["enforcement"].ensured
    assert call.at == START + timedelta(seconds=85 + 3 * PACE.idle_seconds)


async def test_a_call_keeps_its_lease_however_seldom_what_dead_processes_left_is_looked_for(
    city: City, slow: Slow, other: Office
) -> None:
    """Renewing is no business of rescue's pace. The clock stands while nobody sleeps in the loops."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if seconds == PACE.lease_seconds / 3 and pauses.count(seconds) <= 9:
            city.clock.advance(seconds)
            await asyncio.sleep(0)
        else:
            await asyncio.Event().wait()

    hub = Office(slow, city.rows, city.clock, city.derivation, sleep=sleep)
    await city.say(GRANTED)
    hub.connectors["enforcement"].holds[APPROVAL_KEY] = [asyncio.Event()]
    running = asyncio.create_task(hub.worker.run())
    async with asyncio.timeout(10):
        while pauses.count(PACE.lease_seconds / 3) <= 9:  # noqa: ASYNC110  (the loops have no event to wait for)
            await asyncio.sleep(0.001)
    await other.worker.rescue()
    assert await city.lines() == {APPROVAL_KEY: "LEASED"}
    assert city.clock() == START + timedelta(seconds=3 * PACE.lease_seconds)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_renewing_makes_no_lease_shorter(city: City) -> None:
    await city.say(GRANTED)
    (one,) = await city.database.write(ledger.claim, city.rows, "enforcement", 1, START, timedelta(seconds=300))
    claims = [(one.key, one.fence)]
    for seconds, lasts in ((90, 300), (400, 400)):
        until = START + timedelta(seconds=seconds)
        assert await city.database.write(ledger.renew, claims, until) == {one.key}
        assert (await city.ledger())[one.key].lease_until == START + timedelta(seconds=lasts)


async def test_only_the_claim_that_still_stands_is_renewed(city: City) -> None:
    await city.say(GRANTED)
    (one,) = await city.database.write(ledger.claim, city.rows, "enforcement", 1, START, timedelta(seconds=90))
    assert await city.database.write(ledger.renew, [(one.key, one.fence - 1)], START + timedelta(days=1)) == set()
    assert (await city.ledger())[one.key].lease_until == START + timedelta(seconds=90)
