"""Records with sensible values, made for tests: `approval(state=ApprovalState.REVOKED)` changes what matters and keeps the rest.

All times lie around tests/settable_clock.py's START. Every field can be named; one that does not exist is a TypeError.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from schema.entities import (
    ApplicantKind,
    Approval,
    ApprovalState,
    Attachment,
    Attempt,
    AttemptOutcome,
    AuditEntry,
    BlacklistEntry,
    Campaign,
    CampaignRequest,
    CodeType,
    Conclusion,
    Coordination,
    CoordinationStatus,
    CreditProfile,
    CreditRecord,
    Delivery,
    DeliveryState,
    DeliveryStatus,
    Department,
    DriftFinding,
    DriftKind,
    DriftMethod,
    DriftReport,
    DriftState,
    EventStatus,
    Exchange,
    Explanation,
    FiguresCheck,
    FiguresConclusion,
    Finding,
    Grade,
    GridEvent,
    IdentifierKind,
    InspectionItem,
    KeySubject,
    MaintenanceWindow,
    Matter,
    Measure,
    Notice,
    NoticeRequest,
    Obligation,
    ObligationState,
    Officer,
    OpsItem,
    Photo,
    PlatformPause,
    Procedure,
    QuarantinedRecord,
    RecordCategory,
    RefusedDelivery,
    Repair,
    RepairWay,
    ReportMark,
    ReportState,
    ScoreDifference,
    ScoreEntry,
    ScoreState,
    SelfReport,
    Severity,
    SmsReceipt,
    StreamHealth,
    Subject,
    SubjectAlias,
    SubjectIdentifier,
    SubjectMerge,
    TaskResult,
    TaskStatus,
    TaskType,
    TownCoordination,
    TownCoordinationStatus,
    VerificationTask,
)
from schema.entity import Entity, Mirrored, Observation, Tombstone
from tests.settable_clock import START

E = TypeVar("E", bound=Entity)

SHOP_CODE = "91330782MA2E00011Q"
OTHER_CODE = "91330782MA28D5K77N"
IDENTITY_NO = "33078219850412031X"
REPRESENTATIVE_IDENTITY_NO = "330725197908301422"
PHONE = "13905790001"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def _but(record: E, fields: dict[str, Any]) -> E:
    return msgspec.structs.replace(record, **fields)


def observed(record: Mirrored, *parts: Mirrored) -> Observation:
    """Return what a platform said: a record and its parts."""
    return Observation(record=record, parts=parts)


def gone(record: Mirrored, version: int | None = None) -> Tombstone:
    """Return a platform's word that a record is gone."""
    key = str(getattr(record, record.__struct_fields__[0]))
    return Tombstone(entity=type(record).__name__, key=key, source=record.source, observed_at=START, version=version)


def approval(**fields: Any) -> Approval:
    """A printing licence, granted on commitment to a company."""
    made = Approval(
        source="approval",
        observed_at=START,
        version=1,
        approval_no="YW201908150001",
        matter_code="WH-SX01",
        matter_name="印刷经营许可",
        procedure=Procedure.COMMITMENT,
        applicant_name="义乌市天䶮印刷有限公司",
        applicant_kind=ApplicantKind.LEGAL_PERSON,
        subject_code=SHOP_CODE,
        old_number=None,
        identity_no=None,
        representative_name="陈𬭎",
        representative_identity_no=REPRESENTATIVE_IDENTITY_NO,
        representative_code="RID-" + "c" * 64,
        phone=PHONE,
        address="义乌市福田街道城店路1号",
        commitment=f"本人承诺地址属实，身份证 {REPRESENTATIVE_IDENTITY_NO}，电话 {PHONE}",
        accepted_at=START - DAY,
        decided_at=START - HOUR,
        state=ApprovalState.GRANTED,
        department_code="WH",
        department_name="文化和广电旅游体育局",
        region="330782",
        updated_at=START - HOUR,
    )
    return _but(made, fields)


def task(**fields: Any) -> VerificationTask:
    """A check that our number ordered for `approval()`, not begun."""
    made = VerificationTask(
        source="enforcement",
        observed_at=START,
        version=1,
        task_id="T2019090200001",
        external_no="AV0123456789abcdef0123456789abcdef01234567",
        type=TaskType.COMMITMENT,
        title="印刷经营许可告知承诺核查：义乌市天䶮印刷有限公司",
        origin_platform="approval",
        origin_ref="YW201908150001",
        urgency=2,
        status=TaskStatus.PENDING,
        department_code="WH",
        participants=("ZFJ",),
        officers=(Officer(id="330782001", name="楼某", department="WH", is_head=False),),
        led_by_head=False,
        campaign_id=None,
        due_at=START + 20 * DAY,
        created_at=START,
        updated_at=START,
    )
    return _but(made, fields)


