"""What a mock platform remembers: JSON documents by kind and key.

Everything is held in memory and, when a path is given, written through to one SQLite file, so that a second start
finds the same data. Writes are gathered and committed by `flush`, which the platform calls before each answer leaves
and when it stops. Indexes keep the keys of a kind in an order that a list call needs.
"""

import sqlite3
from bisect import bisect_left, insort
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

Document: TypeAlias = dict[str, Any]
"""One JSON object. A stored document is never changed in place: put a new one."""

_GATHER = 5000  # changes held back at most, so that building a whole city does not pile up


class Index:
    """The keys of one kind, ordered by a value of their documents, then by key."""

    def __init__(self, order: Callable[[Document], Any]) -> None:
        self._order = order
        self._entries: list[tuple[Any, str]] = []
        self._values: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, key: str, document: Document) -> None:
        """Enter the document, or move it to its new place."""
        value = self._order(document)
        if key in self._values:
            if self._values[key] == value:
                return
            self.remove(key)
        self._values[key] = value
        insort(self._entries, (value, key))

    def remove(self, key: str) -> None:
        """Take the key out; a key that is not there is no error."""
        if key in self._values:
            value = self._values.pop(key)
            del self._entries[bisect_left(self._entries, (value, key))]

    def between(self, low: Any = None, high: Any = None, *, after: tuple[Any, str] | None = None) -> list[tuple[Any, str]]:
        """Return the (value, key) pairs with low <= value < high in order; None is open; `after` goes on behind one pair."""
        start = 0 if low is None else bisect_left(self._entries, (low,))
        if after is not None:
            start = max(start, bisect_left(self._entries, after))
            if start < len(self._entries) and self._entries[start] == after:
                start += 1
        end = len(self._entries) if high is None else bisect_left(self._entries, (high,))
        return self._entries[start:end]


class Store:
    """Documents by kind and key, numbers that only grow, and their file."""

    def __init__(self, path: Path | None = None) -> None:
        self._kinds: dict[str, dict[str, Document]] = {}
        self._indexes: dict[str, list[Index]] = {}
        self._numbers: dict[str, int] = {}
        self._changed: dict[tuple[str, str], Document | None] = {}
        self._numbers_changed: set[str] = set()
        self._file: sqlite3.Connection | None = None
        if path is not None:
            self._open(path)

    def _open(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(path, check_same_thread=False)
        # A killed process loses nothing; only a crash of the machine could, which is no loss for a mock.
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=OFF")
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS document (kind TEXT, key TEXT, body BLOB, PRIMARY KEY (kind, key)) WITHOUT ROWID"
        )
        self._file.execute("CREATE TABLE IF NOT EXISTS number (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID")
        for kind, key, body in self._file.execute("SELECT kind, key, body FROM document"):
            self._kinds.setdefault(kind, {})[key] = msgspec.json.decode(body, type=dict[str, Any])
        self._numbers = dict(self._file.execute("SELECT name, value FROM number"))

    def index(self, kind: str, order: Callable[[Document], Any]) -> Index:
        """Return an index over the kind, filled with what is there and kept up by `put` and `delete` from now on."""
        index = Index(order)
        for key, document in self._kinds.get(kind, {}).items():
            index.put(key, document)
        self._indexes.setdefault(kind, []).append(index)
        return index

    def get(self, kind: str, key: str) -> Document | None:
        """Return the document, or None."""
        return self._kinds.get(kind, {}).get(key)

    def all(self, kind: str) -> Mapping[str, Document]:
        """Return the live documents of a kind by key, in the order in which they were first put."""
        return self._kinds.setdefault(kind, {})

    def put(self, kind: str, key: str, document: Document) -> None:
        """Store the document in place of the one before it."""
        self._kinds.setdefault(kind, {})[key] = document
        for index in self._indexes.get(kind, ()):
            index.put(key, document)
        self._note(kind, key, document)

    def delete(self, kind: str, key: str) -> bool:
        """Take the document away; return whether it was there."""
        if self._kinds.get(kind, {}).pop(key, None) is None:
            return False
        for index in self._indexes.get(kind, ()):
            index.remove(key)
        self._note(kind, key, None)
        return True

    def next_number(self, name: str, step: int = 1) -> int:
        """Return the next number of a sequence that starts at 1 (at `step`), also across starts; a bigger step leaves holes."""
        self._numbers[name] = self._numbers.get(name, 0) + step
        self._numbers_changed.add(name)
        return self._numbers[name]

    def last_number(self, name: str) -> int:
        """Return the number that `next_number` gave last, 0 before the first."""
        return self._numbers.get(name, 0)

    def counts(self) -> dict[str, int]:
        """Return how many documents of each kind there are."""
        return {kind: len(documents) for kind, documents in self._kinds.items()}

    def _note(self, kind: str, key: str, document: Document | None) -> None:
        if self._file is None:
            return
        self._changed[kind, key] = document
        if len(self._changed) >= _GATHER:
            self.flush()

    def flush(self) -> None:
        """Commit what has changed since the last flush to the file, if there is one."""
        if self._file is None or not (self._changed or self._numbers_changed):
            return
        kept = [(kind, key, msgspec.json.encode(body)) for (kind, key), body in self._changed.items() if body is not None]
        gone = [kind_and_key for kind_and_key, body in self._changed.items() if body is None]
        with self._file:
            self._file.executemany("INSERT OR REPLACE INTO document VALUES (?, ?, ?)", kept)
            self._file.executemany("DELETE FROM document WHERE kind = ? AND key = ?", gone)
            numbers = [(name, self._numbers[name]) for name in self._numbers_changed]
            self._file.executemany("INSERT OR REPLACE INTO number VALUES (?, ?)", numbers)
        self._changed.clear()
        self._numbers_changed.clear()

    def close(self) -> None:
        """Flush and let the file go; the documents stay readable."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None
