"""docs/add-a-connector.md, done: its files are made in a copy of the project, its changes too, and its commands are run there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "add-a-connector.md"
COPIED = ("hub", "schema", "connectors", "mocks", "tests", "docs", "pyproject.toml", ".gitignore")
LEFT_OUT = shutil.ignore_patterns("node_modules", "__pycache__", "dist", ".*cache", "bench", "chaos")
LONGEST = 600
RUN = {
    "python": [sys.executable],
    "pytest": [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider"],
    "bihuan": [sys.executable, "-m", "hub.cli"],
    "mypy": [sys.executable, "-m", "mypy"],
    "ruff": [sys.executable, "-m", "ruff"],
    "lint-imports": [str(Path(sys.executable).with_name("lint-imports"))],
}


class Block(NamedTuple):
    """A block of the page that has a file's name."""

    kind: str
    path: str
    text: str


def blocks() -> Iterator[Block]:
    for kind, path, text in re.findall(r'^```(\w+) title="([^"]+)"\n(.*?)^```$', PAGE.read_text(), re.MULTILINE | re.DOTALL):
        yield Block(kind, path, text)


def changed(text: str, changes: str) -> str:
    """Return a file's text with the page's changes made: what stands and what goes must be there, once."""
    for hunk in changes.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        if not before.endswith("\n") or text.count(before) != 1:
            before, after = before.removesuffix("\n"), after.removesuffix("\n")
        assert text.count(before) == 1, f"the page's change does not fit any more:\n{hunk}"
        text = text.replace(before, after)
    return text


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project with all that the page makes."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=LEFT_OUT)
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    for block in blocks():
        path = tmp_path / block.path
        if block.kind == "diff":
            path.write_text(changed(path.read_text(), block.text))
        else:
            assert not path.exists(), f"{block.path}: is there already"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
    return tmp_path


def test_what_the_page_makes_passes_what_the_page_runs(project: Path) -> None:
    commands = re.findall(r"^    uv run (.+)$", PAGE.read_text(), re.MULTILINE)
    assert len(commands) == 9
    for command in commands:
        told, _, to = command.partition(" > ")
        first, *rest = shlex.split(told)
        run = subprocess.run(
            [*RUN[first], *rest],
            cwd=project,
            env=surroundings(project),
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        assert run.returncode == 0, f"{command}: {run.stdout[-8000:]}{run.stderr[-4000:]}"
        if to:
            (project / to).write_text(run.stdout)
        if first == "pytest":
            assert " passed" in run.stdout
    assert "HUB_CERTIFICATES_APP_ID" in (project / "docs" / "settings.md").read_text()
    assert "type Certificate " in (project / "schema" / "schema.graphql").read_text()


def test_a_change_that_does_not_fit_any_more_is_noticed() -> None:
    assert changed("a\nb\nc\n", " a\n+x\n@@\n-c\n+d\n") == "a\nx\nb\nd\n"
    with pytest.raises(AssertionError, match="does not fit"):
        changed("a\nb\n", " c\n+x\n")


def surroundings(project: Path) -> dict[str, str]:
    """Return an environment in which the copy is imported, not the project that is installed."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("HUB_", "PYTEST_"))}
    return {**plain, "PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": "1"}