def task_result(**fields: Any) -> TaskResult:
    """The first result of `task()`: nonconforming."""
    made = TaskResult(
        source="enforcement",
        observed_at=START,
        version=1,
        result_id="T2019090200001/0",
        task_id="T2019090200001",
        subject_code=SHOP_CODE,
        subject_name="义乌市天䶮印刷有限公司",
        conclusion=Conclusion.NONCONFORM,
        checked_at=START,
        order_no=None,
        order_deadline=None,
        case_no=None,
        transferred_to=None,
        photos=(Photo(url="https://photos.example/1.jpg", taken_at=START),),
        signed_by_subject=True,
        signed_by_officers=True,
        remarks=f"当事人电话 {PHONE}",
    )
    return _but(made, fields)


def finding(**fields: Any) -> Finding:
    """An item of `task_result()` that does not conform."""
    made = Finding(
        source="enforcement",
        observed_at=START,
        version=1,
        finding_id="F0001",
        task_id="T2019090200001",
        result_id="T2019090200001/0",
        item_code="WH-001",
        item_name="经营地址与许可不一致",
        conform=False,
        points=Decimal("2.5"),
        severity=Severity.GENERAL,
        note=f"联系 {PHONE}",
    )
    return _but(made, fields)


def credit_profile(**fields: Any) -> CreditProfile:
    """A subject of grade B."""
    made = CreditProfile(
        source="credit",
        observed_at=START,
        version=1,
        code=SHOP_CODE,
        code_type=CodeType.USCC,
        name="义乌市天䶮印刷有限公司",
        score=Decimal("86.5"),
        grade=Grade.B,
        regulatory_points=Decimal("4.0"),
        old_codes=("330782000012345",),
        updated_at=START,
    )
    return _but(made, fields)


def credit_record(**fields: Any) -> CreditRecord:
    """Six points for a breached commitment."""
    made = CreditRecord(
        source="credit",
        observed_at=START,
        version=1,
        record_id="CR0001",
        biz_no="BR0123456789abcdef0123456789abcdef01234567",
        subject_code=SHOP_CODE,
        category=RecordCategory.COMMITMENT_BREACH,
        points=Decimal("6.0"),
        open_points=Decimal("6.0"),
        item_code="WH-SX01",
        item_name="印刷经营许可",
        occurred_at=START,
        department_code="WH",
        region="330782",
        evidence_platform="enforcement",
        evidence_ref="T2019090200001",
        evidence_finding=None,
        caused_by=None,
        created_at=START + HOUR,
        updated_at=START + HOUR,
        cancelled=False,
    )
    return _but(made, fields)


def repair(**fields: Any) -> Repair:
    """Two points restored of `credit_record()`."""
    made = Repair(
        source="credit",
        observed_at=START,
        version=1,
        repair_id="RP0001",
        biz_no="RE0123456789abcdef0123456789abcdef01234567",
        record_id="CR0001",
        points=Decimal("2.0"),
        way=RepairWay.STUDY,
        completed_at=START + DAY,
        created_at=START + DAY,
    )
    return _but(made, fields)


def subject(**fields: Any) -> Subject:
    """The company of `approval()`."""
    made = Subject(
        source="approval",
        observed_at=START,
        version=1,
        code=SHOP_CODE,
        code_type=CodeType.USCC,
        name="义乌市天䶮印刷有限公司",
    )
    return _but(made, fields)


def subject_identifier(**fields: Any) -> SubjectIdentifier:
    """The code of `subject()`, which nobody says anything else of."""
    made = SubjectIdentifier(
        identifier=SHOP_CODE,
        kind=IdentifierKind.USCC,
        code=SHOP_CODE,
        credit_code=SHOP_CODE,
        told_by=None,
        told_code=None,
        told_at=None,
        merge_id=None,
    )
    return _but(made, fields)


def subject_alias(**fields: Any) -> SubjectAlias:
    """The credit platform's word on an old number of `subject()`."""
    made = SubjectAlias(
        alias_id=f"330782000012345/{SHOP_CODE}", identifier="330782000012345", code=SHOP_CODE, told_by="credit", told_at=START
    )
    return _but(made, fields)


