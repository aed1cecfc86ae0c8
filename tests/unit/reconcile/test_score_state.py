"""score-state, read like DOMAIN.md's fine print: zz_score follows repair and expiry."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from hub.mirror import ledger as book_of_obligations
from hub.mirror.score_queries import Score
from hub.reconcile.rule import Verdict
from hub.reconcile.rules.score_state import ScoreStates
from schema.commands import PutScore
from schema.entities import CreditRecord, Obligation, ObligationState, ScoreEntry, ScoreState
from tests.builders import observed
from tests.settable_clock import BEIJING, START, SettableClock
from tests.unit.reconcile.city import BOOK, City, held, only
from tests.unit.reconcile.self_governance import BIZ_NO, ENTRY, EXPIRED, REPAIRED, entry, points_record

RULE = ScoreStates()
LAST_SECOND = datetime(2020, 9, 2, 23, 59, 59, tzinfo=BEIJING)
OVER = LAST_SECOND + timedelta(seconds=1)
MENDED = points_record(version=2, open_points=Decimal(0))


def derive(record: CreditRecord, *ledger: Obligation, shown: ScoreEntry | None = None, now: datetime = START) -> Verdict:
    return RULE.derive(Score(record, shown), ledger, BOOK, now)


def state_of(verdict: Verdict) -> ScoreState:
    command = only(verdict).command
    assert isinstance(command, PutScore)
    return command.state


# --- Which state -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("open_points", ["4", "0.5"])
def test_a_record_with_open_points_in_time_stays_open(open_points: str) -> None:
    assert derive(points_record(open_points=Decimal(open_points)), now=LAST_SECOND).owed == ()


def test_when_nothing_is_open_the_entry_becomes_repaired() -> None:
    owed = only(derive(MENDED))
    assert (owed.key, owed.platform, owed.chain, owed.place) == (REPAIRED, "selfgov", f"score:{BIZ_NO}", 3)
    assert state_of(derive(MENDED)) is ScoreState.REPAIRED


def test_when_the_time_is_over_with_points_open_the_entry_becomes_expired() -> None:
    verdict = derive(points_record(open_points=Decimal("0.5")), now=OVER)
    owed = only(verdict)
    assert (owed.key, owed.chain, owed.place, owed.due.at) == (EXPIRED, f"score:{BIZ_NO}", 2, LAST_SECOND)
    assert state_of(verdict) is ScoreState.EXPIRED


def test_what_was_repaired_never_expires() -> None:
    assert state_of(derive(MENDED, now=OVER)) is ScoreState.REPAIRED


def test_a_cancelled_record_asks_for_no_state_and_leaves_what_stands_to_the_notice() -> None:
    sent = held(RULE, only(derive(MENDED)), ObligationState.CLOSED)
    verdict = derive(points_record(cancelled=True, open_points=Decimal(0)), sent)
    assert (verdict.owed, verdict.keep) == ((), frozenset({REPAIRED}))


@pytest.mark.parametrize(
    ("state", "proven"),
    [(ScoreState.OPEN, set()), (ScoreState.EXPIRED, {EXPIRED}), (ScoreState.REPAIRED, {EXPIRED, REPAIRED})],
)
def test_the_entry_in_that_state_is_the_proof(state: ScoreState, proven: set[str]) -> None:
    assert set(derive(MENDED, shown=entry(state)).proven) == proven


# --- In the ledger ---------------------------------------------------------------------------------------------------


async def due(city: City) -> list[str]:
    """Return what a worker could claim for self-governance now; and put it back."""
    found = await city.database.write(book_of_obligations.claim, city.rows, "selfgov", 10, city.clock(), timedelta(seconds=90))
    for one in found:
        await city.put(one.key, state=ObligationState.DUE, lease_until=None)
    return [one.key for one in found]


async def opened(city: City) -> None:
    """Let the record stand on its subject's list."""
    await city.say(observed(points_record()))
    await city.accept(ENTRY)
    await city.say(observed(entry()))


async def test_the_entry_is_opened_before_it_is_closed_whenever_both_are_known(city: City) -> None:
    await city.say(observed(MENDED))
    assert await city.lines() == {ENTRY: "DUE", REPAIRED: "DUE"}
    assert await due(city) == [ENTRY]
    await city.accept(ENTRY)
    assert await due(city) == []
    await city.say(observed(entry()))
    assert await due(city) == [REPAIRED]


async def test_an_expiry_comes_by_time_alone_and_the_sweep_finds_it(city: City, clock: SettableClock) -> None:
    await opened(city)
    clock.set(LAST_SECOND)
    await city.sweep.everything()
    assert await city.lines() == {ENTRY: "CLOSED"}
    clock.set(OVER)
    await city.sweep.everything()
    assert await city.lines() == {ENTRY: "CLOSED", EXPIRED: "DUE"}
    await city.accept(EXPIRED)
    await city.say(observed(entry(ScoreState.EXPIRED, version=entry().version + 1)))
    assert (await city.lines())[EXPIRED] == "CLOSED"
    swept = await city.sweep.everything()
    assert swept.causes["score-state"] == 0  # an expired entry is asked about no more


async def test_a_repair_that_was_accepted_after_the_expiry_follows_it(city: City, clock: SettableClock) -> None:
    await opened(city)
    clock.set(OVER)
    await city.sweep.everything()
    await city.accept(EXPIRED)
    await city.say(observed(MENDED))
    assert await city.lines() == {ENTRY: "CLOSED", EXPIRED: "SENT", REPAIRED: "DUE"}
    assert await due(city) == []
    await city.say(observed(entry(ScoreState.EXPIRED, version=entry().version + 1)))
    assert await due(city) == [REPAIRED]
    assert [item.kind for item in await city.ops() if item.kind.startswith("score-state")] == []


async def test_an_expiry_that_was_not_sent_gives_way_to_the_repair(city: City, clock: SettableClock) -> None:
    await opened(city)
    clock.set(OVER)
    await city.sweep.everything()
    await city.say(observed(MENDED))
    assert await city.lines() == {ENTRY: "CLOSED", EXPIRED: "WITHDRAWN", REPAIRED: "DUE"}


async def test_a_repair_that_nobody_was_asked_about_is_found_by_the_sweep(city: City) -> None:
    await opened(city)
    await city.keep_silent(observed(MENDED))
    await city.sweep.everything()
    assert (await city.lines())[REPAIRED] == "DUE"


async def test_a_record_that_is_older_than_a_year_when_it_is_first_seen_goes_on_the_list_and_expires(
    city: City, clock: SettableClock
) -> None:
    clock.set(OVER)
    await city.say(observed(points_record()))
    assert await city.lines() == {ENTRY: "DUE", EXPIRED: "DUE"}
    assert await due(city) == [ENTRY]
