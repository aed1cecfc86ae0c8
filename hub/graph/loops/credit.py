"""What breaches cost, what was restored, and how the subject was told."""

from collections.abc import Iterator

from hub.graph.loops.happening import WAYS, Happening, Past, entered, moment_of, shown
from schema.entities import CreditRecord, DeliveryStatus, Repair, ScoreEntry, ScoreState, SmsReceipt
from schema.step_kinds import StepKind as K

SCORE_STATES = {ScoreState.OPEN: K.SCORE_LISTED, ScoreState.REPAIRED: K.SCORE_REPAIRED, ScoreState.EXPIRED: K.SCORE_EXPIRED}


def of_record(one: CreditRecord, past: Past) -> Iterator[Happening]:
    """Tell of a credit record: accepted, taken back."""
    points, code = shown(one.points), one.subject_code
    said, says = f"{one.item_name}, {points} points taken", f"{one.item_name}，扣{points}分"
    if not one.points:  # the platform lowers a responsible person's score by its own rule (credit.md)
        said = says = one.item_name
    yield Happening(K.RECORD_CREATED, one.created_at, one.record_id, said, says, code)
    if one.cancelled:
        gone = (version.fields.get("updated_at") for version in past.versions if version.fields.get("cancelled") is True)
        at = moment_of(next(gone, None)) or one.updated_at
        yield Happening(K.RECORD_CANCELLED, at, one.record_id, one.item_name, subject_code=code)


def of_repair(one: Repair, past: Past) -> Iterator[Happening]:
    """Tell of points restored."""
    (way, wise), points = WAYS[one.way], shown(one.points)
    yield Happening(K.REPAIRED, one.created_at, one.repair_id, f"{points} points by {way}", f"{wise}，恢复{points}分")


def of_score(one: ScoreEntry, past: Past) -> Iterator[Happening]:
    """Tell of a line of the subject's own list."""
    said, says = f"{one.item_name}, {shown(one.points)} points", f"{one.item_name}，{shown(one.points)}分"
    for kind, at in entered(one, past, "state", SCORE_STATES):
        yield Happening(kind, at, one.biz_no, said, says, one.subject_code)


def of_receipt(one: SmsReceipt, past: Past) -> Iterator[Happening]:
    """Tell of a short message that arrived, or did not."""
    kind = K.SMS_DELIVERED if one.status is DeliveryStatus.DELIVRD else K.SMS_FAILED
    yield Happening(kind, one.reported_at, one.message_no, "" if kind is K.SMS_DELIVERED else one.status.value)
