"""key-supervision-off: a cause that is over comes off the list, with the last one the subject does, and may come again."""

from datetime import timedelta

import pytest

from hub.reconcile.rules.key_supervision_off import KeySupervisionOff
from schema.commands import RemoveKeySubject
from schema.entities import Conclusion, TaskType
from schema.entity import Observation
from tests.builders import SHOP_CODE, observed, task, task_result
from tests.settable_clock import START, SettableClock
from tests.unit.reconcile.city import City, forget_ledger, taken
from tests.unit.reconcile.watched_shop import (
    A_WORDS,
    B_WORDS,
    NEW_YEAR,
    YEAR,
    YEAR_WORDS,
    A,
    B,
    Platform,
    become_serious,
    break_promise,
    checked,
    entry,
    off,
    one,
    put,
    rechecked,
    supervision,
)

RULE = KeySupervisionOff()
CONFORM, NONCONFORM, UNREACHABLE = Conclusion.CONFORM, Conclusion.NONCONFORM, Conclusion.UNREACHABLE
MENDED = task_result(task_id="R", result_id="R/0", conclusion=CONFORM)


@pytest.fixture
def platform(city: City) -> Platform:
    return Platform(city)


async def listed(city: City, platform: Platform, *numbers: str) -> None:
    """Let promises be broken, and the subject be on the list for them."""
    await break_promise(city, *numbers)
    await platform.carry_out(put(numbers[0]))


async def ops(city: City) -> list[str]:
    return [item.kind for item in await city.ops() if item.kind.startswith(("key-supervision", "off-the-list"))]


# --- A recheck that conforms -----------------------------------------------------------------------------------------


async def test_a_recheck_that_conforms_takes_the_last_cause_and_so_the_subject_off(city: City, platform: Platform) -> None:
    await listed(city, platform, A)
    await city.say(rechecked(A))
    assert await supervision(city) == {put(A): "CLOSED", off(A): "DUE"}
    assert await city.command(off(A)) == RemoveKeySubject(code=SHOP_CODE)
    made = await one(city, off(A))
    assert (made.due_at, made.command, made.chain) == (START + timedelta(days=5), "RemoveKeySubject", f"key-subject:{SHOP_CODE}")
    await platform.carry_out(off(A))
    assert await supervision(city) == {put(A): "CLOSED", off(A): "CLOSED"}
    assert await ops(city) == []


async def test_while_another_cause_is_open_the_entry_is_put_without_the_one_that_ended(city: City, platform: Platform) -> None:
    await listed(city, platform, A, B)
    await city.say(rechecked(A))
    assert await entry(city, off(A)) == B_WORDS
    await platform.carry_out(off(A))
    assert (await supervision(city))[off(A)] == "CLOSED"
    await city.say(rechecked(B))
    assert await entry(city, off(B)) is None
    await platform.carry_out(off(B))
    assert set((await supervision(city)).values()) == {"CLOSED"}
    assert await ops(city) == []


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(rechecked(A, NONCONFORM), id="unmended"),
        pytest.param(rechecked(A, UNREACHABLE), id="nobody reached"),
        pytest.param(rechecked(B), id="of another order"),
        pytest.param(
            observed(task(task_id="R", type=TaskType.RECHECK, origin_platform="enforcement", origin_ref="ZG-YW-A"), MENDED),
            id="not done",
        ),
    ],
)
async def test_a_recheck_that_does_not_conform_ends_nothing(city: City, platform: Platform, said: Observation) -> None:
    await listed(city, platform, A)
    await city.say(said)
    assert await supervision(city) == {put(A): "CLOSED"}


async def test_a_recheck_that_names_nobody_ends_the_cause_of_its_order(city: City, platform: Platform) -> None:
    await listed(city, platform, A)
    await city.say(rechecked(A, subject_code=None))
    assert await supervision(city) == {put(A): "CLOSED", off(A): "DUE"}


