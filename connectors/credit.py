"""The credit-information platform (信用信息核查平台), as credit.md describes it.

Its objects are made in credit_records.py, its feed is read in credit_feed.py, its calls get their token in credit_calls.py.
"""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import ClassVar
from urllib.parse import quote

from pydantic import SecretStr

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
from connectors.buckets import Buckets, Digest
from connectors.claimed import claimed_id
from connectors.credit_answers import (
    accepted,
    bucket_digest,
    feed_page,
    found_or_none,
    listed,
    listed_page,
    receipt_of,
    receipt_or_unknown_subject,
    snapshot_page,
)
from connectors.credit_calls import CreditCalls, CreditSettings
from connectors.credit_feed import FeedPage, FeedReader, SnapshotPage, Stretch, read_place
from connectors.credit_records import BEIJING, KINDS, PLATFORM, points_text, read_change, read_notice, read_object
from connectors.errors import BadSignature, PermanentError, TransientError
from connectors.live_read import together
from connectors.signing import matching_secret, moment_of_epoch, require_fresh, standard_webhook_signature
from schema.commands import AnyCommand, PostCreditRecord, PostRepair
from schema.entities import CodeType
from schema.identifiers import is_identity

_MESSAGE = re.compile(rb"(.+)")
_CODES_AT_MOST = 50
_CHANGES_AT_MOST = 500
_RECORDS_AT_MOST = 200
ENTITIES = tuple(name for name, _ in KINDS.values())


