"""How records of one chain refer to each other: the one table of links that a loop is found by (loops.py walks it).

A link says that a later record (`child`) names an earlier one (`parent`), and which steps of the earlier one led to the later
one (`after`). A subject is no link: all its cases would be one chain.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from hub.domain.calendar import beijing_day
from schema.commands import PostCreditRecord, decode_command
from schema.entities import CreditRecord, GridEvent, Obligation, TaskType, VerificationTask
from schema.step_kinds import StepKind as K

Values = Callable[[Any], Iterable[str | None]]
SUBJECT_RULES = frozenset({"comprehensive-deduction", "responsible-person", "key-supervision", "key-supervision-off"})
"""Rules whose cause is a subject, or its period: which chain an obligation of theirs belongs to its key or command says."""


class Link(NamedTuple):
    """`child.column` names `parent.known_by`. Both columns have an index."""

    child: str
    column: str
    parent: str
    known_by: str
    after: tuple[K, ...] = ()
    """Kinds of steps that led to the child: the parent's, or those of what followed from it. Where there are none, the parent's
    last one before."""
    when: Callable[[Any], bool] = lambda child: True
    """Whether a child's column names such a parent at all."""
    names: Values | None = None
    """What a child names, where it is not simply what stands in its column."""
    found_by: Values | None = None
    """What children of a parent hold in their column, where it is not simply what the parent is known by."""
    within: int | None = None
    """How many links behind the parent those steps may be; None: the nearest."""
    leaf: bool = False
    """The child belongs to several chains: it is shown in each, and leads from none to another."""

    def named(self, child: Any) -> list[str]:
        """Return what a record names as its parents by this link."""
        if not self.when(child):
            return []
        values = self.names(child) if self.names else [getattr(child, self.column)]
        return [value for value in values if value]

    def sought(self, parent: Any) -> list[str]:
        """Return what to look for in the children's column, so as to find all of a parent's children."""
        values = self.found_by(parent) if self.found_by else [getattr(parent, self.known_by)]
        return [value for value in values if value]


def _task(platform: str, *types: TaskType) -> Callable[[VerificationTask], bool]:
    return lambda task: task.origin_platform == platform and (not types or task.type in types)


def _owed_by(*rules: str) -> Callable[[Obligation], bool]:
    return lambda one: one.rule in rules


def _linked_events(event: GridEvent) -> Iterable[str]:
    return event.related


def _recorded_finding(one: Obligation) -> Iterable[str]:
    """Return the finding that a breach record's key names; of a commitment it names the approval, which is no finding."""
    return [one.key.removeprefix("breach-record:")]


def _period(record: CreditRecord) -> Iterable[str]:
    try:
        return [f"{record.subject_code}:{beijing_day(record.occurred_at).year}"]
    except OverflowError:  # the last hours of the year 9999: no period holds them
        return []


def _causing_record(one: Obligation) -> Iterable[str | None]:
    """Return the bizNo that the command of a dozen, or of the responsible person, names; nothing while it has no command."""
    try:
        command = decode_command(one.payload) if one.payload else None
    except msgspec.MsgspecError:  # of another version of the hub
        return []
    return [command.caused_by] if isinstance(command, PostCreditRecord) else []


def _first_dozen(one: Obligation) -> Iterable[str | None]:
    """Return the key of the dozen that made a subject serious."""
    if one.rule == "responsible-person":
        return [f"comprehensive-deduction:{one.cause}:1"]
    year = _watched_for(one).removeprefix("serious-")
    return [f"comprehensive-deduction:{one.cause}:{year}:1"] if year != _watched_for(one) else []


def _watched_for(one: Obligation) -> str:
    """Return the cause that stands in a key `key-supervision:<code>:<cause>`: an approval's number, or `serious-<year>`."""
    return next(iter(one.key.removeprefix(f"{one.rule}:{one.cause}:").split(":")))


