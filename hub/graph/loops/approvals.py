"""What happened to an approval, and on the blacklist that it may lead to."""

from collections.abc import Iterator
from datetime import datetime, time

from hub.domain.calendar import BEIJING
from hub.graph.loops.happening import Happening, Past, entered
from schema.entities import Approval, ApprovalState, BlacklistEntry, Procedure
from schema.step_kinds import StepKind as K


def of_approval(one: Approval, past: Past) -> Iterator[Happening]:
    """Tell of an approval: accepted, decided, revoked; awaited while it is pending."""
    no, code = one.approval_no, one.subject_code
    yield Happening(K.APPROVAL_ACCEPTED, one.accepted_at, no, one.matter_name, subject_code=code)
    if one.state is ApprovalState.ACCEPTED:
        yield Happening(K.AWAITED, None, no, "decision", "审批决定", code)
        return
    decided_at = one.decided_at or one.updated_at
    if one.state is ApprovalState.REFUSED:
        yield Happening(K.APPROVAL_REFUSED, decided_at, no, one.matter_name, subject_code=code)
        return
    how, wie = ("on commitment", "告知承诺") if one.procedure is Procedure.COMMITMENT else ("standard procedure", "一般程序")
    yield Happening(K.APPROVAL_GRANTED, decided_at, no, f"{one.matter_name}, {how}", f"{one.matter_name}（{wie}）", code)
    for kind, at in entered(one, past, "state", {ApprovalState.REVOKED: K.APPROVAL_REVOKED}):
        yield Happening(kind, at, no, one.matter_name, subject_code=code)


def of_blacklist(one: BlacklistEntry, past: Past) -> Iterator[Happening]:
    """The platform tells days only: a day begins at midnight, in Beijing; step.py knows better where the entry is ours."""
    yield Happening(K.BLACKLISTED, day_of(one.since), one.entry_no, one.matter_code, subject_code=one.subject_code)
    if one.removed_on:
        yield Happening(K.BLACKLIST_REMOVED, day_of(one.removed_on), one.entry_no, one.matter_code, subject_code=one.subject_code)


def day_of(text: str) -> datetime:
    """Return the beginning of a day, `yyyy-MM-dd`, in Beijing."""
    return datetime.combine(datetime.fromisoformat(text).date(), time(), BEIJING)
