"""docs/policy.md tells of every file, column, key and sub-table that is read, and its examples are right."""

import re
import tomllib
from pathlib import Path

import pytest

from hub.domain.deadlines import OPTIONAL_VARIANTS, RULES
from hub.domain.policy import POLICY_FILES, parse_policy
from tests.unit.domain.policies import default_files

PAGE = (Path(__file__).parents[3] / "docs" / "policy.md").read_text("utf-8")


@pytest.mark.parametrize("name", POLICY_FILES)
def test_every_file_has_its_section(name: str) -> None:
    assert f"\n## {name}\n" in PAGE


@pytest.mark.parametrize("name", [name for name in POLICY_FILES if name.endswith(".csv")])
def test_every_header_is_given_as_the_package_has_it(name: str) -> None:
    header = default_files()[name].decode().splitlines()[0]
    section = PAGE.split(f"\n## {name}\n")[1].split("\n## ")[0]
    assert f"`{header.removesuffix(',source') if name == 'departments.csv' else header}`" in section


@pytest.mark.parametrize("name", ["points.toml", "eligibility.toml"])
def test_every_key_is_explained(name: str) -> None:
    section = PAGE.split(f"\n## {name}\n")[1].split("\n## ")[0]
    for key in tomllib.loads(default_files()[name].decode()).keys() - {"source", "tiers"}:
        assert f"| `{key}` |" in section


def test_every_sub_table_of_the_deadlines_is_named() -> None:
    for rule, variants in RULES.items():
        for variant in (*variants, *OPTIONAL_VARIANTS.get(rule, ())):
            assert f"{rule}.{variants[0]}`" in PAGE
            assert variant in PAGE or variant == "level-3"  # "level-2 to level-4"


def test_the_example_of_a_calendar_year_can_be_read() -> None:
    example = PAGE.split("\n## calendar.toml\n")[1]
    lines = re.findall(r"^    (.*)$", example, re.MULTILINE)
    assert parse_policy({**default_files(), "calendar.toml": "\n".join(lines).encode()}).calendar.known_years >= {2027}
