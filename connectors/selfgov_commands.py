"""What the hub writes into the exchange database (selfgov.md): scores, notices and marks, each a function of one transaction.

All three are idempotent by nature: what stands there already is found, and not written again. A write whose commit was lost may
be repeated at once: while it is on its way it holds its row, and the repetition waits for it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import Connection, Numeric, String, cast, insert, literal, select, update

from connectors.base import Item, Receipt
from connectors.beijing import beijing_text, beijing_time
from connectors.errors import PermanentError
from connectors.selfgov_records import MARKS, SCORE_STATES, item_of, row_of
from connectors.selfgov_tables import NOTICE, PLATFORM, RESULT, SCORE, Layout, Shape, Tables
from schema.commands import MarkReport, PutNotice, PutScore
from schema.entities import Notice, ReportMark, ScoreEntry
from schema.entity import Mirrored, Observation

_FLAGS: Final = {mark: flag for flag, mark in MARKS.items()}
_STATES: Final = {state: written for written, state in SCORE_STATES.items()}
_SECOND: Final = timedelta(seconds=1)


def put_score(connection: Connection, tables: Tables, command: PutScore, now: datetime) -> Receipt:
    """Write a line of zz_score, or replace it; a line that says the same already stays as it is.

    `updated` grows with every write of a line, by a second at least, so that it serves as the line's version.
    Raises PermanentError for what the table cannot hold.
    """
    layout = tables.layout(connection, SCORE)
    found = _found(connection, layout, command.biz_no, locked=True)
    wanted = {
        "bizno": layout.fitting("bizno", command.biz_no),
        "tyshxydm": layout.fitting("tyshxydm", command.code),
        "points": f"{command.points:f}",
        "itemcode": layout.fitting("itemcode", command.item_code),
        "itemname": layout.shortened("itemname", command.item_name),
        "occurred": beijing_text(command.occurred_at),
        "repair_until": beijing_text(command.repair_until),
        "state": _STATES[command.state],
        "updated": beijing_text(_after(found, now)),
    }
    expected = _expected(SCORE, wanted, now)
    assert isinstance(expected, ScoreEntry)  # noqa: S101  (what is read from that table)
    held = _record(SCORE, found, now)
    if isinstance(held, ScoreEntry) and expected == msgspec.structs.replace(
        held, updated_at=expected.updated_at, version=expected.version
    ):
        return _receipt(connection, layout, command.biz_no, now, repeated=True)
    values = {**wanted, "points": cast(literal(wanted["points"], String()), Numeric(6, 1))}
    if found is None:
        connection.execute(insert(layout.table).values(values))
    else:
        connection.execute(update(layout.table).where(layout.key == command.biz_no).values(values))
    return _receipt(connection, layout, command.biz_no, now, repeated=False)


def put_notice(connection: Connection, tables: Tables, command: PutNotice, now: datetime) -> Receipt:
    """Write a row of zz_notice where there is none; raise PermanentError (CONFLICT) where another one bears its number."""
    layout = tables.layout(connection, NOTICE)
    wanted = {
        "notice_no": layout.fitting("notice_no", command.notice_no),
        "tyshxydm": None if command.code is None else layout.fitting("tyshxydm", command.code),
        "industry": None if command.industry is None else layout.fitting("industry", command.industry),
        "title": layout.shortened("title", command.title),
        "content": layout.fitting("content", command.content),
        "issued": beijing_text(command.issued_at),
        "department": layout.fitting("department", command.department),
    }
    expected = _expected(NOTICE, wanted, now)
    found = _found(connection, layout, command.notice_no)  # it is never changed: no lock, and so no right to change it, is needed
    if found is None:
        connection.execute(insert(layout.table).values(wanted))
    elif (held := _record(NOTICE, found, now)) != expected:
        text_of_it = f"zz_notice holds another notice under {command.notice_no}"
        raise PermanentError(PLATFORM, "CONFLICT", f"{text_of_it}: {_differences(held, expected)}; it stays as it is")
    return _receipt(connection, layout, command.notice_no, now, repeated=found is not None)


def mark_report(connection: Connection, tables: Tables, command: MarkReport, now: datetime) -> Receipt:
    """Mark a row of zz_result as taken ('1') or refused ('9', with the reason), if it is still as the hub saw it.

    Raises PermanentError: SUPERSEDED where the row's gxsj has grown since. That mark is void and must never be repeated; the row
    comes anew by its stream, and whatever is owed for it then is another mark, under another key.
    """
    layout = tables.layout(connection, RESULT)
    seen = beijing_text(command.updated_at)
    found = _found(connection, layout, int(command.report_no), locked=True)
    if found is None:
        raise PermanentError(PLATFORM, "NOT_FOUND", f"zz_result has no row {command.report_no}, although it was read from there")
    if (stands := str(found["gxsj"] or "").strip()) != seen:
        told = f"zz_result {command.report_no} changed at {stands}; the mark was for the row of {seen}, and is void"
        raise PermanentError(PLATFORM, "SUPERSEDED", told)
    flag = _FLAGS[ReportMark.TAKEN if command.taken else ReportMark.REFUSED]
    reason = None if command.taken or not command.reason else layout.shortened("clsm", command.reason)
    repeated = (str(found["clbz"]).strip(), found["clsm"] or None) == (flag, reason)
    if not repeated:
        here = (layout.key == int(command.report_no)) & (layout.time == found["gxsj"])  # the page's own guard
        connection.execute(update(layout.table).where(here).values(clbz=flag, clsm=reason))
    return _receipt(connection, layout, int(command.report_no), now, repeated=repeated)


def _found(connection: Connection, layout: Layout, key: object, *, locked: bool = False) -> Mapping[str, object] | None:
    """Return a row, None where there is none; `locked` holds it until the transaction ends, as SQLite's does with all rows."""
    chosen = select(layout.table).where(layout.key == key)
    found = connection.execute(chosen.with_for_update() if locked else chosen).mappings().first()
    return None if found is None else row_of(dict(found))


