"""What the credit platform's answers mean, one function a call. Used by connectors/credit.py."""

from typing import NamedTuple

import httpx
import msgspec

from connectors.base import Receipt
from connectors.buckets import Digest
from connectors.credit_feed import FeedPage, SnapshotPage
from connectors.credit_records import PLATFORM
from connectors.errors import CursorExpired
from connectors.http import Judge, UnusableError
from connectors.json_text import mended
from connectors.record_fields import readable


class _Items(msgspec.Struct, frozen=True):
    items: tuple[msgspec.Raw, ...]


class _Changes(_Items, frozen=True, rename="camel"):
    has_more: bool


class _Seq(msgspec.Struct, frozen=True):
    seq: int


class _Snapshot(_Items, frozen=True, rename="camel"):
    as_of_seq: int
    next_cursor: str | None = None


class _List(_Items, frozen=True, rename="camel"):
    next_cursor: str | None = None


class ListPage(NamedTuple):
    """One page of a list, its objects raw; no cursor behind the last."""

    items: tuple[bytes, ...]
    next_cursor: str | None


def feed_page(response: httpx.Response) -> FeedPage:
    """Return a page of the feed; raise CursorExpired for 410."""
    if response.status_code == 410:
        raise CursorExpired(PLATFORM, "CURSOR_EXPIRED", "/v2/changes: the feed begins after our seq; take a snapshot first")
    page = msgspec.json.decode(mended(response.content), type=_Changes)
    items = tuple(bytes(raw) for raw in page.items)
    return FeedPage(items, max((seq for raw in items if (seq := _seq_of(raw)) is not None), default=None), page.has_more)


def _seq_of(raw: bytes) -> int | None:
    try:
        return msgspec.json.decode(raw, type=_Seq).seq
    except (msgspec.DecodeError, RecursionError):
        return None


def snapshot_page(response: httpx.Response) -> SnapshotPage:
    """Return a page of a snapshot; raise CursorExpired where the platform no longer takes the cursor."""
    if not response.is_success:
        raise CursorExpired(PLATFORM, "CURSOR_EXPIRED", "/v2/snapshot: the cursor is too old; begin the snapshot again")
    page = msgspec.json.decode(mended(response.content), type=_Snapshot)
    return SnapshotPage(tuple(bytes(raw) for raw in page.items), page.next_cursor, page.as_of_seq)


def bucket_digest(response: httpx.Response) -> Digest:
    """Return a bucket's count and digest, in lower case: the page says hex, and not in which case."""
    found = msgspec.json.decode(mended(response.content), type=Digest)
    return msgspec.structs.replace(found, digest=found.digest.lower())


def listed(response: httpx.Response) -> tuple[bytes, ...]:
    """Return the objects of a list, raw."""
    return tuple(bytes(raw) for raw in msgspec.json.decode(mended(response.content), type=_Items).items)


def listed_page(response: httpx.Response) -> ListPage:
    """Return one page of a list; an empty one for 404, which a subject that is not known may get."""
    if response.status_code == 404:
        return ListPage((), None)
    page = msgspec.json.decode(mended(response.content), type=_List)
    return ListPage(tuple(bytes(raw) for raw in page.items), page.next_cursor or None)


def found_or_none(response: httpx.Response) -> bytes | None:
    """Return an object, raw; None for 404."""
    return None if response.status_code == 404 else mended(response.content)


def accepted(response: httpx.Response) -> None:
    """Take any 2xx."""


def receipt_of(id_field: str) -> Judge[Receipt]:
    """Return a judge of posts: 201 made it, 200 had it before; `id_field` holds the platform's own number."""

    def receipt(response: httpx.Response) -> Receipt:
        reference = readable(msgspec.json.decode(mended(response.content), type=dict[str, object]).get(id_field))
        if reference is None:
            raise UnusableError(f"no {id_field}")
        return Receipt(reference=reference, repeated=response.status_code == 200)

    return receipt


def receipt_or_unknown_subject(response: httpx.Response) -> Receipt | None:
    """Return the receipt of a record; None where the platform does not know the subject yet (404)."""
    return None if response.status_code == 404 else receipt_of("recordId")(response)
