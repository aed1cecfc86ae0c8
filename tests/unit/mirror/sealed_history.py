"""A change history with people's doings in it, sealed in several blocks."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection
from structlog.testing import capture_logs

from hub.mirror import audit
from hub.mirror.audit import Entry
from hub.mirror.audit_sealing import seal
from hub.mirror.records import upsert
from hub.mirror.rows import Rows
from schema.entity import Mirrored
from tests.builders import approval, observed, task
from tests.settable_clock import START


def say(connection: Connection, rows: Rows, *records: Mirrored) -> None:
    upsert(connection, rows, [observed(record) for record in records])


def approvals(numbers: Sequence[int], version: int = 1) -> list[Mirrored]:
    return [approval(approval_no=f"YW{number:04}", version=version) for number in numbers]


def act(connection: Connection, rows: Rows, target: str, at: datetime = START, action: str = "waiveObligation") -> None:
    with capture_logs():
        entry = Entry(at=at, by="lou", action=action, kind="Obligation", target=target, reason="made by telephone")
        audit.note(connection, rows, entry)


def write_history(connection: Connection, rows: Rows) -> None:
    """Write 12 changes in three blocks of 5, 5 and 2: approvals in two versions, a task, two entries of the audit."""
    say(connection, rows, *approvals(range(4)))
    act(connection, rows, "o/1")
    say(connection, rows, *approvals(range(4), version=2))
    act(connection, rows, "o/2")
    say(connection, rows, task(), task(task_id="T-2", external_no=None))
    while seal(connection, START, limit=5):
        pass
