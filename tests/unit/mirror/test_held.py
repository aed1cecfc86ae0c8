"""What we hold, as a platform's digests see it: the same whatever database keeps it, and in whatever order it came."""

import hashlib
from datetime import date, timedelta

import pytest

from connectors.buckets import Buckets, Digest, Line, byte_of
from hub.mirror import held
from hub.mirror.database import Database
from hub.mirror.records import upsert
from hub.mirror.rows import Rows
from hub.mirror.tables import FULL_READ_KEY
from schema.entity import Mirrored, key_of
from tests.builders import approval, observed
from tests.settable_clock import START

BY_BYTE = Buckets(entity="Approval", stream="approvals")
BY_DAY = Buckets(entity="Approval", stream="approvals", day_of="accepted_at")
KEYS = ["b", "B", "a", "Z", "_", "义", "é", "10", "9", "a-b", "ab", *(f"YW{number}" for number in range(3000))]


@pytest.fixture
async def records(database: Database, rows: Rows) -> list[Mirrored]:
    """Approvals accepted in the hours around a Beijing midnight, with keys that languages would order otherwise."""
    made = [
        approval(approval_no=key, version=at % 7 + 1, accepted_at=START + timedelta(hours=15, seconds=at - 20))
        for at, key in enumerate(KEYS)
    ]
    made.append(approval(approval_no="not theirs", source="policy"))
    await database.write(upsert, rows, [observed(record) for record in made])
    return list(made[:-1])


def expected(kind: Buckets, records: list[Mirrored], bucket: str) -> Digest:
    return kind.digest(Line(key_of(record), record.version) for record in records if kind.bucket_of(record) == bucket)


@pytest.mark.parametrize("kind", [BY_BYTE, BY_DAY], ids=["bytes", "days"])
async def test_our_digests_are_those_of_the_lines_in_the_order_of_their_bytes(
    database: Database, records: list[Mirrored], kind: Buckets
) -> None:
    buckets = sorted({kind.bucket_of(record) for record in records})
    assert len(buckets) == (256 if kind is BY_BYTE else 2)
    found = await database.read(held.digests, "approval", kind, [*buckets, *(["2019-01-01"] if kind is BY_DAY else [])])
    assert {bucket: found[bucket] for bucket in buckets} == {bucket: expected(kind, records, bucket) for bucket in buckets}
    assert found.get("2019-01-01", kind.digest([])) == kind.digest([])


async def test_a_digest_is_of_its_lines_and_nothing_else() -> None:
    text = b"B:2\na:1\n\xe4\xb9\x89:3\n"
    assert BY_BYTE.digest([Line("义", 3), Line("a", 1), Line("B", 2)]) == Digest(3, hashlib.new("sm3", text).hexdigest())
    upper = Buckets(entity="GridEvent", stream="events", day_of="reported_at", algorithm="md5", upper=True)
    assert upper.digest([Line("a", 1)]).digest == hashlib.md5(b"a:1\n").hexdigest().upper()  # noqa: S324  (the page's)


async def test_lines_say_the_version_and_when_it_was_seen(database: Database, records: list[Mirrored]) -> None:
    bucket = byte_of("义")
    found = (await database.read(held.lines, "approval", BY_BYTE, [bucket]))[bucket]
    assert found["义"] == (records[KEYS.index("义")].version, records[KEYS.index("义")].observed_at)
    assert set(found) == {key for key in KEYS if byte_of(key) == bucket}


async def test_the_first_day_is_that_of_the_platforms_own_records_in_beijing(database: Database, records: list[Mirrored]) -> None:
    assert await database.read(held.earliest_day, "approval", BY_DAY) == date(2019, 9, 2)
    assert await database.read(held.earliest_day, "grid", BY_DAY) is None
    assert await database.read(held.count, "approval", "Approval") == len(records)


async def test_days_go_back_from_the_present_one_in_beijing() -> None:
    late = START + timedelta(hours=15, minutes=30)
    assert list(BY_DAY.names(date(2019, 9, 1), late)) == ["2019-09-03", "2019-09-02", "2019-09-01"]


async def test_what_was_shown_belongs_to_one_reading_and_is_forgotten_in_the_end(database: Database) -> None:
    shown = [("Approval", "YW1"), ("Approval", "YW1"), ("Approval", held.UNREADABLE)]
    await database.write(held.note_shown, "approval/approvals", shown, START)
    assert await database.read(held.shown, "approval/approvals", "Approval", START) == (1, True)
    later = START + timedelta(seconds=1)
    await database.write(held.note_shown, "approval/approvals", [("Approval", "YW1")], later)
    assert await database.read(held.shown, "approval/approvals", "Approval", later) == (1, False)
    await database.write(held.note_shown, "credit/changes", [("Repair", "CX1")], START)
    assert await database.write(held.forget_shown, "approval/approvals", START, 10) == 1
    assert await database.read(held.shown, "approval/approvals", "Approval", later) == (1, False)
    await database.write(held.note_shown, "approval/approvals", shown, later)
    assert await database.write(held.forget_shown, "approval/approvals", later, 1) == 1
    assert await database.write(held.forget_shown, "approval/approvals", later, 10) == 1
    left = await database.read(lambda connection: [row.stream_id for row in connection.execute(FULL_READ_KEY.select())])
    assert left == ["credit/changes"]