def _of_first_dozen(one: Obligation) -> Iterable[str | None]:
    """Return the causes of what follows from a first dozen: its period, and its subject."""
    first = one.rule == "comprehensive-deduction" and one.key.endswith(":1")
    return [one.cause, one.cause.rpartition(":")[0]] if first else []


CAUSES: tuple[tuple[str, str, str, tuple[K, ...]], ...] = (
    ("approval-verification", "Approval", "approval_no", (K.APPROVAL_GRANTED,)),
    ("verification-result", "Approval", "approval_no", (K.CHECKED,)),
    ("commitment-blacklist", "Approval", "approval_no", (K.CHECKED,)),
    ("approval-revoked", "Approval", "approval_no", (K.APPROVAL_REVOKED,)),
    ("breach-record", "VerificationTask", "task_id", (K.CHECKED,)),
    ("penalty-referral", "VerificationTask", "task_id", (K.CHECKED,)),
    ("task-cancelled", "VerificationTask", "task_id", (K.TASK_CANCELLED,)),
    ("unknown-officer-department", "VerificationTask", "task_id", (K.TASK_CREATED,)),
    ("duplicate-task", "VerificationTask", "external_no", (K.TASK_CREATED,)),
    ("recheck", "TaskResult", "order_no", (K.RECTIFICATION_ORDERED,)),
    ("grid-dispatch", "GridEvent", "event_no", (K.EVENT_SENT,)),
    ("grid-feedback", "GridEvent", "event_no", (K.CHECKED, K.TASK_DONE, K.TASK_CANCELLED, K.TASK_TRANSFERRED)),
    ("coordination-dispatch", "Coordination", "coordination_id", (K.COORDINATION_ISSUED,)),
    ("coordination-feedback", "Coordination", "coordination_id", (K.TOWN_HANDLED,)),
    ("score-notice", "CreditRecord", "record_id", (K.RECORD_CREATED,)),
    ("score-state", "CreditRecord", "record_id", (K.REPAIRED,)),
    ("repair", "SelfReport", "report_no", (K.SELF_REPORT_APPROVED, K.SELF_REPORT_REFUSED, K.SELF_REPORTED)),
    ("campaign", "CampaignRequest", "request_no", (K.CAMPAIGN_REQUESTED,)),
    ("notice", "NoticeRequest", "request_no", (K.NOTICE_REQUESTED,)),
    ("figures-inspection", "FiguresCheck", "check_no", (K.FIGURES_CHECKED,)),
)
"""Each rule whose obligations are caused by a record: what its `cause` is the number of, and which steps of that led to it."""
WITHIN = {"grid-feedback": 2}
"""An event may be sent several times: the last of its own checks counts, not the recheck of one."""

OUR_NUMBERS = {
    "CreateTask": ("VerificationTask", "external_no"),
    "PostCreditRecord": ("CreditRecord", "biz_no"),
    "PostRepair": ("Repair", "biz_no"),
    "AddToBlacklist": ("BlacklistEntry", "entry_no"),
    "CreateCampaign": ("Campaign", "external_no"),
    "IssueCoordination": ("TownCoordination", "out_no"),
    "PutNotice": ("Notice", "notice_no"),
}
"""Where the number of an obligation stands on what it made, by its command."""


def _number_of(command: str) -> Values:
    return lambda one: [one.number] if one.command == command else []


