"""Obligations a second through the ledger (insert, claim with attempts, complete) against plain batched SQL on the same tables."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, bindparam, update

from hub.mirror import ledger
from hub.mirror.database import SQLiteDatabase
from hub.mirror.rows import Rows
from hub.mirror.sealing import Seals
from hub.mirror.tables import METADATA, TABLES
from schema.entities import AttemptOutcome, Exchange, Obligation, ObligationState
from tests.bench.rounds import Contender, Measured, interleaved

COUNT, BATCH = 2000, 100
NOW = datetime(2019, 8, 15, 1, tzinfo=UTC)
SAID = Exchange(
    operation="POST /v2/records",
    sent_at=NOW,
    answered_at=NOW,
    outcome="OK",
    request="POST /v2/records\ncontent-type: application/json\n\n" + "{" + "x" * 300 + "}",
    answer="201 Created\ncontent-type: application/json\n\n" + "{" + "x" * 250 + "}",
)
"""As long as the post of a credit record and its answer."""


def obligation(number: int) -> Obligation:
    """Return an obligation that is due."""
    key = f"breach-record:F{number}"
    return Obligation(
        key=key,
        number="BR" + hashlib.sha256(key.encode()).hexdigest()[:40],
        rule="breach-record",
        platform="credit",
        command="PostCreditRecord",
        cause=f"T{number}",
        subject_code="91330782MA28XXXXXX",
        state=ObligationState.DUE,
        needs=None,
        due_at=NOW,
        due_provisional=False,
        next_at=NOW,
        attempts=0,
        receipt=None,
        last_error=None,
        policy_version="bench",
        created_at=NOW,
        sent_at=None,
        closed_at=None,
        decided_by=None,
        reason=None,
        chain=None,
        sequence=0,
        cause_version=1,
        payload=b'{"type":"PostCreditRecord"}' * 10,
        unknown_since=None,
        fence=0,
        lease_until=None,
        tries=0,
    )


async def measure(rounds: int) -> tuple[Measured, Measured]:
    """Return the rates of ledger and floor, in obligations a second."""
    rows = Rows(Seals([("bench", bytes(32))], b"join" * 4))
    made = 0

    def fresh() -> list[Obligation]:
        nonlocal made
        made += COUNT
        return [obligation(number) for number in range(made - COUNT, made)]

    with TemporaryDirectory() as folder:
        database = SQLiteDatabase(str(Path(folder) / "ledger.db"))
        await database.write(METADATA.create_all)

        async def through_ledger() -> None:
            prepared = fresh()
            for start in range(0, COUNT, BATCH):
                await database.write(ledger.insert, rows, prepared[start : start + BATCH])
            done = 0
            while claimed := await database.write(ledger.claim, rows, "credit", BATCH, NOW, timedelta(seconds=60)):
                completions = [_completed(one) for one in claimed]
                done += len(await database.write(ledger.complete, rows, completions))
            assert done == COUNT, f"{done} of {COUNT} obligations were discharged"

        async def plain() -> None:
            values = [rows.as_row(one) for one in fresh()]
            for start in range(0, COUNT, BATCH):
                await database.write(_insert, values[start : start + BATCH])
            for start in range(0, COUNT, BATCH):
                for state in ("LEASED", "CLOSED"):
                    await database.write(_update, [value["key"] for value in values[start : start + BATCH]], state)

        contenders = [Contender("ledger", COUNT, through_ledger), Contender("plain batched SQL", COUNT, plain)]
        found = await interleaved(contenders, rounds)
        await database.close()
    return found["ledger"], found["plain batched SQL"]


def _completed(one: Obligation) -> ledger.Completion:
    return ledger.Completion(
        key=one.key,
        fence=one.fence,
        attempt_id=ledger.attempt_id(one),
        at=NOW,
        outcome=AttemptOutcome.ACCEPTED,
        state=ObligationState.CLOSED,
        next_at=NOW,
        receipt="R1",
        exchanges=(SAID,),
    )


def _insert(connection: Connection, values: list[dict[str, object]]) -> None:
    connection.execute(TABLES["Obligation"].insert(), values)


def _update(connection: Connection, keys: list[str], state: str) -> None:
    table = TABLES["Obligation"]
    statement = update(table).where(table.c.key == bindparam("b_key")).values(state=state)
    connection.execute(statement, [{"b_key": key} for key in keys])
