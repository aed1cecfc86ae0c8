"""Receipts of the SMS gateway (sms.md): what proves that one is the gateway's, and what it says. Used by connectors/sms.py."""

import re
from datetime import datetime, timedelta, timezone
from typing import Final
from urllib.parse import parse_qsl

from pydantic import SecretStr

from connectors.base import Item, Quarantined, Verified
from connectors.errors import BadSignature
from connectors.record_fields import Fields, member, observed, text
from connectors.signing import matching_secret, sm3_hex
from schema.entities import DeliveryStatus, SmsReceipt
from schema.entity import Observation

PLATFORM: Final = "sms"
BEIJING: Final = timezone(timedelta(hours=8))
FIELDS_AT_MOST: Final = 100
SIGNED: Final = (b"taskid", b"time", b"sign")
_TIME = re.compile(r"[0-9]{14}")
Form = dict[bytes, bytes]


def verified(secrets: tuple[SecretStr, ...], body: bytes) -> Verified:
    """Return proof that a receipt is the gateway's; raise BadSignature with a reason code.

    The signature covers taskid and time only: with another mobile or status it would be as good. So it counts once, whatever
    the rest says. The page states no tolerance, and receipts may be late by days: an old time is no reason to refuse one.
    """
    form = _form(body)
    if form is None:
        raise BadSignature(PLATFORM, "BAD_FORM", "the receipt is no form, or has a field twice")
    for name in SIGNED:
        if not form.get(name):
            raise BadSignature(PLATFORM, "MISSING_FIELD", f"the receipt has no field {name.decode()}")
    taskid, time, sign = (form[name] for name in SIGNED)
    if not _TIME.fullmatch(time.decode("ascii", "replace")):  # nothing beside the digits: it would shift into the secret
        raise BadSignature(PLATFORM, "BAD_TIMESTAMP", "the receipt's time is no yyyyMMddHHmmss")
    given = sign.decode("ascii", "replace").lower()  # the page says hex, and not in which case
    index = matching_secret(secrets, lambda secret: sm3_hex(taskid + secret.encode() + time), [given])
    if index is None:
        raise BadSignature(PLATFORM, "BAD_SIGNATURE", "the receipt's sign fits none of HUB_SMS_SECRETS")
    # One name for one sending, whichever secret signed it.
    return Verified(signature=f"{taskid.hex()}@{time.decode()}", secret_index=index, covers_body=False)


def read_receipt(body: bytes, observed_at: datetime) -> Item:
    """Return the receipt that a form holds, or why it cannot be used."""
    form = _form(body)
    if form is None:
        return Quarantined(reason="BAD_FORM", detail="the receipt is no form, or has a field twice", content=body)
    try:
        row = {name.decode(): value.decode() for name, value in form.items()}
    except UnicodeDecodeError:
        return Quarantined(reason="BAD_ENCODING", detail="the receipt is no UTF-8", content=body, entity="SmsReceipt")
    fields = Fields(row)
    return observed(lambda: _receipt(fields, observed_at), entity="SmsReceipt", key=row.get("taskid"), content=body)


def _receipt(row: Fields, observed_at: datetime) -> Observation:
    reported_at = row.required("time", _moment)
    record = SmsReceipt(
        source=PLATFORM,
        observed_at=observed_at,
        version=int(reported_at.timestamp()),
        message_no=row.required("taskid", text),
        phone=row.required("mobile", text),
        status=row.required("status", member(DeliveryStatus)),
        reported_at=reported_at,
    )
    return Observation(record=record)


def _form(body: bytes) -> Form | None:
    """Return the fields of a form as bytes; None where there are too many, or one stands twice and nobody knows which counts."""
    try:
        # Latin-1 stands for bytes here: the signature is over bytes, whatever they mean.
        pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True, max_num_fields=FIELDS_AT_MOST, encoding="latin-1")
    except ValueError:
        return None
    form = {name.encode("latin-1"): value.encode("latin-1") for name, value in pairs}
    return form if len(form) == len(pairs) else None


def _moment(value: object) -> datetime:
    written = text(value)
    if not _TIME.fullmatch(written):
        raise ValueError("must be yyyyMMddHHmmss")
    return datetime.strptime(written, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
