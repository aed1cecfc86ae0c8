"""The HMAC gateway in front of the enforcement platform: how calls and webhooks are signed (platforms/enforcement.md, Gateway)."""

import base64
import hmac
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

ACCESS_KEY: Final = "x-bg-hmac-access-key"
ALGORITHM: Final = "x-bg-hmac-algorithm"
DATE: Final = "x-bg-date"
SIGNATURE: Final = "x-bg-hmac-signature"
BODY_SM3: Final = "x-body-sm3"
HMAC_SHA256: Final = "hmac-sha256"


def gateway_signature(secret: str, *, method: str, target: str, access_key: str, date: str) -> str:
    """Return base64 HMAC-SHA256 over method, path, sorted query, access key and date; `target` is path and query as sent."""
    path, _, query = target.partition("?")
    signed = f"{method}\n{path}\n{sorted_query(query)}\n{access_key}\n{date}\n"
    return base64.b64encode(hmac.digest(secret.encode(), signed.encode(), "sha256")).decode()


def sorted_query(query: str) -> str:
    """Return the pairs of a query exactly as sent, sorted by name, then value: `a=2` comes before `a-b=1`."""
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    return "&".join("".join(pair) for pair in sorted(pairs, key=lambda pair: (pair[0], pair[2])))


def gateway_date(now: datetime) -> str:
    """Return a moment as the gateway writes it: RFC 1123, GMT."""
    return format_datetime(now.astimezone(UTC), usegmt=True)


def moment_of(date: str) -> datetime:
    """Return the moment that an RFC 1123 date in GMT names, aware; raise ValueError for anything else."""
    if not date.endswith(" GMT"):
        raise ValueError("no RFC 1123 date in GMT")
    moment = parsedate_to_datetime(date)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
