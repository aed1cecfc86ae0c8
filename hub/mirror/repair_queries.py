"""Named reads of the rule that carries repairs from self-governance to the credit platform."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, and_, select

from hub.mirror.queries import CHUNK, OBLIGATION, unsettled_in
from hub.mirror.rows import moment
from hub.mirror.tables import TABLES

REPORT, STREAM = TABLES["SelfReport"], TABLES["StreamHealth"]
CREDIT_FEED = "credit/changes"
COMING = ("WAITING", "DUE", "LEASED", "SENT", "STUCK", "CLOSED", "SETTLED")
"""States in which a posting has led to its record, or still may."""


def reports_repairing(connection: Connection, biz_nos: Iterable[str]) -> list[str]:
    """Return the numbers of approved reports that name one of these records."""
    wanted, found = sorted(set(biz_nos)), list[str]()
    for start in range(0, len(wanted), CHUNK):
        here = and_(REPORT.c.repairs_biz_no.in_(wanted[start : start + CHUNK]), REPORT.c.state == "APPROVED")
        found += connection.execute(select(REPORT.c.report_no).where(here)).scalars()
    return found


def records_to_come(connection: Connection, biz_nos: Iterable[str]) -> set[str]:
    """Return which of these numbers are of credit records that our ledger has posted or is going to."""
    wanted, found = sorted(set(biz_nos)), set[str]()
    for start in range(0, len(wanted), CHUNK):
        here = OBLIGATION.c.number.in_(wanted[start : start + CHUNK])
        posted = and_(OBLIGATION.c.command == "PostCreditRecord", OBLIGATION.c.state.in_(COMING))
        found.update(connection.execute(select(OBLIGATION.c.number).where(here, posted)).scalars())
    return found


def credit_read_at(connection: Connection) -> datetime | None:
    """Return when the credit platform's changes were last read to their end; None before the first time."""
    kept = connection.execute(select(STREAM.c.last_success_at).where(STREAM.c.stream_id == CREDIT_FEED)).scalar()
    return None if kept is None else moment(kept)


def repairs_unsettled(connection: Connection, rule: str, after: str, limit: int) -> list[str]:
    """Return reports that are decided, not marked, and without a mark that is owed; and reports of another version."""
    of_rule = and_(OBLIGATION.c.rule == rule, OBLIGATION.c.cause == REPORT.c.report_no, OBLIGATION.c.command == "MarkReport")
    owed = select(1).where(of_rule, OBLIGATION.c.state.not_in(["WITHDRAWN", "CLOSED"])).exists()
    unmarked = and_(REPORT.c.state != "WAITING", REPORT.c.mark == "NEW", ~owed)
    return unsettled_in(connection, rule, REPORT, "report_no", (unmarked,), after, limit)