class CreditConnector(Connector):
    """Reads profiles, records and repairs; posts records and repairs."""

    platform: ClassVar[str] = PLATFORM
    streams: ClassVar[tuple[Stream, ...]] = (Stream("changes", ENTITIES, timedelta(seconds=5), whole=ENTITIES),)
    announced: ClassVar[tuple[str, ...]] = ("CreditRecord",)
    fetchable: ClassVar[Mapping[str, int]] = {"CreditProfile": _CODES_AT_MOST, "CreditRecord": 1}
    digests: ClassVar[tuple[Buckets, ...]] = tuple(Buckets(entity=entity, stream="changes") for entity in ENTITIES)
    settings_class: ClassVar[type[PlatformSettings]] = CreditSettings
    settings: CreditSettings
    clock_limit: ClassVar[ClockLimit | None] = ClockLimit(timedelta(seconds=300), "its webhooks look stale to us and are refused")

    def __init__(self, settings: CreditSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        self._calls = CreditCalls(settings, surroundings)
        self._reader = FeedReader(
            self._changes, self._snapshot, surroundings.clock, surroundings.sleep, timedelta(seconds=settings.settling_seconds)
        )

    # --- what it tells us

    def verify(self, delivery: Delivery) -> Verified:
        """Return proof of a webhook under the Standard Webhooks specification; any one of several signatures will do."""
        message_id, timestamp, given = (
            _header(delivery, name) for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
        )
        signed_at = moment_of_epoch(PLATFORM, timestamp, unit=timedelta(seconds=1))
        require_fresh(PLATFORM, signed_at, delivery.received_at, timedelta(seconds=self.settings.webhook_tolerance_seconds))

        @cache
        def expected(secret: str) -> str:
            return standard_webhook_signature(secret, message_id=message_id, timestamp=timestamp, body=delivery.body)

        index = matching_secret(self.settings.webhook_secrets, expected, given.split())
        if index is None:
            raise BadSignature(PLATFORM, "BAD_SIGNATURE", "no signature is any of the configured webhook secrets'")
        # One name for one sending, whichever of its signatures are left in the header.
        newest = self.settings.webhook_secrets[0].get_secret_value()
        return Verified(signature=expected(newest), message_id=message_id, secret_index=index)

    def parse(self, delivery: Delivery) -> list[Item]:
        """Return the one object that a webhook tells of."""
        return [read_notice(delivery.body, delivery.received_at)]

    def acknowledge(self, delivery: Delivery, *, stored: bool) -> Answer:
        """Return a 2xx if stored, else 503 (never 410, which ends all deliveries)."""
        if stored:
            return Answer(status=200, body=b'{"stored":true}', content_type="application/json")
        problem = b'{"title":"not stored, please repeat","status":503}'
        return Answer(status=503, body=problem, content_type="application/problem+json")

    @property
    def secrets(self) -> Mapping[str, tuple[SecretStr, ...]]:
        """Return the client secrets that get our tokens, and the endpoint's secrets."""
        return {CALLS: self.settings.client_secrets, WEBHOOKS: self.settings.webhook_secrets}

    def claimed_id(self, delivery: Delivery) -> str | None:
        """Return the webhook-id."""
        return claimed_id(_MESSAGE, delivery.headers.get("webhook-id", "").encode())

    # --- what we read

    async def changes(self, stream: str, cursor: str | None) -> AsyncIterator[Page]:
        """Yield the feed from the cursor on, behind the present by its settling time; a snapshot first without a cursor.

        Raises CursorExpired when the feed no longer reaches back to the cursor (410).
        """
        _known(stream)
        async for stretch in self._reader.read(read_place(cursor)):
            yield self._page(stretch)

    async def fetch(self, entity: str, keys: Sequence[str]) -> list[Item]:
        """Return live reads of CreditProfile (50 codes to a call) or CreditRecord (one a call).

        The platform gives no single repair: ValueError. Identity numbers among the codes are left out, unasked.
        """
        observed_at = self.surroundings.clock
        if entity == "CreditProfile":
            codes = [key for key in dict.fromkeys(keys) if not is_identity(key)]
            chunks = [codes[at : at + _CODES_AT_MOST] for at in range(0, len(codes), _CODES_AT_MOST)]
            pages = await together(
                self._calls.read("GET /v2/subjects", "/v2/subjects", {"codes": ",".join(chunk)}, listed, shared=True)
                for chunk in chunks
            )
            return [read_object("subject", raw, observed_at()) for page in pages for raw in page]
        if entity == "CreditRecord":
            found = await together(
                self._calls.read(
                    "GET /v2/records/*", f"/v2/records/{quote(key, safe='')}", {}, found_or_none, known={404}, shared=True
                )
                for key in dict.fromkeys(keys)
            )
            return [read_object("record", raw, observed_at()) for raw in found if raw is not None]
        raise ValueError(f"credit: {entity} cannot be fetched by key, only CreditProfile and CreditRecord")

    async def fetch_for(self, entity: str, code: str) -> list[Item]:
        """Return a live read of all CreditRecords of a subject, 200 to a call; unknown codes have none."""
        if entity != "CreditRecord":
            raise ValueError(f"credit: {entity} cannot be read by subject, only CreditRecord")
        found: list[bytes] = []
        cursor: str | None = ""
        seen = {cursor}
        while cursor is not None:
            asked = {"code": code, "limit": str(_RECORDS_AT_MOST)} | ({"cursor": cursor} if cursor else {})
            known = () if cursor else (404,)
            page = await self._calls.read("GET /v2/records", "/v2/records", asked, listed_page, known=known)
            found += page.items
            if (cursor := page.next_cursor) in seen:
                raise TransientError(PLATFORM, "ENDLESS_LIST", f"GET /v2/records of {code}: a page names a page before it", None)
            seen.add(cursor)
        return [read_object("record", raw, self.surroundings.clock()) for raw in found]

    async def digest(self, entity: str, bucket: str) -> Digest:
        """Return count and digest of the items of a kind whose SM3(id) begins with the byte `bucket`, 0 to 255."""
        asked = {"type": _kind_of(entity), "bucket": bucket}
        return await self._calls.read("GET /v2/digest", "/v2/digest", asked, bucket_digest)

    async def contents(self, entity: str, bucket: str) -> AsyncIterator[Sequence[Item]]:
        """Yield a snapshot of the kind: the platform lists no single bucket."""
        kind, cursor, more = _kind_of(entity), None, True
        while more:
            page = await self._snapshot(kind, cursor)
            observed_at = self.surroundings.clock()
            yield tuple(read_object(kind, raw, observed_at) for raw in page.items)
            cursor, more = page.next_cursor, bool(page.next_cursor)

    # --- what we write

    async def ensure(self, command: AnyCommand, key: str, *, unknown_since: datetime | None) -> Receipt:
        """Make a record or a repair true; bizNo makes every repetition safe, at any time. See Connector.ensure."""
        match command:
            case PostCreditRecord():
                return await self._post_record(command)
            case PostRepair():
                return await self._post_repair(command)
            case _:
                raise PermanentError(PLATFORM, "UNSUPPORTED", f"{key}: the credit platform carries out no {type(command).__name__}")

    async def cancel_record(self, record_id: str, reason: str) -> None:
        """Cancel a record: for an operator's settlement only. Raises as `ensure` does."""
        await self._calls.write(
            "POST /v2/records/*/cancel", "POST", f"/v2/records/{quote(record_id, safe='')}/cancel", {"reason": reason}, accepted
        )

    async def _post_record(self, command: PostCreditRecord) -> Receipt:
        if command.code_type is CodeType.RESIDENT_ID and not command.code.startswith("RID-"):
            raise PermanentError(
                PLATFORM, "IDENTITY_IN_CLEAR", f"{command.biz_no}: a person goes by the RID code; identity numbers never cross"
            )
        record = {
            "bizNo": command.biz_no,
            "code": command.code,
            "category": command.category.value,
            "points": _points(command.biz_no, command.points),
            "itemCode": command.item_code,
            "itemName": command.item_name,
            "occurredAt": _time(command.occurred_at),
            "department": command.department,
            "region": command.region,
            "evidence": {
                "platform": command.evidence_platform,
                "ref": command.evidence_ref,
                "finding": command.evidence_finding,
            },
            "causedBy": command.caused_by,
        }
        receipt = await self._calls.write(
            "POST /v2/records", "POST", "/v2/records", record, receipt_or_unknown_subject, known={404}
        )
        if receipt is not None:
            return receipt
        subject = {"code": command.code, "codeType": command.code_type.value, "name": command.subject_name}
        await self._calls.write("PUT /v2/subjects/*", "PUT", f"/v2/subjects/{quote(command.code, safe='')}", subject, accepted)
        return await self._calls.write("POST /v2/records", "POST", "/v2/records", record, receipt_of("recordId"))

    async def _post_repair(self, command: PostRepair) -> Receipt:
        repair = {
            "bizNo": command.biz_no,
            "recordId": command.record_id,
            "points": _points(command.biz_no, command.points),
            "way": command.way.value,
            "completedAt": _time(command.completed_at),
        }
        return await self._calls.write("POST /v2/repairs", "POST", "/v2/repairs", repair, receipt_of("repairId"))

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
        await self._calls.close()

    def _page(self, stretch: Stretch) -> Page:
        observed_at = self.surroundings.clock()
        if stretch.kind is None:
            items = tuple(read_change(raw, observed_at) for raw in stretch.items)
        else:
            items = tuple(read_object(stretch.kind, raw, observed_at) for raw in stretch.items)
        return Page(items=items, cursor=stretch.place.write(), more=stretch.more)

    async def _changes(self, since: int) -> FeedPage:
        asked = {"since": str(since), "limit": str(_CHANGES_AT_MOST)}
        return await self._calls.read("GET /v2/changes", "/v2/changes", asked, feed_page, known={410})

    async def _snapshot(self, kind: str, cursor: str | None) -> SnapshotPage:
        asked = {"type": kind} if cursor is None else {"type": kind, "cursor": cursor}
        # A cursor that is refused has grown too old: the snapshot begins again.
        known = () if cursor is None else (400, 404, 410)
        return await self._calls.read("GET /v2/snapshot", "/v2/snapshot", asked, snapshot_page, known=known)


def _points(biz_no: str, points: Decimal) -> str:
    try:
        return points_text(points)
    except ValueError as error:
        raise PermanentError(PLATFORM, "BAD_POINTS", f"{biz_no}: {error}") from error


def _time(moment: datetime) -> str:
    # One zone, so that a repetition has the same content as the first call, whatever zone the ledger gave it back in.
    return moment.astimezone(BEIJING).isoformat()


def _kind_of(entity: str) -> str:
    return next(kind for kind, (name, _) in KINDS.items() if name == entity)


def _known(stream: str) -> None:
    if stream != "changes":
        raise ValueError(f"credit: there is no stream {stream!r}, only changes")


def _header(delivery: Delivery, name: str) -> str:
    value = delivery.headers.get(name, "")
    if not value:
        raise BadSignature(PLATFORM, "MISSING_HEADER", f"the delivery has no header {name}")
    return value
