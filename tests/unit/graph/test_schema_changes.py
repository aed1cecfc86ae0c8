"""What changed in the schema, by what it does to front ends; and that nothing which was released breaks."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.commands import app
from hub.graph.schema import sdl
from hub.graph.schema_changes import Change, Severity, UnreadableSchema, changes

RELEASED = Path(__file__).parents[3] / "schema" / "released.graphql"
OLD = """
type Query { approval(no: String!): Approval tasks: [Task!]! }
type Approval { no: String! state: State! name: String }
type Task { id: ID! }
enum State { OPEN GRANTED }
"""


@pytest.mark.parametrize(
    ("before", "after", "severity", "kind", "named"),
    [
        ("name: String", "", Severity.BREAKING, "FIELD_REMOVED", "Approval.name"),
        ("no: String! state", "no: String state", Severity.BREAKING, "FIELD_CHANGED_KIND", "Approval.no"),
        ("approval(no: String!)", "approval(no: String!, at: String!)", Severity.BREAKING, "REQUIRED_ARG_ADDED", "at"),
        ("OPEN GRANTED", "OPEN", Severity.BREAKING, "VALUE_REMOVED_FROM_ENUM", "GRANTED"),
        ("OPEN GRANTED", "OPEN GRANTED REVOKED", Severity.DANGEROUS, "VALUE_ADDED_TO_ENUM", "REVOKED"),
        ("id: ID!", "id: ID! title: String", Severity.SAFE, "FIELD_ADDED", "Task.title"),
    ],
)
def test_a_change_is_named_with_what_it_does(before: str, after: str, severity: Severity, kind: str, named: str) -> None:
    (found,) = changes(OLD, OLD.replace(before, after, 1))

    assert (found.severity, found.kind) == (severity, kind)
    assert named in found.what


def test_the_worst_comes_first() -> None:
    new = OLD.replace("id: ID!", "id: ID! title: String").replace("name: String", "").replace("GRANTED", "GRANTED REVOKED")

    assert [each.severity for each in changes(OLD, new)] == [Severity.BREAKING, Severity.DANGEROUS, Severity.SAFE]


def test_what_only_a_gateway_asks_for_is_not_told() -> None:
    both = "union _Entity = Approval | Task"

    assert changes(f"{OLD} union _Entity = Approval", f"{OLD} {both}") == []


@pytest.mark.parametrize("text", ["", "type Query {", "type Query { a: Missing }", "# nothing"])
def test_what_is_no_schema_is_named(text: str) -> None:
    with pytest.raises(UnreadableSchema, match="the old schema cannot be read"):
        changes(text, OLD)


def test_nothing_that_was_released_breaks() -> None:
    breaking: list[Change] = [each for each in changes(RELEASED.read_text(), sdl()) if each.severity is Severity.BREAKING]

    assert breaking == []


def test_the_command_names_what_breaks_and_ends_with_1(tmp_path: Path) -> None:
    older = tmp_path / "older.graphql"
    older.write_text(sdl().replace("  approvalNo: String!\n", "  approvalNo: String!\n  gone: String\n", 1))

    said = CliRunner().invoke(app, ["schema", "check", str(older)])

    assert said.exit_code == 1
    assert "FIELD_REMOVED" in said.output
    assert "1 breaking, 0 dangerous" in said.output


@pytest.mark.parametrize(("content", "named"), [(None, "No such file"), ("type", "cannot be read"), ("# 表", "cannot be read")])
def test_the_command_says_what_is_wrong_with_the_file(tmp_path: Path, content: str | None, named: str) -> None:
    file = tmp_path / "older.graphql"
    if content is not None:
        file.write_text(content)

    said = CliRunner().invoke(app, ["schema", "check", str(file)])

    assert said.exit_code == 2
    assert named in said.output


def test_the_command_alone_prints_the_schema() -> None:
    assert CliRunner().invoke(app, ["schema"]).output.strip() == sdl().strip()
