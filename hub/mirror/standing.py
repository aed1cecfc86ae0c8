"""What the mirror knows of a subject that asks for commitment. Read by hub/eligibility.py."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from hub.mirror import credit_queries
from hub.mirror.queries import records_where
from hub.mirror.rows import Rows, moment
from hub.mirror.tables import TABLES
from schema.entities import Approval, BlacklistEntry, CreditProfile, CreditRecord

STREAM = TABLES["StreamHealth"]
QUARANTINE = TABLES["QuarantinedRecord"]


class Standing(NamedTuple):
    """One subject, in one snapshot."""

    profile: CreditProfile | None
    profile_as_of: datetime | None
    """When the profile was seen, or the credit platform last read to its end, whichever is later: by then it had not changed.

    Only when it was seen where something of this subject is in quarantine: that may say otherwise.
    """
    records: Sequence[CreditRecord]
    """Those under all names of the subject."""
    blacklist: Sequence[BlacklistEntry]
    identity_no: str | None
    """Of a natural person: the identity number that its newest approval names."""


def standing_of(connection: Connection, rows: Rows, code: str) -> Standing:
    """Return what is known of a subject by its USCC or RID code."""
    profile = next(iter(records_where(connection, rows, CreditProfile, "code", [code]).get(code, ())), None)
    approvals = records_where(connection, rows, Approval, "subject_code", [code]).get(code, ()) if code.startswith("RID-") else ()
    newest = max((one for one in approvals if one.identity_no), key=lambda one: (one.updated_at, one.approval_no), default=None)
    return Standing(
        profile,
        None if profile is None else _as_of(connection, profile),
        tuple(credit_queries.records_of_subjects(connection, rows, [code]).records),
        records_where(connection, rows, BlacklistEntry, "subject_code", [code]).get(code, ()),
        newest.identity_no if newest else None,
    )


def _as_of(connection: Connection, profile: CreditProfile) -> datetime:
    if _is_quarantined(connection, profile.code):
        return profile.observed_at
    return max(profile.observed_at, _read_to_end(connection) or profile.observed_at)


def _is_quarantined(connection: Connection, code: str) -> bool:
    """Return whether a profile of this code came that cannot be used, and no good version since."""
    here = (QUARANTINE.c.record_key == code) & (QUARANTINE.c.platform == "credit") & (QUARANTINE.c.entity == CreditProfile.__name__)
    return connection.execute(select(1).where(here, QUARANTINE.c.released_at.is_(None)).limit(1)).first() is not None


def _read_to_end(connection: Connection) -> datetime | None:
    """Return when the credit platform's slowest stream was last read to its end; None where one never was."""
    times = list(connection.execute(select(STREAM.c.last_success_at).where(STREAM.c.platform == "credit")).scalars())
    return moment(min(times)) if times and all(time is not None for time in times) else None
