"""`bihuan audit`: offline, without any of the hub's keys; on both databases the same words and exit codes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from sqlalchemy import delete, update
from typer.testing import CliRunner, Result

from hub.commands import app
from hub.commands.shapes import SHAPES
from hub.mirror.database import Database, PostgreSQLDatabase, SQLiteDatabase
from hub.mirror.rows import Rows
from hub.mirror.tables import AUDIT_BLOCK, CHANGE
from tests.servers import elsewhere
from tests.unit.mirror.sealed_history import write_history

Bihuan = Callable[..., Result]


@pytest.fixture
def bihuan(database: Database, no_logs: None, monkeypatch: pytest.MonkeyPatch) -> Bihuan:
    """Run a command with nothing set but the database."""
    assert isinstance(database, SQLiteDatabase | PostgreSQLDatabase)
    url = database.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("HUB_DATABASE_URL", url.replace("+asyncpg", "").replace("+pysqlite", ""))
    return lambda *arguments: elsewhere(_invoked(arguments))


async def _invoked(arguments: tuple[str, ...]) -> Result:
    import asyncio  # noqa: PLC0415

    return await asyncio.to_thread(CliRunner().invoke, app, ["audit", *arguments], env={"COLUMNS": "200"})


async def test_head_verify_and_export_tell_of_a_sound_chain(database: Database, rows: Rows, bihuan: Bihuan, tmp_path: Path) -> None:
    assert bihuan("head").exit_code == 1
    await database.write(write_history, rows)
    head = bihuan("head").stdout.strip()
    assert head.startswith("3:")
    told = bihuan("verify", "--head", head)
    assert told.exit_code == 0
    assert told.stdout.splitlines() == [f"blocks 3, changes 12, head {head}", "nothing differs from what was sealed"]
    export = tmp_path / "chain.jsonl"
    assert bihuan("export", str(export)).stdout == f"12 changes, head {head}\n"
    assert bihuan("export", str(export)).exit_code == 2
    assert bihuan("verify", "--from", str(export), "--head", head).exit_code == 0
    shaped("audit head", bihuan("head", "--json"))
    shaped("audit export", bihuan("export", str(tmp_path / "again.jsonl"), "--json"))
    assert shaped("audit verify", bihuan("verify", "--json"))["differences"] == []


def shaped(command: str, told: Result) -> Any:
    """Return what a command printed, which has the form that docs/commands.md gives."""
    content = json.loads(told.stdout)
    TypeAdapter(SHAPES[command][0]).validate_python(content)
    return content


async def test_verify_names_what_differs_and_ends_with_1(database: Database, rows: Rows, bihuan: Bihuan, tmp_path: Path) -> None:
    await database.write(write_history, rows)
    head = bihuan("head").stdout.strip()
    export = tmp_path / "chain.jsonl"
    bihuan("export", str(export))
    await database.write(lambda connection: connection.execute(update(CHANGE).where(CHANGE.c.position == 7).values(version=3)))
    told = bihuan("verify")
    assert told.exit_code == 1
    in_json = bihuan("verify", "--json")
    assert (in_json.exit_code, [each["block"] for each in shaped("audit verify", in_json)["differences"]]) == (1, [2])
    assert told.stderr == "block 2: position 7 (Approval YW0001 version 3): the row that was sealed here was changed\n"
    await database.write(lambda connection: connection.execute(update(CHANGE).where(CHANGE.c.position == 7).values(version=2)))
    assert bihuan("verify").exit_code == 0
    await database.write(lambda connection: connection.execute(delete(CHANGE).where(CHANGE.c.position > 10)))
    await database.write(lambda connection: connection.execute(delete(AUDIT_BLOCK).where(AUDIT_BLOCK.c.number == 3)))
    assert bihuan("verify").exit_code == 0
    assert bihuan("verify", "--head", head).exit_code == 1
    assert bihuan("verify", "--from", str(export), "--head", head).exit_code == 0
    export.write_bytes(export.read_bytes()[:-200])
    assert bihuan("verify", "--from", str(export)).exit_code == 1


def test_a_wrong_head_or_a_database_that_is_not_there_is_named(
    no_logs: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")
    told = CliRunner().invoke(app, ["audit", "verify"])
    assert (told.exit_code, "there is no file" in told.stderr) == (2, True)
    assert not (tmp_path / "none.db").exists()
    told = CliRunner().invoke(app, ["audit", "verify", "--head", "7"])
    assert (told.exit_code, "is no head" in told.stderr) == (2, True)
