"""Whatever is done to a sealed history is found and named, without any key; in the database and in an export."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, create_engine, delete, func, insert, select, text, update

from hub.mirror.audit_chain import Block, Change, Head, close
from hub.mirror.audit_check import Checked
from hub.mirror.audit_export import check_export, write_export
from hub.mirror.audit_reading import chain, check_database
from hub.mirror.audit_sealing import head
from hub.mirror.database import Database
from hub.mirror.rows import Rows
from hub.mirror.tables import AUDIT_BLOCK, CHANGE, METADATA, TABLES
from tests.unit.mirror.sealed_history import act, approvals, say, write_history

Tamper = Callable[[Connection], object]
ENTRY = TABLES["AuditEntry"]
C, B = CHANGE.c, AUDIT_BLOCK.c
UNCHANGED = Checked(3, 12, 0, None, ())


def at(position: int) -> object:
    return C.position == position


def swap(connection: Connection) -> None:
    for before, after in ((2, -1), (4, 2), (-1, 4)):
        connection.execute(update(CHANGE).where(C.position == before).values(position=after))


def renumbered(connection: Connection) -> None:
    """Delete a row and close the gap, as if it had never been."""
    connection.execute(delete(CHANGE).where(C.position == 3))
    for position in range(4, 13):
        connection.execute(update(CHANGE).where(C.position == position).values(position=position - 1))


def inserted(connection: Connection) -> None:
    row = connection.execute(select(CHANGE).where(C.position == 7)).mappings().one()
    connection.execute(insert(CHANGE), {**row, "sequence": 99, "key": "YW9999"})


def resealed(connection: Connection) -> None:
    """Change a row, and make its own block anew over it."""
    connection.execute(update(CHANGE).where(C.position == 7).values(key="YW9999"))
    block, rows = list(chain(connection))[1]
    from hub.mirror.audit_chain import digest_of  # noqa: PLC0415

    made = close(block.number, block.first, [digest_of(row) for row in rows], block.previous, block.closed_at)
    connection.execute(update(AUDIT_BLOCK).where(B.number == 2).values(digests=made.digests, hash=made.hash))


TAMPERED: dict[str, tuple[Tamper, list[str]]] = {
    "changed key": (
        lambda connection: connection.execute(update(CHANGE).where(C.position == 7).values(key="YW0009")),
        ["block 2: position 7 (Approval YW0009 version 2): the row that was sealed here was changed"],
    ),
    "changed content": (
        lambda connection: connection.execute(update(CHANGE).where(C.position == 8).values(content=b"x")),
        ["block 2: position 8 (Approval YW0002 version 2): the row that was sealed here was changed"],
    ),
    "deleted": (
        lambda connection: connection.execute(delete(CHANGE).where(C.position.in_([6, 8]))),
        ["block 2: position 6, 8: deleted; no retention explains it"],
    ),
    "inserted": (
        inserted,
        ["block 2: position 7 (Approval YW9999 version 2): inserted; another row has this place, or none was sealed"],
    ),
    "appended": (
        lambda connection: connection.execute(update(CHANGE).where(C.position == 12).values(position=99)),
        [
            "block 3: position 12: deleted; no retention explains it",
            "position 99 (VerificationTask T-2 version 1): no block holds it",
        ],
    ),
    "reordered": (
        swap,
        [
            "block 1: position 2 (Approval YW0003 version 1): reordered; it was sealed at position 4",
            "block 1: position 4 (Approval YW0001 version 1): reordered; it was sealed at position 2",
        ],
    ),
    "block removed": (
        lambda connection: connection.execute(delete(AUDIT_BLOCK).where(B.number == 2)),
        ["block 3: block 2 is missing before it"],
    ),
    "first block removed": (
        lambda connection: connection.execute(delete(AUDIT_BLOCK).where(B.number == 1)),
        ["block 2: block 1 is missing before it"],
    ),
    "block changed": (
        lambda connection: connection.execute(update(AUDIT_BLOCK).where(B.number == 2).values(closed_at=B.closed_at + 1)),
        ["block 2: its hash does not follow from what it holds: the block was changed"],
    ),
    "made anew": (resealed, ["block 3: was sealed on another block 2 than the one that is here"]),
    "audit entry changed": (
        lambda connection: connection.execute(update(ENTRY).where(ENTRY.c.target == "o/2").values(actor="chen")),
        ["block 2: audit entry *: changed in actor"],
    ),
    "audit entry deleted": (
        lambda connection: connection.execute(delete(ENTRY).where(ENTRY.c.target == "o/2")),
        ["block 2: audit entry *: deleted"],
    ),
    "audit entry inserted": (
        lambda connection: connection.execute(
            insert(ENTRY).values(entry_id="e", at=1, actor="x", action="y", target_kind="k", target="t")
        ),
        ["audit entry e: inserted; the change history does not know it"],
    ),
}


def named(checked: Checked) -> list[str]:
    """Return differences as text, ids of entries as a star."""
    words = [str(each).split("audit entry ") for each in checked.differences]
    return [
        each[0]
        + (f"audit entry {'*' if len(each[1].split(':')[0]) > 1 else each[1][0]}:{each[1].split(':', 1)[1]}" if each[1:] else "")
        for each in words
    ]


async def test_a_history_that_nobody_touched_differs_in_nothing(database: Database, rows: Rows) -> None:
    await database.write(write_history, rows)
    await database.write(say, rows, *approvals([77]))  # not sealed yet
    await database.write(act, rows, "o/3")
    checked = await database.read(check_database)
    assert checked._replace(head=None) == UNCHANGED
    assert checked.head == await database.read(head)


@pytest.mark.parametrize("how", TAMPERED)
async def test_what_was_done_to_it_is_named(database: Database, rows: Rows, how: str) -> None:
    await database.write(write_history, rows)
    tamper, says = TAMPERED[how]
    await database.write(tamper)
    assert named(await database.read(check_database)) == says


async def test_a_row_that_was_cut_out_with_the_gap_closed_is_found(database: Database, rows: Rows) -> None:
    await database.write(write_history, rows)
    await database.write(renumbered)
    assert len((await database.read(check_database)).differences) == 10


async def test_an_end_that_was_cut_off_is_found_by_a_head_that_was_noted(database: Database, rows: Rows) -> None:
    await database.write(write_history, rows)
    noted = await database.read(head)
    assert noted is not None

    def cut(connection: Connection) -> None:
        connection.execute(delete(AUDIT_BLOCK).where(B.number == 3))
        connection.execute(delete(CHANGE).where(C.position > 10))

    await database.write(cut)
    assert (await database.read(check_database)).differences == ()
    (found,) = (await database.read(check_database, [noted])).differences
    assert str(found) == "the chain ends with block 2, and a head of block 3 was noted: the end is missing"


async def test_a_chain_that_was_made_anew_is_found_by_a_head_that_was_noted(database: Database, rows: Rows) -> None:
    await database.write(write_history, rows)
    wrong = Head(2, bytes(32))
    (found,) = (await database.read(check_database, [wrong])).differences
    assert found.block == 2
    assert "was noted: the chain was made anew" in found.says


# --- Any byte --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory, rows: Rows) -> Iterator[Connection]:
    """An open transaction on a SQLite file with a sealed history."""
    engine = create_engine(f"sqlite:///{tmp_path_factory.mktemp('sealed') / 'bihuan.db'}")
    METADATA.create_all(engine)
    with engine.begin() as connection:
        write_history(connection, rows)
    with engine.connect() as connection:
        yield connection
        connection.rollback()
    engine.dispose()


OFTEN = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
COLUMNS = [(CHANGE, name) for name in Change._fields] + [(AUDIT_BLOCK, name) for name in Block._fields]


@OFTEN
@given(where=st.sampled_from(COLUMNS), row=st.integers(0, 11), byte=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_one_flipped_bit_of_any_stored_value_is_found(
    sealed: Connection, where: tuple[Table, str], row: int, byte: int, bit: int
) -> None:
    table, column = where
    key = table.c[Change._fields[0] if table is CHANGE else Block._fields[0]]
    count = 12 if table is CHANGE else 3
    before = sealed.execute(select(table.c[column]).where(key == row % count + 1)).scalar_one()
    before = int(before) if isinstance(before, bool) else before
    after: object
    if isinstance(before, int):
        after = before ^ (1 << (byte % 62 if column != "deleted" else bit))
    else:
        kept = before if isinstance(before, bytes) else before.encode()
        changed = bytearray(kept)
        changed[byte % len(kept)] ^= 1 << bit
        after = bytes(changed)
    assume(column not in {"sequence", "number"} or not 1 <= int(str(after)) <= count)  # two rows cannot have one key
    nested = sealed.begin_nested()
    value = "CAST(:value AS TEXT)" if isinstance(before, str) else ":value"
    sealed.execute(
        text(f'UPDATE {table.name} SET "{column}" = {value} WHERE "{key.name}" = :at'),  # noqa: S608
        {"value": after, "at": row % count + 1},
    )
    try:
        checked = check_database(sealed)
    finally:
        nested.rollback()
    assert checked.differences
    assert check_database(sealed).differences == ()


@pytest.fixture(scope="module")
def exported(sealed: Connection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "chain.jsonl"
    with path.open("wb") as file:
        write_export(file, chain(sealed))
    return path


def test_an_export_holds_what_the_database_holds(sealed: Connection, exported: Path) -> None:
    checked = check_export(io.BytesIO(exported.read_bytes()))
    assert checked == check_database(sealed)
    assert checked._replace(head=None) == UNCHANGED


@OFTEN
@given(data=st.data())
def test_one_flipped_bit_of_an_export_is_found(exported: Path, data: st.DataObject) -> None:
    changed = bytearray(exported.read_bytes())
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert check_export(io.BytesIO(bytes(changed))).differences


@OFTEN
@given(data=st.data())
def test_a_line_that_is_gone_doubled_or_moved_in_an_export_is_found(exported: Path, data: st.DataObject) -> None:
    lines = exported.read_bytes().splitlines(keepends=True)
    one = data.draw(st.integers(0, len(lines) - 1))
    other = data.draw(st.integers(0, len(lines) - 1))
    how = data.draw(st.sampled_from(["gone", "doubled", "moved", "cut off"]))
    if how == "gone":
        del lines[one]
    elif how == "doubled":
        lines.insert(other, lines[one])
    elif how == "cut off":
        del lines[one:]
    else:
        assume(one != other)
        lines.insert(other, lines.pop(one))
    assert check_export(io.BytesIO(b"".join(lines))).differences


def test_no_clear_word_of_personal_data_is_needed_or_told(exported: Path, sealed: Connection) -> None:
    assert sealed.execute(select(func.count()).select_from(CHANGE)).scalar_one() == 12
    assert b"made by telephone".hex().encode() not in exported.read_bytes()


def test_a_file_that_is_damaged_names_the_row_whose_text_is_no_text_any_more(tmp_path: Path, rows: Rows) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'bihuan.db'}")
    METADATA.create_all(engine)
    with engine.begin() as connection:
        write_history(connection, rows)
        connection.execute(text("UPDATE change SET key = CAST(x'ff594e' AS TEXT) WHERE position = 3"))
        (found,) = check_database(connection).differences
    engine.dispose()
    assert found.block == 1
    assert found.says.startswith("position 3 (Approval ")
