"""Every command, option, setting and module that a page names is there: in docs/, runbooks, READMEs and deploy/."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.core import TyperGroup
from typer.main import get_command

from connectors.registry import CONNECTORS
from hub.commands import app
from hub.settings import HubSettings

ROOT = Path(__file__).parents[2]
PAGES = [
    *(path for path in sorted((ROOT / "docs").rglob("*.md")) if path.name not in {"settings.md", "commands.md", "plan.md"}),
    *(ROOT / name for name in ("README.md", "README.zh-CN.md", "deploy/README.md")),
]
"""All but those that are generated, each held complete by a test of its own, and the plan."""
CITED = ROOT / "docs" / "add-a-connector.md"
"""It makes a platform of its own, with settings."""


def commands_in(text: str) -> Iterator[list[str]]:
    """Yield the words behind `bihuan` of every command line, in code or on an indented line of its own."""
    text = re.sub(r"\\\n\s*", " ", text)
    for line in (*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^ {4}(.+)$", text, re.MULTILINE)):
        for found in re.findall(r"(?:^|[ (])(?<![/:@-])bihuan (?!=)([^#|>]*)", line):
            yield found.split("   ")[0].split()  # what stands far behind is about something else


def problem_with(words: list[str]) -> str | None:
    """Return what is wrong with a command line, None where it is right."""
    command = get_command(app)
    path: list[str] = []
    while isinstance(command, TyperGroup) and words and words[0] in command.commands:
        path.append(words[0])
        command, words = command.commands[words[0]], words[1:]
    if (
        isinstance(command, TyperGroup)
        and not command.invoke_without_command
        and words
        and not words[0].startswith(("-", "[", "…", "..."))
    ):
        return f"no command {' '.join([*path, words[0]])}"
    known = {option for each in command.params for option in each.opts} | {"--help"}
    given = {word.strip("[](),.;:").partition("=")[0] for word in words if word.lstrip("[(").startswith("--")}
    unknown = sorted(given - known - {"--install-completion", "--show-completion"})
    return f"bihuan {' '.join(path)} has no option {', '.join(unknown)}" if unknown else None


def settings() -> set[str]:
    models: dict[str, type[BaseModel]] = {"HUB_": HubSettings}
    models |= {f"HUB_{name.upper()}_": each.settings_class for name, each in CONNECTORS.items()}
    return {f"{prefix}{field.upper()}" for prefix, model in models.items() for field in model.model_fields}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_is_there_with_its_options(page: Path) -> None:
    assert [problem for words in commands_in(page.read_text()) if (problem := problem_with(words))] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_setting_that_a_page_names_is_there(page: Path) -> None:
    named = {
        name.removesuffix("_FILE") for name in re.findall(r"(?<![A-Z_])HUB_[A-Z0-9_]+[A-Z0-9](?![A-Z0-9_<*])", page.read_text())
    }
    known = settings()
    own = {name for name in named if page == CITED and name.startswith("HUB_CERTIFICATES")}
    assert sorted(named - known - own - {"HUB_KEEP"}) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_module_that_a_page_runs_is_there(page: Path) -> None:
    named = set(re.findall(r"python -m ((?:hub|tests|mocks)[\w.]*\w)", page.read_text()))
    assert [name for name in sorted(named) if find_spec(name) is None] == []


def test_a_command_that_is_not_there_is_noticed() -> None:
    text = "Run `bihuan statu`, `bihuan drift --plattform P`,\n\n    uv run bihuan db upgrade --now   # no\n\nor `bihuan status`."
    assert [problem_with(words) for words in commands_in(text)] == [
        "no command statu",
        "bihuan drift has no option --plattform",
        None,
        "bihuan db upgrade has no option --now",
    ]
