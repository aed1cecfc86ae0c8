"""Whole chains of records, as the platforms and the ledger hold them when a case has run; each is the city's own case in small."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from schema.commands import PostCreditRecord, encode_command
from schema.declare import declared
from schema.entities import (
    CodeType,
    Conclusion,
    CoordinationStatus,
    EventStatus,
    Obligation,
    ObligationState,
    RecordCategory,
    ReportMark,
    TaskStatus,
    TaskType,
    TownCoordinationStatus,
)
from schema.entity import Entity, key_of
from schema.global_id import global_id
from tests.builders import (
    DAY,
    HOUR,
    SHOP_CODE,
    approval,
    blacklist_entry,
    campaign,
    campaign_request,
    coordination,
    credit_record,
    figures_check,
    finding,
    grid_event,
    key_subject,
    notice,
    notice_request,
    obligation,
    repair,
    score_entry,
    self_report,
    sms_receipt,
    task,
    task_result,
    town_coordination,
)
from tests.settable_clock import START

NO = approval().approval_no
TASK = task().task_id
MINUTE = timedelta(minutes=1)


def owed(rule: str, what: str, cause: str, command: str, platform: str, **fields: Any) -> Obligation:
    """An obligation of a rule, closed a minute after START; its number is `N/` and its key."""
    key = f"{rule}:{what}"
    told = {"number": f"N/{key}", "rule": rule, "cause": cause, "command": command, "platform": platform, "payload": b""}
    closed = {"state": ObligationState.CLOSED, "sent_at": START, "closed_at": START + MINUTE, "due_at": START + HOUR}
    return obligation(**{"key": key, **told, **closed, **fields})


def gid(record: Entity) -> str:
    """Return a record's global id."""
    return str(global_id(declared(type(record)), key_of(record)))


def commitment_case() -> list[Entity]:
    """Case 5: a commitment that was not kept, with all that follows but the key subject's own entry; nothing is owed."""
    number, record_no = f"N/approval-verification:{NO}", f"N/breach-record:{NO}"
    check = {"status": TaskStatus.DONE, "external_no": number, "created_at": START, "updated_at": START + HOUR}
    again = {"task_id": "T-RECHECK", "type": TaskType.RECHECK, "origin_platform": "enforcement", "origin_ref": "ZG-1"}
    referral = {"task_id": "T-SPECIAL", "type": TaskType.SPECIAL, "origin_platform": "enforcement", "origin_ref": "T-RECHECK"}
    later = {"status": TaskStatus.DONE, "created_at": START + 2 * HOUR, "updated_at": START + 3 * DAY}
    return [
        approval(),
        owed("approval-verification", NO, NO, "CreateTask", "enforcement"),
        task(**check),
        task_result(checked_at=START + HOUR, order_no="ZG-1", order_deadline=START + 2 * DAY),
        finding(),
        owed("verification-result", f"{TASK}:3", NO, "PushVerificationResult", "approval", sent_at=START + 2 * HOUR),
        owed("breach-record", NO, TASK, "PostCreditRecord", "credit"),
        credit_record(biz_no=record_no, created_at=START + 2 * HOUR),
        owed("commitment-blacklist", NO, NO, "AddToBlacklist", "approval", sent_at=START + 3 * HOUR),
        blacklist_entry(entry_no=f"N/commitment-blacklist:{NO}"),
        owed("key-supervision", f"{SHOP_CODE}:{NO}", SHOP_CODE, "PutKeySubject", "enforcement", sent_at=START + 4 * HOUR),
        owed("score-notice", "CR0001/1", "CR0001", "SendSms", "sms", receipt="SMS0001", sent_at=START + 5 * HOUR),
        owed("score-notice", "CR0001/2", "CR0001", "PutScore", "selfgov", sent_at=START + 5 * HOUR),
        sms_receipt(reported_at=START + 6 * HOUR),
        score_entry(biz_no=record_no, updated_at=START + 5 * HOUR),
        self_report(repairs_biz_no=record_no, completed_at=START + DAY, updated_at=START + DAY, mark=ReportMark.TAKEN),
        owed("repair", "4711:20190902/1", "4711", "PostRepair", "credit"),
        repair(biz_no="N/repair:4711:20190902/1", created_at=START + 2 * DAY),
        owed("recheck", "ZG-1", "ZG-1", "CreateTask", "enforcement"),
        task(external_no="N/recheck:ZG-1", **again, **later),
        task_result(result_id="T-RECHECK/0", task_id="T-RECHECK", checked_at=START + 3 * DAY),
        owed("penalty-referral", "T-RECHECK", "T-RECHECK", "CreateTask", "enforcement"),
        task(external_no="N/penalty-referral:T-RECHECK", **referral, **later | {"created_at": START + 3 * DAY}),
        task_result(result_id="T-SPECIAL/0", task_id="T-SPECIAL", checked_at=START + 3 * DAY, case_no="LA-1"),
    ]


