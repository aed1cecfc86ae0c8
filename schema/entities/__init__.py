"""All entities; importing this makes every edge's other end known."""

from schema.entities.approval import ApplicantKind, Approval, ApprovalState, Procedure
from schema.entities.credit import CreditProfile, CreditRecord, Grade, RecordCategory, Repair, RepairWay
from schema.entities.delivery import Delivery, DeliveryState, QuarantinedRecord
from schema.entities.enforcement import Campaign, Coordination, CoordinationStatus, Department, InspectionItem, KeySubject, Matter
from schema.entities.grid import Attachment, EventStatus, GridEvent, TownCoordination, TownCoordinationStatus
from schema.entities.obligation import OPEN_STATES, Attempt, AttemptOutcome, Obligation, ObligationState
from schema.entities.ops_item import OpsItem
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
    "Campaign",
    "CodeType",
    "Conclusion",
    "Coordination",
    "CoordinationStatus",
    "CreditProfile",
    "CreditRecord",
    "Delivery",
    "DeliveryState",
    "Department",
    "EventStatus",
    "Finding",
    "Grade",
    "GridEvent",
    "InspectionItem",
    "KeySubject",
    "Matter",
    "Obligation",
    "ObligationState",
    "Officer",
    "OpsItem",
    "Photo",
    "Procedure",
    "QuarantinedRecord",
    "RecordCategory",
    "Repair",
    "RepairWay",
    "Severity",
    "StreamHealth",
    "Subject",
    "TaskResult",
    "TaskStatus",
    "TaskType",
    "TownCoordination",
    "TownCoordinationStatus",
    "VerificationTask",
]
