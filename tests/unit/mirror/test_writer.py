"""The writer: pieces in order, the urgent first; those that wait share a commit, and what became of each is told behind it."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from hub.mirror.database import SQLiteDatabase

Put = Callable[[int], Callable[[Connection], int]]


class Held:
    """A piece of work that the writer is at until it is let go."""

    def __init__(self) -> None:
        self._begun, self._may_end = threading.Event(), threading.Event()

    def __call__(self, _connection: Connection) -> None:
        self._begun.set()
        assert self._may_end.wait(10)

    def begun(self) -> None:
        assert self._begun.wait(10)

    def let_go(self) -> None:
        self._may_end.set()


class Desk:
    """A file with a writer, a table `kept`, and what is counted of it."""

    def __init__(self, path: Path) -> None:
        self.database = SQLiteDatabase(str(path))
        assert self.database._writer is not None
        self.writer = self.database._writer
        self.writer.submit(lambda connection: connection.exec_driver_sql("CREATE TABLE kept (n INTEGER PRIMARY KEY)")).result(10)
        self.commits = 0
        event.listen(self.database.engine, "commit", self._count)

    def _count(self, _connection: Connection) -> None:
        self.commits += 1

    def put(self, number: int, *, first: bool = False) -> Any:
        def work(connection: Connection) -> int:
            connection.execute(text("INSERT INTO kept VALUES (:n)"), {"n": number})
            return number

        return self.writer.submit(work, first=first)

    def hold(self) -> Held:
        held = Held()
        self.writer.submit(held)
        held.begun()
        return held

    def kept(self) -> list[int]:
        with self.database.engine.connect() as connection:
            return list(connection.execute(text("SELECT n FROM kept ORDER BY rowid")).scalars())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "kept.db")
    yield made
    made.writer.close()
    made.database.engine.dispose()


def test_what_is_urgent_is_done_next_and_the_rest_as_it_came(desk: Desk) -> None:
    held, done = desk.hold(), list[str]()
    waiting = [
        desk.writer.submit(lambda _, name=name: done.append(name), first=name.isupper())  # type: ignore[misc]
        for name in ("a", "b", "C", "D")
    ]
    held.let_go()
    for each in waiting:
        each.result(10)
    assert done == ["C", "D", "a", "b"]


def test_what_waits_shares_a_commit_and_is_told_behind_it(desk: Desk) -> None:
    held, before = desk.hold(), list[list[int]]()
    event.listen(desk.database.engine, "commit", lambda _: before.append([each.done() for each in waiting]))
    waiting = [desk.put(number, first=True) for number in range(5)]
    held.let_go()
    assert [each.result(10) for each in waiting] == [0, 1, 2, 3, 4]
    assert desk.commits == 1
    assert before == [[False] * 5]
    assert desk.kept() == [0, 1, 2, 3, 4]


def test_who_waits_at_the_door_does_not_wait_for_what_is_in_turn(desk: Desk) -> None:
    held, later = desk.hold(), Held()
    urgent = desk.put(1, first=True)
    desk.writer.submit(later)
    held.let_go()
    assert urgent.result(10) == 1
    later.begun()
    assert desk.kept() == [1]
    later.let_go()


def test_what_takes_long_is_joined_by_nothing_in_turn(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.mirror.writer.TOGETHER_SECONDS", -1)
    held = desk.hold()
    waiting = [desk.put(number) for number in range(3)]
    held.let_go()
    assert [each.result(10) for each in waiting] == [0, 1, 2]
    assert desk.commits == 4


def test_a_failure_takes_nothing_with_it(desk: Desk) -> None:
    held = desk.hold()
    one = desk.put(1)

    def spoil(connection: Connection) -> None:
        connection.execute(text("INSERT INTO kept VALUES (7)"))
        connection.execute(text("SELECT 1 UNION SELECT 2")).fetchone()  # left open
        raise ZeroDivisionError

    failing, other = desk.writer.submit(spoil), desk.put(2)
    held.let_go()
    assert isinstance(failing.exception(10), ZeroDivisionError)
    assert (one.result(10), other.result(10)) == (1, 2)
    assert desk.kept() == [1, 2]
    assert desk.put(3).result(10) == 3


def test_where_the_commit_fails_nobody_is_told_that_it_is_written(desk: Desk) -> None:
    owing = "CREATE TABLE owing (n INTEGER REFERENCES kept DEFERRABLE INITIALLY DEFERRED)"
    desk.writer.submit(lambda connection: connection.exec_driver_sql(owing)).result(10)
    held = desk.hold()
    one = desk.put(1)
    other = desk.writer.submit(lambda connection: connection.exec_driver_sql("INSERT INTO owing VALUES (99)"))
    held.let_go()
    assert isinstance(one.exception(10), IntegrityError)
    assert isinstance(other.exception(10), IntegrityError)
    assert desk.kept() == []
    assert desk.put(1).result(10) == 1


def test_what_is_told_after_the_file_was_full_is_true(desk: Desk) -> None:
    desk.writer.submit(lambda connection: connection.exec_driver_sql("CREATE TABLE fat (body BLOB)")).result(10)
    event.listen(desk.database.engine, "begin", lambda connection: connection.exec_driver_sql("PRAGMA max_page_count=20"))
    held = desk.hold()
    one = desk.put(1)
    fat = desk.writer.submit(lambda connection: connection.exec_driver_sql("INSERT INTO fat VALUES (zeroblob(1000000))"))
    held.let_go()
    assert isinstance(fat.exception(10), DBAPIError)
    assert desk.kept() == ([1] if one.exception(10) is None else [])
    assert desk.put(2).result(10) == 2


def test_where_the_database_took_everything_back_all_are_told_so(desk: Desk) -> None:
    held = desk.hold()
    one = desk.put(1)

    def lose(connection: Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")  # as SQLite does by itself when the disk fails
        raise OSError("the disk")

    losing, held_back = desk.writer.submit(lose), desk.put(2)
    held.let_go()
    assert isinstance(losing.exception(10), OSError)
    assert isinstance(one.exception(10), OSError)
    assert held_back.result(10) == 2
    assert desk.kept() == [2]


def test_what_nobody_waits_for_any_more_is_not_begun(desk: Desk) -> None:
    held = desk.hold()
    given_up = desk.put(1)
    assert given_up.cancel()
    held.let_go()
    assert desk.put(2).result(10) == 2
    assert desk.kept() == [2]


def test_all_that_was_taken_on_is_done_before_it_ends_and_then_nothing_more(desk: Desk) -> None:
    waiting = [desk.put(number) for number in range(50)]
    desk.writer.close()
    assert [each.result(0) for each in waiting] == list(range(50))
    assert desk.kept() == list(range(50))
    with pytest.raises(RuntimeError, match="closed"):
        desk.put(51)
    desk.writer.close()
