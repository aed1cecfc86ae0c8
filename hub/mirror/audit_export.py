"""The chain as a file of JSON lines, to be checked on another machine.

    {"block":[number,first,last,closed_at,"previous","digests","hash"]}
    {"change":[position,sequence,"entity","key",version,deleted,"source",observed_at,"content"]}    those of the block, in order
    {"end":["head",changes]}

Bytes are hexadecimal. Each line is what we would write, byte for byte: whatever else stands there was changed.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

import msgspec

from hub.mirror.audit_chain import Block, Change, Head, json
from hub.mirror.audit_check import ChainCheck, Checked


class ExportChanged(Exception):
    """A line is not what we would have written; the message names it."""


class _Line(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    block: tuple[int, int, int, int, str, str, str] | None = None
    change: tuple[int, int, str, str, int, int, str, int, str] | None = None
    end: tuple[str, int] | None = None


def write_export(file: BinaryIO, chain: Iterable[tuple[Block, Sequence[Sequence[Any]]]]) -> tuple[Head | None, int]:
    """Write the chain; return its head and how many changes were written."""
    head, count = None, 0
    for block, rows in chain:
        _write(file, {"block": _hexed(block)})
        for row in rows:
            _write(file, {"change": _hexed(row)})
        head, count = Head(block.number, block.hash), count + len(rows)
    _write(file, {"end": [str(head or ""), count]})
    return head, count


def _write(file: BinaryIO, line: dict[str, list[Any]]) -> None:
    file.write(json(line) + b"\n")


def _hexed(row: Sequence[Any]) -> list[Any]:
    return [bytes(value).hex() if isinstance(value, bytes) else int(value) if isinstance(value, bool) else value for value in row]


def check_export(file: BinaryIO, heads: Sequence[Head] = ()) -> Checked:
    """Check a file that `write_export` wrote; a line that was changed, or a missing end, is a difference."""
    check, end, count = ChainCheck(heads), None, 0
    try:
        for line in _blocks(_lines(file)):
            if isinstance(line, tuple):
                check.take(*line)
                count += len(line[1])
            else:
                end = line
    except ExportChanged as changed:
        check.differs(None, str(changed))
        return check.result()
    found = check.result()
    if end is None:
        check.differs(None, 'the file has no last line {"end": ...}: its end is missing')
    elif end.end != (str(found.head or ""), count):
        check.differs(None, f"the last line says {end.end}, and the file holds {(str(found.head or ''), count)}")
    return check.result()


def _lines(file: BinaryIO) -> Iterator[tuple[int, _Line]]:
    decoder = msgspec.json.Decoder(_Line)
    for number, text in enumerate(file, 1):
        try:
            line = decoder.decode(text)
            unchanged = msgspec.json.encode(line) + b"\n" == text
        except (msgspec.MsgspecError, UnicodeDecodeError):
            unchanged = False
        if not unchanged:
            raise ExportChanged(f"line {number} of the file was changed: it is not as an export writes it")
        yield number, line


def _blocks(lines: Iterator[tuple[int, _Line]]) -> Iterator[tuple[Block, list[Change]] | _Line]:
    """Yield each block with its changes, and the last line."""
    block: Block | None = None
    changes: list[Change] = []
    ended = False
    for number, line in itertools.chain(lines, [(0, _Line())]):
        if ended and number:
            raise ExportChanged(f"line {number} of the file stands behind its end")
        if line.change is not None and block is not None:
            changes.append(Change(*line.change[:-1], _bytes(line.change[-1], number)))
            continue
        if block is not None:
            yield block, changes
        block, changes = None, []
        if line.block is not None:
            previous, digests, digest = (_bytes(each, number) for each in line.block[4:])
            block = Block(*line.block[:4], previous, digests, digest)
        elif line.end is not None:
            ended = True
            yield line
        elif number:
            raise ExportChanged(f"line {number} of the file is out of place: a change stands under its block")


def _bytes(text: str, line: int) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = None
    if found is None or found.hex() != text:
        raise ExportChanged(f"line {line} of the file was changed: it is not as an export writes it")
    return found
