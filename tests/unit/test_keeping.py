"""What is kept for a time goes when its time is over; what is still needed stays, and the chain still holds; on both databases."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select
from structlog.testing import capture_logs

from connectors.base import Delivery as RawDelivery
from connectors.base import Verified
from hub import keeping as module
from hub.keeping import Keeping
from hub.mirror import audit_pruning, inbox, ops_list, retention
from hub.mirror.audit_check import Checked
from hub.mirror.audit_reading import check_database
from hub.mirror.audit_sealing import seal
from hub.mirror.database import Database
from hub.mirror.ops_list import Trouble
from hub.mirror.rows import Rows
from hub.mirror.tables import CHANGE, TABLES
from schema.entities import AttemptOutcome, DeliveryState, DriftState, ObligationState, OpsItem, QuarantinedRecord
from schema.entity import Entity
from tests.builders import attempt, delivery, drift_finding, obligation, quarantined_record
from tests.settable_clock import START, SettableClock
from tests.unit.mirror.sealed_history import act, approvals, say

DAYS = dict.fromkeys(("deliveries", "attempts", "quarantine", "ops_items", "drift", "changes", "audit"), 400)
LONG_AGO, LATELY = START - timedelta(days=401), START - timedelta(days=399)


@pytest.fixture
def keeping(database: Database, rows: Rows, clock: SettableClock) -> Keeping:
    return Keeping(database, rows, clock, DAYS, ["sms"])


async def put(database: Database, rows: Rows, *records: Entity) -> None:
    def insert(connection: Connection) -> None:
        for record in records:
            connection.execute(TABLES[type(record).__name__].insert(), rows.as_row(record))

    await database.write(insert)


async def prune(keeping: Keeping, *, dry_run: bool = False) -> dict[str, int]:
    with capture_logs():
        went = await keeping.prune(dry_run=dry_run)
    return {kind: count for kind, count in went.items() if count}


async def left(database: Database, entity: str, column: str) -> list[Any]:
    table = TABLES[entity]
    key = next(iter(table.primary_key))
    return await database.read(lambda connection: list(connection.execute(select(table.c[column]).order_by(key)).scalars()))


async def test_applied_deliveries_go_and_those_that_are_needed_stay(database: Database, rows: Rows, keeping: Keeping) -> None:
    old = {"received_at": LONG_AGO, "repeat_key": None}
    await put(
        database,
        rows,
        delivery(delivery_id="applied", state=DeliveryState.APPLIED, **old),
        delivery(delivery_id="partly", state=DeliveryState.PARTLY, **old),
        delivery(delivery_id="stored", state=DeliveryState.STORED, **old),
        delivery(delivery_id="failed", state=DeliveryState.FAILED, **old),
        delivery(delivery_id="young", state=DeliveryState.APPLIED, received_at=LATELY, repeat_key=None),
        delivery(delivery_id="quarantined", state=DeliveryState.PARTLY, **old),
        quarantined_record(delivery_id="quarantined", released_at=None),
    )
    assert await prune(keeping, dry_run=True) == {"deliveries": 2}
    assert len(await left(database, "Delivery", "delivery_id")) == 6
    assert await prune(keeping) == {"deliveries": 2}
    assert await left(database, "Delivery", "delivery_id") == ["failed", "quarantined", "stored", "young"]
    assert await prune(keeping) == {}
    assert await left(database, "AuditEntry", "target") == ["deliveries"]


async def test_a_receipt_whose_signature_never_gets_old_stays_as_a_shell_that_refuses_a_second_use(
    database: Database, rows: Rows, keeping: Keeping
) -> None:
    raw = RawDelivery(platform="sms", path="/", headers={}, body=b"taskid=1&status=DELIVRD", received_at=LONG_AGO)
    proof = Verified(signature="1@2019", covers_body=False)
    await database.write(inbox.store, rows, [inbox.kept(raw, proof, 0)])
    (key,) = await left(database, "Delivery", "delivery_id")
    assert await prune(keeping) == {}  # not applied yet
    await database.write(inbox.mark, rows, [key], DeliveryState.APPLIED, START)
    assert await prune(keeping) == {"shells": 1}
    assert await left(database, "Delivery", "state") == ["EMPTIED"]
    (sealed,) = await left(database, "Delivery", "body")
    assert rows.seals.open(bytes(sealed)) == b""
    forged = RawDelivery(platform="sms", path="/", headers={}, body=b"taskid=1&status=UNDELIV", received_at=START)
    await database.write(inbox.store, rows, [inbox.kept(forged, proof, 0)])
    assert await left(database, "Delivery", "state") == ["EMPTIED"]
    assert await database.write(inbox.put_back, [key]) == []
    assert await database.write(inbox.put_back_since, "sms", LONG_AGO) == []
    assert await prune(keeping) == {}


async def test_attempts_of_open_obligations_stay(database: Database, rows: Rows, keeping: Keeping) -> None:
    past = {"started_at": LONG_AGO, "outcome": AttemptOutcome.ACCEPTED}
    for state in ObligationState:
        key = f"o/{state.value}"
        await put(
            database, rows, obligation(key=key, state=state), attempt(attempt_id=f"{state.value}#1", obligation_key=key, **past)
        )
    closed = "o/CLOSED"
    await put(
        database,
        rows,
        attempt(attempt_id="CLOSED#2", obligation_key=closed, **(past | {"started_at": LATELY})),
        attempt(attempt_id="CLOSED#3", obligation_key=closed, **(past | {"outcome": AttemptOutcome.RUNNING})),
    )
    assert await prune(keeping) == {"attempts": 4}
    stays = ["CLOSED#2", "CLOSED#3", "DUE#1", "LEASED#1", "SENT#1", "STUCK#1", "WAITING#1"]
    assert await left(database, "Attempt", "attempt_id") == stays


async def test_a_released_quarantine_is_emptied_and_not_opened_anew(database: Database, rows: Rows, keeping: Keeping) -> None:
    content, earlier = b"x" * 100, LONG_AGO - timedelta(days=1)
    old = {"quarantined_at": earlier, "content": content}
    await put(
        database,
        rows,
        quarantined_record(quarantine_id="1 released", released_at=LONG_AGO, **old),
        quarantined_record(quarantine_id="2 open", released_at=None, **old),
        quarantined_record(quarantine_id="3 released lately", released_at=LATELY, **old),
    )
    assert await prune(keeping) == {"quarantine": 1}
    assert [len(bytes(each)) > 100 for each in await left(database, "QuarantinedRecord", "content")] == [False, True, True]
    read, table = rows.reader(QuarantinedRecord), TABLES["QuarantinedRecord"]
    first = await database.read(lambda connection: connection.execute(select(table).order_by(table.c.quarantine_id)).first())
    assert first is not None
    assert read(first).released_at == LONG_AGO
    assert await prune(keeping) == {}


async def test_a_settled_ops_item_loses_its_texts_and_is_not_opened_anew(database: Database, rows: Rows, keeping: Keeping) -> None:
    trouble = Trouble(kind="unknown-matter", cause="WH", message="nobody knows it", before="b", after="a")
    await database.write(ops_list.open_items, rows, [trouble, Trouble(kind="open", cause="WH", message="m")], LONG_AGO)
    await database.write(ops_list.resolve, rows, trouble.item_id, "lou", "settled", LONG_AGO)
    assert await prune(keeping) == {"ops_items": 1}
    await database.write(ops_list.open_items, rows, [trouble], START)
    table = TABLES["OpsItem"]
    row = await database.read(lambda connection: connection.execute(select(table).where(table.c.item_id == trouble.item_id)).one())
    kept = rows.reader(OpsItem)(row)
    assert (kept.resolved_by, kept.before, kept.after, kept.resolution) == ("lou", None, None, None)
    assert kept.message == "removed when its time was over"
    assert await prune(keeping) == {}


async def test_differences_that_are_over_go_and_those_that_stand_stay(database: Database, rows: Rows, keeping: Keeping) -> None:
    over = {DriftState.REPAIRED, DriftState.TOMBSTONED, DriftState.ENDED}
    found = {"found_at": LONG_AGO, "seen_at": LONG_AGO}
    await put(
        database,
        rows,
        *(
            drift_finding(finding_id=f"{state.value} long ago", state=state, ended_at=LONG_AGO if state in over else None, **found)
            for state in DriftState
        ),
        *(drift_finding(finding_id=f"{state.value} lately", state=state, ended_at=LATELY, **found) for state in over),
        # The state decides, whatever the time says.
        drift_finding(finding_id="OPEN again", state=DriftState.OPEN, ended_at=LONG_AGO, **found),
    )
    assert await prune(keeping, dry_run=True) == {"drift": 3}
    assert await prune(keeping) == {"drift": 3}
    assert await left(database, "DriftFinding", "finding_id") == [
        "APPROVED long ago",
        "ENDED lately",
        "OPEN again",
        "OPEN long ago",
        "REPAIRED lately",
        "TOMBSTONED lately",
        "WAITING long ago",
    ]


# --- The sealed history ----------------------------------------------------------------------------------------------


async def four_versions(database: Database, rows: Rows, at: datetime) -> None:
    def write(connection: Connection) -> None:
        for version in range(1, 5):
            say(connection, rows, *approvals([1, 2], version=version))
            act(connection, rows, f"o/{version}", at)
            seal(connection, at)

    await database.write(write)


async def checked(database: Database) -> Checked:
    return await database.read(check_database)


async def test_old_versions_go_and_the_last_two_stay_and_the_chain_holds_from_its_beginning(
    database: Database, rows: Rows, keeping: Keeping
) -> None:
    await four_versions(database, rows, LONG_AGO)
    await four_versions(database, rows, LATELY)  # the same versions again change nothing; four entries of the audit more
    before = await checked(database)
    assert await prune(keeping, dry_run=True) == {"changes": 8}
    assert await checked(database) == before
    assert await prune(keeping) == {"changes": 8}  # 4 old versions, 4 old entries
    after = await checked(database)
    assert (after.differences, after.pruned, after.changes) == ((), 8, before.changes - 8 + 1)

    def versions(connection: Connection) -> list[tuple[str, int]]:
        of = select(CHANGE.c.key, CHANGE.c.version).where(CHANGE.c.entity == "Approval").order_by(CHANGE.c.key, CHANGE.c.version)
        return [(key, version) for key, version in connection.execute(of)]

    assert await database.read(versions) == [("YW0001", 3), ("YW0001", 4), ("YW0002", 3), ("YW0002", 4)]
    assert await prune(keeping) == {}
    assert len(await left(database, "AuditEntry", "target")) == 5


async def test_a_block_that_a_clock_behind_closed_makes_nothing_old(database: Database, rows: Rows, keeping: Keeping) -> None:
    await four_versions(database, rows, LATELY)
    await four_versions(database, rows, LONG_AGO)  # by a process whose clock was not set yet
    assert await prune(keeping) == {}


async def test_what_is_deleted_beyond_what_the_audit_says_is_found(database: Database, rows: Rows, keeping: Keeping) -> None:
    await four_versions(database, rows, LONG_AGO)
    await four_versions(database, rows, LATELY)
    await prune(keeping)
    await database.write(lambda connection: connection.execute(delete(CHANGE).where(CHANGE.c.position == 13)))
    found = (await checked(database)).differences
    assert [str(each) for each in found if each.block] == ["block 5: position 13: deleted; no retention explains it"]


async def test_the_last_word_on_what_is_missing_outlives_every_retention(
    database: Database, rows: Rows, keeping: Keeping, clock: SettableClock
) -> None:
    await four_versions(database, rows, LONG_AGO)
    await prune(keeping)
    clock.advance(timedelta(days=1000).total_seconds())
    with capture_logs():
        await database.write(act, rows, "o/9", clock())
    await keeping.seal()
    clock.advance(timedelta(days=1000).total_seconds())
    for _ in range(2):
        await prune(keeping)
        assert (await checked(database)).differences == ()


async def test_a_crash_between_two_batches_leaves_a_chain_that_holds(
    database: Database, rows: Rows, keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    await four_versions(database, rows, LONG_AGO)
    monkeypatch.setattr(module, "BATCH", 3)
    removed = audit_pruning.remove_changes
    batches = 0

    def failing(*arguments: Any) -> Any:
        nonlocal batches
        batches += 1
        if batches == 2:
            raise RuntimeError("the process dies")
        return removed(*arguments)

    monkeypatch.setattr(audit_pruning, "remove_changes", failing)
    with pytest.raises(RuntimeError, match="dies"):
        await prune(keeping)
    half = await checked(database)
    assert (half.differences, half.pruned) == ((), 3)
    await prune(keeping)
    whole = await checked(database)
    assert (whole.differences, whole.pruned) == ((), 8)


async def test_every_kind_is_removed_in_batches_each_a_transaction_of_its_own(
    database: Database, rows: Rows, keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 10)
    old = {"received_at": LONG_AGO, "state": DeliveryState.APPLIED, "repeat_key": None}
    await put(database, rows, *(delivery(delivery_id=f"d{number:02}", **old) for number in range(25)))
    sizes: list[int] = []
    remove = retention.remove

    def measured(*arguments: Any) -> Any:
        count, place = remove(*arguments)
        sizes.append(count)
        return count, place

    monkeypatch.setattr(retention, "remove", measured)
    assert await prune(keeping) == {"deliveries": 25}
    assert [size for size in sizes if size] == [10, 10, 5]


async def test_nothing_ever_goes_of_what_is_kept_for_ever(database: Database, rows: Rows, clock: SettableClock) -> None:
    await four_versions(database, rows, LONG_AGO)
    await put(database, rows, delivery(received_at=LONG_AGO, state=DeliveryState.APPLIED))
    clock.advance(timedelta(days=10_000).total_seconds())
    for_ever = Keeping(database, rows, clock, dict.fromkeys(DAYS, 0), [])
    assert await prune(for_ever) == {}
