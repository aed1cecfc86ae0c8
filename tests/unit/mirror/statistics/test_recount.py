"""The recount finds what was counted wrongly, whatever made it so, repairs it, and says so; what is right it leaves alone."""

from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, update
from structlog.testing import capture_logs

from hub.mirror.statistics.cells import KEY
from hub.mirror.statistics.fact import Fact
from hub.mirror.tables import CONTENT_HASH, STATISTIC_CELL, STATISTIC_DUE, STATISTIC_FACT, TABLES
from hub.reconcile import tally as tallying
from schema.figures import Kind
from tests.builders import approval, credit_profile, credit_record, gone, observed, repair, task
from tests.unit.mirror.statistics.books import Books

REPAIRED = "statistics differed from the mirror; repaired"
CELLS_REPAIRED = "statistics differed from their facts; repaired"


async def full(books: Books) -> tuple[Any, Any]:
    """Count a few records, and return what that came to."""
    await books.tell(
        *(observed(approval(approval_no=f"A{n}")) for n in range(3)),
        observed(task()),
        observed(credit_record()),
        observed(repair()),
    )
    return await books.facts(), await books.cells()


async def recounted(books: Books) -> tuple[int, list[str]]:
    with capture_logs() as logged:
        wrong = await books.tally.everything()
    return wrong, [line["event"] for line in logged]


async def run(books: Books, statement: Any) -> None:
    def work(connection: Connection) -> None:
        assert connection.execute(statement).rowcount, "the damage was done to nothing"

    await books.database.write(work)


async def test_what_is_right_is_left_alone_in_silence(each_books: Books) -> None:
    before = await full(each_books)
    assert await recounted(each_books) == (0, [])
    assert (await each_books.facts(), await each_books.cells()) == before


async def test_a_record_whose_change_was_never_noted_is_found(each_books: Books) -> None:
    books = each_books
    before = await full(books)
    await books.say(observed(approval(approval_no="A9")), observed(approval(approval_no="A1", version=2, matter_code="M9")))
    await run(books, delete(STATISTIC_DUE))
    assert await recounted(books) == (2, [REPAIRED])
    assert await books.total("applications") == {"applications": 4}
    await books.check()
    await books.say(gone(approval(approval_no="A9")), observed(approval(approval_no="A1", version=3)))
    await run(books, delete(STATISTIC_DUE))
    assert await recounted(books) == (2, [REPAIRED])
    assert (await books.facts(), await books.cells()) == before


async def test_a_mirror_that_was_filled_past_us_is_counted(each_books: Books) -> None:
    books, row = each_books, each_books.rows.as_row(task(task_id="T-SQL")) | {CONTENT_HASH: b""}
    await run(books, insert(TABLES["VerificationTask"]).values(row))
    assert (await recounted(books))[0] == 1
    assert await books.total("tasks_received") == {"tasks_received": 1}


async def test_lost_facts_are_found(each_books: Books) -> None:
    books = each_books
    before = await full(books)
    await run(books, delete(STATISTIC_FACT).where(STATISTIC_FACT.c.entity.in_(["CreditRecord", "Approval"])))
    wrong, said = await recounted(books)
    assert wrong > 4
    assert set(said) == {REPAIRED, CELLS_REPAIRED}
    assert (await books.facts(), await books.cells()) == before


async def test_facts_of_a_record_that_there_never_was_are_taken_away(each_books: Books) -> None:
    books = each_books
    before = await full(books)
    fact = Fact(Kind.TASK.value, 20190902)._asdict()
    await run(books, insert(STATISTIC_FACT).values(entity="VerificationTask", key="T-GHOST", place=0, **fact))
    assert (await recounted(books))[1][0] == REPAIRED
    assert (await books.facts(), await books.cells()) == before


async def test_a_grade_that_facts_missed_is_found(books: Books) -> None:
    await full(books)
    await books.say(observed(credit_profile()))
    await run(books, delete(STATISTIC_DUE))
    wrong, said = await recounted(books)
    assert (wrong > 0, set(said)) == (True, {REPAIRED})
    assert await books.total("credit_records", grade=["B"]) == {"credit_records": 1}


@pytest.mark.parametrize("grain", ["D", "M"])
async def test_cells_that_differ_from_their_facts_are_repaired(each_books: Books, grain: str) -> None:
    books = each_books
    before = await full(books)
    cell = STATISTIC_CELL.c
    mine = cell.grain == grain
    await run(books, update(STATISTIC_CELL).where(mine, cell.kind == Kind.RECORD.value).values(amount=cell.amount + 5))
    await run(books, delete(STATISTIC_CELL).where(mine, cell.kind == Kind.TASK.value))
    extra = dict(zip(KEY, (Kind.NOTICE.value, grain, 20200101, "", "", "", "", "", "", False), strict=True))
    await run(books, insert(STATISTIC_CELL).values(**extra, number=7, amount=0))
    assert await recounted(books) == (3, [CELLS_REPAIRED] * 3)
    assert (await books.facts(), await books.cells()) == before


async def test_cells_without_any_fact_are_emptied(each_books: Books) -> None:
    await full(each_books)
    await run(each_books, delete(STATISTIC_CELL))
    assert (await recounted(each_books))[0] > 0
    await each_books.check()


async def test_what_waits_to_be_counted_is_no_fault(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    await full(books)
    await books.say(observed(approval(approval_no="A9")))
    with capture_logs() as logged:
        assert await books.tally.recount_some() == 0
    assert logged == []
    assert await books.total("applications") == {"applications": 4}
    await books.tally.count()
    await books.check()


async def test_a_large_mirror_is_gone_through_in_rounds(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallying, "BATCH", 2)
    monkeypatch.setattr(tallying, "AT_ONCE", 4)
    await books.say(*(observed(task(task_id=f"T{n:02}")) for n in range(11)))
    await run(books, delete(STATISTIC_DUE))
    with capture_logs():
        rounds = [await books.tally.recount_some() for _ in range(8)]
    assert sum(rounds) == 11
    assert 2 < max(rounds) <= 5
    await books.check()
    assert await books.total("tasks_received") == {"tasks_received": 11}
