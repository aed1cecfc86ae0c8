"""What subjects did for themselves, and what they were told."""

from collections.abc import Iterator
from datetime import datetime

from hub.graph.loops.checks import CONCLUSIONS
from hub.graph.loops.happening import WAYS, Happening, Past, changes_of, entered
from schema.entities import Conclusion, FiguresCheck, Notice, NoticeRequest, ReportMark, ReportState, SelfReport
from schema.step_kinds import StepKind as K

REPORT_STATES = {ReportState.APPROVED: K.SELF_REPORT_APPROVED, ReportState.REFUSED: K.SELF_REPORT_REFUSED}
MARKS = {ReportMark.TAKEN: K.REPORT_TAKEN, ReportMark.REFUSED: K.REPORT_DECLINED}


def of_report(one: SelfReport, past: Past) -> Iterator[Happening]:
    """Tell of a self-report: completed, approved or refused, marked by the hub."""
    (way, wise), code = WAYS[one.way], one.subject_code
    yield Happening(K.SELF_REPORTED, one.completed_at, one.report_no, way, wise, code)
    for kind, at in entered(one, past, "state", REPORT_STATES):
        yield Happening(kind, at, one.report_no, way, wise, code)
    for kind, at in _marked(one, past):
        reason = one.mark_reason if kind is K.REPORT_DECLINED and one.mark_reason else None
        yield Happening(kind, at, one.report_no, reason or way, reason or wise, code)
    if one.state is ReportState.WAITING:
        yield Happening(K.AWAITED, None, one.report_no, "approval in self-governance", "自治结果审核", code)


def _marked(one: SelfReport, past: Past) -> Iterator[tuple[K, datetime]]:
    """A mark leaves the row's own time as it is, so that the time is when the hub saw it."""
    for mark, _, seen_at in changes_of(one, past, "mark"):
        kind = next((kind for each, kind in MARKS.items() if each.value == mark), None)
        if kind is not None:
            yield kind, seen_at


def of_figures(one: FiguresCheck, past: Past) -> Iterator[Happening]:
    """Tell of an on-line check of figures."""
    said, says = CONCLUSIONS[Conclusion(one.conclusion.value)]
    yield Happening(K.FIGURES_CHECKED, one.checked_at, one.check_no, said, says, one.subject_code)


def of_notice_request(one: NoticeRequest, past: Past) -> Iterator[Happening]:
    """Tell of a notice that was asked for."""
    yield Happening(K.NOTICE_REQUESTED, one.requested_at, one.request_no, one.title)


def of_notice(one: Notice, past: Past) -> Iterator[Happening]:
    """Tell of a notice that was pushed."""
    yield Happening(K.NOTICE_SENT, one.issued_at, one.notice_no, one.title, subject_code=one.subject_code)
