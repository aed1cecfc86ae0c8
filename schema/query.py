"""The graph's entry points for reading: a plain one is one line, what needs a thought is a typed method."""

from typing import Annotated

import strawberry
from strawberry import UNSET, Info

from schema.alerts import AlertsQuery
from schema.connection import Connection
from schema.context import GRAPH_READ, Context
from schema.declare import declared
from schema.delivery_trace import DeliveryTraceQuery
from schema.due import DueQuery
from schema.eligibility import Eligibility, eligibility_of, matter_named, subject_named
from schema.entities import (
    Approval,
    AuditEntry,
    BlacklistEntry,
    Campaign,
    CampaignRequest,
    Coordination,
    CreditProfile,
    CreditRecord,
    Delivery,
    Department,
    DriftFinding,
    DriftReport,
    FiguresCheck,
    Finding,
    GridEvent,
    InspectionItem,
    KeySubject,
    MaintenanceWindow,
    Matter,
    Notice,
    NoticeRequest,
    Obligation,
    OpsItem,
    PlatformPause,
    QuarantinedRecord,
    RefusedDelivery,
    Repair,
    ScoreDifference,
    ScoreEntry,
    SelfReport,
    SmsReceipt,
    StreamHealth,
    Subject,
    SubjectAlias,
    SubjectIdentifier,
    SubjectMerge,
    TaskResult,
    TownCoordination,
    VerificationTask,
)
from schema.global_id import Node, read_global_id
from schema.identifiers import canonical_identifier
from schema.live import MaxAge, fresh_one
from schema.loop import LoopQuery
from schema.me import MeQuery
from schema.platform import Platform, platform_of
from schema.quarantine import QuarantineQuery
from schema.reads import ReadsNode, ReadsOne
from schema.resolver import resolver
from schema.root_fields import many, one, read_one
from schema.statistics import Statistics, statistics_field
from schema.supervision_pool import SupervisionPool, pool_field


