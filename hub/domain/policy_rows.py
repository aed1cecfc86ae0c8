"""Makes the records of departments.csv, matters.csv, grid_categories.csv and items.csv out of their bytes. policy.py calls it.

`departments` is everywhere the set of known codes, or None where departments.csv itself could not be read.
"""

from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import date
from typing import TypedDict, TypeVar

from hub.domain.errors import PolicyProblem
from hub.domain.policy_csv import Line, lines_of
from hub.domain.policy_text import day_of, filled, nearest, points_in_halves
from hub.domain.policy_values import SEVERITIES, Department, GridCategory, Item, Matter, Row

T = TypeVar("T")
R = TypeVar("R", bound=Row)


class _Origin(TypedDict):
    source: str
    valid_from: date | None
    valid_until: date | None


def read_departments(data: bytes, problems: list[PolicyProblem]) -> tuple[Department, ...]:
    """Return the rows of departments.csv; a department without case unit is its own."""
    lines = lines_of("departments.csv", data, ("code", "name", "short_name", "case_unit"), problems)
    codes = {line.cells["code"] for line in lines}
    rows = []
    for line in lines:
        code = line.text("code")
        case_unit = line.read("case_unit", _blank_or(_department_in(codes)), None) or code
        rows.append((line, Department(code, line.text("name"), line.text("short_name"), case_unit, **_origin(line))))
    return _unambiguous("code", rows, lambda row: row.code)


def read_matters(data: bytes, problems: list[PolicyProblem], departments: Collection[str] | None) -> tuple[Matter, ...]:
    """Return the rows of matters.csv."""
    lines = lines_of("matters.csv", data, ("code", "name", "department", "commitment", "live", "source"), problems)
    rows = [
        (
            line,
            Matter(
                line.text("code"),
                line.text("name"),
                line.read("department", _department_in(departments), ""),
                line.read("commitment", _yes_or_no, False),
                line.read("live", _yes_or_no, False),
                **_origin(line),
            ),
        )
        for line in lines
    ]
    return _unambiguous("code", rows, lambda row: row.code)


def read_grid_categories(
    data: bytes, problems: list[PolicyProblem], departments: Collection[str] | None
) -> tuple[GridCategory, ...]:
    """Return the rows of grid_categories.csv."""
    lines = lines_of("grid_categories.csv", data, ("category", "name", "department", "source"), problems)
    rows = [
        (
            line,
            GridCategory(
                line.text("category"), line.text("name"), line.read("department", _department_in(departments), ""), **_origin(line)
            ),
        )
        for line in lines
    ]
    return _unambiguous("category", rows, lambda row: row.category)


def read_items(data: bytes, problems: list[PolicyProblem], departments: Collection[str] | None) -> tuple[Item, ...]:
    """Return the rows of items.csv; points and severity may both be empty, as on the platform."""
    lines = lines_of("items.csv", data, ("code", "name", "department", "points", "severity", "source"), problems)
    rows = [
        (
            line,
            Item(
                line.text("code"),
                line.text("name"),
                line.read("department", _department_in(departments), ""),
                line.read("points", _blank_or(points_in_halves), None),
                line.read("severity", _blank_or(_severity), None),
                **_origin(line),
            ),
        )
        for line in lines
    ]
    return _unambiguous("code", rows, lambda row: row.code)


def _origin(line: Line) -> _Origin:
    source = line.text("source") if "source" in line.columns else ""
    valid_from = line.read("valid_from", _blank_or(day_of), None)
    valid_until = line.read("valid_until", _blank_or(day_of), None)
    if valid_from and valid_until and valid_until < valid_from:
        line.complain("valid_until", f"{valid_until} is before valid_from, {valid_from}; the last day cannot precede the first")
    return {"source": source, "valid_from": valid_from, "valid_until": valid_until}


def _unambiguous(column: str, rows: list[tuple[Line, R]], code_of: Callable[[R], str]) -> tuple[R, ...]:
    earlier: defaultdict[str, list[tuple[Line, R]]] = defaultdict(list)
    for line, row in rows:
        code = code_of(row)
        for other_line, other in earlier[code]:
            if code and _overlap(row, other):
                cure = f"{code!r} holds in line {other_line.number} at the same time; end that one (valid_until) or remove one"
                line.complain(column, cure)
                break
        earlier[code].append((line, row))
    return tuple(row for _, row in rows)


def _overlap(one: Row, other: Row) -> bool:
    first = max(one.valid_from or date.min, other.valid_from or date.min)
    last = min(one.valid_until or date.max, other.valid_until or date.max)
    return first <= last


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError(f"{text!r} is neither; write yes or no")
    return text == "yes"


def _severity(text: str) -> str:
    if text not in SEVERITIES:
        raise ValueError(f"{text!r} is no severity; write one of {', '.join(SEVERITIES)}")
    return text


def _department_in(known: Collection[str] | None) -> Callable[[str], str]:
    def convert(text: str) -> str:
        filled(text)
        if known is not None and text not in known:
            raise ValueError(f"{text!r} is no code of departments.csv{nearest(text, known)}")
        return text

    return convert


def _blank_or(convert: Callable[[str], T]) -> Callable[[str], T | None]:
    return lambda text: convert(text) if text else None
