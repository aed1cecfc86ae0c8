"""breach-record, read like its row in DOMAIN.md: a finding does not conform -> a credit record, credit."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest

from hub.domain.policy_values import Item
from hub.mirror.queries import Check
from hub.reconcile.breach import key_for
from hub.reconcile.rule import Rulebook, Verdict
from hub.reconcile.rules.breach_record import BreachRecord, Facts
from schema.commands import PostCreditRecord
from schema.entities import (
    Approval,
    CodeType,
    Conclusion,
    CreditRecord,
    Finding,
    InspectionItem,
    Obligation,
    ObligationState,
    RecordCategory,
    Severity,
    TaskStatus,
    TaskType,
)
from tests.builders import (
    OTHER_CODE,
    SHOP_CODE,
    approval,
    credit_profile,
    credit_record,
    finding,
    inspection_item,
    observed,
    task,
    task_result,
)
from tests.settable_clock import BEIJING, START
from tests.unit.reconcile.city import APPROVAL_NO, BOOK, POLICY, TASK_ID, approval_task, bad, check, done_check, held, kinds, only

RULE = BreachRecord()
NONCONFORM, CONFORM, UNREACHABLE = Conclusion.NONCONFORM, Conclusion.CONFORM, Conclusion.UNREACHABLE
OTHER_CHECKS = [TaskType.APPROVAL, TaskType.GRID, TaskType.RANDOM, TaskType.SPECIAL]


def derive(
    said: Check,
    *ledger: Obligation,
    of: Approval | None = approval(),  # noqa: B008  (frozen)
    code: str | None = None,
    items: Mapping[str, InspectionItem] | None = None,
    records: Sequence[CreditRecord] = (),
    book: Rulebook = BOOK,
) -> Verdict:
    by_number = {record.biz_no: [record] for record in records}
    return RULE.derive(Facts(said, of, code, items or {}, by_number), ledger, book, START)


def random_check(
    *findings: Finding, conclusion: Conclusion = NONCONFORM, kind: TaskType = TaskType.RANDOM, **fields: object
) -> Check:
    of = task(
        **{"type": kind, "origin_platform": None, "origin_ref": None, "external_no": None, "status": TaskStatus.DONE} | fields
    )
    return Check(of, [task_result(conclusion=conclusion)], findings)


def records(verdict: Verdict) -> list[PostCreditRecord]:
    return [owed.command for owed in verdict.owed if isinstance(owed.command, PostCreditRecord)]


def points(verdict: Verdict) -> list[str]:
    return [str(command.points) for command in records(verdict)]


# --- A check on commitment -------------------------------------------------------------------------------------------


def test_a_broken_commitment_costs_six_comprehensive_points_once_however_many_findings() -> None:
    owed = only(derive(done_check(NONCONFORM, bad("F1"), bad("F2"), bad("F3"))))
    assert owed.key == f"breach-record:{APPROVAL_NO}"
    assert owed.command == PostCreditRecord(
        biz_no=RULE.number(owed.key),
        code=SHOP_CODE,
        code_type=CodeType.USCC,
        subject_name="义乌市天䶮印刷有限公司",
        category=RecordCategory.COMMITMENT_BREACH,
        points=Decimal("6.0"),
        item_code="WH-SX01",
        item_name="印刷经营许可",
        occurred_at=START,
        department="WH",
        region="330782",
        evidence_platform="enforcement",
        evidence_ref=TASK_ID,
        evidence_finding=None,
        caused_by=None,
    )


def test_a_broken_commitment_needs_no_finding_to_be_one() -> None:
    assert points(derive(done_check(NONCONFORM))) == ["6.0"]


def test_a_kept_commitment_owes_nothing_even_where_a_finding_names_points() -> None:
    assert derive(done_check(CONFORM, finding(conform=True))).owed == ()


# --- Every other check -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", OTHER_CHECKS)
def test_in_every_other_check_each_bad_finding_makes_its_own_record(kind: TaskType) -> None:
    said = random_check(
        bad("F1", points=Decimal(2)), bad("F2", points=Decimal("0.5")), finding(finding_id="F3", conform=True), kind=kind
    )
    verdict = derive(said, of=None)
    assert [owed.key for owed in verdict.owed] == ["breach-record:F1", "breach-record:F2"]
    assert points(verdict) == ["2.0", "0.5"]
    assert {command.category for command in records(verdict)} == {RecordCategory.REGULATORY_POINTS}
    assert [command.evidence_finding for command in records(verdict)] == ["F1", "F2"]


def test_a_recheck_takes_no_points_a_second_time() -> None:
    assert derive(random_check(bad(), kind=TaskType.RECHECK), of=None).owed == ()


def test_a_referral_takes_no_points() -> None:
    referral = random_check(bad(), kind=TaskType.SPECIAL, origin_platform="enforcement", origin_ref="T-RECHECK")
    assert derive(referral, of=None).owed == ()


@pytest.mark.parametrize("kind", [*OTHER_CHECKS, TaskType.COMMITMENT, TaskType.RECHECK])
def test_nobody_reached_is_no_breach_and_goes_to_the_ops_list(kind: TaskType) -> None:
    verdict = derive(random_check(bad(), conclusion=UNREACHABLE, kind=kind), of=None)
    assert verdict.owed == ()
    assert kinds(verdict) == ["unreachable"]


def test_a_result_that_does_not_conform_but_lists_no_finding_goes_to_the_ops_list() -> None:
    verdict = derive(random_check(finding(conform=True)), of=None)
    assert verdict.owed == ()
    assert kinds(verdict) == ["nonconform-without-findings"]


@pytest.mark.parametrize("status", [TaskStatus.PENDING, TaskStatus.IN_PROGRESS, TaskStatus.CANCELLED])
def test_a_check_that_has_not_ended_says_nothing_yet(status: TaskStatus) -> None:
    assert derive(done_check(NONCONFORM, bad(), status=status)).owed == ()


def test_a_transferred_check_says_what_it_found() -> None:
    assert len(derive(random_check(bad(), status=TaskStatus.TRANSFERRED), of=None).owed) == 1


def test_findings_of_several_subjects_go_to_their_own() -> None:
    of = task(type=TaskType.RANDOM, status=TaskStatus.DONE, origin_platform=None, origin_ref=None)
    results = [task_result(result_id=f"{TASK_ID}/{at}", subject_code=code) for at, code in enumerate((SHOP_CODE, OTHER_CODE))]
    findings = [bad("F1", result_id=f"{TASK_ID}/0"), bad("F2", result_id=f"{TASK_ID}/1")]
    verdict = derive(check(of, *results, findings=findings), of=None)
    assert [(owed.key, owed.subject_code) for owed in verdict.owed] == [
        ("breach-record:F1", SHOP_CODE),
        ("breach-record:F2", OTHER_CODE),
    ]


# --- How many points: finding, then item (the platform's before policy's), then tier ----------------------------------


@pytest.mark.parametrize(
    ("named", "severity", "platform", "expected"),
    [
        pytest.param("1.5", Severity.SERIOUS, ("3", None), "1.5", id="the finding's own points win"),
        pytest.param(None, Severity.SERIOUS, ("3", None), "3.0", id="then the item's, as the platform says them"),
        pytest.param(None, Severity.SERIOUS, None, "6.0", id="then the item's, as policy says them"),
        pytest.param(None, Severity.SERIOUS, (None, Severity.MINOR), "6.0", id="where the platform names no points policy speaks"),
    ],
)
def test_points_are_the_findings_then_the_items(
    named: str | None, severity: Severity | None, platform: tuple[str | None, Severity | None] | None, expected: str
) -> None:
    one = bad(item_code="WH-001", points=Decimal(named) if named else None, severity=severity)
    items = {}
    if platform is not None:
        items["WH-001"] = inspection_item(points=Decimal(platform[0]) if platform[0] else None, severity=platform[1])
    assert points(derive(random_check(one), of=None, items=items)) == [expected]


@pytest.mark.parametrize(
    ("severity", "tier", "expected"),
    [
        pytest.param(Severity.MINOR, None, "1.0", id="minor"),
        pytest.param(Severity.GENERAL, None, "3.0", id="general"),
        pytest.param(Severity.MAJOR, None, "6.0", id="major"),
        pytest.param(Severity.SERIOUS, None, "12.0", id="serious"),
        pytest.param(Severity.MINOR, Severity.SERIOUS, "1.0", id="the finding's severity before the item's"),
        pytest.param(None, Severity.MAJOR, "6.0", id="the item's severity where the finding names none"),
    ],
)
def test_where_nobody_names_points_the_tier_speaks(severity: Severity | None, tier: Severity | None, expected: str) -> None:
    one = bad(item_code="WH-900", points=None, severity=severity)
    items = {"WH-900": inspection_item(item_code="WH-900", points=None, severity=tier)}
    assert points(derive(random_check(one), of=None, items=items)) == [expected]


def test_policy_counts_as_it_was_when_the_check_was_made() -> None:
    rows = (
        Item("WH-800", "旧标准", "WH", Decimal(2), None, valid_until=date(2019, 8, 31)),
        Item("WH-800", "新标准", "WH", Decimal(3), None, valid_from=date(2019, 9, 1)),
    )
    book = Rulebook(replace(POLICY, items=rows), "330782")
    in_mirror = {"WH-800": inspection_item(source="policy", item_code="WH-800", points=Decimal(3), severity=None)}
    august = Check(
        random_check().task,
        [task_result(checked_at=datetime(2019, 8, 31, 23, tzinfo=BEIJING))],
        [bad(item_code="WH-800", points=None)],
    )
    assert points(derive(august, of=None, book=book, items=in_mirror)) == ["2.0"]
    assert points(derive(random_check(bad(item_code="WH-800", points=None)), of=None, book=book, items=in_mirror)) == ["3.0"]


def test_an_item_that_nobody_knows_waits_for_its_points_and_ops_is_told() -> None:
    verdict = derive(random_check(bad(item_code="WH-900", points=None, severity=None)), of=None)
    owed = only(verdict)
    assert (owed.command, owed.needs) == (None, "points of item WH-900, from its platform or items.csv")
    assert kinds(verdict) == ["unknown-points"]
    assert "WH-900" in verdict.troubles[0].message
    assert owed.needs in list(RULE.releases(observed(inspection_item(item_code="WH-900"))))


def test_points_that_no_record_can_carry_wait_and_their_neighbours_go_on() -> None:
    verdict = derive(random_check(bad("F1", points=Decimal(-1)), bad("F2", points=Decimal(1))), of=None)
    assert [owed.command is not None for owed in verdict.owed] == [False, True]
    assert kinds(verdict) == ["unknown-points"]


@pytest.mark.parametrize("of_the_item", [False, True])
def test_points_that_are_no_half_wait_for_a_person_and_are_not_sent_wrong(of_the_item: bool) -> None:
    items = {"WH-001": inspection_item(points=Decimal("0.3"))}
    verdict = derive(random_check(bad(item_code="WH-001", points=None if of_the_item else Decimal("0.3"))), of=None, items=items)
    assert only(verdict).command is None
    assert kinds(verdict) == ["unknown-points"]


def sent(said: Check, **fields: object) -> Obligation:
    return held(RULE, only(derive(said, of=None)), ObligationState.SENT, **fields)


def test_a_record_that_was_sent_keeps_the_points_of_the_policy_that_made_it() -> None:
    said = random_check(bad(item_code="WH-001", points=None))
    dearer = {"WH-001": inspection_item(points=Decimal(9))}
    assert points(derive(said, sent(said), of=None, items=dearer)) == ["6.0"]


def test_a_later_version_is_measured_by_the_policy_of_its_time() -> None:
    said = random_check(bad(item_code="WH-001", points=None))
    later = Check(task(type=TaskType.RANDOM, status=TaskStatus.DONE, version=2), said.results, said.findings)
    assert points(derive(later, sent(said), of=None, items={"WH-001": inspection_item(points=Decimal(9))})) == ["9.0"]


# --- Whose record ----------------------------------------------------------------------------------------------------


def test_a_record_for_a_person_goes_under_the_keyed_identity() -> None:
    code = "RID-" + "0" * 64
    said = Check(random_check().task, [task_result(subject_code=code)], [bad()])
    (record,) = records(derive(said, of=None))
    assert (record.code, record.code_type) == (code, CodeType.RESIDENT_ID)


@pytest.mark.parametrize(
    ("in_result", "of_approval", "resolved", "expected"),
    [
        pytest.param(OTHER_CODE, SHOP_CODE, None, OTHER_CODE, id="the result's own code wins"),
        pytest.param(None, SHOP_CODE, None, SHOP_CODE, id="else the approval's"),
        pytest.param(None, None, SHOP_CODE, SHOP_CODE, id="else the one behind its old number"),
    ],
)
def test_the_code_comes_from_the_result_the_approval_or_its_old_number(
    in_result: str | None, of_approval: str | None, resolved: str | None, expected: str
) -> None:
    said = check(approval_task(status=TaskStatus.DONE), task_result(subject_code=in_result))
    of = approval(subject_code=of_approval, old_number=None if of_approval else "330782000012345")
    assert only(derive(said, of=of, code=resolved)).subject_code == expected


def test_an_old_number_that_nobody_knows_waits_and_goes_to_the_ops_list() -> None:
    said = check(approval_task(status=TaskStatus.DONE), task_result(subject_code=None))
    verdict = derive(said, of=approval(subject_code=None, old_number="330782000012345"))
    owed = only(verdict)
    assert (owed.command, owed.needs) == (None, "the code of old number 330782000012345")
    assert kinds(verdict) == ["unresolved-old-number"]
    assert owed.needs in list(RULE.releases(observed(credit_profile(old_codes=("330782000012345",)))))


def test_a_subject_that_is_not_known_yet_waits_and_is_no_trouble() -> None:
    said = Check(random_check().task, [task_result(subject_code=None, subject_name=None)], [bad()])
    verdict = derive(said, of=None)
    assert only(verdict).needs == f"the code of subject unknown of task {TASK_ID}"
    assert verdict.troubles == ()


def test_a_broken_commitment_waits_for_an_approval_that_was_never_seen() -> None:
    owed = only(derive(done_check(NONCONFORM), of=None))
    assert (owed.command, owed.needs) == (None, f"approval {APPROVAL_NO} in the mirror")
    assert owed.needs in list(RULE.releases(observed(approval())))


def test_the_region_is_the_approvals_else_the_citys() -> None:
    assert records(derive(done_check(NONCONFORM), of=approval(region="330725")))[0].region == "330725"
    assert records(derive(random_check(bad()), of=None))[0].region == "330782"


# --- Time and proof --------------------------------------------------------------------------------------------------


def test_it_is_due_at_once() -> None:
    assert only(derive(random_check(bad()), of=None)).due.at == START


def test_the_platforms_record_with_our_number_is_the_proof() -> None:
    record = credit_record(biz_no=RULE.number(key_for("F0001")))
    assert derive(random_check(bad()), of=None, records=[record]).proven == {"breach-record:F0001": "CR0001"}


def test_a_record_that_an_operator_cancelled_is_not_made_again_and_ops_is_told_if_the_breach_stands() -> None:
    record = credit_record(biz_no=RULE.number(key_for("F0001")), cancelled=True)
    verdict = derive(random_check(bad()), of=None, records=[record])
    assert verdict.proven == {"breach-record:F0001": "CR0001"}
    assert kinds(verdict) == ["cancelled-though-owed"]


def test_a_record_that_an_operator_cancelled_for_a_withdrawn_finding_is_no_trouble() -> None:
    made = sent(random_check(bad()))
    record = credit_record(biz_no=made.number, cancelled=True)
    assert derive(random_check(conclusion=CONFORM), made, of=None, records=[record]).troubles == ()


def test_a_record_is_proven_after_its_finding_was_withdrawn_too() -> None:
    made = sent(random_check(bad()))
    record = credit_record(biz_no=made.number)
    assert derive(random_check(conclusion=CONFORM), made, of=None, records=[record]).proven == {made.key: "CR0001"}


def test_the_check_and_the_records_that_stand_on_it_are_what_it_listens_to() -> None:
    assert list(RULE.causes(observed(task()))) == [TASK_ID]
    assert list(RULE.causes(observed(credit_record(evidence_ref="T9")))) == ["T9"]
    assert list(RULE.causes(observed(credit_record(evidence_ref=None)))) == []
    assert list(RULE.causes(observed(approval()))) == []