async def test_a_recheck_of_an_order_that_a_recheck_gave_ends_the_cause_too(city: City, platform: Platform) -> None:
    await listed(city, platform, A)
    await city.say(rechecked(A, NONCONFORM, order_no="ZG-2"))
    assert await supervision(city) == {put(A): "CLOSED"}
    await city.say(rechecked(A, order="ZG-2", subject_code=None))
    assert await supervision(city) == {put(A): "CLOSED", off(A): "DUE"}


async def test_orders_that_lead_back_to_themselves_are_followed_once(city: City, platform: Platform) -> None:
    await listed(city, platform, A)
    await city.say(rechecked(A, NONCONFORM, order_no="ZG-YW-A", subject_code=None))
    assert await supervision(city) == {put(A): "CLOSED"}


# --- The end of a period ---------------------------------------------------------------------------------------------


async def test_the_new_year_in_beijing_ends_a_serious_period_though_no_record_changed(
    city: City, platform: Platform, clock: SettableClock
) -> None:
    await become_serious(city)
    await platform.carry_out(put(YEAR))
    clock.set(NEW_YEAR - timedelta(seconds=1))
    await city.sweep.everything()
    assert await supervision(city) == {put(YEAR): "CLOSED"}
    clock.set(NEW_YEAR)
    await city.sweep.everything()
    assert await supervision(city) == {put(YEAR): "CLOSED", off(YEAR): "DUE"}
    assert (await one(city, off(YEAR))).due_at == NEW_YEAR
    await platform.carry_out(off(YEAR))
    assert (await supervision(city))[off(YEAR)] == "CLOSED"
    assert await ops(city) == []


async def test_the_new_year_leaves_a_broken_promise_on_the_list(city: City, platform: Platform, clock: SettableClock) -> None:
    await become_serious(city)
    await break_promise(city, A)
    await platform.carry_out(put(YEAR))
    clock.set(NEW_YEAR)
    await city.sweep.everything()
    assert await entry(city, off(YEAR)) == A_WORDS


# --- Proof -----------------------------------------------------------------------------------------------------------


async def test_nothing_is_proven_before_what_was_put_was_seen(city: City) -> None:
    await break_promise(city, A)
    await city.accept(put(A))
    await city.say(rechecked(A))
    assert await supervision(city) == {put(A): "SENT", off(A): "DUE"}


async def test_an_entry_that_is_gone_is_only_proof_once_it_is_gone(city: City, platform: Platform) -> None:
    await listed(city, platform, A)
    await city.say(rechecked(A))
    await city.accept(off(A))
    await platform.show("以人工方式列入")
    assert (await supervision(city))[off(A)] == "SENT"
    await platform.show(None)
    assert (await supervision(city))[off(A)] == "CLOSED"


async def test_a_new_cause_turns_a_removal_that_was_not_sent_into_an_entry(city: City, platform: Platform) -> None:
    await listed(city, platform, A)
    await city.say(rechecked(A))
    await city.put(off(A), unknown_since=START)  # it may be on its way; what is sent again is never a removal
    await break_promise(city, B)
    assert await entry(city, off(A)) == B_WORDS
    made = await one(city, off(A))
    assert (made.command, made.unknown_since) == ("PutKeySubject", START)


async def test_an_end_is_found_by_what_the_entry_names_when_the_ledger_was_lost(city: City, platform: Platform) -> None:
    await listed(city, platform, A)
    await city.say(rechecked(A))
    await city.database.write(forget_ledger)
    await city.sweep.everything()
    assert await supervision(city) == {off(A): "DUE"}
    await platform.carry_out(off(A))
    await city.sweep.everything()
    assert await supervision(city) == {off(A): "CLOSED"}


async def test_a_cause_that_the_entry_names_again_after_it_was_off_comes_off_once_more(city: City, platform: Platform) -> None:
    await listed(city, platform, A)
    await city.say(rechecked(A))
    await platform.carry_out(off(A))
    await platform.show(A_WORDS)  # an old call overtook
    assert (await supervision(city))[off(A, 2)] == "DUE"
    await platform.carry_out(off(A, 2))
    await city.settle_all()
    assert await supervision(city) == {put(A): "CLOSED", off(A): "CLOSED", off(A, 2): "CLOSED"}
    assert await ops(city) == []


