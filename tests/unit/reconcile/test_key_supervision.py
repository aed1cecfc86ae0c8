"""key-supervision, read like its row in DOMAIN.md: a breached commitment or a serious period -> one entry that names all causes."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from hub.reconcile.rules.key_supervision import KeySupervision
from hub.reconcile.rules.key_supervision_off import KeySupervisionOff
from hub.reconcile.supervision import in_words, named_in, place_of
from schema.commands import PutKeySubject, RemoveKeySubject
from schema.entities import Conclusion, ObligationState
from tests.builders import OTHER_CODE, SHOP_CODE, approval, credit_profile, credit_record, key_subject, obligation, observed
from tests.settable_clock import START, SettableClock
from tests.unit.reconcile.city import BOOK, City, taken
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
    granted,
    number,
    off,
    one,
    put,
    rechecked,
    supervision,
)

RULE = KeySupervision()
OLD_NUMBER = "330782000012345"
PERSON = "RID-" + "d" * 64
CONFORM, NONCONFORM = Conclusion.CONFORM, Conclusion.NONCONFORM


@pytest.fixture
def platform(city: City) -> Platform:
    return Platform(city)


# --- What puts a subject on the list ---------------------------------------------------------------------------------


async def test_a_broken_promise_puts_the_subject_on_the_list(city: City) -> None:
    await break_promise(city, A)
    assert await city.command(put(A)) == PutKeySubject(code=SHOP_CODE, reason=A_WORDS, since=date(2019, 9, 2), ref=number(put(A)))
    made = await one(city, put(A))
    assert (made.state, made.rule, made.cause, made.chain) == (
        ObligationState.DUE,
        "key-supervision",
        SHOP_CODE,
        f"key-subject:{SHOP_CODE}",
    )
    assert (made.due_at, made.number, made.subject_code) == (START, number(put(A)), SHOP_CODE)


async def test_a_serious_period_puts_the_subject_on_the_list(city: City) -> None:
    await become_serious(city)
    command = await city.command(put(YEAR))
    assert command == PutKeySubject(code=SHOP_CODE, reason=YEAR_WORDS, since=date(2019, 9, 2), ref=number(put(YEAR)))


async def test_a_kept_promise_and_eleven_and_a_half_points_do_not(city: City) -> None:
    await city.say(granted(A), checked(A, CONFORM), observed(taken(1, "11.5")))
    assert await supervision(city) == {}


async def test_one_entry_names_all_open_causes_the_newest_ones_number_and_the_oldest_ones_date(city: City) -> None:
    await city.say(observed(taken(1, "12", occurred_at=START - timedelta(days=2), created_at=START + timedelta(hours=2))))
    await break_promise(city, B, A)
    assert await supervision(city) == {put(A): "DUE", put(B): "DUE", put(YEAR): "DUE"}
    for key in (put(A), put(B), put(YEAR)):
        assert await city.command(key) == PutKeySubject(
            code=SHOP_CODE, reason=f"{A_WORDS}；{B_WORDS}；{YEAR_WORDS}", since=date(2019, 8, 31), ref=number(put(YEAR))
        )


async def test_since_is_the_beijing_date(city: City) -> None:
    await city.say(granted(A), checked(A, checked_at=datetime(2019, 9, 2, 16, tzinfo=UTC)))
    command = await city.command(put(A))
    assert isinstance(command, PutKeySubject)
    assert command.since == date(2019, 9, 3)


async def test_a_natural_person_is_put_under_the_keyed_identity(city: City) -> None:
    await city.say(granted(A, subject_code=PERSON), checked(A, subject_code=PERSON))
    assert await supervision(city) == {put(A, code=PERSON): "DUE"}


async def test_the_check_may_come_before_its_approval(city: City) -> None:
    await city.say(checked(A, subject_code=None))
    assert await supervision(city) == {}
    await city.say(granted(A))
    assert await supervision(city) == {put(A): "DUE"}


async def test_a_check_that_names_nobody_counts_for_its_approvals_subject(city: City) -> None:
    await city.say(granted(A))
    await city.say(checked(A, subject_code=None))
    assert await supervision(city) == {put(A): "DUE"}


@pytest.mark.parametrize("profile_first", [True, False])
async def test_an_old_number_counts_once_credit_knows_its_code(city: City, profile_first: bool) -> None:
    said = [observed(credit_profile(old_codes=(OLD_NUMBER,))), granted(A, subject_code=None, old_number=OLD_NUMBER)]
    await city.say(said[not profile_first], checked(A, subject_code=None))
    assert await supervision(city) == {}
    await city.say(said[profile_first])
    assert await supervision(city) == {put(A): "DUE"}


async def test_a_period_that_is_over_puts_nobody_on_the_list(city: City, clock: SettableClock) -> None:
    clock.set(NEW_YEAR - timedelta(seconds=1))
    await become_serious(city)
    assert await supervision(city) == {put(YEAR): "DUE"}
    clock.set(NEW_YEAR)
    await city.say(observed(taken(1, "12", subject_code=OTHER_CODE)))
    await city.settle_all()
    assert await supervision(city) == {put(YEAR): "WITHDRAWN"}


async def test_a_promise_that_was_mended_before_anybody_was_put_on_the_list_puts_nobody(city: City) -> None:
    await city.say(granted(A), rechecked(A), checked(A))
    assert await supervision(city) == {}


# --- Proof, and no needless repeats ----------------------------------------------------------------------------------


async def test_an_entry_that_names_all_causes_proves_them_all(city: City, platform: Platform) -> None:
    await break_promise(city, A, B)
    await platform.carry_out(put(A))
    assert await supervision(city) == {put(A): "CLOSED", put(B): "CLOSED"}


async def test_a_new_cause_is_put_beside_those_that_are_there(city: City, platform: Platform) -> None:
    await break_promise(city, A)
    await platform.carry_out(put(A))
    await break_promise(city, B)
    assert await entry(city, put(B)) == f"{A_WORDS}；{B_WORDS}"
    await platform.carry_out(put(B))
    assert await supervision(city) == {put(A): "CLOSED", put(B): "CLOSED"}
    assert [item.kind for item in await city.ops()] == []


async def test_an_entry_of_a_number_that_only_begins_alike_proves_nothing(city: City, platform: Platform) -> None:
    await break_promise(city, A)
    await platform.show("未履行告知承诺：YW-AB")
    assert (await supervision(city))[put(A)] == "DUE"
    await platform.show("以人工方式列入", number(put(A)))
    assert (await supervision(city))[put(A)] == "CLOSED"


async def test_what_was_cut_off_is_sent_again_with_what_is_owed_by_then(city: City) -> None:
    await break_promise(city, A)
    await city.put(put(A), state=ObligationState.DUE, unknown_since=START)
    await break_promise(city, B)
    assert await entry(city, put(A)) == f"{A_WORDS}；{B_WORDS}"
    assert (await one(city, put(A))).unknown_since == START


async def test_one_after_the_other_in_the_order_in_which_they_were_found(city: City) -> None:
    await break_promise(city, B)
    await break_promise(city, A)
    first, second = await one(city, put(B)), await one(city, put(A))
    assert first.sequence < second.sequence


async def test_an_entry_that_somebody_rewrote_is_shown_to_ops_as_json(city: City, platform: Platform) -> None:
    await break_promise(city, A)
    await platform.carry_out(put(A))
    await platform.show("以人工方式列入", "by hand")
    (item,) = await city.ops()
    assert item.kind == "off-the-list-though-owed"
    assert item.after is not None
    (entity, shown), *_ = json.loads(item.after)
    assert (entity, shown["reason"]) == ("KeySubject", "以人工方式列入")


async def test_an_entry_that_somebody_took_off_is_not_fought_over_and_ops_is_told_once(city: City, platform: Platform) -> None:
    await break_promise(city, A)
    await platform.carry_out(put(A))
    await platform.show(None)
    await city.settle_all()
    assert await supervision(city) == {put(A): "CLOSED"}
    assert [(item.kind, item.cause) for item in await city.ops()] == [("off-the-list-though-owed", put(A))]


# --- Corrections -----------------------------------------------------------------------------------------------------


async def test_a_correction_before_sending_withdraws_and_leaves_the_rest(city: City) -> None:
    await break_promise(city, A, B)
    await city.say(checked(A, CONFORM, version=2))
    assert await supervision(city) == {put(A): "WITHDRAWN", put(B): "DUE"}
    assert await entry(city, put(B)) == B_WORDS


async def test_a_correction_after_sending_tells_ops_and_takes_the_cause_off(city: City, platform: Platform) -> None:
    await break_promise(city, A)
    await platform.carry_out(put(A))
    await city.say(checked(A, CONFORM, version=2))
    assert await supervision(city) == {put(A): "CLOSED", off(A): "DUE"}
    (item,) = [item for item in await city.ops() if item.kind.startswith("key-supervision")]
    assert (item.kind, item.cause) == ("key-supervision.withdrawn-after-sent", put(A))
    assert '"conclusion":"CONFORM"' in (item.after or "")


async def test_a_cancelled_record_ends_a_serious_period_as_a_correction(city: City, platform: Platform) -> None:
    await become_serious(city)
    await platform.carry_out(put(YEAR))
    await city.say(observed(taken(1, "12", version=2, cancelled=True)))
    assert await supervision(city) == {put(YEAR): "CLOSED", off(YEAR): "DUE"}
    assert "key-supervision.withdrawn-after-sent" in [item.kind for item in await city.ops()]


async def test_what_may_have_been_put_is_made_certain_before_it_is_taken_off(city: City, platform: Platform) -> None:
    await break_promise(city, A)
    await city.put(put(A), state=ObligationState.DUE, unknown_since=START)
    await city.say(checked(A, CONFORM, version=2))
    assert await supervision(city) == {put(A): "DUE", off(A): "DUE"}
    assert (await one(city, put(A))).sequence < (await one(city, off(A))).sequence
    await platform.carry_out(put(A))
    assert await supervision(city) == {put(A): "CLOSED", off(A): "DUE"}
    assert "key-supervision.withdrawn-after-sent" in [item.kind for item in await city.ops()]


async def test_another_subject_of_the_approval_is_found_by_the_sweep(city: City, platform: Platform) -> None:
    await break_promise(city, A)
    await platform.carry_out(put(A))
    await city.say(granted(A, version=2, subject_code=OTHER_CODE))
    await city.sweep.everything()
    assert await supervision(city) == {put(A): "CLOSED", off(A): "DUE", put(A, code=OTHER_CODE): "DUE"}


# --- The sweep -------------------------------------------------------------------------------------------------------


async def test_the_sweep_finds_every_kind_of_cause_that_was_missed(city: City) -> None:
    await city.keep_silent(
        granted(A),
        checked(A, subject_code=None),
        observed(taken(1, "12", subject_code=OTHER_CODE)),
        observed(taken(2, "11.5", subject_code=PERSON)),
        observed(key_subject(code=PERSON, reason="以人工方式列入")),
    )
    unsettled = RULE.candidates(BOOK, START)
    assert await city.database.read(unsettled, "", 9) == sorted([SHOP_CODE, OTHER_CODE])
    assert await city.database.read(unsettled, OTHER_CODE, 9) == [SHOP_CODE]
    await city.sweep.everything()
    assert await supervision(city) == {put(A): "DUE", put(YEAR, code=OTHER_CODE): "DUE"}
    assert await city.database.read(unsettled, "", 9) == []
    assert await city.database.read(RULE.candidates(BOOK, NEW_YEAR), "", 9) == []


async def test_the_sweep_finds_an_entry_that_names_other_causes_than_are_open(city: City, platform: Platform) -> None:
    await break_promise(city, A)
    await platform.carry_out(put(A))
    unsettled = [rule.candidates(BOOK, START) for rule in (RULE, KeySupervisionOff())]
    assert [await city.database.read(find, "", 9) for find in unsettled] == [[], []]
    await city.keep_silent(checked(A, CONFORM, version=2))
    assert [await city.database.read(find, "", 9) for find in unsettled] == [[SHOP_CODE], [SHOP_CODE]]
    await city.sweep.everything()
    assert (await supervision(city))[off(A)] == "DUE"


async def test_the_sweep_asks_about_a_broken_promise_that_was_checked_anew(city: City, platform: Platform) -> None:
    await break_promise(city, A)
    await platform.carry_out(put(A))
    await city.keep_silent(rechecked(A))
    await city.sweep.everything()
    assert (await supervision(city))[off(A)] == "DUE"


async def test_the_list_is_gone_through_a_page_at_a_time(city: City) -> None:
    entries = [key_subject(code=f"{n:02}", reason=f"严重失信：{2018 if n % 7 == 3 else 2030}年度") for n in range(20)]
    await city.keep_silent(*(observed(each) for each in entries))
    found, after = list[str](), ""
    while page := await city.database.read(KeySupervisionOff().elapsed(BOOK, START), after, 2):
        found, after = found + page, page[-1]
    assert found == ["03", "10", "17"]
    unsettled = KeySupervisionOff().candidates(BOOK, START)
    assert await city.database.read(unsettled, "", 2) == ["00", "01"]
    assert await city.database.read(unsettled, "18", 2) == ["19"]


async def test_the_sweep_knows_the_code_behind_an_old_number(city: City) -> None:
    await city.say(observed(credit_profile(old_codes=(OLD_NUMBER,))))
    await city.keep_silent(granted(A, subject_code=None, old_number=OLD_NUMBER), checked(A, subject_code=None))
    await city.sweep.everything()
    assert await supervision(city) == {put(A): "DUE"}


# --- Words -----------------------------------------------------------------------------------------------------------


def test_words_name_causes_both_ways_and_other_words_name_none() -> None:
    causes = [A, YEAR, "YW201908150001"]
    reason = "；".join([*map(in_words, causes), "以人工方式列入", "严重失信"])
    assert named_in(reason) == set(causes)
    assert named_in("") == frozenset()


@pytest.mark.parametrize(("cause", "round_"), [(A, 1), (A, 12), (YEAR, 2)])
def test_an_obligations_key_says_its_cause_and_round(cause: str, round_: int) -> None:
    made = obligation(key=put(cause, round_), rule="key-supervision", cause=SHOP_CODE)
    assert place_of(made) == (cause, round_)


def test_it_listens_to_whatever_may_be_a_cause_an_end_or_a_proof() -> None:
    assert list(RULE.causes(observed(key_subject()))) == [SHOP_CODE]
    assert list(RULE.causes(observed(taken(1, "1")))) == [SHOP_CODE]
    assert list(RULE.causes(observed(credit_record(points=Decimal(6))))) == []
    assert list(RULE.causes(observed(approval()))) == [SHOP_CODE]
    assert list(RULE.causes(checked(A))) == [SHOP_CODE]
    assert list(RULE.causes(rechecked(A))) == [SHOP_CODE]
    assert list(RULE.causes(observed(credit_profile(old_codes=())))) == []


async def test_a_subject_that_has_an_earlier_code_is_listed_once_under_its_present_one(city: City) -> None:
    await city.say(observed(credit_profile(code=OTHER_CODE, old_codes=(SHOP_CODE,))))
    await break_promise(city, A)
    await city.sweep.everything()
    assert [key for key in await city.lines() if key.startswith(RULE.name)] == [f"{RULE.name}:{OTHER_CODE}:{A}"]


async def test_an_entry_under_what_is_an_earlier_code_now_moves_to_the_present_one(city: City, platform: Platform) -> None:
    await break_promise(city, A)
    await platform.carry_out(put(A))
    await city.say(observed(credit_profile(code=OTHER_CODE, old_codes=(SHOP_CODE,))))
    lines = {key: state for key, state in (await city.lines()).items() if key.startswith(RULE.name)}
    assert lines == {put(A): "CLOSED", off(A): "DUE", f"{RULE.name}:{OTHER_CODE}:{A}": "DUE"}
    assert await city.command(off(A)) == RemoveKeySubject(code=SHOP_CODE)
