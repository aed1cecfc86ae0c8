"""What the ledger adds to a loop: what is owed, and which step of a record discharged what."""

from typing import NamedTuple

from schema.entities import Obligation, ObligationState
from schema.step_kinds import StepKind as K

OPEN_KINDS = {
    ObligationState.WAITING: K.WAITING,
    ObligationState.DUE: K.OWED,
    ObligationState.LEASED: K.OWED,
    ObligationState.SENT: K.SENT,
    ObligationState.STUCK: K.STUCK,
}
BY_HAND = {ObligationState.SETTLED: K.SETTLED, ObligationState.WAIVED: K.WAIVED}


class Effect(NamedTuple):
    """What a command makes true: in words, and the kinds of steps by which records show it."""

    en: str
    zh: str
    shown_by: tuple[K, ...] = ()
    told_as: K = K.DISCHARGED
    """The step that stands for it where no record shows it."""


EFFECTS = {
    "CreateTask": Effect("a check", "检查任务", (K.TASK_CREATED,)),
    "CancelTask": Effect("cancelling the check", "取消检查任务", (K.TASK_CANCELLED,), K.TASK_CANCELLED),
    "CreateCampaign": Effect("a joint inspection", "双随机检查", (K.CAMPAIGN_DRAWN,)),
    "PutKeySubject": Effect("key supervision", "列入重点监管", told_as=K.WATCHED),
    "RemoveKeySubject": Effect("end of key supervision", "移出重点监管", told_as=K.UNWATCHED),
    "GiveCoordinationFeedback": Effect(
        "answer to the department", "协管结果反馈", (K.COORDINATION_ANSWERED,), K.COORDINATION_ANSWERED
    ),
    "PostCreditRecord": Effect("a credit record", "信用记录", (K.RECORD_CREATED,)),
    "PostRepair": Effect("restoring points", "信用修复", (K.REPAIRED,)),
    "PushVerificationResult": Effect("writing the result back", "核查结果回传", told_as=K.RESULT_WRITTEN_BACK),
    "AddToBlacklist": Effect("an entry on the commitment blacklist", "列入告知承诺黑名单", (K.BLACKLISTED,)),
    "AcceptEvent": Effect("accepting the event", "受理网格事件", (K.EVENT_ACCEPTED,), K.EVENT_ACCEPTED),
    "FeedbackEvent": Effect("answer to the event", "反馈网格事件", (K.EVENT_HANDLED, K.EVENT_RETURNED, K.EVENT_TRANSFERRED)),
    "IssueCoordination": Effect("asking the town", "协管事件下达", (K.TOWN_ASKED,), K.TOWN_ASKED),
    "SendSms": Effect("a text message", "短信告知", told_as=K.SMS_SENT),
    "PutScore": Effect("the subject's own list", "主体扣分清单", (K.SCORE_LISTED, K.SCORE_REPAIRED, K.SCORE_EXPIRED)),
    "MarkReport": Effect("marking the report", "自治结果标记", (K.REPORT_TAKEN, K.REPORT_DECLINED)),
    "PutNotice": Effect("a notice", "通知推送", (K.NOTICE_SENT,)),
}
"""Each command, by its name."""


def effect_of(one: Obligation) -> Effect:
    """Return what an obligation makes true; an end of key supervision may put the entry with what is left of it."""
    if one.rule == "key-supervision-off":
        return EFFECTS["RemoveKeySubject"]
    return EFFECTS.get(one.command, Effect(one.command, one.command))


def kind_of(one: Obligation) -> K | None:
    """Return the kind of step that an obligation is by itself; None where it was withdrawn, or its effect is seen."""
    return OPEN_KINDS.get(one.state) or BY_HAND.get(one.state)
