"""The rules of the hub, one row of the domain's table a file. Order matters for one cause only: answers before sendings."""

from hub.reconcile.rule import AnyRule
from hub.reconcile.rules.approval_verification import ApprovalVerification
from hub.reconcile.rules.breach_record import BreachRecord
from hub.reconcile.rules.figures_inspection import FiguresInspection
from hub.reconcile.rules.grid_dispatch import GridDispatch
from hub.reconcile.rules.grid_feedback import GridFeedback
from hub.reconcile.rules.notice import Notices
from hub.reconcile.rules.repair import Repairs
from hub.reconcile.rules.score_notice import ScoreNotice
from hub.reconcile.rules.score_state import ScoreStates
from hub.reconcile.rules.verification_result import VerificationResult

RULES: tuple[AnyRule, ...] = (
    ApprovalVerification(),
    VerificationResult(),
    BreachRecord(),
    GridFeedback(),
    GridDispatch(),
    ScoreNotice(),
    ScoreStates(),
    Repairs(),
    Notices(),
    FiguresInspection(),
)
