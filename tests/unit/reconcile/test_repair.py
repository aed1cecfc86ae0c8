"""repair, read like selfgov.md's Marking: what becomes of each result row, and of its repair on the credit platform."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.reconcile.repair import Facts
from hub.reconcile.rule import Owed, Verdict
from hub.reconcile.rules.repair import Repairs
from schema.commands import MarkReport, PostRepair
from schema.entities import CreditRecord, Obligation, ObligationState, RepairWay, ReportMark, ReportState, SelfReport
from tests.builders import OTHER_CODE
from tests.settable_clock import BEIJING, START
from tests.unit.reconcile.city import BOOK, held
from tests.unit.reconcile.self_governance import BIZ_NO, RECORD_ID, key, made_repair, points_record, row

RULE = Repairs()
REPAIR, MARK = f"{key()}/1", f"{key()}/2"
LATER_REPAIR, LATER_MARK = f"{key(5)}/1", f"{key(5)}/2"
A_YEAR_ON = datetime(2020, 9, 2, 23, 59, 59, tzinfo=BEIJING)
APPROVED, REFUSED, WAITING = ReportState.APPROVED, ReportState.REFUSED, ReportState.WAITING
RECORD = points_record()
READ_SINCE = START + timedelta(seconds=10)


def derive(
    report: SelfReport,
    *ledger: Obligation,
    record: CreditRecord | None = RECORD,
    **facts: Any,
) -> Verdict:
    return RULE.derive(Facts(report, record, **{"credit_read_at": READ_SINCE} | facts), ledger, BOOK, START)


def by_key(verdict: Verdict) -> dict[str, Owed]:
    return {owed.key: owed for owed in verdict.owed}


def mark_of(verdict: Verdict, mark: str = MARK) -> MarkReport:
    command = by_key(verdict)[mark].command
    assert isinstance(command, MarkReport)
    return command


def refused(report: SelfReport, *ledger: Obligation, **facts: Any) -> str:
    """Return why a row is refused; it has no repair then."""
    verdict = derive(report, *ledger, **facts)
    assert list(by_key(verdict)) == [MARK]
    mark = mark_of(verdict)
    assert not mark.taken
    assert mark.reason is not None
    return mark.reason


def made(state: ObligationState = ObligationState.SENT, **fields: Any) -> Obligation:
    """The repair of `row()`, as far as that."""
    return held(RULE, by_key(derive(row()))[REPAIR], state, **fields)


# --- Each row ---------------------------------------------------------------------------------------------------------


def test_a_row_that_is_not_decided_is_left_alone() -> None:
    assert derive(row(state=WAITING)).owed == ()


def test_a_refused_row_is_taken_without_effect() -> None:
    assert by_key(derive(row(state=REFUSED))).keys() == {MARK}
    assert mark_of(derive(row(state=REFUSED))) == MarkReport(report_no="4711", updated_at=START, taken=True)


def test_an_approved_row_that_repairs_nothing_is_taken_as_a_report() -> None:
    verdict = derive(row(repairs_biz_no=None, points=None, figures='{"担保余额": 100}'), record=None)
    assert by_key(verdict).keys() == {MARK}
    assert mark_of(verdict).taken


@pytest.mark.parametrize("way", list(RepairWay))
def test_an_approved_repair_is_made_on_the_credit_platform_in_each_way(way: RepairWay) -> None:
    owed = by_key(derive(row(way=way)))
    assert owed[REPAIR].command == PostRepair(
        biz_no=RULE.number(REPAIR), record_id=RECORD_ID, points=Decimal("2.0"), way=way, completed_at=row().completed_at
    )
    assert (owed[REPAIR].platform, owed[MARK].platform) == ("credit", "selfgov")


def test_the_row_is_marked_only_when_its_repair_was_seen() -> None:
    waiting = by_key(derive(row()))[MARK]
    assert (waiting.command, waiting.needs) == (None, f"the repair of {REPAIR} in the mirror")
    seen = derive(row(), made(), repairs={RULE.number(REPAIR): made_repair()})
    assert seen.proven == {REPAIR: "RP0001"}
    assert mark_of(seen).taken


@pytest.mark.parametrize("state", [ObligationState.CLOSED, ObligationState.SETTLED])
def test_a_repair_that_ended_in_the_ledger_releases_the_mark_too(state: ObligationState) -> None:
    assert mark_of(derive(row(), made(state))).taken


@pytest.mark.parametrize(("mark", "reason"), [(ReportMark.TAKEN, None), (ReportMark.REFUSED, "信用记录不存在")])
def test_the_marked_row_is_the_proof(mark: ReportMark, reason: str | None) -> None:
    verdict = derive(row(mark=mark, mark_reason=reason), record=None)
    assert verdict.proven == {MARK: "4711"}
    assert mark_of(verdict) == MarkReport(report_no="4711", updated_at=START, taken=mark is ReportMark.TAKEN, reason=reason)


# --- Rows that cannot be repaired -------------------------------------------------------------------------------------


def test_a_record_that_does_not_exist_is_named() -> None:
    assert refused(row(repairs_biz_no="BR-NONE"), record=None) == "信用记录BR-NONE不存在"


def test_another_subjects_record_is_refused() -> None:
    assert refused(row(subject_code=OTHER_CODE)) == f"信用记录{BIZ_NO}不属于{OTHER_CODE}"


def test_a_cancelled_record_is_refused() -> None:
    assert refused(row(), record=points_record(cancelled=True)) == f"信用记录{BIZ_NO}已撤销"


@pytest.mark.parametrize(
    ("points", "open_points", "reason"),
    [
        (None, "4", f"未填写修复分（信用记录{BIZ_NO}）"),
        ("0", "4", f"修复分0须大于0（信用记录{BIZ_NO}）"),
        ("-1", "4", f"修复分-1须大于0（信用记录{BIZ_NO}）"),
        ("4.5", "4", f"申请修复4.5分，超过信用记录{BIZ_NO}未修复的4分"),
        ("2", "1.5", f"申请修复2分，超过信用记录{BIZ_NO}未修复的1.5分"),
        ("0.5", "0", f"申请修复0.5分，超过信用记录{BIZ_NO}未修复的0分"),
    ],
)
def test_points_that_are_missing_or_over_the_open_ones_are_refused(points: str | None, open_points: str, reason: str) -> None:
    wanted = row(points=None if points is None else Decimal(points))
    assert refused(wanted, record=points_record(open_points=Decimal(open_points))) == reason


def test_all_the_open_points_can_be_repaired() -> None:
    assert REPAIR in by_key(derive(row(points=Decimal(4))))


def test_the_same_day_a_year_later_is_in_time() -> None:
    assert REPAIR in by_key(derive(row(completed_at=A_YEAR_ON)))


def test_the_day_after_a_year_is_too_late() -> None:
    reason = refused(row(completed_at=A_YEAR_ON + timedelta(seconds=1)))
    assert reason == f"完成时间2020年9月3日已超过信用记录{BIZ_NO}的修复期限2020年9月2日"


@pytest.mark.parametrize(
    ("code", "says"),
    [("EXCEEDS_RECORD", "超过该记录未修复的分值"), ("EXPIRED", "已超过该记录的修复期限")],
)
@pytest.mark.parametrize("state", [ObligationState.STUCK, ObligationState.WITHDRAWN])
def test_what_the_credit_platform_refuses_for_good_is_told_to_the_subject(state: ObligationState, code: str, says: str) -> None:
    stuck = made(state, last_error=f"{code}: credit: POST /v2/repairs: refused, HTTP 422: points: {code}")
    assert says in refused(row(), stuck)


def test_what_the_credit_platform_refuses_otherwise_stays_for_ops() -> None:
    stuck = made(ObligationState.STUCK, last_error="CONFLICT: credit: POST /v2/repairs: refused, HTTP 409")
    assert by_key(derive(row(), stuck)).keys() == {REPAIR, MARK}


# --- Records that are not seen yet ------------------------------------------------------------------------------------


def test_a_record_that_our_own_ledger_is_going_to_make_is_waited_for() -> None:
    owed = by_key(derive(row(), record=None, to_come=True))
    assert (owed[REPAIR].command, owed[REPAIR].needs) == (None, f"credit record {BIZ_NO} in the mirror")
    assert owed[MARK].command is None


@pytest.mark.parametrize("read_at", [None, READ_SINCE - timedelta(seconds=1)])
def test_nothing_is_refused_for_a_missing_record_before_the_credit_platform_was_read(read_at: datetime | None) -> None:
    owed = by_key(derive(row(), record=None, credit_read_at=read_at))
    assert owed[REPAIR].needs == f"credit record {BIZ_NO}, or the credit platform read to its end after 2019-09-02 09:00:10"
    assert owed[MARK].command is None


# --- Judged once ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "one",
    [
        made(ObligationState.LEASED),
        made(ObligationState.SENT),
        made(ObligationState.CLOSED),
        made(ObligationState.DUE, unknown_since=START),
    ],
)
def test_a_repair_that_may_be_there_is_not_judged_again(one: Obligation) -> None:
    exhausted = points_record(version=2, open_points=Decimal(0))
    owed = by_key(derive(row(), one, record=exhausted))
    assert owed[REPAIR].command is not None
    assert owed[MARK].command is None or mark_of(derive(row(), one, record=exhausted)).taken


def test_a_repair_that_was_surely_not_made_is_judged_again() -> None:
    one = made(ObligationState.DUE, attempts=1, last_error="RATE_LIMITED: credit: busy")
    assert "超过" in refused(row(), one, record=points_record(version=2, open_points=Decimal(0)))


def test_a_repair_that_the_ledger_has_lost_is_known_by_the_mirror() -> None:
    verdict = derive(row(), record=points_record(open_points=Decimal(0)), repairs={RULE.number(REPAIR): made_repair()})
    assert by_key(verdict).keys() == {REPAIR, MARK}
    assert mark_of(verdict).taken
    assert verdict.proven == {REPAIR: "RP0001"}


def test_a_refusal_that_may_have_been_told_stays() -> None:
    mark = by_key(derive(row(), record=None))[MARK]
    verdict = derive(row(), held(RULE, mark, ObligationState.SENT))
    assert (verdict.owed, verdict.keep) == ((), frozenset({MARK}))


# --- Later versions of a row ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [ObligationState.SENT, ObligationState.CLOSED])
def test_a_row_that_asks_for_the_same_again_gets_its_mark_and_no_second_repair(state: ObligationState) -> None:
    exhausted = points_record(version=2, open_points=Decimal(0))
    owed = by_key(derive(row(5), made(state), record=exhausted))
    assert owed.keys() == {REPAIR, LATER_MARK}
    assert owed[LATER_MARK].needs == (None if state is ObligationState.CLOSED else f"the repair of {REPAIR} in the mirror")


@pytest.mark.parametrize(
    "later",
    [
        row(5, state=REFUSED),
        row(5, points=Decimal(1)),
        row(5, repairs_biz_no="BR-OTHER"),
        row(5, repairs_biz_no=None),
    ],
)
def test_a_row_that_says_otherwise_after_its_repair_was_sent_is_taken_and_its_repair_no_longer_owed(later: SelfReport) -> None:
    record = points_record() if later.repairs_biz_no == BIZ_NO else None
    verdict = derive(later, made(), record=record)
    assert by_key(verdict).keys() == {LATER_MARK}
    assert mark_of(verdict, LATER_MARK).taken
    assert REPAIR not in verdict.keep  # so that settle.py tells ops, with both versions


def test_a_repair_that_was_never_sent_is_made_anew_from_the_later_row() -> None:
    owed = by_key(derive(row(5, points=Decimal(1)), made(ObligationState.DUE)))
    assert owed.keys() == {LATER_REPAIR, LATER_MARK}
    assert isinstance(command := owed[LATER_REPAIR].command, PostRepair)
    assert command.points == 1


def test_a_repair_that_was_refused_for_good_does_not_stand_in_the_way_of_a_corrected_row() -> None:
    stuck = made(ObligationState.WITHDRAWN, last_error="EXCEEDS_RECORD: credit: refused")
    assert by_key(derive(row(5, points=Decimal(1)), stuck)).keys() == {LATER_REPAIR, LATER_MARK}


def test_the_mark_of_an_earlier_row_is_over_if_it_may_have_been_sent_and_withdrawn_if_not() -> None:
    mark = by_key(derive(row(state=REFUSED)))[MARK]
    sent = derive(row(5, state=REFUSED), held(RULE, mark, ObligationState.SENT))
    assert (sent.keep, sent.proven) == (frozenset({MARK}), {MARK: "4711"})
    unsent = derive(row(5, state=REFUSED), held(RULE, mark))
    assert (unsent.keep, unsent.proven) == (frozenset(), {})


def test_a_row_that_waits_once_more_keeps_a_repair_that_is_there_and_no_other() -> None:
    assert derive(row(5, state=WAITING), made(ObligationState.CLOSED)).keep == frozenset({REPAIR})
    assert derive(row(5, state=WAITING), made(ObligationState.DUE)).keep == frozenset()


def test_a_repair_that_shows_after_all_counts_although_it_was_withdrawn() -> None:
    withdrawn = made(ObligationState.WITHDRAWN)
    owed = by_key(derive(row(5), withdrawn, repairs={RULE.number(REPAIR): made_repair()}))
    assert owed.keys() == {REPAIR, LATER_MARK}


def test_a_mark_raises_the_version_and_never_the_key() -> None:
    marked = row(mark=ReportMark.TAKEN)
    assert marked.version > row().version
    assert by_key(derive(marked, made(ObligationState.CLOSED))).keys() == by_key(derive(row())).keys()
