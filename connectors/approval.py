"""The approval system (审批系统, 义网通办), as approval.md describes it.

Its records are made in approval_records.py, its list is read in approval_windows.py, its calls are signed in approval_calls.py.
"""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

import msgspec
from pydantic import SecretStr

from connectors.approval_calls import PLATFORM, ApprovalCalls, ApprovalSettings
from connectors.approval_records import ApprovalParser, Notice
from connectors.approval_windows import Listing, RestlessError, Row, Stretch, WindowReader
from connectors.base import (
    CALLS,
    WEBHOOKS,
    Answer,
    ClockLimit,
    Connector,
    Delivery,
    Item,
    Knocked,
    Page,
    PlatformSettings,
    Receipt,
    Stream,
    Surroundings,
    Verified,
)
from connectors.beijing import BEIJING, beijing_text, beijing_time
from connectors.buckets import Buckets, Digest, day_bounds
from connectors.claimed import claimed_id
from connectors.errors import BadSignature, ConnectorError, CursorExpired, PermanentError, TransientError
from connectors.json_text import mended
from connectors.live_read import together
from connectors.signing import approval_signature, matching_secret, moment_of_epoch, require_fresh
from schema.commands import AddToBlacklist, AnyCommand, PushVerificationResult

_NONCE = re.compile(r"[A-Za-z0-9-]{8,64}")
_MESSAGE = re.compile(rb'"msgId"\s*:\s*"([^"\\]+)"')
_DETAIL_AT_MOST = 50
_REPEAT_SOON = 1.0
"""Seconds before a call that is idempotent by our number may be repeated."""


class _Rows(msgspec.Struct, frozen=True):
    rows: tuple[msgspec.Raw, ...]


class _ListedRows(_Rows, frozen=True):
    total: int


class _Place(msgspec.Struct, frozen=True):
    """Our cursor: the second (GXSJ, inclusive) from which to read."""

    gxsj: str


class _Keyed(msgspec.Struct, frozen=True):
    YWLSH: str
    GXSJ: str