def subject_merge(**fields: Any) -> SubjectMerge:
    """Another code that ops merged into `subject()`."""
    made = SubjectMerge(
        merge_id=f"{OTHER_CODE}/1",
        from_identifier=OTHER_CODE,
        into_code=SHOP_CODE,
        merged_at=START,
        merged_by="console",
        reason=f"同一经营者，电话 {PHONE}",
        undone_at=None,
        undone_by=None,
        undone_reason=None,
    )
    return _but(made, fields)


def grid_event(**fields: Any) -> GridEvent:
    """Weeds block the view on a road; sent to departments, not accepted yet."""
    made = GridEvent(
        source="grid",
        observed_at=START,
        version=1,
        event_no="YW20190805000123",
        category="JT-07",
        category_name="道路隐患",
        title="杂草遮挡视线",
        content=f"路口杂草遮挡视线，联系 {PHONE}",
        town="赤岸镇",
        grid_code="330782-115-03",
        address="赤岸镇毛店路口",
        longitude=Decimal("120.0750000"),
        latitude=Decimal("29.3070000"),
        reporter="吴某",
        reporter_phone=PHONE,
        reported_at=START - HOUR,
        level=2,
        status=EventStatus.SENT,
        department_code=None,
        limit_at=START + 2 * DAY,
        attachments=(Attachment(name="现场.jpg", url="https://grid.example/1.jpg", md5=None),),
        related=(),
        updated_at=START - HOUR,
    )
    return _but(made, fields)


def town_coordination(**fields: Any) -> TownCoordination:
    """A coordination as the town has it, just issued."""
    made = TownCoordination(
        source="grid",
        observed_at=START,
        version=1,
        town_no="XG20190902001",
        out_no="CO0123456789abcdef0123456789abcdef01234567",
        department_code="ZFJ",
        town="赤岸镇",
        category="协查",
        content="请协助查找当事人",
        status=TownCoordinationStatus.ISSUED,
        opinion=None,
        limit_at=START + DAY,
        updated_at=START,
    )
    return _but(made, fields)


def coordination(**fields: Any) -> Coordination:
    """A coordination as the department issued it."""
    made = Coordination(
        source="enforcement",
        observed_at=START,
        version=1,
        coordination_id="XT0001",
        department_code="ZFJ",
        town="赤岸镇",
        category="协查",
        content="请协助查找当事人",
        due_at=START + DAY,
        status=CoordinationStatus.ISSUED,
        updated_at=START,
    )
    return _but(made, fields)


def campaign(**fields: Any) -> Campaign:
    """A joint inspection of boilers, drawn."""
    made = Campaign(
        source="enforcement",
        observed_at=START,
        version=1,
        campaign_id="C0001",
        external_no=None,
        title="锅炉联合检查",
        departments=("HB", "FG"),
        seed="42",
        industry="锅炉使用单位",
        town=None,
        grades=("C", "D"),
        drawn_subjects=(SHOP_CODE, OTHER_CODE),
        task_ids=("T2019090200001",),
    )
    return _but(made, fields)


def key_subject(**fields: Any) -> KeySubject:
    """A subject to be watched more closely."""
    made = KeySubject(
        source="enforcement",
        observed_at=START,
        version=1,
        code=SHOP_CODE,
        reason="未履行承诺",
        since="2019-09-02",
        ref="KS0123456789abcdef0123456789abcdef01234567",
    )
    return _but(made, fields)


def department(**fields: Any) -> Department:
    """The culture bureau."""
    return _but(Department(source="enforcement", observed_at=START, version=1, code="WH", name="文化和广电旅游体育局"), fields)


def inspection_item(**fields: Any) -> InspectionItem:
    """An item that costs two and a half points."""
    made = InspectionItem(
        source="enforcement",
        observed_at=START,
        version=1,
        item_code="WH-001",
        item_name="经营地址与许可不一致",
        points=Decimal("2.5"),
        severity=Severity.GENERAL,
    )
    return _but(made, fields)


def matter(**fields: Any) -> Matter:
    """The matter of `approval()`: commitment is allowed and offered."""
    made = Matter(
        source="policy",
        observed_at=START,
        version=1,
        code="WH-SX01",
        name="印刷经营许可",
        department_code="WH",
        commitment_allowed=True,
        live=True,
    )
    return _but(made, fields)


