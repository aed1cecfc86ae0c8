"""What the enforcement platform takes: the bodies of its writing calls, with their required fields and limits."""

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec

Text = Annotated[str, msgspec.Meta(min_length=1)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
OurNumber = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
SubjectCode = Annotated[str, msgspec.Meta(pattern=r"^([0-9A-HJ-NP-RTUW-Y]{18}|RID-[0-9a-f]{64})$")]
"""A unified social credit code, or the keyed identity of a natural person; an old 15-digit number is neither."""

TaskType = Literal["COMMITMENT", "APPROVAL", "GRID", "RECHECK", "RANDOM", "SPECIAL"]


class _Order(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Unknown fields are let through, as everywhere."""


class SubjectOrder(_Order, frozen=True, kw_only=True):
    """One subject to be checked; its code is null where nobody is known yet."""

    code: SubjectCode | None
    name: Text
    address: str | None = None


class Origin(_Order, frozen=True, kw_only=True):
    """Where the cause of a task lies."""

    platform: Literal["approval", "grid", "enforcement", "selfgov"]
    ref: Text


class Attachment(_Order, frozen=True, kw_only=True):
    """A file by address."""

    name: str
    url: str
    md5: str


class TaskOrder(_Order, frozen=True, kw_only=True):
    """Body of `POST /irs/v1/tasks`."""

    external_no: OurNumber
    type: TaskType
    title: Text
    subjects: Annotated[list[SubjectOrder], msgspec.Meta(min_length=1)]
    department: Text
    participants: list[Text] | None = None
    due_at: Moment
    origin: Origin
    checklist: list[Text] | None = None
    attachments: list[Attachment] | None = None
    urgency: Annotated[int, msgspec.Meta(ge=1, le=4)]


class Pool(_Order, frozen=True, kw_only=True):
    """Which subjects a campaign may draw; what is absent or empty does not narrow it."""

    industry: str | None = None
    town: str | None = None
    grades: list[str] | None = None


class CampaignOrder(_Order, frozen=True, kw_only=True):
    """Body of `POST /irs/v1/campaigns`."""

    external_no: OurNumber
    title: Text
    departments: Annotated[list[Text], msgspec.Meta(min_length=1)]
    pool: Pool
    subjects: Annotated[int, msgspec.Meta(ge=1)]
    officers_per_task: Annotated[int, msgspec.Meta(ge=1)]
    due_at: Moment


class Reason(_Order, frozen=True, kw_only=True):
    """Body of `POST /irs/v1/tasks/{taskId}/cancel`."""

    reason: Text


class KeySubjectOrder(_Order, frozen=True, kw_only=True):
    """Body of `PUT /irs/v1/key-subjects/{code}`; `since` is a date."""

    reason: Text
    since: date
    ref: Text


class CoordinationFeedback(_Order, frozen=True, kw_only=True):
    """Body of `POST /irs/v1/coordinations/{id}/feedback`."""

    grid_no: Text
    result: Literal["handled", "refused"]
    opinion: str | None
    handled_at: Moment
