"""Which function tells what happened to which kind of record."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hub.graph.loops import approvals, checks, credit, grid, selfgov
from hub.graph.loops.happening import Happening, Past
from schema.entities import (
    Approval,
    ApprovalState,
    BlacklistEntry,
    Campaign,
    CampaignRequest,
    Coordination,
    CreditRecord,
    FiguresCheck,
    Finding,
    GridEvent,
    Notice,
    NoticeRequest,
    Repair,
    ScoreEntry,
    SelfReport,
    SmsReceipt,
    TaskResult,
    TownCoordination,
    VerificationTask,
)
from schema.entity import Mirrored

TELLERS: Mapping[type[Mirrored], Callable[[Any, Past], Iterable[Happening]]] = {
    Approval: approvals.of_approval,
    GridEvent: grid.of_event,
    VerificationTask: checks.of_task,
    TaskResult: checks.of_result,
    Finding: checks.of_finding,
    CreditRecord: credit.of_record,
    Repair: credit.of_repair,
    Coordination: grid.of_coordination,
    TownCoordination: grid.of_town,
    Campaign: checks.of_campaign,
    CampaignRequest: checks.of_request,
    SelfReport: selfgov.of_report,
    ScoreEntry: credit.of_score,
    FiguresCheck: selfgov.of_figures,
    Notice: selfgov.of_notice,
    NoticeRequest: selfgov.of_notice_request,
    SmsReceipt: credit.of_receipt,
    BlacklistEntry: approvals.of_blacklist,
}
"""How each kind of record tells what happened."""
REMEMBERED = (GridEvent, VerificationTask, Coordination, TownCoordination, Campaign, SelfReport, ScoreEntry)
"""Those whose states leave no time behind."""


def is_remembered(record: object) -> bool:
    """Return whether a record's earlier versions tell more than it does itself."""
    if isinstance(record, Approval):
        return record.state is ApprovalState.REVOKED
    return record.cancelled if isinstance(record, CreditRecord) else isinstance(record, REMEMBERED)


def happenings(record: Mirrored, past: Past) -> list[Happening]:
    """Return what a record tells, in the order in which it happened to it; nothing for one that is only shown (a key subject)."""
    tell = TELLERS.get(type(record))
    return list(tell(record, past)) if tell else []
