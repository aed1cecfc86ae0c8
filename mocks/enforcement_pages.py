"""List answers of the enforcement platform: opaque cursors that live for ten minutes, and hold any character."""

import base64
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from mocks.store import Document, Index

LIMIT: Final = 100
_LIFETIME: Final = timedelta(minutes=10)
# A caller that does not percent-encode each of these breaks its own cursor.
_MARK: Final = "游标 &=+%2F/?#"


class RefusedError(Exception):
    """An error of the platform itself: `{"code", "message"}` with its HTTP status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class _Cursor(msgspec.Struct, frozen=True, array_like=True):
    list_name: str
    value: Any
    key: str
    limit: int
    made_at: datetime


def page(
    list_name: str,
    index: Index,
    document: Callable[[str], Document],
    *,
    parameters: dict[str, str],
    low: Any = None,
    now: datetime,
) -> dict[str, object]:
    """Return one page of an index as `{"items", "nextCursor"}`.

    `low` is the lowest sort value of the first page; a cursor goes on behind the last item given, whatever else is sent.
    Raise RefusedError for a cursor that is broken or expired and for a limit outside 1 to 100.
    """
    limit = _limit(parameters.get("limit"))
    after: tuple[Any, str] | None = None
    if "cursor" in parameters:
        cursor = _parsed(parameters["cursor"], list_name, now)
        limit = cursor.limit if limit is None else limit
        low, after = None, (cursor.value, cursor.key)
    limit = LIMIT if limit is None else limit
    rest = index.between(low, after=after)
    return {
        "items": [document(key) for _, key in rest[:limit]],
        "nextCursor": _text(_Cursor(list_name, *rest[limit - 1], limit, now)) if len(rest) > limit else None,
    }


def whole(items: Sequence[Document]) -> dict[str, object]:
    """Return a list that is always one page."""
    return {"items": list(items), "nextCursor": None}


def _limit(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LIMIT:
        raise RefusedError(400, "BAD_REQUEST", f"limit {text!r} is not a number from 1 to {LIMIT}")
    return int(text)


def _text(cursor: _Cursor) -> str:
    return _MARK + base64.b64encode(msgspec.json.encode(cursor)).decode()


def _parsed(text: str, list_name: str, now: datetime) -> _Cursor:
    try:
        cursor = msgspec.json.decode(base64.b64decode(text.removeprefix(_MARK), validate=True), type=_Cursor)
    except (ValueError, msgspec.MsgspecError):
        cursor = None
    if cursor is None or not text.startswith(_MARK) or cursor.list_name != list_name:
        raise RefusedError(400, "CURSOR_INVALID", f"this is no cursor of {list_name}: {text!r}")
    if now - cursor.made_at > _LIFETIME:
        raise RefusedError(400, "CURSOR_EXPIRED", "a cursor is valid for 10 minutes")
    return cursor
