"""Cuts a CSV file of the policy folder into lines that know where they stand. policy_rows.py makes records of them.

Everything wrong is collected, never raised: an operator is shown all of it at once.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from hub.domain.errors import PolicyProblem
from hub.domain.policy_text import decode, filled, nearest

T = TypeVar("T")
_OPTIONAL = ("source", "valid_from", "valid_until")


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file: its cells by header, where it stands, and the list to which its problems are added."""

    file: str
    number: int
    columns: tuple[str, ...]
    cells: dict[str, str]
    problems: list[PolicyProblem] = field(repr=False)

    def complain(self, column: str, cure: str) -> None:
        """Add a problem with the named column."""
        place = self.columns.index(column) + 1 if column in self.columns else 1
        self.problems.append(PolicyProblem(self.file, self.number, place, column, cure))

    def read(self, column: str, convert: Callable[[str], T], fallback: T) -> T:
        """Return the converted cell, or after a complaint the fallback; convert says in a ValueError what would be right."""
        try:
            return convert(self.cells.get(column, ""))
        except ValueError as error:
            self.complain(column, str(error))
            return fallback

    def text(self, column: str) -> str:
        """Return the cell, which must be filled."""
        return self.read(column, filled, "")


def lines_of(file: str, data: bytes, wanted: tuple[str, ...], problems: list[PolicyProblem]) -> list[Line]:
    """Return the file's rows below its header, which holds the wanted columns and may hold source, valid_from, valid_until.

    Blank rows are left out; a wrong header, a row of another length and broken quotes are added to the problems.
    """
    text = decode(file, data, problems)
    if text is None:
        return []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[Line] = []
    columns: tuple[str, ...] = ()
    start = 1
    try:
        for cells in reader:
            number, start = start, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = tuple(cell.strip() for cell in cells)
                if not _header_is_right(file, number, columns, wanted, problems):
                    return []
            elif len(cells) != len(columns):
                cure = f"has {len(cells)} fields where the header has {len(columns)}; put text that holds a comma in double quotes"
                problems.append(PolicyProblem(file, number, min(len(cells), len(columns)) + 1, "", cure))
            else:
                lines.append(Line(file, number, columns, dict(zip(columns, map(str.strip, cells), strict=True)), problems))
    except csv.Error as error:
        problems.append(
            PolicyProblem(file, start, 1, "", f"is no CSV ({error}); close every double quote, and double it inside text")
        )
    if not columns:
        problems.append(PolicyProblem(file, 1, 1, "", f"has no header; the first line is {','.join(wanted)}"))
    return lines


def _header_is_right(
    file: str, number: int, columns: tuple[str, ...], wanted: tuple[str, ...], problems: list[PolicyProblem]
) -> bool:
    before = len(problems)
    for place, column in enumerate(columns, start=1):
        if column not in wanted and column not in _OPTIONAL:
            cure = f"{column!r} is no column of this file{nearest(column, (*wanted, *_OPTIONAL))}"
            problems.append(PolicyProblem(file, number, place, column, cure))
        elif columns.index(column) != place - 1:
            problems.append(PolicyProblem(file, number, place, column, f"column {column!r} stands twice; keep one"))
    for column in wanted:
        if column not in columns:
            cure = f"column {column!r} is missing; the header is {','.join(wanted)}"
            problems.append(PolicyProblem(file, number, len(columns) + 1, column, cure))
    return len(problems) == before
