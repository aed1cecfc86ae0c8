"""The chain that seals the change history: what is hashed, and how. Pure; audit_sealing.py seals, audit_check.py checks.

    block n:  number | first | last | closed_at | hash of block n-1 | SM3 of each change  --SM3-->  hash of block n

A change is hashed as its row stands, sealed content included: no key is needed to check it. A block keeps the digest of each of its
changes: so a check names the one that differs, and old ones may be deleted while the chain still holds. SM3: GB/T 32905-2016.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

SIZE = 32
"""Bytes of a digest."""
GENESIS = bytes(SIZE)
"""What the first block names as the hash of the block before."""


class Change(NamedTuple):
    """A row of the table `change`, as it stands there."""

    position: int
    sequence: int
    entity: str
    key: str
    version: int
    deleted: int
    source: str
    observed_at: int
    content: bytes

    def __str__(self) -> str:
        return f"{self.entity} {self.key} version {self.version}"


class Block(NamedTuple):
    """A row of the table `audit_block`."""

    number: int
    first: int
    last: int
    closed_at: int
    previous: bytes
    digests: bytes
    hash: bytes

    @property
    def digest_list(self) -> list[bytes]:
        """Return the digest of each change, from the position `first` on."""
        return [self.digests[start : start + SIZE] for start in range(0, len(self.digests), SIZE)]


class Head(NamedTuple):
    """Which block was the last one at some moment, and its hash: noted elsewhere, it proves what came before."""

    number: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.number}:{self.hash.hex()}"

    @classmethod
    def read(cls, text: str) -> "Head":
        """Return what `str` wrote; raise ValueError saying the form."""
        number, _, digest = text.strip().partition(":")
        if not number.isascii() or not number.isdigit() or len(digest) != 2 * SIZE:
            raise ValueError(f"'{text}' is no head: it is <number of a block>:<its hash, {2 * SIZE} hex digits>")
        return cls(int(number), bytes.fromhex(digest))


def sm3(content: bytes) -> bytes:
    """Return the SM3 digest; raise ValueError where this Python's OpenSSL has no SM3."""
    return hashlib.new("sm3", content).digest()


def digest_of(row: Sequence[Any]) -> bytes:
    """Return the digest of a change, whatever kinds of values a tampered row may hold.

    The bytes are the JSON array of its columns in the order of `Change`; bytes as base64, true as 1.
    """
    plain = [int(value) if isinstance(value, bool) else value for value in row]
    return sm3(json(plain))


def json(plain: Any) -> bytes:
    """Return JSON; text that is no Unicode (it came out of a damaged file) is told apart from all that is."""
    try:
        return msgspec.json.encode(plain)
    except UnicodeEncodeError:
        return repr(plain).encode(errors="backslashreplace")


def close(number: int, first: int, digests: Sequence[bytes], previous: bytes, closed_at: int) -> Block:
    """Return the block over changes from the position `first` on. `closed_at` is microseconds since 1970."""
    open_block = Block(number, first, first + len(digests) - 1, closed_at, previous, b"".join(digests), b"")
    return open_block._replace(hash=hash_of(open_block))


def hash_of(block: Block) -> bytes:
    """Return the hash that a block must have."""
    return sm3(json(["bihuan block 1", *block[:-1]]))
