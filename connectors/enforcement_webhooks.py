"""Batches of events that the enforcement platform posts: proof of origin, what they say, and the answer it wants."""

from datetime import datetime, timedelta

import msgspec

from connectors import gateway
from connectors.base import Answer, Delivery, Item, Quarantined, Verified
from connectors.enforcement_records import read_coordination
from connectors.enforcement_settings import EnforcementSettings
from connectors.enforcement_tasks import read_task
from connectors.enforcement_values import PLATFORM
from connectors.errors import BadSignature
from connectors.json_text import decode
from connectors.signing import matching_secret, require_fresh, sm3_hex

_NEEDED = (gateway.ACCESS_KEY, gateway.ALGORITHM, gateway.DATE, gateway.SIGNATURE, gateway.BODY_SM3)


class Event(msgspec.Struct, frozen=True):
    """One event of a batch; `event_id` is None where it could not be read."""

    event_id: str | int | None
    item: Item


def verify(settings: EnforcementSettings, delivery: Delivery) -> Verified:
    """Return proof that a batch is the platform's; raise BadSignature.

    The gateway's signature covers neither the body nor a nonce, and its date has whole seconds: two batches of one second
    carry the same one. The proof is therefore the signature together with the body's own digest, which is demanded.
    """
    for name in _NEEDED:
        if not delivery.headers.get(name):
            raise BadSignature(PLATFORM, "MISSING_HEADER", f"webhook without {name}")
    access_key, algorithm, date, signature, body_sm3 = (delivery.headers[name] for name in _NEEDED)
    if access_key != settings.callback_access_key:
        raise BadSignature(PLATFORM, "UNKNOWN_KEY", "webhook with another access key than HUB_ENFORCEMENT_CALLBACK_ACCESS_KEY")
    if algorithm.lower() != gateway.HMAC_SHA256:
        raise BadSignature(PLATFORM, "BAD_ALGORITHM", f"webhook signed otherwise than by {gateway.HMAC_SHA256}")
    try:
        signed_at = gateway.moment_of(date)
    except (ValueError, OverflowError):
        raise BadSignature(PLATFORM, "BAD_TIMESTAMP", "webhook whose x-bg-date is no RFC 1123 date in GMT") from None
    require_fresh(PLATFORM, signed_at, delivery.received_at, timedelta(seconds=settings.callback_fresh_seconds))

    def expected(secret: str) -> str:
        return gateway.gateway_signature(secret, method="POST", target=delivery.path, access_key=access_key, date=date)

    if (matched := matching_secret(settings.callback_secrets, expected, [signature])) is None:
        raise BadSignature(PLATFORM, "BAD_SIGNATURE", "webhook whose signature fits none of HUB_ENFORCEMENT_CALLBACK_SECRETS")
    if body_sm3.lower() != (digest := sm3_hex(delivery.body)):
        raise BadSignature(PLATFORM, "BAD_BODY_DIGEST", "webhook whose x-body-sm3 is not the digest of its body")
    return Verified(signature=f"{signature}:{digest}", secret_index=matched)


def read_batch(body: bytes, received_at: datetime) -> list[Event]:
    """Return the events of a batch; where it cannot be read at all, one without id that holds the whole body."""
    try:
        batch = decode(body)
    except (ValueError, RecursionError):
        return [Event(None, Quarantined(reason="NOT_JSON", detail="the batch is no JSON", content=body))]
    events = batch.get("events") if isinstance(batch, dict) else None
    if not isinstance(events, list):
        return [Event(None, Quarantined(reason="MISSING_FIELD", detail="the batch has no list of events", content=body))]
    return [_event(event, received_at) for event in events]


def answer(body: bytes, received_at: datetime) -> Answer:
    """Return which events were taken, and which can never be used, each with its reason.

    An event whose id cannot be read stands in neither list, as there is no name to put there: it is sent again until the
    platform gives up, and each repetition is the same quarantined record. Its neighbours are done with.
    """
    accepted: dict[str | int, None] = {}
    rejected: dict[str | int, str] = {}
    for event in read_batch(body, received_at):
        if event.event_id is None:
            continue
        if isinstance(event.item, Quarantined):
            rejected.setdefault(event.event_id, f"{event.item.reason}: {event.item.detail}")
        else:
            accepted[event.event_id] = None
    refused = [{"eventId": event_id, "reason": reason} for event_id, reason in rejected.items() if event_id not in accepted]
    content = msgspec.json.encode({"accepted": list(accepted), "rejected": refused})
    return Answer(status=200, body=content, content_type="application/json; charset=utf-8")


def _event(event: object, received_at: datetime) -> Event:
    if not isinstance(event, dict):
        content = msgspec.json.encode(event)
        return Event(None, Quarantined(reason="BAD_VALUE", detail="an event of the batch is no object", content=content))
    given = event.get("eventId")
    event_id = given if isinstance(given, str | int) and not isinstance(given, bool) and given != "" else None
    # What is in the event decides, not its type: new types may come, and each carries the whole object.
    for name, read in (("task", read_task), ("coordination", read_coordination)):
        if event.get(name) is not None:
            return Event(event_id, read(event[name], received_at))
    content = msgspec.json.encode(event)
    return Event(event_id, Quarantined(reason="MISSING_FIELD", detail="the event carries no task or coordination", content=content))