def obligation(**fields: Any) -> Obligation:
    """What `approval()` asks for: due, never tried, in no chain."""
    made = Obligation(
        key="approval-verification:YW201908150001",
        number="AV0123456789abcdef0123456789abcdef01234567",
        rule="approval-verification",
        platform="enforcement",
        command="CreateTask",
        cause="YW201908150001",
        subject_code=SHOP_CODE,
        state=ObligationState.DUE,
        needs=None,
        due_at=START + HOUR,
        due_provisional=False,
        next_at=START,
        attempts=0,
        receipt=None,
        last_error=None,
        policy_version="test",
        created_at=START,
        sent_at=None,
        closed_at=None,
        decided_by=None,
        reason=None,
        chain=None,
        sequence=0,
        cause_version=1,
        payload=b'{"command":"CreateTask"}',
        unknown_since=None,
        fence=0,
        lease_until=None,
        tries=0,
    )
    return _but(made, fields)


def attempt(**fields: Any) -> Attempt:
    """The first call of `obligation()`, under way."""
    made = Attempt(
        attempt_id="approval-verification:YW201908150001#1",
        obligation_key="approval-verification:YW201908150001",
        number=1,
        started_at=START,
        ended_at=None,
        outcome=AttemptOutcome.RUNNING,
        detail=None,
        command=f'{{"mobile":"{PHONE}"}}',
        exchanges=(exchange(),),
    )
    return _but(made, fields)


def exchange(**fields: Any) -> Exchange:
    """A call that was answered."""
    made = Exchange(
        operation="POST tasks",
        sent_at=START,
        answered_at=START,
        outcome="OK",
        request=f'POST /irs/v1/tasks\n\n{{"phone":"{PHONE}"}}',
        answer=f'201 Created\n\n{{"taskId":"T1","phone":"{PHONE}"}}',
    )
    return msgspec.structs.replace(made, **fields)


def audit_entry(**fields: Any) -> AuditEntry:
    """Something that a person did."""
    made = AuditEntry(
        entry_id="fedcba9876543210fedcba9876543210",
        at=START,
        actor="lou",
        action="waiveObligation",
        target_kind="Obligation",
        target=obligation().key,
        reason=f"made by telephone {PHONE}",
        outcome="STUCK -> WAIVED",
        correlation_id="c-1",
    )
    return _but(made, fields)


def ops_item(**fields: Any) -> OpsItem:
    """Something that a person must settle."""
    made = OpsItem(
        item_id="0123456789abcdef0123456789abcdef",
        kind="unknown-matter",
        subject_code=SHOP_CODE,
        cause="WH-SX99",
        message=f"matter 'WH-SX99': no policy names it; ask {PHONE}",
        before=None,
        after=None,
        opened_at=START,
        resolved_at=None,
        resolved_by=None,
        resolution=None,
    )
    return _but(made, fields)


def delivery(**fields: Any) -> Delivery:
    """A webhook as it is kept (the raw one is `connectors.base.Delivery`)."""
    made = Delivery(
        delivery_id="enforcement:0123456789abcdef0123456789abcdef01234567",
        platform="enforcement",
        message_id="M1",
        received_at=START,
        state=DeliveryState.STORED,
        applied_at=None,
        detail=None,
        sequence=1,
        repeats=None,
        repeated_at=None,
        repeat_key="enforcement:M1:0123",
        headers=b'{"path": "/webhooks/enforcement", "remote": null, "headers": {}}',
        body=b"{}",
    )
    return _but(made, fields)


def quarantined_record(**fields: Any) -> QuarantinedRecord:
    """A record that could not be used."""
    made = QuarantinedRecord(
        quarantine_id="0123456789abcdef0123456789abcdef01234567",
        platform="enforcement",
        stream="webhook",
        record_key="T2019090200001",
        reason="MISSING_FIELD",
        detail="dueAt is missing",
        delivery_id=None,
        quarantined_at=START,
        released_at=None,
        content=b"{}",
    )
    return _but(made, fields)


def stream_health(**fields: Any) -> StreamHealth:
    """A stream that was never read."""
    made = StreamHealth(
        stream_id="enforcement/tasks",
        platform="enforcement",
        stream="tasks",
        last_success_at=None,
        last_record_at=None,
        last_failure_at=None,
        failure=None,
        records_seen=0,
        cursor=None,
        lease_until=None,
        fence=0,
        full_since=None,
    )
    return _but(made, fields)