def event_case() -> list[Entity]:
    """Case 10: two linked events, of which the second was found by following the first; both answered."""
    records: list[Entity] = []
    for no, at, related in (("E1", START, ()), ("E2", START + 3 * HOUR, ("E1",))):
        of_event = {"task_id": f"T-{no}", "type": TaskType.GRID, "origin_platform": "grid", "origin_ref": no}
        number = f"N/grid-dispatch:{no}:1/1"
        records += [
            grid_event(event_no=no, reported_at=at, related=related, status=EventStatus.HANDLED, updated_at=at + 2 * HOUR),
            owed("grid-dispatch", f"{no}:1/1", no, "CreateTask", "enforcement"),
            owed("grid-dispatch", f"{no}:1/2", no, "AcceptEvent", "grid", sent_at=at),
            owed("grid-feedback", f"{no}:1", no, "FeedbackEvent", "grid", sent_at=at + 2 * HOUR),
            task(external_no=number, status=TaskStatus.DONE, created_at=at, updated_at=at + HOUR, **of_event),
            task_result(result_id=f"T-{no}/0", task_id=f"T-{no}", checked_at=at + HOUR, subject_code=None),
        ]
    return records


def serious_case() -> list[Entity]:
    """Case 7: two findings of a special check take 15 points, which fill a dozen and make the subject serious."""
    period = f"{SHOP_CODE}:2019"
    dozen = PostCreditRecord(
        biz_no="N/comprehensive-deduction",
        code=SHOP_CODE,
        code_type=CodeType.USCC,
        subject_name="-",
        category=RecordCategory.COMPREHENSIVE_DEDUCTION,
        points=Decimal("2.0"),
        item_code="DOZEN",
        item_name="-",
        occurred_at=START,
        department="WH",
        region="330782",
        evidence_platform="enforcement",
        evidence_ref=TASK,
        evidence_finding=None,
        caused_by="N/breach-record:F2",
    )
    records: list[Entity] = [
        task(type=TaskType.SPECIAL, origin_platform=None, origin_ref=None, external_no=None, status=TaskStatus.DONE),
        task_result(checked_at=START),
    ]
    for at, name in enumerate(("F1", "F2")):
        taken = {"category": RecordCategory.REGULATORY_POINTS, "points": Decimal("7.5"), "evidence_finding": name}
        records += [
            finding(finding_id=name),
            owed("breach-record", name, TASK, "PostCreditRecord", "credit"),
            credit_record(record_id=f"C-{name}", biz_no=f"N/breach-record:{name}", created_at=START + at * MINUTE, **taken),
        ]
    deduction = {"category": RecordCategory.COMPREHENSIVE_DEDUCTION, "points": Decimal("2.0"), "caused_by": "N/breach-record:F2"}
    return [
        *records,
        owed("comprehensive-deduction", f"{period}:1", period, "PostCreditRecord", "credit", payload=encode_command(dozen)),
        credit_record(record_id="C-D", biz_no=f"N/comprehensive-deduction:{period}:1", created_at=START + HOUR, **deduction),
        owed(
            "responsible-person",
            period,
            period,
            "PostCreditRecord",
            "credit",
            state=ObligationState.WAITING,
            needs="the legal representative",
            closed_at=None,
            sent_at=None,
            subject_code=None,
        ),
        owed("key-supervision", f"{SHOP_CODE}:serious-2019", SHOP_CODE, "PutKeySubject", "enforcement", sent_at=START + 2 * HOUR),
    ]


