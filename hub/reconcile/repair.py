"""What a result row of self-governance asks for, and whether it can be done (selfgov.md, Marking). Pure; asked by rules/repair.py.

Reasons are Chinese, for the subject (clsm), and name the offender.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from hub.domain.calendar import BEIJING
from hub.domain.points import repair_until
from hub.domain.policy import Policy
from hub.reconcile.score import in_chinese, plain
from hub.reconcile.standing import command_of, may_exist
from schema.commands import PostRepair
from schema.entities import CreditRecord, Obligation, ObligationState, Repair, ReportState, SelfReport

LATE = timedelta(seconds=10)  # credit.md: an item can become visible 5 s after a later one; twice that
DONE = frozenset({ObligationState.CLOSED, ObligationState.SETTLED})
REFUSALS = {
    "EXCEEDS_RECORD": "信用平台不予修复：申请修复的分值超过该记录未修复的分值",
    "EXPIRED": "信用平台不予修复：完成时间已超过该记录的修复期限",
}
"""What the credit platform refuses for good (credit.md, POST /v2/repairs), by its reason code."""


class Facts(NamedTuple):
    """A result row, the record that it names, and what may still make one of it; repairs that carry our numbers for the row."""

    report: SelfReport
    record: CreditRecord | None = None
    to_come: bool = False
    """Our own ledger is going to make the record, or has made it."""
    credit_read_at: datetime | None = None
    """When the credit platform was last read to its end."""
    repairs: Mapping[str, Repair] = {}
    earlier: Mapping[str, str] = {}
    """Keys of repairs of earlier versions of the row, by our number: where the ledger is lost, the mirror may know of one."""
    codes: Mapping[str, str] = {}
    """The credit platform's present codes, by the codes that row and record name."""

    @property
    def is_anothers(self) -> bool:
        """Return whether the record is of another subject than the row; a code and an earlier code of it are one."""
        named = [self.report.subject_code, *([self.record.subject_code] if self.record else [])]
        return len({self.codes.get(code, code) for code in named}) > 1


class Made(NamedTuple):
    """A repair that is, or may be, on the credit platform."""

    key: str
    command: PostRepair
    seen: bool


def stamp_of(updated_at: datetime) -> str:
    """Return a row's gxsj as it stands in keys, yyyyMMddHHmmss in Beijing time."""
    return f"{updated_at.astimezone(BEIJING):%Y%m%d%H%M%S}"


def made_of(facts: Facts, key: str, number: str, ledger: Sequence[Obligation]) -> Made | None:
    """Return the repair of a row that may be there, the newest if there are several; key and number are the present ones.

    The mirror tells of one that the ledger has lost.
    """
    found: list[Made] = []
    for lost, each in ({**facts.earlier, number: key}).items():
        if (repair := facts.repairs.get(lost)) is None:
            continue
        command = PostRepair(
            biz_no=repair.biz_no,
            record_id=repair.record_id,
            points=repair.points,
            way=repair.way,
            completed_at=repair.completed_at,
        )
        found.append(Made(each, command, seen=True))
    for one in ledger:
        sent = command_of(one)
        seen = one.number in facts.repairs
        if isinstance(sent, PostRepair) and (seen or (may_exist(one) and refusal_of(one) is None)):
            found.append(Made(one.key, sent, seen=seen or one.state in DONE))
    return max(found, key=lambda made: made.key, default=None)


def asks_for(facts: Facts, key: str, made: Made) -> bool:
    """Return whether the row, whose repair has this key now, still asks for the repair that was made."""
    report, record = facts.report, facts.record
    if report.state is not ReportState.APPROVED:
        return False
    if made.key == key:
        return True
    return record is not None and (record.record_id, report.points) == (made.command.record_id, made.command.points)


def waits_for(facts: Facts) -> str | None:
    """Return what has to come before it is known whether the record exists; None where it is known.

    A record that nobody has seen does not exist, once the credit platform was read to its end since the row was seen.
    """
    report = facts.report
    if facts.record is not None or report.repairs_biz_no is None:
        return None
    named = f"credit record {report.repairs_biz_no}"
    if facts.to_come:
        return f"{named} in the mirror"
    since = report.observed_at + LATE
    if facts.credit_read_at is None or facts.credit_read_at < since:
        return f"{named}, or the credit platform read to its end after {since.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"
    return None


def fault_of(facts: Facts, policy: Policy) -> str | None:
    """Return why an approved repair cannot be made, None where it can be; without a record there is none of that number.

    The same calendar day a year later is in time (points.toml). The record's open points count as they are now.
    """
    return next(_faults(facts, policy), None)


def _faults(facts: Facts, policy: Policy) -> Iterator[str]:
    report, record = facts.report, facts.record
    named, points = report.repairs_biz_no, report.points
    if record is None:
        yield f"信用记录{named}不存在"
        return
    if facts.is_anothers:
        yield f"信用记录{named}不属于{report.subject_code}"
    if record.cancelled:
        yield f"信用记录{named}已撤销"
    if points is None:
        yield f"未填写修复分（信用记录{named}）"
    elif points <= 0:
        yield f"修复分{plain(points)}须大于0（信用记录{named}）"
    elif points > record.open_points:
        yield f"申请修复{plain(points)}分，超过信用记录{named}未修复的{plain(record.open_points)}分"
    if report.completed_at > (until := repair_until(record.occurred_at, policy)):
        yield f"完成时间{in_chinese(report.completed_at)}已超过信用记录{named}的修复期限{in_chinese(until)}"


def refusal_of(one: Obligation) -> str | None:
    """Return why the credit platform refused a repair for good, None where it did not.

    The code stands before the first colon of the last error (call.py); it stays there when the obligation is withdrawn for it.
    """
    if one.state not in {ObligationState.STUCK, ObligationState.WITHDRAWN}:
        return None
    return REFUSALS.get((one.last_error or "").partition(":")[0])
