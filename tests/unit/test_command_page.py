"""docs/commands.md says all that there is, and what it says of `--json` is what commands print."""

import json
import os
import pty
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from typer.main import get_command

from connectors.base import Delivery as RawDelivery
from connectors.base import Verified
from hub.commands import app
from hub.commands.exit_codes import EXIT_CODES
from hub.commands.manual import reference, walk
from hub.commands.shapes import SHAPES
from hub.demo_household import Household
from hub.mirror import alerts, inbox
from hub.mirror.alerts import Which
from hub.mirror.database import SQLiteDatabase
from hub.mirror.rows import Rows
from hub.mirror.sealing import Seals
from tests.command_line import BIHUAN, NOWHERE, PLATFORMS, Bihuan, City
from tests.servers import elsewhere

ROOT = Path(__file__).parents[2]
COMMANDS = dict(walk(get_command(app)))
WHY = ("--reason", "a test")
Shaped = Callable[..., Any]


def test_the_page_is_what_the_commands_say() -> None:
    assert (ROOT / "docs" / "commands.md").read_text() == reference()


def test_every_command_that_tells_something_has_json_and_a_shape_for_it() -> None:
    with_json = {path for path, command in COMMANDS.items() if any("--json" in each.opts for each in command.params)}
    assert with_json - {"demo"} == set(SHAPES)  # there --json names a file
    speechless = {"serve", "work", "documents", "schema", "settings", "metrics", "alerts rules", "alerts table", "commands", "demo"}
    assert set(COMMANDS) - with_json <= speechless
    assert set(EXIT_CODES) <= set(COMMANDS)


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_every_command_and_option_explains_itself(path: str) -> None:
    assert COMMANDS[path].help
    assert all(getattr(each, "help", None) for each in COMMANDS[path].params if each.name != "help")


@pytest.fixture
def shaped(bihuan: Bihuan, city: City) -> Shaped:
    """Run a command with --json; return what it prints, which has the form that the page gives, exactly."""

    def run(command: str, *arguments: str, code: int = 0, form: int = 0, **changes: str) -> Any:
        told = bihuan(*command.split(), *arguments, "--json", urls=city.urls, **changes)
        assert told.exit_code == code, told.output
        content = json.loads(told.stdout)
        TypeAdapter(SHAPES[command][form]).validate_python(content)
        seen.add(command)
        return content

    seen: set[str] = set()
    run.seen = seen  # type: ignore[attr-defined]
    return run


def test_json_of_every_command_has_the_form_that_the_page_gives(shaped: Shaped, household: Household, tmp_path: Path) -> None:
    assert shaped("db upgrade")["revision"]
    assert {line["read"] for line in shaped("sync")} == {True}
    assert shaped("reconcile")["stuck"] == 0
    assert [line["platform"] for line in shaped("status")] == PLATFORMS
    assert shaped("alerts") == []
    raise_alert(household)
    assert [line["alert"] for line in shaped("alerts", code=1)] == ["BihuanStuck"]
    assert [line["alerts"] for line in shaped("status") if line["platform"] == "credit"] == ["BihuanStuck"]
    assert shaped("doctor", HUB_PORT="0")["healthy"] is True
    assert shaped("drift", "--platform", "approval", HUB_DRIFT_PERCENT="100")
    assert shaped("drift", "--approve", "nothing", *WHY, code=1, form=1)["refused"]
    assert shaped("pause", "grid", *WHY)["done"]
    assert shaped("resume", "grid", *WHY)["done"]
    assert shaped("resume", "taxes", *WHY, code=1)["refused"]
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert shaped("maintenance plan", "grid", "--until", later, *WHY)["done"] == ["grid/1"]
    assert len(shaped("maintenance list")) == 1
    assert shaped("maintenance cancel", "grid/1", *WHY)["refused"] == []
    given = receive(household)
    assert shaped("deliveries", given)[0]["delivery"] == given
    assert shaped("deliveries", "M-404", code=1) == []
    assert shaped("replay", "--delivery", given)["done"] == [given]
    assert shaped("replay", "--delivery", given, "--dry-run", form=1)["dry_run"] is True
    span = ("--from", "2019-09-01", "--to", "2019-09-02", "--platform", "approval", "--stream", "approvals")
    assert shaped("backfill", *span, "--dry-run")["complete"] is True
    assert shaped("db prune", "--dry-run")
    assert shaped("db prune")
    assert shaped("db backup", str(tmp_path / "backup.db"))["bytes"] > 0
    assert shaped("db restore", str(tmp_path / "backup.db"))["aside"]
    assert shaped("db restored")["looked_up_first"] >= 0
    released = tmp_path / "old.graphql"
    released.write_text((ROOT / "schema" / "schema.graphql").read_text() + "\ntype Gone { id: ID }\n")
    assert len(shaped("schema check", str(released), code=1)) == 1
    elsewhere_tested = {"audit head", "audit verify", "audit export", "db copy"}  # in test_audit_commands.py, test_cli.py
    assert set(SHAPES) - shaped.seen == elsewhere_tested  # type: ignore[attr-defined]


