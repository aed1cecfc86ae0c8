"""Migrations make exactly the declared tables, on both databases, and many processes may start at once."""

import ast
import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Table, Text, insert, text

from hub.mirror.database import Database, PostgreSQLDatabase, SQLiteDatabase
from hub.mirror.rows import Rows
from hub.mirror.tables import METADATA, TABLES
from hub.mirror.upgrade import FOLDER, SchemaUnknown, configuration, current_revision, head_revision, upgrade
from tests.builders import finding, inspection_item
from tests.servers import PostgreSQLServer


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[list[Database]]:
    """Two handles of one database without any table, as two processes would have."""
    if request.param == "sqlite":
        both: list[Database] = [SQLiteDatabase(str(tmp_path / "empty.db")) for _ in range(2)]
        yield both
        for each in both:
            await each.close()
        return
    server: PostgreSQLServer = request.getfixturevalue("postgresql")
    async with server.fresh("template1") as url:
        both = [PostgreSQLDatabase(url, connections=1) for _ in range(2)]
        yield both
        for each in both:
            await each.close()


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA))


async def test_the_migrations_make_the_declared_tables(database: Database) -> None:
    found = await database.read(differences)
    assert not found, "entities changed; run python -m hub.mirror.migrations.regenerate"


async def test_a_column_that_no_migration_makes_is_noticed(database: Database) -> None:
    extra = Table("extra", METADATA, Column("key", Text, primary_key=True))
    try:
        assert len(await database.read(differences)) == 1
    finally:
        METADATA.remove(extra)


async def test_an_empty_database_is_brought_to_the_head_and_stays_there(empty: list[Database]) -> None:
    first, _ = empty
    assert await current_revision(first) is None
    assert await upgrade(first) == head_revision()
    assert await upgrade(first) == head_revision()
    assert await current_revision(first) == head_revision()


async def test_two_processes_that_start_at_once_do_not_collide(postgresql: PostgreSQLServer) -> None:
    async with postgresql.fresh("template1") as url:
        both = [PostgreSQLDatabase(url, connections=1) for _ in range(2)]
        assert await asyncio.gather(*(upgrade(each) for each in both)) == [head_revision()] * 2
        for each in both:
            await each.close()


async def test_a_database_that_a_newer_hub_upgraded_is_refused_with_the_way_out(database: Database) -> None:
    await database.write(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(SchemaUnknown, match=rf"9999.*knows up to {head_revision()}.*start the version that upgraded it"):
        await upgrade(database)


async def test_what_the_first_revision_held_is_read_again_where_there_is_more_in_it_now(empty: list[Database]) -> None:
    """Approvals have a field more since 0002: rows without it would be conflicts when their platform shows them again."""
    first, _ = empty

    def as_it_was(connection: Connection) -> None:
        command.upgrade(configuration(connection), "0001")
        connection.execute(text("INSERT INTO subject_alias (old_code, code, told_at) VALUES ('330782000012345', 'C', 1)"))
        for name in ("approval", "grid"):
            read_to = "INSERT INTO stream_health (stream_id, platform, stream, records_seen, cursor, fence)"
            connection.execute(text(f"{read_to} VALUES (:name, :name, 'x', 1, 'here', 0)"), {"name": name})

    def as_it_is(connection: Connection) -> list[object]:
        cursors = connection.execute(text("SELECT cursor FROM stream_health ORDER BY stream_id")).scalars()
        return [*cursors, connection.execute(text("SELECT count(*) FROM subject_alias")).scalar_one()]

    await first.write(as_it_was)
    assert await upgrade(first) == head_revision()
    assert await first.read(as_it_is) == [None, "here", 0]
    assert not await first.read(differences)


async def test_points_of_findings_and_items_are_counted_in_tenths_since_the_fifth_revision(
    empty: list[Database], rows: Rows
) -> None:
    first, _ = empty

    def as_it_was(connection: Connection) -> None:
        command.upgrade(configuration(connection), "0004")
        for record in (finding(points=Decimal("1.5")), finding(finding_id="F2", points=None), inspection_item(points=Decimal(2))):
            table = TABLES[type(record).__name__]
            values = rows.as_row(record) | {"content_hash": b""}
            values["points"] = None if record.points is None else int(record.points * 2)
            connection.execute(insert(table).values({name: value for name, value in values.items() if name in table.c}))

    def as_it_is(connection: Connection) -> list[object]:
        return [
            *connection.execute(text("SELECT points FROM finding ORDER BY finding_id")).scalars(),
            *connection.execute(text("SELECT points FROM inspection_item")).scalars(),
        ]

    await first.write(as_it_was)
    await upgrade(first)
    assert sorted(await first.read(as_it_is), key=str) == [15, 20, None]
    await first.write(lambda connection: command.downgrade(configuration(connection), "0004"))
    assert sorted(await first.read(as_it_is), key=str) == [3, 4, None]


def test_migrations_import_nothing_of_ours() -> None:
    """They must mean the same in ten years, whatever the entities say by then."""
    steps = sorted((FOLDER / "versions").glob("*.py"))
    assert steps
    for step in steps:
        for node in ast.walk(ast.parse(step.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= {"collections", "sqlalchemy", "alembic"}, step.name


def test_revisions_form_one_line() -> None:
    revisions = sorted(path.name[:4] for path in (FOLDER / "versions").glob("*.py"))
    assert revisions == [f"{number:04}" for number in range(1, len(revisions) + 1)]


def test_the_newest_file_is_the_head_that_alembic_finds() -> None:
    assert head_revision() == ScriptDirectory.from_config(configuration(None)).get_current_head()