def blacklist_entry(**fields: Any) -> BlacklistEntry:
    """`approval()`'s subject, for its matter."""
    made = BlacklistEntry(
        source="approval",
        observed_at=START,
        version=1,
        entry_no="CB0123456789abcdef0123456789abcdef01234567",
        subject_code=SHOP_CODE,
        matter_code="WH-SX01",
        since="2019-09-02",
        removed_on=None,
    )
    return _but(made, fields)


def self_report(**fields: Any) -> SelfReport:
    """A course of study that repairs two points of `credit_record()`, approved and not yet taken."""
    made = SelfReport(
        source="selfgov",
        observed_at=START,
        version=15673896000,
        report_no="4711",
        way=RepairWay.STUDY,
        subject_code=SHOP_CODE,
        subject_name="义乌市天䶮印刷有限公司",
        repairs_biz_no=credit_record().biz_no,
        points=Decimal("2.0"),
        item_code=None,
        item_name=None,
        figures=None,
        completed_at=START - HOUR,
        state=ReportState.APPROVED,
        mark=ReportMark.NEW,
        mark_reason=None,
        updated_at=START,
    )
    return _but(made, fields)


def score_entry(**fields: Any) -> ScoreEntry:
    """What the subject of `credit_record()` sees of it."""
    record = credit_record()
    made = ScoreEntry(
        source="selfgov",
        observed_at=START,
        version=1567389600,
        biz_no=record.biz_no,
        subject_code=record.subject_code,
        points=record.points,
        item_code=record.item_code,
        item_name=record.item_name,
        occurred_at=record.occurred_at,
        repair_until=record.occurred_at + 365 * DAY,
        state=ScoreState.OPEN,
        updated_at=START,
    )
    return _but(made, fields)


def notice(**fields: Any) -> Notice:
    """A law pushed to one subject."""
    made = Notice(
        source="selfgov",
        observed_at=START,
        version=1567389600,
        notice_no="NP0123456789abcdef0123456789abcdef01234567",
        subject_code=SHOP_CODE,
        industry=None,
        title="关于学习《印刷业管理条例》的通知",
        content="请于月底前完成学习。",
        issued_at=START,
        department_code="WH",
    )
    return _but(made, fields)


def sms_receipt(**fields: Any) -> SmsReceipt:
    """A message that reached the applicant of `approval()`."""
    made = SmsReceipt(
        source="sms",
        observed_at=START,
        version=1567389600,
        message_no="SMS0001",
        phone=PHONE,
        status=DeliveryStatus.DELIVRD,
        reported_at=START,
    )
    return _but(made, fields)


def campaign_request(**fields: Any) -> CampaignRequest:
    """Ten firms of one town, drawn for two departments."""
    made = CampaignRequest(
        source="hub",
        observed_at=START,
        version=1,
        request_no="SSJ-2019-0001",
        title="锅炉专项双随机联合检查",
        departments=("STHJ", "FGW"),
        industry="锅炉使用单位",
        town=None,
        grades=("C", "D"),
        subjects=10,
        officers_per_task=2,
        due_at=START + 10 * DAY,
        requested_by="desk",
        requested_at=START,
        external_no="CO0123456789abcdef0123456789abcdef01234567",
    )
    return _but(made, fields)


def notice_request(**fields: Any) -> NoticeRequest:
    """A law for two subjects."""
    made = NoticeRequest(
        source="hub",
        observed_at=START,
        version=1,
        request_no="TZ-2019-0001",
        subject_codes=(SHOP_CODE, OTHER_CODE),
        industry=None,
        title="关于学习《印刷业管理条例》的通知",
        content="请于月底前完成学习。",
        department_code="WH",
        requested_by="desk",
        requested_at=START,
    )
    return _but(made, fields)


def figures_check(**fields: Any) -> FiguresCheck:
    """Figures of `self_report()` that do not hold; a check on site is wanted."""
    made = FiguresCheck(
        source="hub",
        observed_at=START,
        version=1,
        check_no="4711/20190902100000",
        report_no="4711",
        subject_code=SHOP_CODE,
        conclusion=FiguresConclusion.NONCONFORM,
        remarks=None,
        department_code="WH",
        inspect=True,
        checked_by="desk",
        checked_at=START,
    )
    return _but(made, fields)


