"""The HMAC gateway before the enforcement platform: checks what comes in and signs what goes out (enforcement.md, "Gateway")."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final
from urllib.parse import unquote

ALGORITHM: Final = "hmac-sha256"
_TOLERANCE: Final = timedelta(minutes=15)


def sm3(body: bytes) -> str:
    """Return the lower-case hex SM3 of the bytes."""
    return hashlib.new("sm3", body).hexdigest()


def sorted_query(query: str) -> str:
    """Return the name=value pairs exactly as sent, sorted by name, then value; an empty text where there is no query."""
    return "&".join(sorted((pair for pair in query.split("&") if pair), key=lambda pair: pair.partition("=")[::2]))


def query_values(query: str) -> dict[str, str]:
    """Return the decoded parameters. RFC 3986 only: a plus sign is a plus sign, never a space."""
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return {unquote(name): unquote(value) for name, _, value in pairs}


def signed_text(*, method: str, path: str, query: str, access_key: str, date: str) -> bytes:
    """Return the five lines that a signature covers; path and query are taken as sent."""
    return f"{method}\n{path}\n{sorted_query(query)}\n{access_key}\n{date}\n".encode()


def signature(secret: str, *, method: str, path: str, query: str, access_key: str, date: str) -> str:
    """Return the base64 HMAC-SHA256 over the five lines of the page."""
    text = signed_text(method=method, path=path, query=query, access_key=access_key, date=date)
    return base64.b64encode(hmac.digest(secret.encode(), text, "sha256")).decode()


def signed_headers(
    secret: str, *, access_key: str, method: str, path: str, query: str, body: bytes, now: datetime
) -> dict[str, str]:
    """Return the gateway headers of one request, `X-Body-SM3` included, dated `now` (aware)."""
    date = format_datetime(now.astimezone(UTC), usegmt=True)
    return {
        "X-BG-HMAC-ACCESS-KEY": access_key,
        "X-BG-HMAC-ALGORITHM": ALGORITHM,
        "X-BG-DATE": date,
        "X-BG-HMAC-SIGNATURE": signature(secret, method=method, path=path, query=query, access_key=access_key, date=date),
        "X-Body-SM3": sm3(body),
    }


def refusal(
    headers: Mapping[str, str],
    *,
    access_key: str,
    secrets: Sequence[str],
    method: str,
    path: str,
    query: str,
    body: bytes,
    now: datetime,
) -> str | None:
    """Return why the gateway does not let a request pass, or None; `headers` must find names in any case."""
    if headers.get("X-BG-HMAC-ACCESS-KEY") != access_key:
        return "unknown access key"
    if headers.get("X-BG-HMAC-ALGORITHM") != ALGORITHM:
        return f"algorithm is not {ALGORITHM}"
    date = headers.get("X-BG-DATE", "")
    if not _fresh(date, now):
        return "X-BG-DATE is not RFC 1123 or more than 15 minutes off"
    text = signed_text(method=method, path=path, query=query, access_key=access_key, date=date)
    if not _matches(headers.get("X-BG-HMAC-SIGNATURE", ""), secrets, text):
        return "signature does not match"
    digest = headers.get("X-Body-SM3")
    if digest is not None and digest.lower() != sm3(body):
        return "X-Body-SM3 is not the SM3 of the body"
    return None


def _fresh(date: str, now: datetime) -> bool:
    try:
        sent = parsedate_to_datetime(date)
    except ValueError:
        return False
    if sent.tzinfo is None or not date.endswith("GMT"):
        return False
    return abs(sent - now) <= _TOLERANCE


def _matches(given: str, secrets: Sequence[str], text: bytes) -> bool:
    try:
        digest = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        return False
    return any(hmac.compare_digest(digest, hmac.digest(secret.encode(), text, "sha256")) for secret in secrets)
