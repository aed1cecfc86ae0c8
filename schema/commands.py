"""What the hub can ask a platform to make true. Rules make commands, connectors carry them out, the ledger keeps them.

Times are aware; points are exact decimals; every `*_no` of ours comes from `schema.identifiers.outgoing_number`.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

from schema.entities import CodeType, RecordCategory, RepairWay, ScoreState, TaskType


class Command(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="command"):
    """Base of all commands; the tag `command` is the class name, so that a kept command can be read back."""


class TaskSubject(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a task is about; code null where nobody is known yet."""

    code: str | None
    name: str
    address: str | None = None


class FileLink(msgspec.Struct, frozen=True, kw_only=True):
    """A file that travels by its address."""

    name: str
    url: str
    md5: str | None = None


class CreateTask(Command, frozen=True):
    """A check on the enforcement platform."""

    external_no: str
    type: TaskType
    title: str
    subjects: tuple[TaskSubject, ...]
    department: str
    due_at: datetime
    origin_platform: Literal["approval", "grid", "enforcement", "selfgov"]
    origin_ref: str
    urgency: int
    participants: tuple[str, ...] = ()
    checklist: tuple[str, ...] = ()
    attachments: tuple[FileLink, ...] = ()


class CancelTask(Command, frozen=True):
    """A check on the enforcement platform that is no longer wanted and has not begun."""

    task_id: str
    reason: str


class CreateCampaign(Command, frozen=True):
    """A joint random inspection on the enforcement platform."""

    external_no: str
    title: str
    departments: tuple[str, ...]
    industry: str | None
    town: str | None
    grades: tuple[str, ...]
    subjects: int
    officers_per_task: int
    due_at: datetime


class PutKeySubject(Command, frozen=True):
    """An entry on the key supervision list; `reason` names all open causes."""

    code: str
    reason: str
    since: date
    ref: str


class RemoveKeySubject(Command, frozen=True):
    """Taken off the key supervision list, when no cause is open."""

    code: str


class GiveCoordinationFeedback(Command, frozen=True):
    """What the town did, told to the department that asked."""

    coordination_id: str
    grid_no: str
    result: Literal["handled", "refused"]
    opinion: str
    handled_at: datetime


class PostCreditRecord(Command, frozen=True):
    """A record on the credit platform; the subject is made known there first where it is not."""

    biz_no: str
    code: str
    code_type: CodeType
    subject_name: str
    category: RecordCategory
    points: Decimal
    item_code: str
    item_name: str
    occurred_at: datetime
    department: str
    region: str
    evidence_platform: str
    evidence_ref: str
    evidence_finding: str | None
    caused_by: str | None


class PostRepair(Command, frozen=True):
    """Points restored on the credit platform."""

    biz_no: str
    record_id: str
    points: Decimal
    way: RepairWay
    completed_at: datetime


class PushVerificationResult(Command, frozen=True):
    """The result of a check, written back to the approval. `version_before` is the approval's version when this was owed."""

    approval_no: str
    kept: bool
    checked_at: datetime
    task_id: str
    version_before: int


class AddToBlacklist(Command, frozen=True):
    """A subject that may no longer use commitment for a matter; `holder` is a USCC or an identity number."""

    entry_no: str
    holder: str
    holder_name: str
    matter_code: str
    reason: str
    since: date


class AcceptEvent(Command, frozen=True):
    """A grid event taken up by a department."""

    event_no: str
    task_id: str
    department: str
    accepted_at: datetime


class FeedbackEvent(Command, frozen=True):
    """The answer to a grid event; it can be given once."""

    event_no: str
    task_id: str
    result: Literal["handled", "returned", "transferred"]
    opinion: str
    handler: str
    handled_at: datetime
    files: tuple[FileLink, ...] = ()


class IssueCoordination(Command, frozen=True):
    """A department's request, passed on to the town."""

    out_no: str
    department: str
    town: str
    category: str
    content: str
    limit_at: datetime


class SendSms(Command, frozen=True):
    """A short message, at most 350 characters."""

    ext_no: str
    mobile: str
    content: str


class PutScore(Command, frozen=True):
    """Points on the list that a subject sees of itself (zz_score); replaces what stands there under the same bizNo."""

    biz_no: str
    code: str
    points: Decimal
    item_code: str
    item_name: str
    occurred_at: datetime
    repair_until: datetime
    state: ScoreState


class MarkReport(Command, frozen=True):
    """A row of zz_result marked as taken or refused, if it is still as it was at `updated_at`."""

    report_no: str
    updated_at: datetime
    taken: bool
    reason: str | None = None
    """Why it was refused; never with a taken one."""


class PutNotice(Command, frozen=True):
    """A notice for one subject, or for all of an industry (zz_notice)."""

    notice_no: str
    code: str | None
    industry: str | None
    title: str
    content: str
    issued_at: datetime
    department: str


AnyCommand = (
    CreateTask
    | CancelTask
    | CreateCampaign
    | PutKeySubject
    | RemoveKeySubject
    | GiveCoordinationFeedback
    | PostCreditRecord
    | PostRepair
    | PushVerificationResult
    | AddToBlacklist
    | AcceptEvent
    | FeedbackEvent
    | IssueCoordination
    | SendSms
    | PutScore
    | MarkReport
    | PutNotice
)


def encode_command(command: AnyCommand) -> bytes:
    """Return a command as JSON, equal for equal commands."""
    return msgspec.json.encode(command, order="deterministic")


def decode_command(kept: bytes) -> AnyCommand:
    """Return the command that `encode_command` wrote; raise msgspec.ValidationError if it is none."""
    command: AnyCommand = msgspec.json.decode(kept, type=AnyCommand)
    return command
