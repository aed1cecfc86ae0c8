"""Checks a chain, from the database (audit_reading.py) or from an export (audit_export.py): which block, which row, what differs.

In one pass, in the memory of one block. What a check cannot see by itself is an end that was cut off, or a chain that was
made anew from some block on: for that a head is noted elsewhere.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from hub.mirror.audit import COLUMNS
from hub.mirror.audit_chain import GENESIS, SIZE, Block, Change, Head, digest_of, hash_of

PRUNED = "prune"
"""The action of an audit entry that lets changes be missing: its target is the number of the last block concerned."""
NAMED = 5
"""Positions that are named of a longer list."""


class Difference(NamedTuple):
    """Something that is not as it was sealed."""

    block: int | None
    says: str

    def __str__(self) -> str:
        return self.says if self.block is None else f"block {self.block}: {self.says}"


class Checked(NamedTuple):
    """What a check found."""

    blocks: int
    changes: int
    """Changes that are there and as they were sealed."""
    pruned: int
    """Changes that were deleted by retention, as the audit says."""
    head: Head | None
    differences: tuple[Difference, ...]


class ChainCheck:
    """Takes blocks in the order of their numbers, each with the rows that stand in its range; `result` when all were taken."""

    def __init__(self, heads: Sequence[Head] = ()) -> None:
        self._noted: dict[int, list[bytes]] = {}
        for each in heads:
            self._noted.setdefault(each.number, []).append(each.hash)
        self._last: Block | None = None
        self._differences: list[Difference] = []
        self._missing: list[tuple[int, list[int]]] = []
        self._blocks = self._changes = self._pruned_to = 0

    def differs(self, block: int | None, says: str) -> None:
        """Note a difference."""
        self._differences.append(Difference(block, says))

    def take(self, block: Block, rows: Sequence[Sequence[Any]]) -> None:
        """Check a block against the one before, its hash, and its rows, which are ordered by position."""
        self._blocks += 1
        self._link(block)
        self._last = block
        digests = dict(enumerate(block.digest_list, block.first))
        wrong: list[Change] = []
        before = block.first
        for row in (Change(*row) for row in rows):
            expected = digests.pop(row.position, None)
            if row.position < before:
                self.differs(block.number, f"position {row.position} ({row}): reordered; it stands behind position {before}")
            before = row.position
            if expected is None:
                self.differs(
                    block.number, f"position {row.position} ({row}): inserted; another row has this place, or none was sealed"
                )
            elif digest_of(row) == expected:
                self._changes += 1
                self._learn(row.entity, row.content)
            else:
                wrong.append(row)
        self._name(block, wrong)
        if digests:
            self._missing.append((block.number, sorted(digests)))

    def _learn(self, entity: str, content: bytes) -> None:
        """Learn from a sealed audit entry how far changes may have been deleted by retention."""
        if entity == "AuditEntry":
            said = dict(zip(COLUMNS, msgspec.json.decode(content), strict=False))
            if said["action"] == PRUNED:
                self._pruned_to = max(self._pruned_to, int(said["target"]))

    def _link(self, block: Block) -> None:
        before, number = self._last, block.number
        expected = (before.number + 1, before.last + 1, before.hash) if before else (1, 1, GENESIS)
        if number != expected[0]:
            gone = f"block {expected[0]} is" if number == expected[0] + 1 else f"blocks {expected[0]} to {number - 1} are"
            self.differs(number, f"{gone} missing before it")
        elif block.previous != expected[2]:
            self.differs(number, f"was sealed on another block {number - 1} than the one that is here")
        elif block.first != expected[1]:
            self.differs(number, f"begins at position {block.first}; it must begin at {expected[1]}")
        if len(block.digests) != (block.last - block.first + 1) * SIZE:
            self.differs(
                number, f"has digests of {len(block.digests) / SIZE:g} changes for positions {block.first} to {block.last}"
            )
        if hash_of(block) != block.hash:
            self.differs(number, "its hash does not follow from what it holds: the block was changed")
        for noted in self._noted.pop(number, []):
            if noted != block.hash:
                self.differs(number, f"its hash is {block.hash.hex()}, and {noted.hex()} was noted: the chain was made anew")

    def _name(self, block: Block, wrong: Sequence[Change]) -> None:
        """Say of each row that is not what was sealed at its position whether it was sealed at another one."""
        sealed = dict(zip(block.digest_list, range(block.first, block.last + 1), strict=False))
        places = [row.position for row in wrong]
        for row in wrong:
            elsewhere = (sealed.get(digest_of(row._replace(position=place))) for place in places[:100] if place != row.position)
            found = next((place for place in elsewhere if place is not None), None)
            what = "the row that was sealed here was changed" if found is None else f"reordered; it was sealed at position {found}"
            self.differs(block.number, f"position {row.position} ({row}): {what}")

    def result(self) -> Checked:
        """Return what was found."""
        last = self._last
        for number in sorted(self._noted):
            at_end = f"the chain ends with block {last.number}" if last else "there is no block"
            self.differs(None, f"{at_end}, and a head of block {number} was noted: the end is missing")
        pruned = sum(len(places) for number, places in self._missing if number <= self._pruned_to)
        for number, places in self._missing:
            if number > self._pruned_to:
                named = ", ".join(str(place) for place in places[:NAMED]) + (
                    f" and {len(places) - NAMED} more" * (len(places) > NAMED)
                )
                self.differs(number, f"position {named}: deleted; no retention explains it")
        differences = sorted(self._differences, key=lambda each: (each.block is None, each.block or 0))
        head = Head(last.number, last.hash) if last else None
        return Checked(self._blocks, self._changes, pruned, head, tuple(differences))


def check_all(chain: Iterable[tuple[Block, Sequence[Sequence[Any]]]], heads: Sequence[Head] = ()) -> ChainCheck:
    """Return the check after it has taken a whole chain."""
    check = ChainCheck(heads)
    for block, rows in chain:
        check.take(block, rows)
    return check
