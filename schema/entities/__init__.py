"""All entities; importing this makes every edge's other end known."""

from schema.entities.approval import ApplicantKind, Approval, ApprovalState, BlacklistEntry, Procedure
from schema.entities.audit_entry import AuditEntry
from schema.entities.credit import CreditProfile, CreditRecord, Grade, RecordCategory, Repair, RepairWay
from schema.entities.delivery import Delivery, DeliveryState, QuarantinedRecord
from schema.entities.drift import DriftFinding, DriftKind, DriftMethod, DriftReport, DriftState
from schema.entities.enforcement import Campaign, Coordination, CoordinationStatus, Department, InspectionItem, KeySubject, Matter
from schema.entities.grid import Attachment, EventStatus, GridEvent, TownCoordination, TownCoordinationStatus
from schema.entities.identity import IdentifierKind, SubjectAlias, SubjectIdentifier, SubjectMerge
from schema.entities.lever import MaintenanceWindow, PlatformPause, RefusedDelivery
from schema.entities.message import DeliveryStatus, SmsReceipt
from schema.entities.obligation import (
    OPEN_STATES,
    Attempt,
    AttemptOutcome,
    Exchange,
    Obligation,
    ObligationState,
    is_overdue,
    late_seconds,
    seconds_late,
)
from schema.entities.ops_item import OpsItem
from schema.entities.request import CampaignRequest, FiguresCheck, FiguresConclusion, NoticeRequest
from schema.entities.score_difference import Explanation, Measure, ScoreDifference
from schema.entities.selfgov import Notice, ReportMark, ReportState, ScoreEntry, ScoreState, SelfReport
from schema.entities.stream_health import StreamHealth
from schema.entities.subject import CodeType, Subject
from schema.entities.task import Conclusion, Finding, Officer, Photo, Severity, TaskResult, TaskStatus, TaskType, VerificationTask

__all__ = [
    "OPEN_STATES",
    "ApplicantKind",
    "Approval",
    "ApprovalState",
    "Attachment",
    "Attempt",
    "AttemptOutcome",
    "AuditEntry",
    "BlacklistEntry",
    "Campaign",
    "CampaignRequest",
    "CodeType",
    "Conclusion",
    "Coordination",
    "CoordinationStatus",
    "CreditProfile",
    "CreditRecord",
    "Delivery",
    "DeliveryState",
    "DeliveryStatus",
    "Department",
    "DriftFinding",
    "DriftKind",
    "DriftMethod",
    "DriftReport",
    "DriftState",
    "EventStatus",
    "Exchange",
    "Explanation",
    "FiguresCheck",
    "FiguresConclusion",
    "Finding",
    "Grade",
    "GridEvent",
    "IdentifierKind",
    "InspectionItem",
    "KeySubject",
    "MaintenanceWindow",
    "Matter",
    "Measure",
    "Notice",
    "NoticeRequest",
    "Obligation",
    "ObligationState",
    "Officer",
    "OpsItem",
    "Photo",
    "PlatformPause",
    "Procedure",
    "QuarantinedRecord",
    "RecordCategory",
    "RefusedDelivery",
    "Repair",
    "RepairWay",
    "ReportMark",
    "ReportState",
    "ScoreDifference",
    "ScoreEntry",
    "ScoreState",
    "SelfReport",
    "Severity",
    "SmsReceipt",
    "StreamHealth",
    "Subject",
    "SubjectAlias",
    "SubjectIdentifier",
    "SubjectMerge",
    "TaskResult",
    "TaskStatus",
    "TaskType",
    "TownCoordination",
    "TownCoordinationStatus",
    "VerificationTask",
    "is_overdue",
    "late_seconds",
    "seconds_late",
]
