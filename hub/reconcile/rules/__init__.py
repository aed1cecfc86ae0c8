"""The rules of the hub, one row of the domain's table a file. Order matters for one cause only: answers before sendings,
and what puts a subject on the list before what takes it off."""

from hub.reconcile.rule import AnyRule
from hub.reconcile.rules.approval_verification import ApprovalVerification
from hub.reconcile.rules.breach_record import BreachRecord
from hub.reconcile.rules.commitment_blacklist import CommitmentBlacklist
from hub.reconcile.rules.comprehensive_deduction import ComprehensiveDeduction
from hub.reconcile.rules.grid_dispatch import GridDispatch
from hub.reconcile.rules.grid_feedback import GridFeedback
from hub.reconcile.rules.key_supervision import KeySupervision
from hub.reconcile.rules.key_supervision_off import KeySupervisionOff
from hub.reconcile.rules.responsible_person import ResponsiblePerson
from hub.reconcile.rules.verification_result import VerificationResult

RULES: tuple[AnyRule, ...] = (
    ApprovalVerification(),
    VerificationResult(),
    BreachRecord(),
    ComprehensiveDeduction(),
    ResponsiblePerson(),
    CommitmentBlacklist(),
    KeySupervision(),
    KeySupervisionOff(),
    GridFeedback(),
    GridDispatch(),
)
