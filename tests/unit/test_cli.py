"""The command line: each command does its one thing on a fresh SQLite beside running platforms, and explains what is wrong."""

import contextlib
import json
import shutil
import socket
import sqlite3
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from connectors.registry import CONNECTORS
from hub.commands.shapes import SHAPES
from hub.demo_household import Household
from hub.domain.policy import DEFAULT_FOLDER
from hub.mirror.upgrade import head_revision
from hub.settings_page import reference
from tests.command_line import BIHUAN, NOWHERE, PLATFORMS, Bihuan, City
from tests.servers import PostgreSQLServer, lent


def test_help_names_every_command(bihuan: Bihuan) -> None:
    told = bihuan("--help")
    assert told.exit_code == 0
    for command in ("demo", "serve", "work", "sync", "reconcile", "status", "drift", "replay", "schema", "settings", "db"):
        assert command in told.stdout


def test_serve_with_missing_settings_ends_with_2_and_names_each(tmp_path: Path) -> None:
    told = subprocess.run(
        [BIHUAN, "serve"], capture_output=True, text=True, timeout=60, check=False, env={"PATH": ""}, cwd=tmp_path
    )
    assert told.returncode == 2
    assert "bihuan: HUB_APPROVAL_APP_SECRETS: is missing, and has no default; it is: " in told.stderr
    assert "Traceback" not in told.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"), [(["serve", "--prot", "1"], "--port"), (["srve"], "serve"), (["db", "update"], "upgrade")]
)
def test_a_wrong_option_or_command_explains_itself(bihuan: Bihuan, arguments: list[str], says: str) -> None:
    told = bihuan(*arguments)
    assert told.exit_code == 2
    assert arguments[-1 if arguments[0] == "db" else 0 if len(arguments) == 1 else 1] in told.output
    assert says in told.output


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"HUB_GRID_PASSWORD": ""}, "HUB_GRID_PASSWORD: is missing"),
        ({"HUB_PII_KEYS": "k1:short"}, "HUB_PII_KEYS: key 1"),
        ({"HUB_APPROVAL_URL": "approval.example"}, "HUB_APPROVAL_URL"),
        ({"HUB_POLICY_DIR": "/nowhere/at/all"}, "/nowhere/at/all"),
    ],
)
def test_wrong_settings_end_every_command_with_2_and_are_named(bihuan: Bihuan, changes: dict[str, str], says: str) -> None:
    for command in ("serve", "work", "status"):
        told = bihuan(command, **changes)
        assert told.exit_code == 2, told.output
        assert says in told.stderr
        assert told.stdout == ""


