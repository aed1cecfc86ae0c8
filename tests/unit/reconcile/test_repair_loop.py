"""Repairs through ledger and mirror, on both databases: two platforms, what comes late, what is refused, what changes."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import PermanentError, UnknownOutcome
from hub.mirror.rows import Rows
from hub.reconcile.rules.breach_record import BreachRecord
from hub.reconcile.rules.repair import Repairs
from schema.commands import MarkReport, PostRepair
from schema.entities import ObligationState, ReportMark, ReportState, TaskStatus, TaskType
from tests.builders import OTHER_CODE, SHOP_CODE, credit_profile, observed, task, task_result
from tests.settable_clock import START, SettableClock
from tests.unit.reconcile.city import City, bad, check, forget_ledger, observation
from tests.unit.reconcile.self_governance import BIZ_NO, credit_was_read, key, made_repair, points_record, row
from tests.unit.reconcile.worker_side import Office

REPAIR, MARK = f"{key()}/1", f"{key()}/2"
LATER_REPAIR, LATER_MARK = f"{key(5)}/1", f"{key(5)}/2"


async def repairs(city: City) -> dict[str, str]:
    return {each: state for each, state in (await city.lines()).items() if each.startswith("repair:")}


async def mark(city: City, mark_key: str = MARK) -> MarkReport:
    command = await city.command(mark_key)
    assert isinstance(command, MarkReport)
    return command


async def troubles(city: City) -> list[str]:
    return [item.kind for item in await city.ops() if item.kind.startswith("repair")]


async def test_a_repair_goes_to_the_credit_platform_and_then_its_row_is_taken(city: City) -> None:
    await city.say(observed(points_record()), observed(row()))
    assert await repairs(city) == {REPAIR: "DUE", MARK: "WAITING"}
    await city.accept(REPAIR)
    await city.say(observed(points_record(version=2, open_points=Decimal(2))))
    await city.say(observed(made_repair()))
    assert await repairs(city) == {REPAIR: "CLOSED", MARK: "DUE"}
    assert (await mark(city)).taken
    await city.accept(MARK)
    await city.say(observed(row(mark=ReportMark.TAKEN)))
    assert await repairs(city) == {REPAIR: "CLOSED", MARK: "CLOSED"}
    assert await troubles(city) == []


async def test_a_record_of_our_own_that_is_not_seen_yet_is_waited_for_and_releases_the_repair(city: City) -> None:
    found = task(type=TaskType.RANDOM, status=TaskStatus.DONE, origin_platform=None, origin_ref=None, external_no=None)
    await city.say(observation(check(found, task_result(), findings=[bad(points=Decimal(4))])))
    number = BreachRecord().number("breach-record:F0001")
    await city.database.write(credit_was_read, city.rows, START + timedelta(hours=1))
    await city.say(observed(row(repairs_biz_no=number)))
    assert await repairs(city) == {REPAIR: "WAITING", MARK: "WAITING"}
    assert (await city.ledger())[REPAIR].needs == f"credit record {number} in the mirror"
    await city.say(observed(points_record(biz_no=number)))
    assert await repairs(city) == {REPAIR: "DUE", MARK: "WAITING"}


async def test_a_number_that_nobody_knows_is_refused_once_the_credit_platform_was_read_to_its_end(city: City) -> None:
    await city.say(observed(row(repairs_biz_no="BR-NONE")))
    assert await repairs(city) == {REPAIR: "WAITING", MARK: "WAITING"}
    await city.sweep.waiting()
    assert await repairs(city) == {REPAIR: "WAITING", MARK: "WAITING"}
    await city.database.write(credit_was_read, city.rows, START + timedelta(minutes=1))
    await city.sweep.waiting()
    assert await repairs(city) == {REPAIR: "WITHDRAWN", MARK: "DUE"}
    assert (await mark(city)).reason == "信用记录BR-NONE不存在"


async def test_a_record_that_comes_before_its_refusal_was_told_is_repaired(city: City) -> None:
    await city.database.write(credit_was_read, city.rows, START + timedelta(minutes=1))
    await city.say(observed(row()))
    assert await repairs(city) == {MARK: "DUE"}
    await city.say(observed(points_record()))
    assert await repairs(city) == {REPAIR: "DUE", MARK: "WAITING"}


async def test_the_same_row_twice_is_one_repair(city: City) -> None:
    await city.say(observed(points_record()), observed(row()))
    await city.say(observed(row()), observed(row()))
    await city.sweep.everything()
    assert await repairs(city) == {REPAIR: "DUE", MARK: "WAITING"}


async def test_of_two_rows_for_the_same_points_the_second_is_refused_when_the_first_was_seen(city: City) -> None:
    await city.say(observed(points_record(open_points=Decimal(2))), observed(row()))
    await city.accept(REPAIR)
    await city.say(observed(made_repair()), observed(points_record(version=2, open_points=Decimal(0))))
    await city.say(observed(row(report_no="4712")))
    second = MARK.replace("4711", "4712")
    assert {each for each in await repairs(city) if "4712" in each} == {second}
    assert not (await mark(city, second)).taken


# --- What the credit platform says -----------------------------------------------------------------------------------


@pytest.fixture
def office(city: City) -> Office:
    return Office(city.database, city.rows, city.clock, city.derivation, platforms=("credit", "selfgov"))


@pytest.mark.parametrize(("code", "says"), [("EXCEEDS_RECORD", "超过"), ("EXPIRED", "期限")])
async def test_a_repair_that_the_platform_refuses_for_good_ends_as_a_refused_row(
    city: City, office: Office, code: str, says: str
) -> None:
    await city.say(observed(points_record()), observed(row()))
    refusal = PermanentError("credit", code, f"POST /v2/repairs: refused, HTTP 422: points: {code}")
    office.connectors["credit"].replies[REPAIR] = [refusal]
    await office.worker.work_once("credit")
    assert await repairs(city) == {REPAIR: "WITHDRAWN", MARK: "DUE"}
    assert says in ((await mark(city)).reason or "")
    await city.sweep.everything()
    assert await repairs(city) == {REPAIR: "WITHDRAWN", MARK: "DUE"}
    assert await troubles(city) == []


async def test_a_refusal_says_that_calls_without_an_answer_were_not_carried_out_either(
    city: City, office: Office, clock: SettableClock
) -> None:
    await city.say(observed(points_record()), observed(row()))
    refusal = PermanentError("credit", "EXCEEDS_RECORD", "POST /v2/repairs: refused, HTTP 422: points: EXCEEDS_RECORD")
    office.connectors["credit"].replies[REPAIR] = [UnknownOutcome("credit", "TIMEOUT", "no answer", START), refusal]
    await office.worker.work_once("credit")
    await city.say(observed(points_record(version=2, open_points=Decimal(0))))  # by the repair of another row
    clock.advance(600)
    await office.worker.work_once("credit")
    await city.sweep.everything()
    assert await repairs(city) == {REPAIR: "WITHDRAWN", MARK: "DUE"}
    assert not (await mark(city)).taken
    assert await troubles(city) == []
    await city.say(observed(made_repair()))  # a call that was on its way all the time came through after all
    await city.sweep.everything()
    assert (await repairs(city))[REPAIR] == "CLOSED"
    assert (await mark(city)).taken


async def test_a_repair_whose_outcome_is_unknown_is_sent_again_under_its_number(
    city: City, office: Office, clock: SettableClock
) -> None:
    await city.say(observed(points_record()), observed(row()))
    office.connectors["credit"].replies[REPAIR] = [UnknownOutcome("credit", "TIMEOUT", "no answer", START)]
    await office.worker.work_once("credit")
    await city.say(observed(points_record(version=2, open_points=Decimal(0))))  # by our own repair, perhaps
    clock.advance(600)
    await office.worker.work_once("credit")
    first, second = office.connectors["credit"].ensured
    assert first.command == second.command
    assert second.unknown_since == START
    assert await repairs(city) == {REPAIR: "SENT", MARK: "WAITING"}


async def test_a_mark_whose_row_has_moved_on_is_withdrawn_when_the_new_row_is_seen(city: City, office: Office) -> None:
    await city.say(observed(row(state=ReportState.REFUSED)))
    office.connectors["selfgov"].replies[MARK] = [PermanentError("selfgov", "SUPERSEDED", "the row has changed")]
    await office.worker.work_once("selfgov")
    assert await repairs(city) == {MARK: "STUCK"}
    await city.say(observed(row(5, state=ReportState.REFUSED)))
    assert await repairs(city) == {MARK: "WITHDRAWN", LATER_MARK: "DUE"}


# --- Rows that change ------------------------------------------------------------------------------------------------


async def sent(city: City) -> None:
    """Let the repair of `row()` be accepted by the credit platform."""
    await city.say(observed(points_record()), observed(row()))
    await city.accept(REPAIR)


@pytest.mark.parametrize("fields", [{"state": ReportState.REFUSED}, {"points": Decimal(1)}, {"repairs_biz_no": None}])
async def test_a_row_that_says_otherwise_after_its_repair_was_sent_is_for_ops_with_both_versions(
    city: City, fields: dict[str, Any]
) -> None:
    await sent(city)
    await city.say(observed(row(5, **fields)))
    assert await repairs(city) == {REPAIR: "SENT", MARK: "WITHDRAWN", LATER_MARK: "DUE"}
    assert (await mark(city, LATER_MARK)).taken
    (item,) = [item for item in await city.ops() if item.kind.startswith("repair")]
    assert (item.kind, item.cause) == ("repair.withdrawn-after-sent", REPAIR)
    assert '"points":"2.0"' in (item.before or "")
    assert '"SelfReport"' in (item.after or "")
    await city.settle_all()
    assert len(await troubles(city)) == 1


async def test_a_row_that_asks_for_the_same_again_gets_its_own_mark_only(city: City) -> None:
    await sent(city)
    await city.say(observed(row(5)))
    assert await repairs(city) == {REPAIR: "SENT", MARK: "WITHDRAWN", LATER_MARK: "WAITING"}
    await city.say(observed(made_repair()))
    assert await repairs(city) == {REPAIR: "CLOSED", MARK: "WITHDRAWN", LATER_MARK: "DUE"}
    assert await troubles(city) == []


async def test_a_row_that_is_approved_again_after_a_refusal_needs_no_second_repair(city: City) -> None:
    await sent(city)
    await city.say(observed(row(5, state=ReportState.REFUSED)))
    await city.say(observed(made_repair()))
    await city.say(observed(row(9)))
    states = await repairs(city)
    assert (states[REPAIR], states[f"{key(9)}/2"]) == ("CLOSED", "DUE")
    assert f"{key(9)}/1" not in states
    assert (await city.ledger())[REPAIR].reason is None


async def test_a_row_that_changes_before_its_repair_was_sent_is_repaired_as_it_says_now(city: City) -> None:
    await city.say(observed(points_record()), observed(row()))
    await city.say(observed(row(5, points=Decimal(1))))
    assert await repairs(city) == {REPAIR: "WITHDRAWN", MARK: "WITHDRAWN", LATER_REPAIR: "DUE", LATER_MARK: "WAITING"}
    command = await city.command(LATER_REPAIR)
    assert isinstance(command, PostRepair)
    assert command.points == 1
    assert await troubles(city) == []


async def test_a_row_that_changes_during_the_call_of_its_repair_is_decided_when_the_call_has_ended(
    city: City, office: Office
) -> None:
    await city.say(observed(points_record()), observed(row()))
    async with office.held_call("credit", REPAIR):
        await city.say(observed(row(5, points=Decimal(1))))
        assert (await repairs(city))[REPAIR] == "LEASED"
        assert LATER_REPAIR not in await repairs(city)
    await asyncio.sleep(0)
    assert await repairs(city) == {REPAIR: "SENT", MARK: "WITHDRAWN", LATER_MARK: "DUE"}
    assert await troubles(city) == ["repair.withdrawn-after-sent"]


async def test_a_mark_that_was_sent_for_an_earlier_row_is_over_without_a_word(city: City) -> None:
    await city.say(observed(row(state=ReportState.REFUSED)))
    await city.accept(MARK)
    await city.say(observed(row(5, state=ReportState.REFUSED)))
    assert await repairs(city) == {MARK: "CLOSED", LATER_MARK: "DUE"}
    assert await troubles(city) == []


async def test_a_mark_that_nobody_was_asked_about_is_found_by_the_sweep(city: City) -> None:
    await city.keep_silent(observed(points_record()), observed(row()), observed(row(report_no="4712", state=ReportState.REFUSED)))
    await city.keep_silent(observed(row(report_no="4713", mark=ReportMark.TAKEN)))
    await city.sweep.everything()
    assert await repairs(city) == {REPAIR: "DUE", MARK: "WAITING", MARK.replace("4711", "4712"): "DUE"}


async def test_a_repair_settled_by_hand_releases_its_mark(city: City) -> None:
    await city.say(observed(points_record()), observed(row()))
    await city.put(REPAIR, state=ObligationState.SETTLED, reason="posted by hand")
    await city.sweep.waiting()
    assert await repairs(city) == {REPAIR: "SETTLED", MARK: "DUE"}


def test_keys_name_the_row_and_its_time_in_beijing(rows: Rows) -> None:
    assert REPAIR == "repair:4711:20190902090000/1"
    assert Repairs().number(REPAIR).startswith("RE")
    assert points_record().biz_no == BIZ_NO


@pytest.mark.parametrize("named", [OTHER_CODE, SHOP_CODE])
async def test_a_record_under_an_earlier_code_of_the_same_subject_can_be_repaired(city: City, named: str) -> None:
    under = {OTHER_CODE: SHOP_CODE, SHOP_CODE: OTHER_CODE}[named]
    await city.say(observed(credit_profile(code=OTHER_CODE, old_codes=(SHOP_CODE,))))
    await city.say(observed(points_record(subject_code=under)), observed(row(subject_code=named)))
    assert await repairs(city) == {REPAIR: "DUE", MARK: "WAITING"}


async def test_a_repair_of_an_earlier_version_is_known_though_the_ledger_is_lost(city: City) -> None:
    """The row changed after its repair was made: its present number is another one, and nothing may be restored twice."""
    await city.say(observed(points_record()), observed(row()))
    await city.accept(REPAIR)
    await city.say(observed(points_record(version=2, open_points=Decimal(2))), observed(made_repair()))
    await city.database.write(forget_ledger)
    await city.say(observed(row(5)))
    assert await repairs(city) == {REPAIR: "CLOSED", LATER_MARK: "DUE"}
    assert (await mark(city, LATER_MARK)).taken
