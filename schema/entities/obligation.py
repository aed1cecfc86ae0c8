"""What must follow from a record, by when, and each try to make it so: the hub's own notion (应办事项)."""

from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Protocol

import msgspec

from schema.declare import (
    BelongsTo,
    Indexed,
    Instant,
    Internal,
    Personal,
    Says,
    Sealed,
    SealedList,
    SeenWith,
    computed,
    known_to_hub,
    to_many,
    to_one,
)
from schema.entities.identity import TO_SUBJECT
from schema.entity import Entity, entity
from schema.identifiers import redact


class ObligationState(Enum):
    """Where an obligation stands (状态); the diagram is in docs/architecture.md."""

    WAITING = "WAITING"
    DUE = "DUE"
    LEASED = "LEASED"
    SENT = "SENT"
    CLOSED = "CLOSED"
    STUCK = "STUCK"
    WITHDRAWN = "WITHDRAWN"
    WAIVED = "WAIVED"
    SETTLED = "SETTLED"


OPEN_STATES = frozenset(
    {ObligationState.WAITING, ObligationState.DUE, ObligationState.LEASED, ObligationState.SENT, ObligationState.STUCK}
)
"""States in which the obligation still asks for something."""


class AttemptOutcome(Enum):
    """What is known of one call (结果). UNKNOWN: it may have been carried out; it is looked up before it is repeated."""

    RUNNING = "RUNNING"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


LONGEST = 2**31 - 1
"""Seconds that GraphQL's Int can tell; whatever a platform's clock says, nothing is later than that (68 years)."""


def late_seconds(one: "Obligation", now: datetime) -> int | None:
    """Return the whole seconds from `due_at` to the proof, while it is open to now; 0 when in time.

    What was settled by hand counts until that was noted. None where nothing is measured: it was withdrawn or waived.
    """
    ended = {ObligationState.CLOSED: one.closed_at, ObligationState.SETTLED: one.decided_at}
    until = now if one.state in OPEN_STATES else ended.get(one.state)
    return None if until is None else seconds_late(one.due_at, until)


def seconds_late(due_at: datetime, until: datetime) -> int:
    """Return the whole seconds that `until` is later than `due_at`, 0 when in time, never more than an Int can tell."""
    return max(0, min(int((until - due_at).total_seconds()), LONGEST))


def is_overdue(one: "Obligation", now: datetime) -> bool:
    """Return whether it still asks for something, and was to be closed before now."""
    return one.state in OPEN_STATES and one.due_at < now


class Knows(Protocol):
    """What `waits_for` asks of the process."""

    def clock(self) -> datetime:
        """Return the present moment."""
        ...

    @property
    def levers(self) -> Any:
        """Return what knows of pauses."""
        ...


def waits_for(one: "Obligation", hub: Knows) -> str | None:
    """Return why it is not tried now, in words; None where it is tried, or asks for nothing any more.

    A pause is named before all else. What a call was answered with (quiet hours, an empty balance, a platform that is down) stands
    in `last_error`, and holds until `next_at`.
    """
    if one.state not in {ObligationState.WAITING, ObligationState.DUE}:
        return None
    if one.state is ObligationState.DUE and hub.levers.is_paused(one.platform):
        return f"PLATFORM_PAUSED: {one.platform} is paused; it goes on when an operator resumes it"
    if one.state is ObligationState.WAITING:
        return None if one.needs is None else f"NEEDS: {one.needs}"
    return None if one.last_error is None or one.next_at <= hub.clock() else redact(one.last_error)


