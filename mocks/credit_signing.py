"""How the credit platform names people and signs webhooks (credit.md, "Subjects", "Webhooks"); written from the page."""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final

_RID: Final = re.compile(r"^RID-[0-9a-f]{64}$", re.ASCII)


def resident_code(identity_number: str, exchange_key: str) -> str:
    """Return RID- and the lower-case hex HMAC-SM3 of the 18-character identity number with the exchange key."""
    return "RID-" + hmac.new(exchange_key.encode(), identity_number.upper().encode(), "sm3").hexdigest()


def is_resident_code(text: str) -> bool:
    """Tell whether text has the shape of a natural person's code."""
    return _RID.match(text) is not None


def webhook_key(secret: str) -> bytes:
    """Return the key bytes of a Standard Webhooks secret: base64 after `whsec_`; raise ValueError for another shape."""
    prefix, _, encoded = secret.partition("_")
    if prefix != "whsec" or not encoded:
        raise ValueError("a webhook secret begins with 'whsec_' and goes on in base64")
    return base64.b64decode(encoded, validate=True)


def webhook_signature(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """Return webhook-signature: one `v1,` base64 HMAC-SHA256 for each valid secret, the newest first, separated by spaces."""
    content = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return " ".join(
        "v1," + base64.b64encode(hmac.new(webhook_key(secret), content, hashlib.sha256).digest()).decode() for secret in secrets
    )


def webhook_headers(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers of one delivery; timestamp in epoch seconds is new at each repetition, message_id is not."""
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": webhook_signature(secrets, message_id, timestamp, body),
    }
