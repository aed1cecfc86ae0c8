"""How the approval system signs calls and callbacks (approval.md, "Signature"); written from the page, for the mocks only."""

import hashlib
import hmac
import random
import string
from typing import Final

NONCE_ALPHABET: Final = string.ascii_letters + string.digits + "-"


def sm3_hex(content: bytes) -> str:
    """Return the lower-case hex SM3 of content (GB/T 32905)."""
    return hashlib.new("sm3", content).hexdigest()


def signing_text(app_key: str, timestamp: str, nonce: str, path: str, body: bytes) -> str:
    """Return the text that X-Sign covers; timestamp as sent (epoch milliseconds), path the request path without a query."""
    return f"appKey={app_key}&body={sm3_hex(body)}&nonce={nonce}&path={path}&timestamp={timestamp}"


def sign(secret: str, *, app_key: str, timestamp: str, nonce: str, path: str, body: bytes) -> str:
    """Return X-Sign: the lower-case hex HMAC-SM3 of the signing text with the app secret."""
    return hmac.new(secret.encode(), signing_text(app_key, timestamp, nonce, path, body).encode(), "sm3").hexdigest()


def make_nonce(rng: random.Random) -> str:
    """Return a nonce of 24 allowed characters."""
    return "".join(rng.choices(NONCE_ALPHABET, k=24))


def is_nonce(text: str) -> bool:
    """Tell whether text is a nonce that the page allows: 8 to 64 of A-Z a-z 0-9 -."""
    return 8 <= len(text) <= 64 and all(character in NONCE_ALPHABET for character in text)


def signed_headers(secret: str, app_key: str, path: str, body: bytes, *, epoch_milliseconds: int, nonce: str) -> dict[str, str]:
    """Return the headers of one signed call or callback, its content type included."""
    timestamp = str(epoch_milliseconds)
    return {
        "Content-Type": "application/json; charset=utf-8",
        "X-App-Key": app_key,
        "X-Timestamp": timestamp,
        "X-Nonce": nonce,
        "X-Sign": sign(secret, app_key=app_key, timestamp=timestamp, nonce=nonce, path=path, body=body),
    }