# --- A cause that comes again ----------------------------------------------------------------------------------------


async def test_an_end_that_was_a_mistake_is_withdrawn_while_unsent(city: City, platform: Platform) -> None:
    await listed(city, platform, A)
    await city.say(rechecked(A))
    await city.say(rechecked(A, NONCONFORM, version=2))
    assert await supervision(city) == {put(A): "CLOSED", off(A): "WITHDRAWN"}
    await city.say(rechecked(A, version=3))
    assert await supervision(city) == {put(A): "CLOSED", off(A): "DUE"}


@pytest.mark.parametrize("seen", [True, False])
async def test_a_cause_that_comes_again_after_it_was_taken_off_is_put_again(city: City, platform: Platform, seen: bool) -> None:
    await listed(city, platform, A)
    await city.say(rechecked(A))
    await (platform.carry_out(off(A)) if seen else city.accept(off(A)))
    await city.say(rechecked(A, NONCONFORM, version=2))
    # While the mirror still shows the entry of before, that is no proof of the new round.
    assert await supervision(city) == {put(A): "CLOSED", off(A): "CLOSED" if seen else "SENT", put(A, 2): "DUE"}
    assert (await one(city, off(A))).sequence < (await one(city, put(A, 2))).sequence
    if not seen:
        await platform.show(None)
    assert (await supervision(city))[off(A)] == "CLOSED"
    await platform.carry_out(put(A, 2))
    assert set((await supervision(city)).values()) == {"CLOSED"}
    await city.say(rechecked(A, version=3))
    assert (await supervision(city))[off(A, 2)] == "DUE"
    await platform.carry_out(off(A, 2))
    assert set((await supervision(city)).values()) == {"CLOSED"}
    assert await ops(city) == []


async def test_a_removal_that_may_have_been_carried_out_is_made_certain_before_the_cause_is_put_again(
    city: City, platform: Platform
) -> None:
    await listed(city, platform, A)
    await city.say(rechecked(A))
    await city.put(off(A), unknown_since=START)
    await city.say(rechecked(A, NONCONFORM, version=2))
    assert await supervision(city) == {put(A): "CLOSED", off(A): "DUE", put(A, 2): "DUE"}
    await platform.carry_out(off(A))
    await platform.carry_out(put(A, 2))
    assert set((await supervision(city)).values()) == {"CLOSED"}


async def test_a_period_that_becomes_serious_again_after_a_correction_is_put_again(city: City, platform: Platform) -> None:
    await become_serious(city)
    await platform.carry_out(put(YEAR))
    await city.say(observed(taken(1, "12", version=2, cancelled=True)))
    await platform.carry_out(off(YEAR))
    await city.say(observed(taken(2, "12")))
    assert await entry(city, put(YEAR, 2)) == YEAR_WORDS
    await platform.carry_out(put(YEAR, 2))
    assert set((await supervision(city)).values()) == {"CLOSED"}


async def test_an_entry_that_begins_at_version_1_again_after_it_was_off_is_seen(city: City, platform: Platform) -> None:
    await listed(city, platform, A, B)
    platform.version = 7
    await platform.show(f"{A_WORDS}；{B_WORDS}")
    await city.say(rechecked(A), rechecked(B))
    await platform.carry_out(off(A))
    platform.version = 0
    await city.say(rechecked(A, NONCONFORM, version=2))
    await platform.carry_out(put(A, 2))
    assert (await supervision(city))[put(A, 2)] == "CLOSED"


async def test_twice_equals_once(city: City, platform: Platform, clock: SettableClock) -> None:
    await listed(city, platform, A, B)
    await city.say(rechecked(A), checked(B, CONFORM, version=2))
    before = await city.ledger(), await city.ops()
    clock.advance(60)
    await city.settle_all()
    await city.sweep.everything()
    assert (await city.ledger(), await city.ops()) == before
