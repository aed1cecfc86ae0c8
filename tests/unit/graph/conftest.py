"""A small city behind a graph."""

import sqlite3

import pytest
from sqlalchemy import event

from hub.graph.schema import HubSchema, build_schema
from hub.mirror.database import Database, SQLiteDatabase
from hub.mirror.rows import Rows
from tests.unit.graph.city import City


@pytest.fixture(scope="session")
def schema() -> HubSchema:
    return build_schema()


@pytest.fixture
def city(sqlite_database: SQLiteDatabase, schema: HubSchema, rows: Rows) -> City:
    """In SQLite, noting its statements."""
    city = City(sqlite_database, rows, schema)

    def note(statement: str) -> None:
        if statement.startswith("SELECT"):
            city.statements.append(statement)

    def trace(connection: sqlite3.Connection, *_rest: object) -> None:
        connection.set_trace_callback(note)

    event.listen(sqlite_database.engine, "connect", trace)
    return city


@pytest.fixture
def each_city(database: Database, schema: HubSchema, rows: Rows) -> City:
    """In SQLite and in PostgreSQL: a test that asks for it runs twice."""
    return City(database, rows, schema)