LINKS: tuple[Link, ...] = (
    Link("TaskResult", "task_id", "VerificationTask", "task_id"),
    Link("Finding", "result_id", "TaskResult", "result_id", (K.CHECKED,)),
    Link("VerificationTask", "origin_ref", "Approval", "approval_no", (K.APPROVAL_GRANTED,), _task("approval")),
    Link("VerificationTask", "origin_ref", "GridEvent", "event_no", (K.EVENT_SENT,), _task("grid")),
    Link(
        "VerificationTask",
        "origin_ref",
        "TaskResult",
        "order_no",
        (K.RECTIFICATION_ORDERED,),
        _task("enforcement", TaskType.RECHECK),
    ),
    Link("VerificationTask", "origin_ref", "VerificationTask", "task_id", (K.CHECKED,), _task("enforcement", TaskType.SPECIAL)),
    Link("VerificationTask", "origin_ref", "SelfReport", "report_no", (K.FIGURES_CHECKED,), _task("selfgov")),
    Link("VerificationTask", "campaign_id", "Campaign", "campaign_id", (K.CAMPAIGN_DRAWN,)),
    Link("Campaign", "external_no", "CampaignRequest", "external_no", (K.CAMPAIGN_REQUESTED,)),
    Link("GridEvent", "related", "GridEvent", "event_no", (K.EVENT_REPORTED,), names=_linked_events),
    Link("CreditRecord", "evidence_finding", "Finding", "finding_id", (K.FINDING,)),
    Link("CreditRecord", "evidence_ref", "VerificationTask", "task_id", (K.CHECKED,)),
    Link("CreditRecord", "caused_by", "CreditRecord", "biz_no", (K.RECORD_CREATED,)),
    Link("Repair", "record_id", "CreditRecord", "record_id", (K.RECORD_CREATED,)),
    Link("ScoreEntry", "biz_no", "CreditRecord", "biz_no", (K.RECORD_CREATED,)),
    Link("SelfReport", "repairs_biz_no", "CreditRecord", "biz_no", (K.RECORD_CREATED,)),
    Link("FiguresCheck", "report_no", "SelfReport", "report_no", (K.SELF_REPORT_APPROVED, K.SELF_REPORTED)),
    *(
        Link("Obligation", "cause", entity, key, after, _owed_by(rule), within=WITHIN.get(rule))
        for rule, entity, key, after in CAUSES
    ),
    Link(
        "Obligation",
        "cause",
        "Finding",
        "finding_id",
        (K.FINDING,),
        _owed_by("breach-record"),
        names=_recorded_finding,
        found_by=lambda finding: [finding.task_id],
    ),
    Link(
        "Obligation",
        "cause",
        "CreditRecord",
        "biz_no",
        (K.RECORD_CREATED,),
        _owed_by("comprehensive-deduction", "responsible-person"),
        names=_causing_record,
        found_by=_period,
    ),
    Link(
        "Obligation",
        "cause",
        "Obligation",
        "key",
        when=_owed_by("responsible-person", "key-supervision", "key-supervision-off"),
        names=_first_dozen,
        found_by=_of_first_dozen,
    ),
    Link(
        "Obligation",
        "cause",
        "Approval",
        "approval_no",
        (K.CHECKED,),
        _owed_by("key-supervision"),
        names=lambda one: [_watched_for(one)],
        found_by=lambda approval: [approval.subject_code],
    ),
    Link(
        "Obligation",
        "cause",
        "Approval",
        "approval_no",
        (K.CHECKED,),
        _owed_by("key-supervision-off"),
        names=lambda one: [_watched_for(one)],
        found_by=lambda approval: [approval.subject_code],
        within=8,
    ),
    *(
        Link(entity, column, "Obligation", "number", found_by=_number_of(command))
        for command, (entity, column) in OUR_NUMBERS.items()
    ),
    Link(
        "SmsReceipt",
        "message_no",
        "Obligation",
        "receipt",
        (K.SMS_SENT,),
        found_by=lambda one: [one.receipt] if one.platform == "sms" else [],
    ),
    Link(
        "KeySubject",
        "code",
        "Obligation",
        "cause",
        found_by=lambda one: [one.cause] if one.rule == "key-supervision" else [],
        leaf=True,
    ),
)

HINTS: tuple[tuple[str, Values], ...] = (
    ("TaskResult", lambda result: [result.subject_code]),
    ("CreditRecord", lambda record: [record.subject_code]),
    ("Obligation", lambda one: [one.subject_code]),
)
"""Subjects that a chain names: what SUBJECT_RULES owe for them is looked at, and taken in only if a link leads to it. An approval
that knows its applicant by an old number only is not enough."""
