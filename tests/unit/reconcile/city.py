"""What the tests of the rules share: the city's own policy, records that carry our numbers, and a hub small enough to hold."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, delete, select

from hub.domain.policy import load_policy
from hub.mirror import ledger, streams
from hub.mirror.database import Database
from hub.mirror.queries import Check
from hub.mirror.records import upsert
from hub.mirror.rows import Rows
from hub.mirror.subjects import know_subjects
from hub.mirror.tables import CHANGE, TABLES
from hub.reconcile.derive import Derivation
from hub.reconcile.rule import AnyRule, Owed, Rulebook, Verdict
from hub.reconcile.rules import RULES
from hub.reconcile.rules.approval_verification import ApprovalVerification
from hub.reconcile.rules.grid_dispatch import GridDispatch
from hub.reconcile.sweep import Sweep
from schema.commands import AnyCommand, decode_command, encode_command
from schema.entities import (
    AuditEntry,
    Conclusion,
    CreditRecord,
    Finding,
    GridEvent,
    Obligation,
    ObligationState,
    Officer,
    OpsItem,
    QuarantinedRecord,
    RecordCategory,
    TaskResult,
    TaskStatus,
    TaskType,
    VerificationTask,
)
from schema.entity import Observation, Tombstone
from schema.identifiers import outgoing_number
from tests.builders import approval, credit_record, finding, grid_event, observed, task, task_result
from tests.settable_clock import START, SettableClock

POLICY = load_policy()
BOOK = Rulebook(POLICY, "330782")
APPROVAL_NO = approval().approval_no
EVENT_NO = grid_event().event_no
TASK_ID = task().task_id
APPROVAL_KEY = f"approval-verification:{APPROVAL_NO}"
APPROVAL_TASK_NO = outgoing_number(ApprovalVerification.prefix, APPROVAL_KEY)


def event_task_no(sending: int = 1) -> str:
    """Return the number that the task of a sending carries on the enforcement platform."""
    return outgoing_number(GridDispatch.prefix, f"grid-dispatch:{EVENT_NO}:{sending}/1")


def approval_task(**fields: Any) -> VerificationTask:
    """The check of `approval()`, with our number."""
    return task(**{"external_no": APPROVAL_TASK_NO} | fields)


def road_event(**fields: Any) -> GridEvent:
    """A grid event of a category that has a route, sent to departments."""
    return grid_event(**{"category": "JT-03"} | fields)


def event_task(sending: int = 1, **fields: Any) -> VerificationTask:
    """The check of `road_event()`, with our number for that sending."""
    mine = {
        "task_id": f"T-EVENT-{sending}",
        "external_no": event_task_no(sending),
        "type": TaskType.GRID,
        "origin_platform": "grid",
        "origin_ref": EVENT_NO,
        "department_code": "JT",
    }
    return task(**mine | fields)


def check(of: VerificationTask, *results: TaskResult, findings: Sequence[Finding] = ()) -> Check:
    """A task with what it concluded, as rules load it."""
    return Check(of, results, findings)


def done_check(conclusion: Conclusion = Conclusion.NONCONFORM, *findings: Finding, **fields: Any) -> Check:
    """The finished check of `approval()` with one result."""
    of = approval_task(**{"status": TaskStatus.DONE} | fields)
    found = task_result(result_id=f"{of.task_id}/0", conclusion=conclusion, task_id=of.task_id, version=of.version)
    return Check(of, [found], findings)


def bad(finding_id: str = "F0001", **fields: Any) -> Finding:
    """A finding that does not conform."""
    return finding(**{"finding_id": finding_id} | fields)


def taken(number: int, points: str | Decimal, **fields: Any) -> CreditRecord:
    """The credit record of a subject's n-th finding: regulatory points, accepted n minutes after the check."""
    mine = {
        "record_id": f"CR{number:04}",
        "biz_no": f"BR-FINDING-{number:04}",
        "category": RecordCategory.REGULATORY_POINTS,
        "points": Decimal(points),
        "open_points": Decimal(points),
        "item_code": "JY-001",
        "item_name": "办学场地不符合要求",
        "department_code": "JY",
        "evidence_ref": "T-SCHOOL",
        "evidence_finding": f"F{number:04}",
        "created_at": START + timedelta(minutes=number),
    }
    return credit_record(**mine | fields)


def observation(of: Check) -> Observation:
    """What the platform says of a check, whole."""
    return observed(of.task, *of.results, *of.findings)


def stranger(department: str = "XX", **fields: Any) -> Officer:
    """An officer of a department that no list names."""
    mine: dict[str, Any] = {"id": "ZF-XX-01", "name": "骆某", "department": department, "is_head": False}
    return Officer(**mine | fields)


def held(rule: AnyRule, owed: Owed, state: ObligationState = ObligationState.DUE, **fields: Any) -> Obligation:
    """An obligation of the ledger, as it was once derived."""
    plain: dict[str, Any] = {
        "key": owed.key,
        "number": rule.number(owed.key),
        "rule": rule.name,
        "platform": owed.platform,
        "command": owed.kind,
        "cause": "the cause",
        "subject_code": owed.subject_code,
        "state": state,
        "needs": owed.needs,
        "due_at": owed.due.at,
        "due_provisional": owed.due.provisional,
        "next_at": START,
        "attempts": 0,
        "receipt": None,
        "last_error": None,
        "policy_version": POLICY.version,
        "created_at": START,
        "sent_at": START if state in {ObligationState.SENT, ObligationState.CLOSED} else None,
        "closed_at": None,
        "decided_by": None,
        "reason": None,
        "chain": owed.chain,
        "sequence": owed.place,
        "cause_version": 1,
        "payload": encode_command(owed.command) if owed.command else b"",
        "unknown_since": None,
        "fence": 0,
        "lease_until": None,
        "tries": 0,
    }
    return Obligation(**plain | fields)


