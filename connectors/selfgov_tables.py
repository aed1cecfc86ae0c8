"""The three tables of the exchange database as selfgov.md names them, and what of them is really there.

The system makes the tables, the hub changes no schema: columns beyond the page are not asked for, optional ones may be missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Connection, Inspector, String, TableClause, column, inspect, table
from sqlalchemy.exc import NoSuchTableError

from connectors.base import Knocked
from connectors.errors import PermanentError

PLATFORM: Final = "selfgov"


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the page: its columns, the one that names a row and the one that says when it changed."""

    name: Literal["zz_result", "zz_score", "zz_notice"]
    entity: str
    key: str
    time: str
    required: tuple[str, ...]
    """Columns that must be there, key and time included."""
    optional: tuple[str, ...] = ()
    numbered: bool = False
    """Whether the key is a bigint."""


RESULT: Final = Shape(
    name="zz_result",
    entity="SelfReport",
    key="id",
    time="gxsj",
    required=("id", "lx", "tyshxydm", "wcsj", "shzt", "gxsj", "clbz", "clsm"),
    optional=("ztmc", "jf_bizno", "xffs", "sxbm", "sxmc", "sbnr"),
    numbered=True,
)
SCORE: Final = Shape(
    name="zz_score",
    entity="ScoreEntry",
    key="bizno",
    time="updated",
    required=("bizno", "tyshxydm", "points", "itemcode", "itemname", "occurred", "repair_until", "state", "updated"),
)
NOTICE: Final = Shape(
    name="zz_notice",
    entity="Notice",
    key="notice_no",
    time="issued",
    required=("notice_no", "tyshxydm", "industry", "title", "content", "issued", "department"),
)
SHAPES: Final[Mapping[str, Shape]] = {shape.name: shape for shape in (RESULT, SCORE, NOTICE)}


class MisfitError(Exception):
    """The database is not the exchange database that the page describes; the message names table and column."""


@dataclass(frozen=True)
class Layout:
    """One table as it stands in the database: its columns, each with the most characters that it takes (None: no limit)."""

    shape: Shape
    lengths: dict[str, int | None]

    @cached_property
    def table(self) -> TableClause:
        """Return the table for statements, with the columns that are there.

        Only what is compared or written has a type: what comes is taken as it comes, so that a bad value spoils no page.
        """
        return table(self.shape.name, *(column(name, self._kind(name)) for name in self.lengths))

    def _kind(self, name: str) -> BigInteger | String | None:
        if name == self.shape.key and self.shape.numbered:
            return BigInteger()
        return None if name in {"points", "xffs"} else String()

    @property
    def key(self) -> ColumnElement[object]:
        """Return the column that names a row."""
        return self.table.c[self.shape.key]

    @property
    def time(self) -> ColumnElement[str]:
        """Return the column that says when a row changed."""
        return self.table.c[self.shape.time]

    def fitting(self, name: str, value: str) -> str:
        """Return a value that the column takes whole; raise PermanentError for one that is too long to be kept."""
        most = self.lengths[name]
        if most is not None and len(value) > most:
            raise PermanentError(PLATFORM, "TOO_LONG", f"{self.shape.name}.{name} takes {most} characters, not {len(value)}")
        return value

    def shortened(self, name: str, value: str) -> str:
        """Return a text for people, cut to what the column takes, with an ellipsis at its end."""
        most = self.lengths[name]
        return value if most is None or len(value) <= most else value[: most - 1] + "…"


class Tables:
    """What the tables look like, asked once; `forget` when the database says that they look otherwise."""

    def __init__(self) -> None:
        self._known: dict[str, Layout] = {}

    def layout(self, connection: Connection, shape: Shape) -> Layout:
        """Return the table as it stands; raise MisfitError where it, or a column that must be there, is missing."""
        if shape.name not in self._known:
            self._known[shape.name] = _looked_at(connection, shape)
        return self._known[shape.name]

    def forget(self) -> None:
        """Look again before the next statement."""
        self._known.clear()


def look_at_tables(connection: Connection, tables: Tables) -> Knocked:
    """Return that all tables are there; raise MisfitError where one, or a column that must be there, is missing."""
    for shape in SHAPES.values():
        tables.layout(connection, shape)
    return Knocked(says=f"{', '.join(SHAPES)} are there")


def _looked_at(connection: Connection, shape: Shape) -> Layout:
    inspector: Inspector = inspect(connection)
    try:
        found = {str(each["name"]): getattr(each["type"], "length", None) for each in inspector.get_columns(shape.name)}
    except NoSuchTableError:
        raise MisfitError(f"there is no table {shape.name}") from None
    if missing := [name for name in shape.required if name not in found]:
        raise MisfitError(f"table {shape.name} has no column {', '.join(missing)}")
    return Layout(shape, {name: found[name] for name in (*shape.required, *shape.optional) if name in found})
