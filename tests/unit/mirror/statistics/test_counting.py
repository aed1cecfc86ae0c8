"""The list of what waits, the single counter, and what happens when something goes wrong in between."""

import asyncio

import pytest
from sqlalchemy import Connection, update
from sqlalchemy.util import await_only
from structlog.testing import capture_logs

from hub.mirror.database import PostgreSQLDatabase
from hub.mirror.records import upsert
from hub.mirror.rows import Rows
from hub.mirror.statistics import cells, counting, due
from hub.mirror.tables import TABLES
from hub.reconcile import tally as tallying
from hub.reconcile.tally import Tally
from schema.counting import StatisticAxis
from tests.builders import approval, credit_record, gone, observed, subject, task
from tests.servers import someone_waits
from tests.unit.mirror.statistics.books import Books


class PowerCut(Exception):
    """The process ends in the middle of a transaction."""


def cut_off(connection: Connection, rows: Rows) -> None:
    upsert(connection, rows, [observed(approval())])
    raise PowerCut


async def test_what_is_not_committed_does_not_wait_to_be_counted(each_books: Books) -> None:
    with pytest.raises(PowerCut):
        await each_books.database.write(cut_off, each_books.rows)
    assert await each_books.database.read(due.count) == 0


async def test_an_answer_says_how_much_is_not_counted_yet(books: Books) -> None:
    await books.say(observed(approval()), observed(task()))
    found = await books.ask("applications")
    assert (found.uncounted, found.total) == (2, {"applications": 0})
    await books.tally.count()
    found = await books.ask("applications")
    assert (found.uncounted, found.total) == (0, {"applications": 1})


async def test_what_changes_nothing_is_not_counted_again(books: Books) -> None:
    await books.tell(observed(approval(version=2)))
    await books.say(observed(approval(version=2)), observed(approval(version=1)))
    assert await books.database.read(due.count) == 0


async def test_a_record_that_changed_often_is_counted_once(books: Books) -> None:
    await books.say(*(observed(approval(version=version)) for version in range(1, 9)))
    assert await books.tally.count() == 1
    await books.say(observed(approval(version=9)), gone(approval(), 9), observed(approval(version=10)))
    await books.tally.count()
    assert await books.total("applications") == {"applications": 1}


async def test_records_that_nobody_counts_do_not_wait(books: Books) -> None:
    await books.say(observed(subject()))
    assert await books.tally.count() == 0


async def test_more_than_a_batch_is_counted_to_the_end(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallying, "BATCH", 3)
    await books.say(*(observed(approval(approval_no=f"A{n}")) for n in range(8)))
    assert await books.tally.count() == 8
    assert await books.total("applications") == {"applications": 8}


async def test_counting_that_is_cut_off_is_as_if_it_had_not_begun(each_books: Books) -> None:
    books = each_books
    await books.say(observed(approval()), observed(task()))

    def cut(connection: Connection) -> None:
        counting.count_due(connection, 100)
        raise PowerCut

    with pytest.raises(PowerCut):
        await books.database.write(cut)
    assert (await books.ask("applications")).uncounted == 2
    assert await books.cells() == {}
    await books.tally.count()
    await books.check()
    assert await books.total("applications") == {"applications": 1}


async def test_one_that_cannot_be_counted_holds_no_other_and_comes_back_with_the_recount(books: Books) -> None:
    await books.say(*(observed(task(task_id=f"T{n}", led_by_head=True)) for n in range(4)), observed(approval()))
    await books.database.write(_spoil, "T2", "DONE", '[{"is_head":true}]')
    with capture_logs() as logged:
        assert await books.tally.count() == 5
    assert {(line["event"], line["key"]) for line in logged} == {("cannot count; a recount tries again", "T2")}
    assert await books.total("tasks_received", "applications") == {"tasks_received": 3, "applications": 1}
    with capture_logs() as logged:
        await books.tally.everything()
    assert [(line["event"], line["key"]) for line in logged] == [("cannot recount", "T2")]
    await books.database.write(_spoil, "T2", "DONE", "[]")
    with capture_logs():
        await books.tally.everything()
    assert await books.total("tasks_received", "head_inspections") == {"tasks_received": 4, "head_inspections": 1}
    await books.check()


def _spoil(connection: Connection, task_id: str, status: str, officers: str) -> None:
    table = TABLES["VerificationTask"]
    connection.execute(update(table).where(table.c.task_id == task_id).values(status=status, officers=officers))


async def test_who_changes_records_does_not_wait_for_who_counts(postgresql_database: PostgreSQLDatabase, rows: Rows) -> None:
    books = Books(postgresql_database, rows)
    await books.say(observed(approval()))
    counted, changed = asyncio.Event(), asyncio.Event()

    def count_slowly(connection: Connection) -> None:
        counting.count_due(connection, 100)
        counted.set()
        await_only(changed.wait())

    counting_now = asyncio.create_task(books.database.write(count_slowly))
    await counted.wait()
    await asyncio.wait_for(books.say(observed(approval(version=2, matter_code="M2")), observed(task())), 10)
    changed.set()
    await counting_now
    await books.tally.count()
    assert await books.by(StatisticAxis.MATTER, "verifications_received") == {"M2": 1}
    await books.check()


async def test_two_that_count_at_once_count_everything_once(postgresql_database: PostgreSQLDatabase, rows: Rows) -> None:
    books = Books(postgresql_database, rows)
    await books.say(*(observed(approval(approval_no=f"A{n}")) for n in range(300)))
    both = [Tally(postgresql_database) for _ in range(2)]
    await asyncio.gather(*(each.count() for each in both), books.say(observed(credit_record())))
    await books.tally.count()
    assert await books.total("applications", "credit_records") == {"applications": 300, "credit_records": 1}
    await books.check()


async def test_who_counts_waits_for_who_recounts(postgresql_database: PostgreSQLDatabase, rows: Rows) -> None:
    books = Books(postgresql_database, rows)
    await books.say(observed(approval()))
    begun, finish = asyncio.Event(), asyncio.Event()

    def recount_slowly(connection: Connection) -> None:
        cells.alone(connection)
        begun.set()
        await_only(finish.wait())

    recounting = asyncio.create_task(books.database.write(recount_slowly))
    await begun.wait()
    counted = asyncio.create_task(books.tally.count())
    await someone_waits(postgresql_database)
    finish.set()
    await recounting
    assert await counted == 1