def test_a_bad_row_of_a_policy_file_is_named_at_start(bihuan: Bihuan, tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    shutil.copytree(DEFAULT_FOLDER, folder)
    with (folder / "items.csv").open("a") as items:
        items.write("XX-001,新事项,NO-SUCH,two,MINOR,test\n")
    count = len((folder / "items.csv").read_text().splitlines())
    told = bihuan("status", HUB_POLICY_DIR=str(folder))
    assert told.exit_code == 2
    assert f"items.csv:{count}" in told.stderr.replace(", line ", ":").replace(" line ", ":")
    assert "two" in told.stderr


def test_a_port_that_is_taken_is_named_with_the_way_out(bihuan: Bihuan) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = bihuan("serve", "--port", str(port))
    assert told.exit_code == 1
    assert f"port {port}" in told.stderr
    assert "choose another port" in told.stderr


def test_a_database_that_cannot_be_opened_is_named(bihuan: Bihuan, tmp_path: Path) -> None:
    told = bihuan("status", HUB_DATABASE_URL=f"sqlite:///{tmp_path}/no/such/folder/hub.db")
    assert told.exit_code == 1
    assert "HUB_DATABASE_URL" in told.stderr


def test_db_copy_moves_a_file_to_a_server_and_says_what_is_next(
    bihuan: Bihuan, household: Household, postgresql: PostgreSQLServer
) -> None:
    assert bihuan("db", "upgrade").exit_code == 0
    with lent(postgresql.fresh("template1")) as url:
        told = bihuan("db", "copy", "--to", url, "--json")
        assert told.exit_code == 0, told.output
        assert "every table has the same count and digest on both sides" in told.stderr
        assert "set HUB_DATABASE_URL to the new database" in told.stderr
        TypeAdapter(SHAPES["db copy"][0]).validate_python(json.loads(told.stdout))
        assert {line["table"] for line in json.loads(told.stdout)} >= {"obligation", "delivery", "matter"}
        again = bihuan("db", "copy", "--to", url)
        assert again.exit_code == 1
        assert "the target is not empty" in again.stderr


def test_db_copy_to_something_else_ends_with_2(bihuan: Bihuan) -> None:
    told = bihuan("db", "copy", "--to", "mysql://host/name")
    assert told.exit_code == 2
    assert "--to: give postgresql://user@host/name or sqlite:///path" in told.stderr


def test_db_upgrade_makes_the_tables_and_says_so_twice(bihuan: Bihuan, household: Household) -> None:
    for _ in range(2):
        told = bihuan("db", "upgrade")
        assert (told.exit_code, told.stdout) == (0, "the database is up to date\n")
    assert head_revision()
    assert (household.folder / "hub.db").exists()


def test_status_of_a_fresh_hub_shows_all_platforms_as_a_table_and_as_json(bihuan: Bihuan) -> None:
    table = bihuan("status")
    assert table.exit_code == 0
    assert all(name in table.stdout for name in [*PLATFORMS, "last success", "backlog", "stuck"])
    told = json.loads(bihuan("status", "--json").stdout)
    assert [line["platform"] for line in told] == PLATFORMS
    assert {(line["last_success"], line["backlog"], line["stuck"]) for line in told} == {(None, 0, 0)}


def test_sync_reads_every_stream_and_reconcile_discharges_what_follows(bihuan: Bihuan, city: City, household: Household) -> None:
    told = bihuan("sync", "--json", urls=city.urls)
    assert told.exit_code == 0, told.output
    streams: dict[str, Any] = {line["stream"]: line for line in json.loads(told.stdout)}
    assert streams["approval/approvals"] == {"stream": "approval/approvals", "applied": 1, "quarantined": 0, "read": True}
    assert {name.partition("/")[0] for name in streams} == {name for name in PLATFORMS if CONNECTORS[name].streams}
    told = bihuan("reconcile", "--json", urls=city.urls)
    assert told.exit_code == 0, told.output
    done = json.loads(told.stdout)
    assert done["causes"]["approval-verification"] == 1
    assert (done["discharged"]["enforcement"], done["stuck"]) == (1, 0)
    (task,) = city.enforcement.store.all("task").values()
    assert task["origin"] == {"platform": "approval", "ref": city.serial}
    assert "discharged: " in bihuan("reconcile", urls=city.urls).stdout
    assert len(city.enforcement.store.all("task")) == 1
    with contextlib.closing(sqlite3.connect(household.folder / "hub.db")) as database:  # the alert of a missed sweep is over
        assert database.execute("SELECT last_run_at > 0 FROM lease WHERE name = 'full-sweep'").fetchall() == [(1,)]
    (status,) = (line for line in json.loads(bihuan("status", "--json", urls=city.urls).stdout) if line["platform"] == "approval")
    assert status["last_success"]


def test_sync_of_one_stream_reads_that_one_only_and_a_platform_that_is_down_fails_it(bihuan: Bihuan, city: City) -> None:
    told = json.loads(bihuan("sync", "--platform", "grid", "--stream", "events", "--json", urls=city.urls).stdout)
    assert [line["stream"] for line in told] == ["grid/events"]
    down = bihuan("sync", "--platform", "credit", "--json", urls=city.urls | {"credit": NOWHERE})
    assert down.exit_code == 1
    assert json.loads(down.stdout) == [{"stream": "credit/changes", "applied": None, "quarantined": None, "read": False}]


def test_sync_of_an_unknown_stream_names_those_that_there_are(bihuan: Bihuan) -> None:
    told = bihuan("sync", "--platform", "grid", "--stream", "tasks")
    assert told.exit_code == 2
    assert "no stream 'grid/tasks'" in told.stderr
    assert "grid/events" in told.stderr


def test_drift_compares_what_was_read_with_the_platforms(bihuan: Bihuan, city: City) -> None:
    unread = bihuan("drift", "--platform", "approval", "--json", urls=city.urls)
    assert unread.exit_code == 1
    assert "NOT_READ_YET" in json.loads(unread.stdout)[0]["failure"]
    assert bihuan("sync", "--platform", "approval", urls=city.urls).exit_code == 0
    told = bihuan("drift", "--platform", "approval", "--json", urls=city.urls, HUB_DRIFT_PERCENT="100")
    assert told.exit_code == 0, told.output
    (report,) = json.loads(told.stdout)
    assert (report["report"], report["checked"], report["differing"]) == ("approval/Approval/DIGEST", 3, 0)
    again = bihuan("drift", "--platform", "approval", "--full", "--json", urls=city.urls, HUB_DRIFT_PERCENT="100")
    assert {line["report"]: line["checked"] for line in json.loads(again.stdout)} == {
        "approval/Approval/DIGEST": 3,
        "approval/Approval/FULL_READ": 1,
    }


def test_drift_wants_to_know_why_and_refuses_what_is_not_there(bihuan: Bihuan) -> None:
    assert "no platform 'taxes'" in bihuan("drift", "--platform", "taxes").stderr
    silent = bihuan("drift", "--approve", "nothing")
    assert (silent.exit_code, "--reason" in silent.stderr) == (2, True)
    unknown = bihuan("drift", "--approve", "nothing", "--reason", "the register was cleaned")
    assert (unknown.exit_code, "no item 'nothing'" in unknown.stderr) == (1, True)


def test_replay_wants_to_know_what_and_refuses_what_is_not_there(bihuan: Bihuan) -> None:
    assert bihuan("replay").exit_code == 2
    assert "--delivery ID" in bihuan("replay", "--platform", "grid").stderr
    unknown = bihuan("replay", "--delivery", "grid:nothing")
    assert (unknown.exit_code, unknown.stdout) == (1, "applied again: 0\n")
    assert "no delivery 'grid:nothing'" in unknown.stderr
    assert "no platform 'taxes'" in bihuan("replay", "--platform", "taxes", "--since", "2019-09-02").stderr
    assert bihuan("replay", "--platform", "grid", "--since", "2019-09-02").exit_code == 0


def test_schema_and_settings_print_what_is_kept_in_the_repository(bihuan: Bihuan) -> None:
    root = Path(__file__).parents[2]
    assert bihuan("schema").stdout == (root / "schema" / "schema.graphql").read_text()
    assert bihuan("settings").stdout == reference() == (root / "docs" / "settings.md").read_text()


def test_a_platform_is_paused_shown_and_resumed_and_a_reason_is_wanted(bihuan: Bihuan) -> None:
    assert bihuan("pause", "grid", "--reason", " ").exit_code == 2
    unknown = bihuan("pause", "taxes", "--reason", "r")
    assert (unknown.exit_code, "there are approval, credit" in unknown.stderr) == (1, True)
    for _ in range(2):
        told = bihuan("pause", "grid", "--reason", "they move house")
        assert (told.exit_code, told.stdout.startswith("grid is paused since ")) == (0, True), told.output
    (line,) = (each for each in json.loads(bihuan("status", "--json").stdout) if each["platform"] == "grid")
    assert line["paused"].endswith(": they move house")
    synced = bihuan("sync", "--platform", "grid", "--stream", "events")
    assert (synced.exit_code, "grid is paused by" in synced.stderr) == (1, True)
    assert "resume it first" in bihuan(*BACKFILL, "--dry-run").stderr
    assert bihuan("resume", "grid", "--reason", "they are there").stdout == "grid goes on\n"
    (line,) = (each for each in json.loads(bihuan("status", "--json").stdout) if each["platform"] == "grid")
    assert line["paused"] is None


BACKFILL = (
    "backfill",
    "--platform",
    "grid",
    "--stream",
    "events",
    "--from",
    "2019-09-01T00:00",
    "--to",
    "2019-09-02T00:00:00+08:00",
)


def test_maintenance_windows_are_entered_listed_and_called_off(bihuan: Bihuan) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    plan = ("maintenance", "plan", "credit", "--until", tomorrow, "--reason", "new discs")
    assert bihuan(*plan).stdout == "window credit/1 is entered\n"
    refused = bihuan("maintenance", "plan", "credit", "--until", "2019-09-02T00:00", "--reason", "r")
    assert (refused.exit_code, "before it begins" in refused.stderr) == (1, True)
    assert "--until soon: no time; write it as 2019-09-11T09:00:00+08:00" in bihuan(*plan[:4], "soon", *plan[5:]).stderr
    (window,) = json.loads(bihuan("maintenance", "list", "--json").stdout)
    assert (window["window"], window["reason"]) == ("credit/1", "new discs")
    (line,) = (each for each in json.loads(bihuan("status", "--json").stdout) if each["platform"] == "credit")
    assert line["maintenance"].endswith(": new discs")
    assert bihuan("maintenance", "cancel", "credit/1", "--reason", "it was quick").exit_code == 0
    assert json.loads(bihuan("maintenance", "list", "--json").stdout) == []
    assert bihuan("maintenance", "cancel", "credit/2", "--reason", "r").exit_code == 1


def test_a_delivery_that_nobody_has_seen_is_told_with_a_question(bihuan: Bihuan) -> None:
    told = bihuan("deliveries", "M-404")
    assert told.exit_code == 1
    assert "nothing came with 'M-404': neither kept, nor refused since " in told.stderr


def test_backfill_reads_a_span_again_and_shows_first_what_it_changes(bihuan: Bihuan, city: City) -> None:
    begins, ends = (f"{datetime.now(UTC) + timedelta(hours=hours):%Y-%m-%dT%H:%M:%S}+00:00" for hours in (-1, 1))
    span = ("backfill", "--platform", "approval", "--stream", "approvals", "--from", begins, "--to", ends)
    dry = bihuan(*span, "--dry-run", "--json", urls=city.urls)
    assert dry.exit_code == 0, dry.output
    told = json.loads(dry.stdout)
    assert (told["counts"]["NEW"], told["obligation_keys"]) == (1, [f"approval-verification:{city.serial}"])
    assert bihuan(*span, "--dry-run", urls=city.urls).stdout.endswith("nothing was changed: a dry run\n")
    assert bihuan(*span, urls=city.urls).exit_code == 2  # it wants a reason
    assert "NEW" in bihuan(*span, "--reason", "a gap", urls=city.urls).stdout
    again = json.loads(bihuan(*span, "--dry-run", "--json", urls=city.urls).stdout)
    assert (again["counts"]["NEW"], again["counts"]["UNCHANGED"], again["obligations"]) == (0, 1, 0)
    cannot = bihuan("backfill", "--platform", "credit", "--stream", "changes", "--from", begins, "--to", ends, "--dry-run")
    assert (cannot.exit_code, "cannot be read by time" in cannot.stderr) == (1, True)


def test_documents_are_checked_against_the_graph_and_made_a_manifest_that_serve_takes(bihuan: Bihuan, tmp_path: Path) -> None:
    folder = tmp_path / "queries"
    folder.mkdir()
    (folder / "one.graphql").write_text("query One { approvals { totalCount } }")
    made = bihuan("documents", str(folder))
    assert (made.exit_code, list(json.loads(made.stdout).values())) == (0, ["query One { approvals { totalCount } }"])
    (folder / "wrong.graphql").write_text("{ aproval }")
    wrong = bihuan("documents", str(folder))
    assert wrong.exit_code == 1
    assert "Cannot query field 'aproval' on type 'Query'" in wrong.stderr
    (folder / "wrong.graphql").write_text("{")
    for settings, command in (({}, ("documents", str(folder))), ({"HUB_GRAPH_DOCUMENTS": str(folder)}, ("serve", "--port", "0"))):
        refused = bihuan(*command, **settings)
        assert refused.exit_code == (2 if settings else 1)
        assert "wrong.graphql is no GraphQL document" in refused.stderr
