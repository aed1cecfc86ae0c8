"""score-notice, read like its row in DOMAIN.md: a credit record takes points from a subject -> SMS and its own list."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.reconcile.rule import Owed, Verdict
from hub.reconcile.rules.score_notice import Facts, ScoreNotice
from schema.commands import PutScore, SendSms
from schema.entities import Approval, CreditRecord, Obligation, ObligationState, RecordCategory, ScoreEntry, ScoreState
from tests.builders import IDENTITY_NO, OTHER_CODE, PHONE, SHOP_CODE, approval, credit_profile, observed
from tests.settable_clock import BEIJING, START, SettableClock
from tests.unit.reconcile.city import BOOK, City, held, kinds
from tests.unit.reconcile.self_governance import BIZ_NO, ENTRY, RECORD_ID, SMS, entry, points_record

RULE = ScoreNotice()
RID = "RID-" + "0a" * 32


def derive(
    record: CreditRecord,
    *ledger: Obligation,
    phone: str | None = PHONE,
    shown: ScoreEntry | None = None,
    now: datetime = START,
) -> Verdict:
    return RULE.derive(Facts(record, shown, phone), ledger, BOOK, now)


def by_key(verdict: Verdict) -> dict[str, Owed]:
    return {owed.key: owed for owed in verdict.owed}


def message(record: CreditRecord) -> SendSms:
    command = by_key(derive(record))[f"score-notice:{record.record_id}/1"].command
    assert isinstance(command, SendSms)
    return command


# --- What the subject is told ----------------------------------------------------------------------------------------


def test_the_message_says_for_what_how_many_points_how_and_until_when_to_repair() -> None:
    assert message(points_record()) == SendSms(
        ext_no=RULE.number(SMS),
        mobile=PHONE,
        content="您（单位）于2019年9月2日因“厨房环境卫生”被扣监管信用分4分。请在2020年9月2日前（含当日）登录“浙里办”主体自治系统，"
        "通过自查、自主申报、学习或考试修复。",
    )


def test_comprehensive_points_are_called_so_and_halves_stay_exact() -> None:
    record = points_record(category=RecordCategory.COMMITMENT_BREACH, points=Decimal("0.5"), open_points=Decimal("0.5"))
    assert "被扣综合信用分0.5分" in message(record).content


def test_days_in_the_message_are_beijing_ones() -> None:
    late = datetime(2019, 12, 31, 16, 30, tzinfo=START.tzinfo) + timedelta(hours=8)  # 00:30 on 1 January
    content = message(points_record(occurred_at=late)).content
    assert "于2020年1月1日" in content
    assert "在2021年1月1日前" in content


def test_a_message_never_exceeds_the_gateways_length_and_says_that_a_name_was_cut() -> None:
    content = message(points_record(item_name="卫" * 600)).content
    assert len(content) <= 350
    assert "…”被扣" in content


def test_an_identity_number_in_an_items_name_is_masked() -> None:
    content = message(points_record(item_name=f"经营者{IDENTITY_NO}占道")).content
    assert IDENTITY_NO not in content
    assert "330*************1X" in content


def test_the_list_shows_the_record_open_with_points_as_taken_at_first() -> None:
    owed = by_key(derive(points_record(open_points=Decimal(1))))[ENTRY]
    assert owed.command == PutScore(
        biz_no=BIZ_NO,
        code=SHOP_CODE,
        points=Decimal(4),
        item_code="SCJG-002",
        item_name="厨房环境卫生",
        occurred_at=START,
        repair_until=datetime(2020, 9, 2, 23, 59, 59, tzinfo=BEIJING),
        state=ScoreState.OPEN,
    )
    assert (owed.platform, owed.chain, owed.place) == ("selfgov", f"score:{BIZ_NO}", 1)


def test_a_person_is_told_under_the_rid_code() -> None:
    owed = by_key(derive(points_record(subject_code=RID)))
    assert owed[SMS].subject_code == RID
    assert isinstance(command := owed[ENTRY].command, PutScore)
    assert command.code == RID


@pytest.mark.parametrize(
    "record",
    [
        points_record(cancelled=True),
        points_record(category=RecordCategory.RESPONSIBLE_PERSON, points=Decimal(0), open_points=Decimal(0)),
    ],
)
def test_a_record_that_takes_nothing_is_not_told(record: CreditRecord) -> None:
    verdict = derive(record, phone=None)
    assert (verdict.owed, verdict.troubles) == ((), ())


# --- When it is due --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepted", "due"),
    [
        (datetime(2019, 9, 2, 9, 0, tzinfo=BEIJING), datetime(2019, 9, 2, 9, 0, tzinfo=BEIJING)),
        (datetime(2019, 9, 2, 6, 59, 59, tzinfo=BEIJING), datetime(2019, 9, 2, 7, 0, tzinfo=BEIJING)),
        (datetime(2019, 9, 2, 7, 0, tzinfo=BEIJING), datetime(2019, 9, 2, 7, 0, tzinfo=BEIJING)),
        (datetime(2019, 9, 2, 21, 59, 59, tzinfo=BEIJING), datetime(2019, 9, 2, 21, 59, 59, tzinfo=BEIJING)),
        (datetime(2019, 9, 2, 22, 0, tzinfo=BEIJING), datetime(2019, 9, 3, 7, 0, tzinfo=BEIJING)),
    ],
)
def test_the_message_is_due_at_once_in_sending_hours_the_list_at_once(accepted: datetime, due: datetime) -> None:
    owed = by_key(derive(points_record(created_at=accepted)))
    assert owed[SMS].due.at == due
    assert owed[ENTRY].due.at == accepted


# --- To which telephone ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phone", ["+86 139 0579 0001", "139-0579-0001", "8613905790001", "013905790001", "１３９０５７９０００１"])
def test_a_mobile_number_is_taken_however_it_is_written(phone: str) -> None:
    command = by_key(derive(points_record(), phone=phone))[SMS].command
    assert isinstance(command, SendSms)
    assert command.mobile == PHONE


@pytest.mark.parametrize("phone", [None, "", "0579-85210001", "1390579000", "12905790001"])
def test_without_a_mobile_telephone_there_is_the_list_alone_and_ops_is_told(phone: str | None) -> None:
    verdict = derive(points_record(), phone=phone)
    assert list(by_key(verdict)) == [ENTRY]
    (trouble,) = verdict.troubles
    assert (trouble.kind, trouble.cause, trouble.subject_code) == ("no-telephone", RECORD_ID, SHOP_CODE)


async def test_the_telephone_is_that_of_the_newest_approval_by_acceptance_then_number(city: City) -> None:
    def applied(no: str, hours: int, phone: str | None, **fields: Any) -> Any:
        return observed(approval(approval_no=no, accepted_at=START - timedelta(hours=hours), phone=phone, **fields))

    await city.say(
        applied("YW9", 9, "13900000009"),
        applied("YW2", 1, "13900000002"),
        applied("YW1", 1, "13900000001"),
        applied("YW3", 0, "13900000003", subject_code=OTHER_CODE),
    )
    await city.say(observed(points_record()))
    command = await city.command(SMS)
    assert isinstance(command, SendSms)
    assert command.mobile == "13900000002"


async def test_the_telephone_of_a_person_is_found_by_the_rid_code(city: City) -> None:
    await city.say(observed(approval(subject_code=RID, phone="13900000005")))
    await city.say(observed(points_record(subject_code=RID)))
    command = await city.command(SMS)
    assert isinstance(command, SendSms)
    assert command.mobile == "13900000005"


async def test_an_approval_that_knows_an_old_number_only_names_the_telephone_too(city: City) -> None:
    await city.say(observed(approval(subject_code=None, old_number="330782000012345", phone="13900000006")))
    await city.say(observed(credit_profile(old_codes=("330782000012345",))))
    await city.say(observed(points_record()))
    command = await city.command(SMS)
    assert isinstance(command, SendSms)
    assert command.mobile == "13900000006"


@pytest.mark.parametrize(("under", "newest"), [(SHOP_CODE, OTHER_CODE), (OTHER_CODE, SHOP_CODE)])
async def test_the_telephone_is_that_of_the_subject_also_where_record_and_approval_name_different_codes_of_it(
    city: City, under: str, newest: str
) -> None:
    await city.say(observed(credit_profile(code=OTHER_CODE, old_codes=(SHOP_CODE,))))
    await city.say(observed(approval(subject_code=newest, phone="13900000007")))
    await city.say(observed(points_record(subject_code=under)))
    command = await city.command(SMS)
    assert isinstance(command, SendSms)
    assert command.mobile == "13900000007"


async def test_an_old_number_that_is_resolved_later_makes_the_message_owed(city: City) -> None:
    await city.say(observed(approval(subject_code=None, old_number="330782000012345")), observed(points_record()))
    assert SMS not in await city.lines()
    await city.say(observed(credit_profile(old_codes=("330782000012345",))))
    assert (await city.lines())[SMS] == "DUE"


async def test_an_approval_by_old_number_that_nobody_was_asked_about_is_found_by_the_sweep(city: City) -> None:
    await city.say(observed(credit_profile(old_codes=("330782000012345",))), observed(points_record()), observed(entry()))
    await city.keep_silent(observed(approval(subject_code=None, old_number="330782000012345")))
    await city.sweep.everything()
    assert (await city.lines())[SMS] == "DUE"


async def test_a_telephone_that_becomes_known_later_makes_the_message_owed(city: City) -> None:
    await city.say(observed(points_record()))
    assert await city.lines() == {ENTRY: "DUE"}
    await city.say(observed(approval()))
    assert (await city.lines())[SMS] == "DUE"


@pytest.mark.parametrize(
    "news",
    [
        approval(),
        points_record(version=2, cancelled=True, open_points=Decimal(0)),
        points_record(version=2, open_points=Decimal(0)),
    ],
)
async def test_the_item_of_a_missing_telephone_is_resolved_when_nobody_has_to_be_reached_any_more(
    city: City, news: Approval | CreditRecord
) -> None:
    await city.say(observed(points_record()))
    (item,) = await city.ops()
    assert (item.kind, item.resolved_at) == ("no-telephone", None)
    await city.say(observed(news))
    (item,) = await city.ops()
    assert (item.resolved_by, item.resolved_at) == ("hub", START)


async def test_a_telephone_that_nobody_was_asked_about_is_found_by_the_sweep(city: City) -> None:
    await city.say(observed(points_record()))
    await city.accept(ENTRY)
    await city.say(observed(entry()))
    await city.keep_silent(observed(approval()))
    await city.sweep.everything()
    assert (await city.lines())[SMS] == "DUE"
    before = await city.ledger()
    await city.sweep.everything()
    assert await city.ledger() == before


@pytest.mark.parametrize("late", [{"open_points": Decimal(0), "version": 2}, {}])
async def test_a_telephone_that_comes_when_nothing_can_be_repaired_any_more_owes_nothing(
    city: City, clock: SettableClock, late: dict[str, Any]
) -> None:
    await city.say(observed(points_record()))
    await city.say(observed(points_record(**late)))
    if not late:
        clock.advance(timedelta(days=400).total_seconds())
    await city.say(observed(approval()))
    await city.sweep.everything()
    assert SMS not in await city.lines()


# --- Proof and corrections -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(ScoreState))
def test_the_entry_in_the_mirror_is_the_proof_of_the_list_and_never_of_the_message(state: ScoreState) -> None:
    assert derive(points_record(), shown=entry(state)).proven == {ENTRY: BIZ_NO}


@pytest.mark.parametrize("state", [ObligationState.SENT, ObligationState.CLOSED, ObligationState.SETTLED])
async def test_a_message_that_was_sent_stays_as_it_is(city: City, clock: SettableClock, state: ObligationState) -> None:
    await city.say(observed(approval()), observed(points_record()))
    await city.put(SMS, state=state, sent_at=START)
    sent = (await city.ledger())[SMS]
    await city.say(observed(approval(version=2, phone="13900000007")))
    await city.say(observed(points_record(version=2, open_points=Decimal(0))))
    clock.advance(timedelta(days=400).total_seconds())
    await city.sweep.everything()
    now = (await city.ledger())[SMS]
    assert (now.state, now.payload, now.reason) == (sent.state, sent.payload, sent.reason)
    assert await city.ops() == []


async def test_a_telephone_that_changes_before_the_message_was_sent_is_taken(city: City) -> None:
    await city.say(observed(approval()), observed(points_record()))
    await city.say(observed(approval(version=2, phone="13900000007")))
    await city.settle_all()
    command = await city.command(SMS)
    assert isinstance(command, SendSms)
    assert command.mobile == "13900000007"


async def test_a_record_that_is_cancelled_withdraws_what_was_not_sent(city: City) -> None:
    await city.say(observed(approval()), observed(points_record()))
    await city.say(observed(points_record(version=2, cancelled=True)))
    lines = await city.lines()
    assert (lines[SMS], lines[ENTRY]) == ("WITHDRAWN", "WITHDRAWN")
    assert await city.ops() == []


async def test_a_record_that_is_cancelled_after_its_subject_was_told_is_for_ops(city: City) -> None:
    await city.say(observed(approval()), observed(points_record()))
    await city.put(SMS, state=ObligationState.CLOSED, sent_at=START)
    await city.accept(ENTRY)
    await city.say(observed(entry()))
    await city.say(observed(points_record(version=2, cancelled=True)))
    items = await city.ops()
    assert {(item.kind, item.cause) for item in items} == {("score-notice.withdrawn-after-sent", each) for each in (SMS, ENTRY)}
    assert all('"cancelled":true' in (item.after or "") for item in items)


async def test_message_and_list_do_not_wait_for_each_other(city: City) -> None:
    await city.say(observed(approval()), observed(points_record()))
    lines = await city.lines()
    assert (lines[SMS], lines[ENTRY]) == ("DUE", "DUE")
    assert (await city.ledger())[SMS].chain is None


def test_what_was_sent_of_the_list_and_is_owed_otherwise_differs_materially() -> None:
    (first, second) = (by_key(derive(points_record(points=Decimal(points))))[ENTRY].command for points in (4, 3))
    assert first is not None
    assert second is not None
    assert RULE.material(first) != RULE.material(second)


def test_a_subject_that_was_told_and_has_no_telephone_now_is_no_matter_for_ops() -> None:
    made = held(RULE, by_key(derive(points_record()))[SMS], ObligationState.CLOSED)
    verdict = derive(points_record(), made, phone=None)
    assert (kinds(verdict), verdict.keep) == ([], frozenset({SMS}))
