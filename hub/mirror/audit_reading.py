"""The chain as it stands in a database, checked or walked through. Called by `bihuan audit`; needs no keys and no running hub."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, select

from hub.mirror.audit import COLUMNS, as_kept
from hub.mirror.audit_chain import SIZE, Block, Change, Head
from hub.mirror.audit_check import ChainCheck, Checked
from hub.mirror.audit_sealing import raw
from hub.mirror.tables import AUDIT_BLOCK, CHANGE, TABLES

ENTRY = TABLES["AuditEntry"]
BLOCKS_AT_ONCE = 100


def check_database(connection: Connection, heads: Sequence[Head] = ()) -> Checked:
    """Check the whole chain, rows that no block holds, and that the audit's entries are those that were sealed.

    Raises sqlalchemy.exc.DatabaseError where the file is too damaged to be read.
    """
    _keep_damaged_text(connection)
    check, end = ChainCheck(heads), 0
    for block, rows in chain(connection):
        check.take(block, rows)
        _compare_entries(connection, check, block.number, rows)
        end = max(end, block.last)
    outside = CHANGE.c.position.is_(None) | (CHANGE.c.position < 1) | (CHANGE.c.position > end)
    for page in _pages(connection, outside):
        for row in page:
            if row.position is not None:
                check.differs(None, f"position {row.position} ({row}): no block holds it")
        _compare_entries(connection, check, None, page)
    known = select(1).where(CHANGE.c.entity == "AuditEntry", CHANGE.c.key == ENTRY.c.entry_id).exists()
    for (entry_id,) in connection.execute(select(ENTRY.c.entry_id).where(~known).order_by(ENTRY.c.entry_id)):
        check.differs(None, f"audit entry {entry_id}: inserted; the change history does not know it")
    return check.result()


def chain(connection: Connection) -> Iterator[tuple[Block, Sequence[Sequence[Any]]]]:
    """Yield each block in order, with the rows that stand in its range as the driver gives them."""
    after = -(2**62)
    while blocks := _blocks_after(connection, after):
        for block in blocks:
            last = block.first + len(block.digests) // SIZE - 1
            here = select(*raw(CHANGE, Change._fields)).where(CHANGE.c.position.between(block.first, last))
            yield block, connection.execute(here.order_by(CHANGE.c.position, CHANGE.c.sequence)).all()
        after = blocks[-1].number


def _blocks_after(connection: Connection, after: int) -> list[Block]:
    later = select(*raw(AUDIT_BLOCK, Block._fields)).where(AUDIT_BLOCK.c.number > after)
    return [Block(*row) for row in connection.execute(later.order_by(AUDIT_BLOCK.c.number).limit(BLOCKS_AT_ONCE))]


def _pages(connection: Connection, here: ColumnElement[bool]) -> Iterator[list[Change]]:
    after = -(2**62)
    while True:
        page = select(*raw(CHANGE, Change._fields)).where(here, CHANGE.c.sequence > after)
        rows = [Change(*row) for row in connection.execute(page.order_by(CHANGE.c.sequence).limit(1000))]
        if not rows:
            return
        yield rows
        after = rows[-1].sequence


def _compare_entries(connection: Connection, check: ChainCheck, number: int | None, rows: Sequence[Sequence[Any]]) -> None:
    """Compare the entries of the audit that stand in these rows with the table that the graph shows."""
    sealed = {row.key: row.content for row in (Change(*row) for row in rows) if row.entity == "AuditEntry"}
    if not sealed:
        return
    here = select(*raw(ENTRY, COLUMNS)).where(ENTRY.c.entry_id.in_(sorted(sealed)))
    shown = {row.entry_id: dict(row._mapping) for row in connection.execute(here)}
    for key, content in sealed.items():
        if key not in shown:
            check.differs(number, f"audit entry {key}: deleted")
        elif as_kept(shown[key]) != content:
            differing = _differing(shown[key], content)
            check.differs(number, f"audit entry {key}: changed in {differing}")


def _differing(shown: dict[str, Any], content: bytes) -> str:
    """Return the names of the columns that differ."""
    try:
        kept = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return "the history's copy"
    now = msgspec.json.decode(as_kept(shown))
    return ", ".join(name for name, one, other in zip(COLUMNS, now, kept, strict=False) if one != other) or "its columns"


def _keep_damaged_text(connection: Connection) -> None:
    """Let text that a damaged byte has made no Unicode be read all the same, so that its row is named."""
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        driver.text_factory = lambda kept: kept.decode(errors="surrogateescape")
