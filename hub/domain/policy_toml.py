"""Reads a TOML file of the policy folder table by table, so that whatever is wrong in it can be named with its place.

tomllib keeps no places; they are looked for only when there is something to complain about. policy_tables.py calls it.
"""

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Generic, TypeVar

from hub.domain.errors import PolicyProblem
from hub.domain.policy_text import decode, nearest

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """A kind of value: what may be written, in words, and how it is taken; convert raises ValueError for anything else."""

    wanted: str
    convert: Callable[[object], T]


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a file, by its path; complaints about it are added to the problems."""

    file: str
    text: str = field(repr=False)
    path: tuple[str, ...]
    values: dict[str, object]
    problems: list[PolicyProblem] = field(repr=False)

    def complain(self, key: str | None, cure: str, literal: str = "") -> None:
        """Add a problem with the key (or the literal inside its value), or with the table where key is None or absent."""
        path = self.path if key is None else (*self.path, key)
        line, column = place_of(self.text, path, literal) or place_of(self.text, self.path, "") or (1, 1)
        self.problems.append(PolicyProblem(self.file, line, column, ".".join(path), cure))

    def read(self, key: str, kind: Kind[T], fallback: T) -> T:
        """Return the value as the kind has it, or after a complaint the fallback."""
        if key not in self.values:
            self.complain(key, f"is missing; write {kind.wanted}")
            return fallback
        value = self.values[key]
        try:
            return kind.convert(value)
        except ValueError:
            self.complain(key, f"{_shown(value)} does not do; write {kind.wanted}")
            return fallback

    def source(self) -> str:
        """Return the table's source, which every table must have."""
        return self.read("source", SOURCE, "")

    def tables(self) -> Iterator["Table"]:
        """Yield the tables inside this one."""
        for key, value in self.values.items():
            if isinstance(value, dict):
                yield Table(self.file, self.text, (*self.path, key), value, self.problems)

    def only(self, *known: str) -> None:
        """Complain about every key that is not known."""
        for key in self.values:
            if key not in known:
                self.complain(key, f"{key!r} is not known here{nearest(key, known)}")


def root_table(file: str, data: bytes, problems: list[PolicyProblem]) -> Table | None:
    """Return the whole file as a table, numbers with a point as Decimal; None after a complaint where it is no TOML."""
    text = decode(file, data, problems)
    if text is None:
        return None
    try:
        return Table(file, text, (), tomllib.loads(text, parse_float=Decimal), problems)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+), column (\d+)", str(error))
        lines = text.splitlines() or [""]
        line, column = (int(at[1]), int(at[2])) if at else (len(lines), len(lines[-1]) + 1)  # "at end of document"
        problems.append(
            PolicyProblem(file, line, column, "", f"is no TOML: {error}; write key = value, with text in double quotes")
        )
        return None


def place_of(text: str, path: tuple[str, ...], literal: str) -> tuple[int, int] | None:
    """Return line and column, from 1, of the key or table at the path, or of the literal in its value; None where it is absent.

    The shortest run of lines that is TOML and holds the path ends where the value ends: so the library itself finds it.
    """
    lines = text.splitlines()
    end = next((count for count in range(1, len(lines) + 1) if _holds(lines[:count], path)), None)
    if end is None or not path:
        return None
    sought = literal or path[-1]
    for number in range(end, 0, -1):
        column = lines[number - 1].find(sought)
        if column >= 0:
            return number, column + 1
    return end, 1


def _holds(lines: list[str], path: tuple[str, ...]) -> bool:
    try:
        value: object = tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError:
        return False
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True


def _source(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(value)
    return value.strip()


SOURCE = Kind('the document that says so, in double quotes, as in source = "国务院办公厅通知"', _source)


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