@strawberry.type(description="What can be read (查询)")
class Query(MeQuery, LoopQuery, DueQuery, DeliveryTraceQuery, QuarantineQuery, AlertsQuery):
    """One and many of each entity, statistics, ids, and the platforms' health."""

    subjects: Connection[Subject] | None = many(Subject)
    subject_identifier: SubjectIdentifier | None = one(SubjectIdentifier)
    subject_identifiers: Connection[SubjectIdentifier] | None = many(SubjectIdentifier)
    subject_alias: SubjectAlias | None = one(SubjectAlias)
    subject_aliases: Connection[SubjectAlias] | None = many(SubjectAlias)
    subject_merge: SubjectMerge | None = one(SubjectMerge)
    subject_merges: Connection[SubjectMerge] | None = many(SubjectMerge)
    approval: Approval | None = one(Approval)
    approvals: Connection[Approval] | None = many(Approval)
    matter: Matter | None = one(Matter)
    matters: Connection[Matter] | None = many(Matter)
    verification_task: VerificationTask | None = one(VerificationTask)
    verification_tasks: Connection[VerificationTask] | None = many(VerificationTask)
    task_result: TaskResult | None = one(TaskResult)
    task_results: Connection[TaskResult] | None = many(TaskResult)
    finding: Finding | None = one(Finding)
    findings: Connection[Finding] | None = many(Finding)
    inspection_item: InspectionItem | None = one(InspectionItem)
    inspection_items: Connection[InspectionItem] | None = many(InspectionItem)
    campaign: Campaign | None = one(Campaign)
    campaigns: Connection[Campaign] | None = many(Campaign)
    department: Department | None = one(Department)
    departments: Connection[Department] | None = many(Department)
    key_subject: KeySubject | None = one(KeySubject)
    key_subjects: Connection[KeySubject] | None = many(KeySubject)
    credit_profile: CreditProfile | None = one(CreditProfile)
    credit_profiles: Connection[CreditProfile] | None = many(CreditProfile)
    credit_record: CreditRecord | None = one(CreditRecord)
    credit_records: Connection[CreditRecord] | None = many(CreditRecord)
    repair: Repair | None = one(Repair)
    repairs: Connection[Repair] | None = many(Repair)
    grid_event: GridEvent | None = one(GridEvent)
    grid_events: Connection[GridEvent] | None = many(GridEvent)
    coordination: Coordination | None = one(Coordination)
    coordinations: Connection[Coordination] | None = many(Coordination)
    town_coordination: TownCoordination | None = one(TownCoordination)
    town_coordinations: Connection[TownCoordination] | None = many(TownCoordination)
    blacklist_entry: BlacklistEntry | None = one(BlacklistEntry)
    blacklist_entries: Connection[BlacklistEntry] | None = many(BlacklistEntry)
    self_report: SelfReport | None = one(SelfReport)
    self_reports: Connection[SelfReport] | None = many(SelfReport)
    score_entry: ScoreEntry | None = one(ScoreEntry)
    score_entries: Connection[ScoreEntry] | None = many(ScoreEntry)
    notice: Notice | None = one(Notice)
    notices: Connection[Notice] | None = many(Notice)
    sms_receipt: SmsReceipt | None = one(SmsReceipt)
    sms_receipts: Connection[SmsReceipt] | None = many(SmsReceipt)
    campaign_request: CampaignRequest | None = one(CampaignRequest)
    campaign_requests: Connection[CampaignRequest] | None = many(CampaignRequest)
    notice_request: NoticeRequest | None = one(NoticeRequest)
    notice_requests: Connection[NoticeRequest] | None = many(NoticeRequest)
    figures_check: FiguresCheck | None = one(FiguresCheck)
    figures_checks: Connection[FiguresCheck] | None = many(FiguresCheck)

    obligation: Obligation | None = one(Obligation)
    obligations: Connection[Obligation] | None = many(Obligation)
    score_difference: ScoreDifference | None = one(ScoreDifference)
    score_differences: Connection[ScoreDifference] | None = many(ScoreDifference)
    ops_item: OpsItem | None = one(OpsItem)
    ops_items: Connection[OpsItem] | None = many(OpsItem)
    audit_entry: AuditEntry | None = one(AuditEntry)
    audit_entries: Connection[AuditEntry] | None = many(AuditEntry)
    delivery: Delivery | None = one(Delivery)
    deliveries: Connection[Delivery] | None = many(Delivery)
    quarantined_record: QuarantinedRecord | None = one(QuarantinedRecord)
    quarantined_records: Connection[QuarantinedRecord] | None = many(QuarantinedRecord)
    refused_delivery: RefusedDelivery | None = one(RefusedDelivery)
    refused_deliveries: Connection[RefusedDelivery] | None = many(RefusedDelivery)
    platform_pause: PlatformPause | None = one(PlatformPause)
    platform_pauses: Connection[PlatformPause] | None = many(PlatformPause)
    maintenance_window: MaintenanceWindow | None = one(MaintenanceWindow)
    maintenance_windows: Connection[MaintenanceWindow] | None = many(MaintenanceWindow)
    stream: StreamHealth | None = one(StreamHealth)
    streams: Connection[StreamHealth] | None = many(StreamHealth)
    drift_report: DriftReport | None = one(DriftReport)
    drift_reports: Connection[DriftReport] | None = many(DriftReport)
    drift_finding: DriftFinding | None = one(DriftFinding)
    drift_findings: Connection[DriftFinding] | None = many(DriftFinding)

    statistics: Statistics | None = statistics_field()
    supervision_pool: SupervisionPool | None = pool_field()

    @resolver(
        "The subject that an identifier names, whichever of its identifiers it is; null if none is known",
        "按识别码查询监管对象",
        ReadsOne(declared(Subject), "code", canonical_identifier),
    )
    async def subject(
        self,
        info: Info[Context, None],
        code: Annotated[str, strawberry.argument(description="USCC, RID code or old number (识别码)")],
    ) -> Subject | None:
        """Read it, the identifier as people may write it."""
        found: Subject | None = await read_one(info.context, declared(Subject), canonical_identifier(code))
        return found

    @resolver("The platforms that the hub bridges, and whether each is in sync", "各平台同步状况")
    async def platforms(self, info: Info[Context, None]) -> list[Platform] | None:
        """Ask the engine for the health of every platform."""
        seen = info.context.caller.platforms_seen()
        health = await info.context.hub.platforms()
        return [platform_of(each) for each in health if seen is None or each.name in seen]

    @resolver("Whether a subject may use commitment for a matter, and each reason why not", "告知承诺资格")
    async def eligibility(
        self,
        info: Info[Context, None],
        subject: Annotated[str, strawberry.argument(description="USCC or RID code (统一社会信用代码或个人编码)")],
        matter: Annotated[str, strawberry.argument(description="Code of the matter (事项编码)")],
    ) -> Eligibility | None:
        """Ask the engine, which asks the platforms."""
        info.context.caller.require(GRAPH_READ)
        return eligibility_of(await info.context.hub.eligibility(subject_named(subject), matter_named(matter)))

    @resolver("The record that an id names; null if it is gone", "按全局编号查询", ReadsNode())
    async def node(
        self,
        info: Info[Context, None],
        id_: Annotated[strawberry.ID, strawberry.argument(name="id", description="Global id (全局编号)")],
        max_age: MaxAge = UNSET,
    ) -> Node | None:
        """Read it, whatever entity it is of, if need be from its platform."""
        entity, key = read_global_id(id_)
        held = await read_one(info.context, entity, key)
        found: Node | None = await fresh_one(info, entity, held, key, max_age)
        return found
