"""Books on SQLite, and on each kind of database."""

import pytest

from hub.mirror.database import Database, SQLiteDatabase
from hub.mirror.rows import Rows
from tests.unit.mirror.statistics.books import Books


@pytest.fixture
def books(sqlite_database: SQLiteDatabase, rows: Rows) -> Books:
    return Books(sqlite_database, rows)


@pytest.fixture
def each_books(database: Database, rows: Rows) -> Books:
    """A test that asks for it runs on SQLite and on PostgreSQL."""
    return Books(database, rows)
