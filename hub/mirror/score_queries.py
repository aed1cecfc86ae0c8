"""Named reads of the rules that tell subjects of their points: score-notice and score-state."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, select

from hub.mirror import identities
from hub.mirror.queries import CHUNK, OBLIGATION, records_where, unsettled_in
from hub.mirror.rows import Rows, micros
from hub.mirror.tables import TABLES
from schema.entities import CreditRecord, ScoreEntry

APPROVAL, ENTRY, RECORD, IDENTIFIER = (TABLES[name] for name in ("Approval", "ScoreEntry", "CreditRecord", "SubjectIdentifier"))
TAKES_POINTS = and_(RECORD.c.points > 0, RECORD.c.cancelled.is_(False))


class Score(NamedTuple):
    """A credit record, and its entry on the subject's own list where there is one."""

    record: CreditRecord
    entry: ScoreEntry | None


def scores(connection: Connection, rows: Rows, record_ids: Iterable[str]) -> dict[str, Score]:
    """Return credit records with their entries, by record id."""
    records = {key: one for key, (one,) in records_where(connection, rows, CreditRecord, "record_id", record_ids).items()}
    numbers = [record.biz_no for record in records.values()]
    entries = {key: one for key, (one,) in records_where(connection, rows, ScoreEntry, "biz_no", numbers).items()}
    return {key: Score(record, entries.get(record.biz_no)) for key, record in records.items()}


def records_numbered(connection: Connection, biz_nos: Iterable[str]) -> list[str]:
    """Return the ids of credit records by the sender's numbers."""
    wanted, found = sorted(set(biz_nos)), list[str]()
    for start in range(0, len(wanted), CHUNK):
        here = select(RECORD.c.record_id).where(RECORD.c.biz_no.in_(wanted[start : start + CHUNK]))
        found += connection.execute(here).scalars()
    return found


class _Applied(NamedTuple):
    accepted_at: int
    approval_no: str
    phone: bytes | None


def phones_of(connection: Connection, rows: Rows, codes: Iterable[str]) -> dict[str, str]:
    """Return the telephone of each subject's newest approval (by acceptance, then number); subjects without one are left out.

    An approval may know its applicant by an earlier identifier, an old number for one (identities.py).
    """
    (present, names), newest = identities.accounts_of(connection, codes), dict[str, _Applied]()
    identifiers = sorted(names)
    columns = (APPROVAL.c.accepted_at, APPROVAL.c.approval_no, APPROVAL.c.phone)
    for start in range(0, len(identifiers), CHUNK):
        here = APPROVAL.c.identifier.in_(identifiers[start : start + CHUNK])
        for identifier, *row in connection.execute(select(APPROVAL.c.identifier, *columns).where(here)):
            code, found = names[identifier], _Applied(*row)
            if code not in newest or found[:2] > newest[code][:2]:
                newest[code] = found
    known = {code: rows.read("Approval", "phone", one.phone) for code, one in newest.items() if one.phone is not None}
    return {code: known[now] for code, now in present.items() if now in known}


def records_to_tell_of(connection: Connection, rule: str, codes: Iterable[str]) -> list[str]:
    """Return ids of these subjects' records with open points of which no short message is owed so far."""
    wanted, found = sorted(set(codes)), list[str]()
    for start in range(0, len(wanted), CHUNK):
        here = RECORD.c.subject_code.in_(wanted[start : start + CHUNK])
        statement = select(RECORD.c.record_id).where(here, TAKES_POINTS, RECORD.c.open_points > 0, ~_told(rule))
        found += connection.execute(statement).scalars()
    return found


def notices_unsettled(connection: Connection, rule: str, after: str, limit: int) -> list[str]:
    """Return records that take points and are not on their subject's list, records of another version, and those that stand on
    the list as open and of which no message is owed, although an approval of the subject names a telephone."""
    never = and_(TAKES_POINTS, ~_exists(f"{rule}:" + RECORD.c.record_id + "/2"))
    open_entry = select(1).where(ENTRY.c.biz_no == RECORD.c.biz_no, ENTRY.c.state == "OPEN").exists()
    untold = and_(TAKES_POINTS, RECORD.c.open_points > 0, open_entry, ~_told(rule))
    named = select(1).where(APPROVAL.c.subject_code == RECORD.c.subject_code, APPROVAL.c.phone.is_not(None)).exists()
    earlier = and_(IDENTIFIER.c.credit_code == RECORD.c.subject_code, IDENTIFIER.c.identifier == APPROVAL.c.identifier)
    by_another = select(1).where(earlier, APPROVAL.c.phone.is_not(None)).exists()
    wanted = (never, and_(untold, named), and_(untold, by_another))
    return unsettled_in(connection, rule, RECORD, "record_id", wanted, after, limit)


def states_unsettled(connection: Connection, rule: str, after: str, limit: int) -> list[str]:
    """Return records of which nothing is open and whose entry was never changed to say so, and those of another version."""
    never = and_(TAKES_POINTS, RECORD.c.open_points == 0, ~_exists(f"{rule}:" + RECORD.c.record_id + ":repaired"))
    return unsettled_in(connection, rule, RECORD, "record_id", (never,), after, limit)


def states_elapsed(connection: Connection, now: datetime, after: str, limit: int) -> list[str]:
    """Return records whose entry is open although the time for repairing them is over."""
    over = and_(ENTRY.c.state == "OPEN", ENTRY.c.repair_until < micros(now))
    statement = select(RECORD.c.record_id).join(ENTRY, ENTRY.c.biz_no == RECORD.c.biz_no)
    statement = statement.where(over, RECORD.c.record_id > after).order_by(RECORD.c.record_id).limit(limit)
    return list(connection.execute(statement).scalars())


def _exists(key: Any) -> Any:
    return select(1).where(OBLIGATION.c.key == key).exists()


def _told(rule: str) -> Any:
    key = f"{rule}:" + RECORD.c.record_id + "/1"
    return select(1).where(OBLIGATION.c.key == key, OBLIGATION.c.state != "WITHDRAWN").exists()
