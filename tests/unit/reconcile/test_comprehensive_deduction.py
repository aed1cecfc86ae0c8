"""comprehensive-deduction, read like its row in DOMAIN.md: points complete another dozen -> COMPREHENSIVE_DEDUCTION, credit."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from hub.domain.points import period_of
from hub.reconcile.dozens import Period, period_in, periods_of
from hub.reconcile.rule import Rulebook, Verdict
from hub.reconcile.rules.comprehensive_deduction import ComprehensiveDeduction, Facts
from schema.commands import PostCreditRecord
from schema.entities import CodeType, CreditRecord, Obligation, ObligationState, RecordCategory
from tests.builders import DAY, OTHER_CODE, SHOP_CODE, approval, credit_profile, credit_record, gone, observed
from tests.settable_clock import BEIJING, START
from tests.unit.reconcile.city import BOOK, POLICY, City, held, kinds, only, taken

RULE = ComprehensiveDeduction()
PERIOD = f"{SHOP_CODE}:2019"
FIRST, SECOND = f"comprehensive-deduction:{PERIOD}:1", f"comprehensive-deduction:{PERIOD}:2"
EXCEED = Rulebook(replace(POLICY, points=replace(POLICY.points, dozen_counts_at="exceed")), "330782")
FIVE_FINDINGS = [taken(number, points) for number, points in enumerate(["6", "6", "9", "6", "6"], 1)]  # case 7: 33 points
SENT, CLOSED = ObligationState.SENT, ObligationState.CLOSED


def derive(
    records: Sequence[CreditRecord], *ledger: Obligation, deductions: Sequence[CreditRecord] = (), book: Rulebook = BOOK
) -> Verdict:
    facts = Facts(period_in(periods_of(records), PERIOD), "义乌市某培训学校", {one.biz_no: [one] for one in deductions})
    return RULE.derive(facts, ledger, book, START)


def causes(verdict: Verdict) -> list[str | None]:
    return [owed.command.caused_by for owed in verdict.owed if isinstance(owed.command, PostCreditRecord)]


def test_thirty_three_points_are_two_dozens_with_the_records_that_filled_them() -> None:
    verdict = derive(FIVE_FINDINGS)
    assert [owed.key for owed in verdict.owed] == [FIRST, SECOND]
    assert causes(verdict) == ["BR-FINDING-0002", "BR-FINDING-0004"]


def test_the_deduction_takes_its_evidence_from_the_record_that_filled_the_dozen() -> None:
    owed = only(derive([taken(1, "11.5"), taken(2, "0.5", occurred_at=START + DAY, department_code="WH", region="330725")]))
    assert owed.command == PostCreditRecord(
        biz_no=RULE.number(FIRST),
        code=SHOP_CODE,
        code_type=CodeType.USCC,
        subject_name="义乌市某培训学校",
        category=RecordCategory.COMPREHENSIVE_DEDUCTION,
        points=Decimal("2.0"),
        item_code="DOZEN",
        item_name="2019年度监管信用扣分第1次满12分",
        occurred_at=START + DAY,
        department="WH",
        region="330725",
        evidence_platform="enforcement",
        evidence_ref="T-SCHOOL",
        evidence_finding="F0002",
        caused_by="BR-FINDING-0002",
    )
    assert str(owed.command.points) == "2.0"
    assert (owed.due.at, owed.subject_code, owed.chain) == (START + timedelta(minutes=2), SHOP_CODE, None)


@pytest.mark.parametrize(
    ("points", "dozens"),
    [
        pytest.param(["11.5"], 0, id="half a point is missing"),
        pytest.param(["0.5"] * 24, 1, id="halves add up exactly"),
        pytest.param(["12"], 1, id="twelve exactly"),
        pytest.param(["24.5"], 2, id="one record fills two"),
        pytest.param(["6"] * 6, 3, id="thirty-six"),
    ],
)
def test_each_full_dozen_counts_once(points: list[str], dozens: int) -> None:
    assert len(derive([taken(number, each) for number, each in enumerate(points, 1)]).owed) == dozens


def test_policy_decides_whether_twelve_itself_fills_a_dozen() -> None:
    assert derive([taken(1, "12")], book=EXCEED).owed == ()
    assert causes(derive([taken(1, "12"), taken(2, "0.5")], book=EXCEED)) == ["BR-FINDING-0002"]


def test_policy_decides_how_much_a_dozen_takes() -> None:
    dear = Rulebook(replace(POLICY, points=replace(POLICY.points, dozen_deduction=Decimal(3))), "330782")
    owed = only(derive([taken(1, "12")], book=dear))
    assert isinstance(owed.command, PostCreditRecord)
    assert owed.command.points == Decimal(3)
    sent = held(RULE, only(derive([taken(1, "12")])), SENT)
    assert derive([taken(1, "12")], sent, book=dear).owed == derive([taken(1, "12")]).owed  # made by the policy of its time


def test_a_repair_reopens_no_dozen() -> None:
    mended = [taken(1, "12", open_points=Decimal(0), version=2), taken(2, "6"), taken(3, "6")]
    assert causes(derive(mended)) == ["BR-FINDING-0001", "BR-FINDING-0003"]


def test_a_cancelled_record_counts_no_longer() -> None:
    assert derive([taken(1, "6", cancelled=True), taken(2, "6"), taken(3, "5.5")]).owed == ()


def test_only_regulatory_points_of_the_subject_and_the_period_count() -> None:
    others = [
        taken(1, "6"),
        taken(2, "6", subject_code=OTHER_CODE),
        taken(3, "6", occurred_at=datetime(2018, 12, 31, 23, 59, 59, tzinfo=BEIJING)),
        taken(4, "6", occurred_at=datetime(2020, 1, 1, tzinfo=BEIJING)),
        credit_record(record_id="CR-C", points=Decimal(6)),
    ]
    assert derive(others).owed == ()


@pytest.mark.parametrize(
    ("moment", "year"),
    [("2018-12-31T16:00:00+00:00", "2019"), ("2018-12-31T15:59:59+00:00", "2018"), ("2019-12-31T15:59:59+00:00", "2019")],
)
def test_the_year_is_beijings(moment: str, year: str) -> None:
    (period,) = periods_of([taken(1, "12", occurred_at=datetime.fromisoformat(moment))]).values()
    assert (period.year, period.key) == (year, f"{SHOP_CODE}:{year}")


def test_records_count_in_the_order_of_acceptance_then_of_their_ids() -> None:
    same = START + timedelta(minutes=9)
    records = [taken(3, "6", created_at=same), taken(2, "6", created_at=same), taken(9, "6", created_at=START)]
    expected = derive(records)
    assert causes(expected) == ["BR-FINDING-0002"]
    assert all(derive(order).owed == expected.owed for order in permutations(records))


def test_a_record_that_is_seen_late_changes_neither_the_key_nor_what_is_material() -> None:
    before = only(derive([taken(2, "6"), taken(3, "6")]))
    after = only(derive([taken(1, "6"), taken(2, "6"), taken(3, "5")]))
    assert (before.key, causes(derive([taken(1, "6"), taken(2, "6"), taken(3, "5")]))) == (after.key, ["BR-FINDING-0002"])
    assert before.command != after.command
    assert before.command is not None
    assert after.command is not None
    assert RULE.material(before.command) == RULE.material(after.command) == f"2.0 points, for {SHOP_CODE}"


def deduction(key: str = FIRST, **fields: object) -> CreditRecord:
    mine = {"record_id": "CR-D", "biz_no": RULE.number(key), "category": RecordCategory.COMPREHENSIVE_DEDUCTION, "caused_by": "B"}
    return credit_record(**mine | fields)


def test_the_platforms_record_with_our_number_is_the_proof() -> None:
    assert derive(FIVE_FINDINGS, deductions=[deduction(SECOND)]).proven == {SECOND: "CR-D"}


def test_a_deduction_that_was_cancelled_though_its_dozen_is_full_is_for_ops() -> None:
    verdict = derive([taken(1, "12")], deductions=[deduction(cancelled=True)])
    assert (verdict.proven, kinds(verdict)) == ({FIRST: "CR-D"}, ["cancelled-though-owed"])


def test_it_listens_to_the_records_of_its_period() -> None:
    assert list(RULE.causes(observed(taken(1, "1")))) == [PERIOD]
    assert list(RULE.causes(observed(deduction()))) == [PERIOD]
    assert list(RULE.causes(observed(credit_record()))) == []
    assert list(RULE.causes(observed(approval()))) == []


def test_an_unknown_period_has_no_records() -> None:
    assert period_in({}, PERIOD) == Period(SHOP_CODE, "2019", ())
    assert period_of(START) == "2019"


# --- In the ledger ---------------------------------------------------------------------------------------------------


async def deductions(city: City) -> dict[str, str]:
    return {key: state for key, state in (await city.lines()).items() if key.startswith("comprehensive")}


async def test_records_that_come_one_by_one_in_any_order_make_each_dozen_once(city: City) -> None:
    await city.say(observed(credit_profile(name="义乌市某培训学校")))
    for record in reversed(FIVE_FINDINGS):
        await city.say(observed(record), observed(record))
    assert await deductions(city) == {FIRST: "DUE", SECOND: "DUE"}
    command = await city.command(FIRST)
    assert isinstance(command, PostCreditRecord)
    assert (command.caused_by, command.subject_name) == ("BR-FINDING-0002", "义乌市某培训学校")


async def test_a_dozen_that_is_undone_before_it_was_sent_is_withdrawn_and_due_again_with_the_next_record(city: City) -> None:
    await city.say(observed(taken(1, "6")), observed(taken(2, "6")))
    await city.say(observed(taken(2, "6", version=2, cancelled=True)))
    assert await deductions(city) == {FIRST: "WITHDRAWN"}
    await city.say(observed(taken(3, "7")))
    assert await deductions(city) == {FIRST: "DUE"}
    command = await city.command(FIRST)
    assert isinstance(command, PostCreditRecord)
    assert command.caused_by == "BR-FINDING-0003"


async def test_a_dozen_that_is_undone_after_it_was_sent_is_for_ops_with_both_versions(city: City) -> None:
    await city.say(*map(observed, FIVE_FINDINGS))
    await city.accept(FIRST)
    await city.accept(SECOND)
    await city.say(observed(taken(3, "9", version=2, cancelled=True)), observed(taken(4, "6", version=2, cancelled=True)))
    (item,) = [one for one in await city.ops() if one.kind.startswith("comprehensive")]
    assert (item.kind, item.cause) == ("comprehensive-deduction.withdrawn-after-sent", SECOND)
    assert '"caused_by":"BR-FINDING-0004"' in (item.before or "")
    assert '"cancelled":true' in (item.after or "")


async def test_a_late_record_that_shifts_a_dozen_tells_ops_nothing_once_it_was_sent(city: City) -> None:
    await city.say(observed(taken(2, "6")), observed(taken(3, "6")))
    await city.accept(FIRST)
    await city.say(observed(taken(1, "6")))
    assert await deductions(city) == {FIRST: "SENT"}
    command = await city.command(FIRST)
    assert isinstance(command, PostCreditRecord)
    assert command.caused_by == "BR-FINDING-0003"
    assert {item.kind for item in await city.ops()} <= {"no-telephone"}


async def test_the_record_on_the_platform_closes_its_obligation(city: City) -> None:
    await city.say(observed(taken(1, "12")))
    await city.accept(FIRST)
    await city.say(observed(deduction()))
    assert await deductions(city) == {FIRST: "CLOSED"}


@pytest.mark.parametrize("moment", ["2018-12-31T15:59:59+00:00", "2018-12-31T16:00:00+00:00", "2019-12-31T16:00:00+00:00"])
async def test_the_sweep_counts_years_as_the_rule_does(city: City, moment: str) -> None:
    at = datetime.fromisoformat(moment)
    neighbours = [taken(n, "11.5", occurred_at=datetime(2016 + n, 7, 1, tzinfo=BEIJING)) for n in range(1, 5)]
    await city.keep_silent(*map(observed, [*neighbours, taken(8, "11.5", occurred_at=at, subject_code=OTHER_CODE)]))
    await city.sweep.everything()
    assert await deductions(city) == {}
    await city.keep_silent(observed(taken(9, "0.5", occurred_at=at, subject_code=OTHER_CODE)))
    await city.sweep.everything()
    assert list(await deductions(city)) == [f"comprehensive-deduction:{OTHER_CODE}:{period_of(at)}:1"]


async def test_the_sweep_finds_records_that_were_cancelled_or_deleted_unnoticed(city: City) -> None:
    await city.say(observed(taken(1, "6")), observed(taken(2, "6")), observed(taken(3, "12", subject_code=OTHER_CODE)))
    await city.keep_silent(observed(taken(2, "6", version=2, cancelled=True)), gone(taken(3, "12")))
    await city.sweep.everything()
    assert set((await deductions(city)).values()) == {"WITHDRAWN"}


async def test_a_period_that_the_rule_was_asked_about_is_no_candidate_any_more(city: City) -> None:
    await city.say(*map(observed, FIVE_FINDINGS))
    for key in (FIRST, SECOND):
        await city.put(key, state=CLOSED)
    unsettled = RULE.candidates(BOOK, START)
    assert await city.database.read(unsettled, "", 10) == []
    await city.keep_silent(observed(taken(1, "6", version=2)))
    assert await city.database.read(unsettled, "", 10) == [PERIOD]
    assert await city.database.read(unsettled, PERIOD, 10) == []
