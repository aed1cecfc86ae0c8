"""How platforms sign: one function a scheme, each with the page it comes from. Connectors call these; nothing else does.

Signatures are compared in constant time, against every configured secret, so that a key change needs no pause.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from pydantic import SecretStr

from connectors.errors import BadSignature


def sm3_hex(data: bytes) -> str:
    """Return the lower-case hex SM3 of the data."""
    return hashlib.new("sm3", data).hexdigest()


def approval_signature(secret: str, *, app_key: str, body: bytes, nonce: str, path: str, timestamp: str) -> str:
    """Return lower-case hex of HMAC-SM3 over the canonical text (approval.md, Signature)."""
    text = f"appKey={app_key}&body={sm3_hex(body)}&nonce={nonce}&path={path}&timestamp={timestamp}"
    return hmac.new(secret.encode(), text.encode(), "sm3").hexdigest()


def standard_webhook_signature(secret: str, *, message_id: str, timestamp: str, body: bytes) -> str:
    """Return `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body` (Standard Webhooks; credit.md, Webhooks)."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(standard_webhook_key(secret), signed, "sha256")).decode()


@lru_cache(16)
def standard_webhook_key(secret: str) -> bytes:
    """Return the key that a Standard Webhooks secret stands for (base64, as a rule behind `whsec_`); raise ValueError."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ValueError("a Standard Webhooks secret is base64, as a rule behind whsec_; this one is not") from error
    if not key:
        raise ValueError("a Standard Webhooks secret is empty; set the one that the platform shows for this endpoint")
    return key


def matching_secret(secrets: Sequence[SecretStr], signature: Callable[[str], str], given: Sequence[str]) -> int | None:
    """Return the index of the first secret whose signature is among those given, None if there is none. Constant-time."""
    found: int | None = None
    for index, secret in reversed(list(enumerate(secrets))):
        expected = signature(secret.get_secret_value()).encode()
        for text in given:
            if hmac.compare_digest(expected, text.encode()):
                found = index
    return found


def moment_of_epoch(platform: str, text: str, *, unit: timedelta) -> datetime:
    """Return the aware moment that a header's decimal epoch count of `unit` names; raise BadSignature BAD_TIMESTAMP."""
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise BadSignature(platform, "BAD_TIMESTAMP", "the delivery's time is no whole number of the unit that the page names")
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + int(text) * unit
    except OverflowError as error:
        raise BadSignature(platform, "BAD_TIMESTAMP", "the delivery's time is out of range") from error


def require_fresh(platform: str, signed_at: datetime, received_at: datetime, tolerance: timedelta) -> None:
    """Raise BadSignature STALE where a delivery's time is further off than tolerated, in either direction."""
    if abs(signed_at - received_at) > tolerance:
        raise BadSignature(
            platform,
            "STALE",
            f"the delivery was signed at {signed_at.isoformat()} and came at {received_at.isoformat()}: more than "
            f"{tolerance.total_seconds():.0f} s apart; a replay, or a wrong clock on one side",
        )