def only(verdict: Verdict) -> Owed:
    """Return the one thing that a verdict owes."""
    (owed,) = verdict.owed
    return owed


def kinds(verdict: Verdict) -> list[str]:
    """Return the kinds of trouble that a verdict tells ops of."""
    return [trouble.kind for trouble in verdict.troubles]


def read_audit(connection: Connection, rows: Rows) -> list[AuditEntry]:
    table, read = TABLES["AuditEntry"], rows.reader(AuditEntry)
    kept = select(table).join(CHANGE, (CHANGE.c.entity == "AuditEntry") & (CHANGE.c.key == table.c.entry_id))
    return [read(row) for row in connection.execute(kept.order_by(CHANGE.c.sequence))]


def read_ledger(connection: Connection, rows: Rows) -> dict[str, Obligation]:
    table = TABLES["Obligation"]
    return ledger.by_keys(connection, rows, list(connection.execute(select(table.c.key).order_by(table.c.key)).scalars()))


def read_ops(connection: Connection, rows: Rows) -> list[OpsItem]:
    read, table = rows.reader(OpsItem), TABLES["OpsItem"]
    columns = [table.c[name] for name in OpsItem.__struct_fields__]
    return [read(row) for row in connection.execute(select(*columns).order_by(table.c.kind, table.c.item_id))]


def read_quarantine(connection: Connection, rows: Rows) -> list[QuarantinedRecord]:
    read, table = rows.reader(QuarantinedRecord), TABLES["QuarantinedRecord"]
    columns = [table.c[name] for name in QuarantinedRecord.__struct_fields__]
    return [read(row) for row in connection.execute(select(*columns).order_by(table.c.quarantined_at, table.c.record_key))]


def was_read(connection: Connection, rows: Rows, platform: str, stream: str, at: datetime) -> None:
    """Let a stream have been read to its end at that time."""
    reading = streams.begin(connection, rows, platform, stream, at, timedelta(seconds=1))
    assert reading is not None
    streams.finish(connection, rows, reading, at, None)


def forget_ledger(connection: Connection) -> None:
    connection.execute(delete(TABLES["Obligation"]))


@dataclass
class City:
    """A database with the rules behind it: records are said to it, its ledger and ops list are looked at."""

    database: Database
    rows: Rows
    clock: SettableClock
    rules: Sequence[AnyRule] = RULES
    book: Rulebook = BOOK

    def __post_init__(self) -> None:
        self.derivation = Derivation(self.rows, self.rules, self.book)
        self.sweep = Sweep(self.database, self.rows, self.derivation, self.clock)

    async def say(self, *observations: Observation | Tombstone) -> None:
        """Let the platforms say something: mirror and ledger change in one transaction, as in intake."""
        await self.database.write(self._say, observations)

    def _say(self, connection: Connection, observations: Iterable[Observation | Tombstone]) -> None:
        changes = upsert(connection, self.rows, list(observations))
        applied = [item for item, outcome in changes if outcome.value == "applied"]
        know_subjects(connection, self.rows, [item for item in applied if isinstance(item, Observation)])
        self.derivation(connection, changes, self.clock())

    async def keep_silent(self, *observations: Observation | Tombstone) -> None:
        """Put something into the mirror that no rule was asked about: a lost derivation."""
        await self.database.write(upsert, self.rows, list(observations))

    async def ledger(self) -> dict[str, Obligation]:
        return await self.database.read(read_ledger, self.rows)

    async def audited(self) -> list[AuditEntry]:
        """Return what people did, in the order in which it stands in the change history."""
        return await self.database.read(read_audit, self.rows)

    async def lines(self) -> dict[str, str]:
        """Return the state of every obligation by key."""
        return {key: one.state.value for key, one in (await self.ledger()).items()}

    async def until(self, seen: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        """Return the states once they are as wanted; for tests with a worker in the background."""
        async with asyncio.timeout(20):  # far more than it needs: only so that a mistake ends
            while not seen(states := await self.lines()):  # noqa: ASYNC110  (the ledger has no event to wait for)
                await asyncio.sleep(0.005)
        return states

    async def command(self, key: str) -> AnyCommand:
        return decode_command((await self.ledger())[key].payload)

    async def ops(self) -> list[OpsItem]:
        return await self.database.read(read_ops, self.rows)

    async def quarantine(self) -> dict[str, bool]:
        """Return which records are or were quarantined, by their newest row: whether that is open."""
        return {one.record_key or "": one.released_at is None for one in await self.database.read(read_quarantine, self.rows)}

    async def put(self, key: str, **columns: Any) -> None:
        """Change columns of an obligation, as a worker or an operator would have."""
        await self.database.write(lambda connection: ledger.change(connection, self.rows, key, **columns))

    async def accept(self, key: str, receipt: str = "R1") -> None:
        """Let the platform have accepted an obligation."""
        now: datetime = self.clock()
        await self.put(key, state=ObligationState.SENT, receipt=receipt, sent_at=now, next_at=now)

    async def settle_all(self) -> None:
        """Ask every rule about every obligation of the ledger once more."""
        every = list((await self.ledger()).values())
        await self.database.write(self.derivation.settle_obligations, every, self.clock())