@entity(
    "What must follow from a record, by when",
    "应办事项",
    key="key",
    indexes=(
        ("state", "due_at"),
        ("platform", "state", "next_at"),
        ("rule", "state"),
        ("rule", "cause", "cause_version"),
        ("cause",),
        ("chain", "sequence"),
    ),
    scope="ops:read",
    seen=BelongsTo(platform="platform"),
)
class Obligation(Entity, frozen=True):
    """The key is a pure function of what caused it, so that it can exist once."""

    key: Annotated[str, Says("Identity: rule and cause; the same key is never discharged twice", "应办编号")]
    number: Annotated[str, Indexed(), Says("Our number for it on the platform", "对外编号")]
    rule: Annotated[str, Says("Rule that derived it", "规则")]
    platform: Annotated[str, Says("Platform on which it must come true", "目标平台")]
    command: Annotated[str, Says("What must be made true there", "指令")]
    cause: Annotated[str, Says("Key of the record that caused it", "起因")]
    subject_code: Annotated[str | None, Indexed(), Says("Subject that it is about", "监管对象编码")]
    state: Annotated[ObligationState, Says("Where it stands", "状态")]
    needs: Annotated[str | None, Says("What it waits for, named", "等待条件")]
    due_at: Annotated[Instant, Indexed(), Says("To be closed by", "截止时间")]
    due_provisional: Annotated[bool, Says("Counted beyond the holiday calendar", "截止时间暂定")]
    next_at: Annotated[Instant, Says("Not tried before", "下次尝试")]
    attempts: Annotated[int, Says("Calls made so far", "尝试次数")]
    receipt: Annotated[str | None, Indexed(), Says("The platform's own number for what was made", "回执编号")]
    last_error: Annotated[str | None, Personal("text"), Says("Why the last call failed", "最近错误")]
    policy_version: Annotated[str, Says("Policy that made it", "政策版本")]
    created_at: Annotated[Instant, Indexed(), Says("When it was derived", "产生时间")]
    sent_at: Annotated[Instant | None, Says("When the platform accepted it", "受理时间")]
    closed_at: Annotated[Instant | None, Indexed(), Says("When its proof was seen", "闭环时间")]
    decided_by: Annotated[str | None, Says("Who waived or settled it", "处理人")]
    reason: Annotated[str | None, Personal("text"), Says("Why it was waived, settled or withdrawn", "处理原因")]
    chain: Annotated[str | None, Internal(), Says("Chain in which order is kept", "顺序链")]
    sequence: Annotated[int, Internal(), Says("Order of derivation", "顺序号")]
    cause_version: Annotated[int, Internal(), Says("Version of the cause that it was derived from", "起因版本")]
    payload: Annotated[bytes, Sealed(), Says("The command", "指令内容")]
    unknown_since: Annotated[
        Instant | None, Internal(), Says("Latest moment at which a call without known outcome may have been sent", "未知起始")
    ]
    fence: Annotated[int, Internal(), Says("Grows with each claim; completions must name it", "栅栏")]
    lease_until: Annotated[Instant | None, Internal(), Says("The claim ends", "租约")]
    tries: Annotated[int, Internal(), Says("Failures in a row, for the backoff", "连续失败")]
    decided_at: Annotated[Instant | None, Says("When it was waived or settled", "处理时间")] = None
    trace: Annotated[str | None, Internal(), Says("Trace of what made it due, as a traceparent", "链路")] = None

    late_seconds = computed(
        int, "Seconds late, so far or when closed; 0 in time; null if taken off", "逾期秒数", late_seconds, nullable=True
    )
    waits_for = known_to_hub(str, "Why it is not tried now; null where it is, or asks for nothing any more", "等待原因", waits_for)
    overdue = computed(bool, "Still open, and due before now", "是否逾期未办", is_overdue)

    subject = to_one("Subject", "Subject that it is about", "监管对象", ours="subject_code", theirs="code", through=TO_SUBJECT)
    history = to_many("Attempt", "Each call", "尝试记录", ours="key", theirs="obligation_key")
    audit = to_many("AuditEntry", "What people did to it", "审计记录", ours="key", theirs="target")
    approval = to_one("Approval", "Approval that caused it", "审批办件", ours="cause", theirs="approval_no", polymorphic=True)
    task = to_one("VerificationTask", "Check that caused it", "核查任务", ours="cause", theirs="task_id", polymorphic=True)
    grid_event = to_one("GridEvent", "Grid event that caused it", "网格事件", ours="cause", theirs="event_no", polymorphic=True)


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """What was said between the hub and a platform, once to and fro; secrets and signatures are never kept (往来报文)."""

    operation: Annotated[str, Says("Name of the call, as in metrics", "操作")]
    sent_at: Annotated[Instant, Says("When it left the hub", "发出时间")]
    answered_at: Annotated[Instant | None, Says("When the answer was there; null without any", "应答时间")]
    outcome: Annotated[str, Says("OK, or the code of what went wrong", "结果代码")]
    request: Annotated[
        str, Personal("text"), Says("Method, path, headers and body; of a database each statement and its row", "请求报文")
    ]
    answer: Annotated[str | None, Personal("text"), Says("Status, headers and body; null without an answer", "应答报文")]


@entity(
    "One call to a platform", "尝试记录", key="attempt_id", scope="ops:read", seen=SeenWith("Obligation", "obligation_key", "key")
)
class Attempt(Entity, frozen=True):
    """Written before the call, so that a crash in between is known as an unknown outcome."""

    attempt_id: Annotated[str, Says("Obligation's key and number of the try", "尝试编号")]
    obligation_key: Annotated[str, Indexed(), Says("Obligation", "应办编号")]
    number: Annotated[int, Says("Which try, from 1", "次数")]
    started_at: Annotated[Instant, Indexed(), Says("When it was claimed", "开始时间")]
    ended_at: Annotated[Instant | None, Says("When its outcome was known", "结束时间")]
    outcome: Annotated[AttemptOutcome, Indexed(), Says("What is known of it", "结果")]
    detail: Annotated[str | None, Personal("text"), Says("What the platform said", "说明")]
    command: Annotated[
        str | None,
        Personal("text"),
        Says("What was to be made true, JSON: known also where the process ended in the call", "指令内容"),
    ] = None
    exchanges: Annotated[
        tuple[Exchange, ...] | None,
        SealedList(),
        Says("What was said, the last 8; none: no call was made; null: it still runs, or its process ended", "往来报文"),
    ] = None

    obligation = to_one("Obligation", "What it was for", "应办事项", ours="obligation_key", theirs="key")