def _receipt(connection: Connection, layout: Layout, key: object, now: datetime, *, repeated: bool) -> Receipt:
    """Return the receipt, with the row as it stands now."""
    found = connection.execute(select(layout.table).where(layout.key == key)).mappings().one()
    shown = item_of(layout.shape, row_of(dict(found)), now)
    return Receipt(reference=str(key), repeated=repeated, shows=(shown,))


def _expected(shape: Shape, wanted: Mapping[str, object], now: datetime) -> Mirrored:
    """Return what will be read of a row once it is written; raise PermanentError for one that could not be read."""
    item: Item = item_of(shape, wanted, now)
    if not isinstance(item, Observation):
        raise PermanentError(PLATFORM, "BAD_COMMAND", getattr(item, "detail", "no record"))
    return item.record


def _record(shape: Shape, row: Mapping[str, object] | None, now: datetime) -> Mirrored | None:
    """Return what a row says; None for one that is not there or cannot be read."""
    item = None if row is None else item_of(shape, row, now)
    return item.record if isinstance(item, Observation) else None


def _after(found: Mapping[str, object] | None, now: datetime) -> datetime:
    """Return now, or a second after the row was last written, where that is later: two writes can fall in one second."""
    try:
        before = beijing_time(found["updated"]) if found is not None else None
    except ValueError:
        before = None
    return now if before is None else max(now, before + _SECOND)


def _differences(held: Mirrored | None, expected: Mirrored) -> str:
    """Return the names of the fields that differ, never what stands in them."""
    if not isinstance(held, Notice):
        return "it cannot be read"
    names = [field.name for field in msgspec.structs.fields(Notice)]
    return f"other {', '.join(name for name in names if name != 'version' and getattr(held, name) != getattr(expected, name))}"