def coordination_case() -> list[Entity]:
    """Case 4, the other way: a department asks a town, which handles it."""
    return [
        coordination(status=CoordinationStatus.HANDLED, updated_at=START + 3 * HOUR),
        owed("coordination-dispatch", "XT0001", "XT0001", "IssueCoordination", "grid"),
        town_coordination(
            out_no="N/coordination-dispatch:XT0001", status=TownCoordinationStatus.HANDLED, updated_at=START + 2 * HOUR
        ),
        owed("coordination-feedback", "XT0001:3", "XT0001", "GiveCoordinationFeedback", "enforcement", sent_at=START + 3 * HOUR),
    ]


def campaign_case() -> list[Entity]:
    """Case 2: a joint inspection that was asked for, and two subjects that were drawn."""
    drawn = [f"T-C{at}" for at in range(2)]
    own = {"type": TaskType.RANDOM, "origin_platform": None, "origin_ref": None, "external_no": None, "campaign_id": "C0001"}
    checks: list[Entity] = []
    for each in drawn:
        checks += [
            task(task_id=each, created_at=START + HOUR, status=TaskStatus.DONE, **own),
            task_result(result_id=f"{each}/0", task_id=each, checked_at=START + DAY, conclusion=Conclusion.CONFORM),
        ]
    return [
        campaign_request(external_no="N/campaign:SSJ-2019-0001"),
        owed("campaign", "SSJ-2019-0001", "SSJ-2019-0001", "CreateCampaign", "enforcement"),
        campaign(external_no="N/campaign:SSJ-2019-0001", task_ids=tuple(drawn)),
        *checks,
    ]


def notice_case() -> list[Entity]:
    """Case 8: a law that is pushed to two subjects."""
    records: list[Entity] = [notice_request()]
    for code in notice_request().subject_codes:
        records += [
            owed("notice", f"TZ-2019-0001:{code}", "TZ-2019-0001", "PutNotice", "selfgov"),
            notice(notice_no=f"N/notice:TZ-2019-0001:{code}", subject_code=code, issued_at=START + HOUR),
        ]
    return records


def figures_case() -> list[Entity]:
    """Case 8: figures that do not hold lead to a check on site."""
    check_no = figures_check().check_no
    special = {"type": TaskType.SPECIAL, "origin_platform": "selfgov", "origin_ref": "4711", "status": TaskStatus.DONE}
    return [
        self_report(repairs_biz_no=None, mark=ReportMark.TAKEN),
        owed("repair", "4711:20190902", "4711", "MarkReport", "selfgov"),
        figures_check(checked_at=START + HOUR),
        owed("figures-inspection", check_no, check_no, "CreateTask", "enforcement"),
        task(external_no=f"N/figures-inspection:{check_no}", created_at=START + 2 * HOUR, **special),
        task_result(checked_at=START + DAY, conclusion=Conclusion.CONFORM),
    ]


CASES = {
    "commitment": commitment_case,
    "event": event_case,
    "serious": serious_case,
    "coordination": coordination_case,
    "campaign": campaign_case,
    "notice": notice_case,
    "figures": figures_case,
}


def beside(records: Sequence[Entity]) -> list[Entity]:
    """Records of the same subject that belong to other chains: none of them may show."""
    return [
        approval(approval_no="OTHER", accepted_at=START - 9 * DAY),
        task(task_id="T-OTHER", origin_ref="OTHER", external_no="N/approval-verification:OTHER"),
        owed("approval-verification", "OTHER", "OTHER", "CreateTask", "enforcement"),
        credit_record(record_id="C-OTHER", biz_no="OTHER-BIZ", evidence_ref="T-NOWHERE", created_at=START),
        owed("key-supervision", f"{SHOP_CODE}:OTHER", SHOP_CODE, "PutKeySubject", "enforcement"),
        owed("comprehensive-deduction", f"{SHOP_CODE}:2019:2", f"{SHOP_CODE}:2019", "PostCreditRecord", "credit"),
        grid_event(event_no=NO, related=()),
        task(task_id="T-GRID", type=TaskType.GRID, origin_platform="grid", origin_ref=NO, external_no=None),
        *([] if any(type(record).__name__ == "KeySubject" for record in records) else [key_subject()]),
    ]
