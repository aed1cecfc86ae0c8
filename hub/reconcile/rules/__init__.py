"""The rules of the hub, one row of the domain's table a file.

Order matters where one rule reads what another has just written: answers before sendings, a check before its revocation,
what is passed on before what comes back, what puts a subject on the list before what takes it off.
"""

from hub.reconcile.rule import AnyRule
from hub.reconcile.rules.approval_revoked import ApprovalRevoked
from hub.reconcile.rules.approval_verification import ApprovalVerification
from hub.reconcile.rules.breach_record import BreachRecord
from hub.reconcile.rules.campaign import CampaignDrawn
from hub.reconcile.rules.commitment_blacklist import CommitmentBlacklist
from hub.reconcile.rules.comprehensive_deduction import ComprehensiveDeduction
from hub.reconcile.rules.coordination_dispatch import CoordinationDispatch
from hub.reconcile.rules.coordination_feedback import CoordinationFeedback
from hub.reconcile.rules.duplicate_task import DuplicateTask
from hub.reconcile.rules.figures_inspection import FiguresInspection
from hub.reconcile.rules.grid_dispatch import GridDispatch
from hub.reconcile.rules.grid_feedback import GridFeedback
from hub.reconcile.rules.key_supervision import KeySupervision
from hub.reconcile.rules.key_supervision_off import KeySupervisionOff
from hub.reconcile.rules.notice import Notices
from hub.reconcile.rules.penalty_referral import PenaltyReferral
from hub.reconcile.rules.recheck import Recheck
from hub.reconcile.rules.repair import Repairs
from hub.reconcile.rules.responsible_person import ResponsiblePerson
from hub.reconcile.rules.score_notice import ScoreNotice
from hub.reconcile.rules.score_state import ScoreStates
from hub.reconcile.rules.task_cancelled import TaskCancelled
from hub.reconcile.rules.unknown_officer_department import UnknownOfficerDepartment
from hub.reconcile.rules.verification_result import VerificationResult

RULES: tuple[AnyRule, ...] = (
    ApprovalVerification(),
    ApprovalRevoked(),
    VerificationResult(),
    BreachRecord(),
    ComprehensiveDeduction(),
    ResponsiblePerson(),
    CommitmentBlacklist(),
    KeySupervision(),
    KeySupervisionOff(),
    GridFeedback(),
    GridDispatch(),
    Recheck(),
    PenaltyReferral(),
    CoordinationDispatch(),
    CoordinationFeedback(),
    CampaignDrawn(),
    DuplicateTask(),
    TaskCancelled(),
    UnknownOfficerDepartment(),
    ScoreNotice(),
    ScoreStates(),
    Repairs(),
    Notices(),
    FiguresInspection(),
)