def platform_pause(**fields: Any) -> PlatformPause:
    """A pause that stands."""
    made = PlatformPause(
        pause_id="grid/1",
        platform="grid",
        since=START,
        paused_by="console",
        reason=f"搬迁机房，电话 {PHONE}",
        ended_at=None,
        ended_by=None,
        end_reason=None,
    )
    return _but(made, fields)


def maintenance_window(**fields: Any) -> MaintenanceWindow:
    """Two hours of this evening."""
    made = MaintenanceWindow(
        window_id="credit/1",
        platform="credit",
        begins_at=START + 12 * HOUR,
        ends_at=START + 14 * HOUR,
        reason=f"更换磁盘，电话 {PHONE}",
        planned_at=START,
        planned_by="console",
        cancelled_at=None,
        cancelled_by=None,
        cancel_reason=None,
    )
    return _but(made, fields)


def refused_delivery(**fields: Any) -> RefusedDelivery:
    """A webhook whose signature was wrong, three times."""
    made = RefusedDelivery(
        refusal_id="0123456789abcdef0123456789abcdef",
        platform="approval",
        code="BAD_SIGNATURE",
        remote="10.1.2.3",
        message_id="M1",
        detail="approval: the signature is none of the configured app secrets'",
        first_at=START,
        last_at=START + HOUR,
        times=3,
    )
    return _but(made, fields)


def drift_report(**fields: Any) -> DriftReport:
    """A comparison by digests that found one record missing and repaired it."""
    made = DriftReport(
        report_id="approval/Approval/DIGEST",
        platform="approval",
        entity="Approval",
        method=DriftMethod.DIGEST,
        started_at=START,
        ended_at=START + HOUR,
        failure=f"approval: no answer about {PHONE}",
        checked=400,
        differing=1,
        missing_here=1,
        missing_there=0,
        outdated_here=0,
        newer_here=0,
        unexplained=0,
        repaired=1,
        waiting=0,
        next_at=START + 12 * HOUR,
        place=None,
    )
    return _but(made, fields)


def drift_finding(**fields: Any) -> DriftFinding:
    """A record that only the hub has, and of which an operator is asked."""
    made = DriftFinding(
        finding_id="approval/Approval/DIGEST/YW201908150001",
        report_id="approval/Approval/DIGEST",
        platform="approval",
        entity="Approval",
        record_key="YW201908150001",
        kind=DriftKind.MISSING_THERE,
        state=DriftState.WAITING,
        bucket="2019-08-15",
        our_version=2,
        their_version=1,
        our_count=3,
        their_count=2,
        our_digest="0" * 64,
        their_digest="1" * 64,
        found_at=START,
        seen_at=START + HOUR,
        ended_at=START + 2 * HOUR,
        item_id="tombstones/1",
    )
    return _but(made, fields)


def score_difference(**fields: Any) -> ScoreDifference:
    """Points of which the credit platform does not know yet."""
    made = ScoreDifference(
        difference_id=f"{SHOP_CODE}/REGULATORY_POINTS",
        code=SHOP_CODE,
        measure=Measure.REGULATORY_POINTS,
        period="2019",
        ours=Decimal("4.5"),
        theirs=Decimal("4.0"),
        difference=Decimal("0.5"),
        record_ids=("CR1", "CR2"),
        others=1,
        explanation=Explanation.RECORD_IN_FLIGHT,
        since=START,
        compared_at=START + HOUR,
        told_at=START + HOUR,
        ended_at=START + 2 * HOUR,
    )
    return _but(made, fields)


EVERYTHING: tuple[Entity, ...] = (
    approval(),
    attempt(),
    audit_entry(),
    campaign(),
    coordination(),
    credit_profile(),
    credit_record(),
    delivery(),
    department(),
    drift_finding(),
    drift_report(),
    finding(),
    grid_event(),
    inspection_item(),
    key_subject(),
    matter(),
    obligation(),
    ops_item(),
    quarantined_record(),
    repair(),
    stream_health(),
    subject(),
    subject_identifier(),
    subject_alias(),
    subject_merge(),
    task(),
    task_result(),
    town_coordination(),
    blacklist_entry(),
    self_report(),
    score_entry(),
    notice(),
    sms_receipt(),
    campaign_request(),
    notice_request(),
    figures_check(),
    platform_pause(),
    maintenance_window(),
    refused_delivery(),
    score_difference(),
)
"""One record of every entity; tests/unit/mirror/test_rows.py fails when one is missing."""