def raise_alert(household: Household) -> None:
    """Let an alert stand, as the running hub would keep it."""
    which, now = Which("BihuanStuck", "credit"), datetime.now(UTC)

    async def keep() -> None:
        database = SQLiteDatabase(str(household.folder / "hub.db"), inline=True)
        await database.write(alerts.note, {which: 1.0}, {}, now, telling=False)
        await database.close()

    elsewhere(keep())


def receive(household: Household) -> str:
    """Keep a delivery as if it had come; return its id."""
    given = household.environment(dict.fromkeys(PLATFORMS, NOWHERE))
    rows = Rows(Seals.from_text([given["HUB_PII_KEYS"]], given["HUB_PII_JOIN_KEY"]))
    raw = RawDelivery(
        platform="grid", path="/webhooks/grid", headers={}, body=b"<event/>", received_at=datetime.now(UTC), remote="::1"
    )
    delivery = inbox.kept(raw, Verified(signature="s"), 0)

    async def keep() -> None:
        database = SQLiteDatabase(str(household.folder / "hub.db"))
        await database.write(inbox.store, rows, [delivery])
        await database.close()

    elsewhere(keep())
    return delivery.delivery_id


def test_a_terminal_gets_colours_and_progress_and_a_pipe_plain_columns(household: Household, city: City) -> None:
    settings = household.environment(city.urls) | {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "COLUMNS": "100"}
    seen = on_a_terminal([str(BIHUAN), "sync", "--platform", "grid"], settings)
    assert "discharging" not in seen
    assert "reading" in seen
    assert re.search(r"\x1b\[3\dm|\x1b\[38;", seen)
    plain = on_a_terminal([str(BIHUAN), "sync", "--platform", "grid"], settings | {"NO_COLOR": "1"})
    assert not re.search(r"\x1b\[3\dm|\x1b\[38;", plain)
    piped = subprocess.run([BIHUAN, "sync", "--platform", "grid"], env=settings, capture_output=True, text=True, check=True)
    assert piped.stderr == ""
    header, *lines = piped.stdout.splitlines()
    assert header.split() == ["stream", "applied", "quarantined", "read"]
    assert all(line.startswith("grid/") and line.endswith("True") for line in lines)


def on_a_terminal(command: list[str], settings: dict[str, str]) -> str:
    """Run a command whose output and errors are a terminal; return all that appears there."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=settings) as running:
        os.close(theirs)
        seen = bytearray()
        while True:
            try:
                more = os.read(ours, 4096)
            except OSError:  # the other side has gone
                break
            if not more:
                break
            seen += more
    os.close(ours)
    assert running.returncode == 0, seen.decode()
    return seen.decode()


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("bihuan pause g", {"grid"}),
        ("bihuan sync --platform grid --stream ", {"events", "coordinations"}),
        ("bihuan do", {"doctor"}),
    ],
)
def test_a_shell_is_offered_commands_platforms_and_streams(line: str, offers: set[str], tmp_path: Path) -> None:
    asked = {"_BIHUAN_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    told = subprocess.run([BIHUAN], env=asked, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert offers <= set(told.stdout.split()), told


def test_the_version_is_told_without_settings(tmp_path: Path) -> None:
    told = subprocess.run([BIHUAN, "--version"], env={}, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True)
    assert re.fullmatch(r"bihuan \d+\.\d+\.\d+\n", told.stdout)
