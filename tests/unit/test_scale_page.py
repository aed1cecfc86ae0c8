"""docs/scale.md says of every table how it is distributed; one that is new must be thought about."""

import re
from pathlib import Path

from hub.mirror.tables import METADATA

PAGE = (Path(__file__).parents[2] / "docs" / "scale.md").read_text()


def test_the_page_says_of_each_table_how_it_splits_and_names_no_other() -> None:
    rows = re.findall(r"^\| ([a-z_, ]+) \|", PAGE.partition("| tables | distributed by |")[2], re.MULTILINE)
    named = [name for row in rows for name in row.split(", ")]
    assert sorted(named) == sorted(METADATA.tables)
