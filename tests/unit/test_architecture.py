"""The house as it is built: our own packages, explained modules, files that can be read at a sitting.

Which floor may import which is checked by import-linter (pyproject.toml), run beside the tests.
"""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("hub", "schema", "connectors", "mocks")
LINES_AT_MOST = 400
GENERATED = ROOT / "hub" / "mirror" / "migrations" / "versions"


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (
            path
            for path in sorted((ROOT / folder).rglob("*.py"))
            if GENERATED not in path.parents and "node_modules" not in path.parts
        )


@pytest.mark.parametrize("name", PACKAGES)
def test_the_packages_that_are_imported_are_ours(name: str) -> None:
    """Their names collide with packages of the index: ours is an application and never uploaded."""
    imported = importlib.import_module(name)
    assert imported.__file__ is not None
    assert Path(imported.__file__).resolve() == ROOT / name / "__init__.py"


@pytest.mark.parametrize("path", list(sources(*PACKAGES)), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_and_everything_public_in_it_has_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text())
    missing = [] if ast.get_docstring(tree) else ["the module"]
    missing += [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        and not _overloads(node)
    ]
    assert missing == []


def test_no_file_is_longer_than_can_be_read_at_a_sitting() -> None:
    counted = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources(*PACKAGES)}
    assert {name: count for name, count in counted.items() if count > LINES_AT_MOST} == {}


def test_no_file_bears_a_name_that_says_nothing() -> None:
    empty_words = {"utils", "util", "common", "helpers", "helper", "manager", "service", "misc", "base2"}
    assert [path for path in sources(*PACKAGES, "tests") if path.stem in empty_words] == []


def _overloads(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "overload" for each in node.decorator_list)