class ApprovalConnector(Connector):
    """Reads approvals, writes verification results back, keeps the commitment blacklist."""

    platform: ClassVar[str] = PLATFORM
    streams: ClassVar[tuple[Stream, ...]] = (Stream("approvals", ("Approval",), timedelta(seconds=120), whole=("Approval",)),)
    announced: ClassVar[tuple[str, ...]] = ("Approval",)
    fetchable: ClassVar[Mapping[str, int]] = {"Approval": _DETAIL_AT_MOST}
    digests: ClassVar[tuple[Buckets, ...]] = (Buckets(entity="Approval", stream="approvals", day_of="accepted_at"),)
    settings_class: ClassVar[type[PlatformSettings]] = ApprovalSettings
    settings: ApprovalSettings
    clock_limit: ClassVar[ClockLimit | None] = ClockLimit(
        timedelta(seconds=300),
        "it refuses calls by our clock (40102, signed again with its own), and its callbacks look stale to us",
    )

    def __init__(self, settings: ApprovalSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        self._calls = ApprovalCalls(settings, surroundings)
        self._parser = ApprovalParser(PLATFORM, settings.exchange_key.get_secret_value())

    # --- what it tells us

    def verify(self, delivery: Delivery) -> Verified:
        """Return proof of a callback, or of a question to /approval/eligibility; checked are time, signature and nonce's shape."""
        app_key, timestamp, nonce, sign = (_header(delivery, name) for name in ("x-app-key", "x-timestamp", "x-nonce", "x-sign"))
        signed_at = moment_of_epoch(PLATFORM, timestamp, unit=timedelta(milliseconds=1))
        require_fresh(PLATFORM, signed_at, delivery.received_at, timedelta(seconds=self.settings.clock_tolerance_seconds))
        if app_key != self.settings.app_key:
            raise BadSignature(PLATFORM, "UNKNOWN_KEY", "the delivery names another appKey; compare HUB_APPROVAL_APP_KEY")

        def expected(secret: str) -> str:
            return approval_signature(
                secret, app_key=app_key, body=delivery.body, nonce=nonce, path=delivery.path, timestamp=timestamp
            )

        index = matching_secret(self.settings.app_secrets, expected, [sign])
        if index is None:
            raise BadSignature(PLATFORM, "BAD_SIGNATURE", "the signature is none of the configured app secrets'")
        if not _NONCE.fullmatch(nonce):
            raise BadSignature(PLATFORM, "BAD_NONCE", "the nonce must be 8 to 64 letters, digits or hyphens")
        return Verified(signature=sign, message_id=_message_id(delivery.body), secret_index=index)

    def parse(self, delivery: Delivery) -> list[Item]:
        """Return the one record that a callback tells of."""
        return [self._parser.notice(delivery.body, delivery.received_at)]

    def acknowledge(self, delivery: Delivery, *, stored: bool) -> Answer:
        """Return `{"code": "0"}` if stored, else what makes it repeat."""
        if stored:
            return Answer(status=200, body=b'{"code":"0","msg":"success"}', content_type="application/json; charset=utf-8")
        return Answer(status=503, body=b'{"code":"50000","msg":"not stored"}', content_type="application/json; charset=utf-8")

    @property
    def secrets(self) -> Mapping[str, tuple[SecretStr, ...]]:
        """Return the app secrets: the same ones sign calls and callbacks."""
        return {CALLS: self.settings.app_secrets, WEBHOOKS: self.settings.app_secrets}

    def claimed_id(self, delivery: Delivery) -> str | None:
        """Return the msgId."""
        return claimed_id(_MESSAGE, delivery.body)

    # --- what we read

    async def changes(self, stream: str, cursor: str | None) -> AsyncIterator[Page]:
        """Yield approvals by GXSJ from the cursor's second on, behind the present by the time of late commits."""
        if stream != "approvals":
            raise ValueError(f"approval: there is no stream {stream!r}, only approvals")
        reader, start = self._reader(), self._start(cursor)
        if cursor is None:  # the present matters most, and the years before it take a while
            async for page in self._pages(reader.read_recent(start)):
                yield page
        async for page in self._pages(reader.read(start)):
            yield page

    async def between(self, stream: str, start: datetime, end: datetime) -> AsyncIterator[Page]:
        """Yield approvals whose GXSJ lies in the span; both ends are widened to whole seconds, by which the platform reads."""
        if stream not in {each.name for each in self.streams}:
            raise ValueError(f"approval: there is no stream {stream!r}, only approvals")
        beyond = _second(end - timedelta(microseconds=1)) + timedelta(seconds=1)
        reader = WindowReader(
            self._list,
            lambda: beyond,  # nothing is settled by this, and no place is kept
            lambda: min(_second(self.surroundings.clock() + timedelta(seconds=1)), beyond - timedelta(seconds=1)),
            page_size=self.settings.page_size,
            passes=self.settings.second_passes,
        )
        async for page in self._pages(reader.read(_second(start))):
            yield page

    async def _pages(self, stretches: AsyncIterator[Stretch]) -> AsyncIterator[Page]:
        try:
            async for stretch in stretches:
                yield self._page(stretch)
        except RestlessError as restless:
            raise self._unsettled(restless) from restless

    async def fetch(self, entity: str, keys: Sequence[str]) -> list[Item]:
        """Return approvals by YWLSH, 50 to a call; blacklist entries, of all matters, by holder: a USCC or identity number."""
        if entity == "BlacklistEntry":
            found = await together(self._blacklist(holder, None) for holder in dict.fromkeys(keys))
            return [item for items in found for item in items]
        if entity != "Approval":
            raise ValueError(f"approval: {entity} cannot be fetched, only Approval and BlacklistEntry")
        serials = list(dict.fromkeys(keys))
        pages = await together(
            self._calls.read("/api/spsl/detail", {"ywlsh": serials[at : at + _DETAIL_AT_MOST]}, _Rows, shared=True)
            for at in range(0, len(serials), _DETAIL_AT_MOST)
        )
        observed_at = self.surroundings.clock()
        return [self._parser.record(bytes(raw), observed_at) for page in pages for raw in page.rows]

    async def digest(self, entity: str, bucket: str) -> Digest:
        """Return count and digest of the records whose SLSJ is on the day `bucket` (yyyy-MM-dd, Beijing)."""
        return await self._calls.read("/api/spsl/digest", {"rq": bucket}, Digest)

    async def contents(self, entity: str, bucket: str) -> AsyncIterator[Sequence[Item]]:
        """Yield the list from that day on: no record is changed before it is accepted, late commits apart."""
        first, _ = day_bounds(bucket)
        try:
            async for stretch in self._reader().read(first - timedelta(seconds=self.settings.settling_seconds)):
                yield self._page(stretch).items
        except RestlessError as restless:
            raise self._unsettled(restless) from restless

    async def _blacklist(self, holder: str, matter_code: str | None) -> list[Item]:
        """Return the commitment blacklist's entries of a USCC or identity number, of one matter or of all, removed ones too."""
        found = await self._calls.read("/api/hmd/query", {"dxbs": holder, "sxbm": matter_code}, _Rows, shared=True)
        observed_at = self.surroundings.clock()
        return [self._parser.blacklisted(bytes(raw), observed_at) for raw in found.rows]

    # --- what we write

    async def ensure(self, command: AnyCommand, key: str, *, unknown_since: datetime | None) -> Receipt:
        """Make a verification result or a blacklist entry true; see Connector.ensure."""
        match command:
            case PushVerificationResult():
                return await self._push(command, unknown_since)
            case AddToBlacklist():
                return await self._add_to_blacklist(command)
            case _:
                raise PermanentError(PLATFORM, "UNSUPPORTED", f"{key}: the approval system carries out no {type(command).__name__}")

    async def _push(self, command: PushVerificationResult, unknown_since: datetime | None) -> Receipt:
        # Another result overwrites: an earlier call that is still on its way must not overtake this one.
        settled = timedelta(seconds=self.settings.dropped_after_seconds + self.settings.unknown_margin_seconds)
        if unknown_since is not None and (rest := unknown_since + settled - self.surroundings.clock()) > timedelta(0):
            raise TransientError(
                PLATFORM, "UNSETTLED", f"{command.approval_no}: an earlier push may still be carried out", rest.total_seconds()
            )
        pushed = {
            "ywlsh": command.approval_no,
            "hcjg": "1" if command.kept else "2",
            "hcsj": beijing_text(command.checked_at),
            "hcrwbh": command.task_id,
        }
        await self._calls.write("/api/hcjg/push", pushed, object, repeat_after=settled.total_seconds())
        return Receipt(reference=command.approval_no)

    async def _add_to_blacklist(self, command: AddToBlacklist) -> Receipt:
        entry = {
            "wybh": command.entry_no,
            "dxbs": command.holder,
            "dxmc": command.holder_name,
            "sxbm": command.matter_code,
            "yy": command.reason,
            "rdrq": command.since.isoformat(),
        }
        added = await self._calls.write("/api/hmd/add", entry, object, repeat_after=_REPEAT_SOON)  # wybh makes it idempotent
        repeated = isinstance(added, dict) and added.get("repeated") is True
        return Receipt(reference=command.entry_no, repeated=repeated, shows=tuple(await self._shown(command)))

    async def _shown(self, command: AddToBlacklist) -> Sequence[Item]:
        """Return what the blacklist shows now, for no stream tells of it; nothing where it cannot be read: the entry is there."""
        try:
            return await self._blacklist(command.holder, command.matter_code)
        except ConnectorError:
            return ()

    # --- house-keeping

    async def knock(self) -> Knocked:
        """Ask its base address for a sign of life."""
        return await self._calls.client.knock()

    @property
    def open_until(self) -> datetime | None:
        """Return until when the circuit breaker refuses calls."""
        return self._calls.client.open_until

    async def close(self) -> None:
        """Close connections."""
        await self._calls.client.close()

    def _reader(self) -> WindowReader:
        settling = timedelta(seconds=self.settings.settling_seconds)
        return WindowReader(
            self._list,
            lambda: _second(self.surroundings.clock() + min(timedelta(0), self._calls.offset) - settling),
            # The platform's Date leaves out what has passed of its present second.
            lambda: _second(self.surroundings.clock() + max(timedelta(0), self._calls.offset + timedelta(seconds=1))),
            page_size=self.settings.page_size,
            passes=self.settings.second_passes,
        )

    def _unsettled(self, restless: RestlessError) -> TransientError:
        message = f"/api/spsl/list: {restless} changed at every pass"
        return TransientError(PLATFORM, "UNSETTLED", message, self.settings.poll_seconds)

    def _page(self, stretch: Stretch) -> Page:
        observed_at = self.surroundings.clock()
        return Page(
            items=tuple(self._parser.record(row.raw, observed_at) for row in stretch.rows),
            cursor=msgspec.json.encode(_Place(beijing_text(stretch.resume_at))).decode(),
            more=stretch.more,
        )

    async def _list(self, start: datetime, end: datetime, page: int) -> Listing:
        asked = {"gxsjq": beijing_text(start), "gxsjz": beijing_text(end), "pageNo": page, "pageSize": self.settings.page_size}
        found = await self._calls.read("/api/spsl/list", asked, _ListedRows)
        return Listing(found.total, tuple(_row(bytes(raw)) for raw in found.rows))

    def _start(self, cursor: str | None) -> datetime:
        if cursor is None:
            since = self.settings.history_since
            return datetime(since.year, since.month, since.day, tzinfo=BEIJING)
        try:
            return beijing_time(msgspec.json.decode(cursor, type=_Place).gxsj)
        except (msgspec.DecodeError, ValueError) as error:
            raise CursorExpired(PLATFORM, "BAD_CURSOR", "this cursor is none of ours; start over from the beginning") from error


def _header(delivery: Delivery, name: str) -> str:
    value = delivery.headers.get(name, "")
    if not value:
        raise BadSignature(PLATFORM, "MISSING_HEADER", f"the delivery has no header {name}")
    return value


def _message_id(body: bytes) -> str | None:
    try:
        named = msgspec.json.decode(mended(body), type=Notice).msgId
    except (msgspec.DecodeError, RecursionError):
        return None
    return named if isinstance(named, str) and named else None


def _row(raw: bytes) -> Row:
    try:
        keyed = msgspec.json.decode(raw, type=_Keyed)
        return Row(raw, keyed.YWLSH, beijing_time(keyed.GXSJ))
    except (msgspec.DecodeError, ValueError):
        return Row(raw, None, None)


def _second(moment: datetime) -> datetime:
    return moment.astimezone(BEIJING).replace(microsecond=0)
