"""Where the public keys of an OpenID provider are read: from a file, an address, or the address that its discovery document names.

Each source is a function that returns the JWKS (RFC 7517) as it came. It raises OSError, httpx.HTTPError or ValueError, and each
request ends within `SECONDS`, whatever the other side does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

SECONDS = 5.0
BYTES = 1_000_000
LOOPBACK = {"127.0.0.1", "::1", "localhost"}

Source = Callable[[], Awaitable[bytes]]


def check_address(url: str) -> None:
    """Raise ValueError for an address by which keys could be put in our hands by others: it is https, or on this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        raise ValueError(f"'{url}' is no https address: on the way others could put their keys in place of the provider's")


def source_of(issuer: str, place: str | None) -> Source:
    """Return where keys are read: an address, a file, or, where there is no place, what the issuer's discovery document says."""
    if place is None:
        return lambda: _keys_discovered(issuer)
    if "://" in place:
        return lambda: _fetched(place)
    return lambda: asyncio.to_thread(Path(place).read_bytes)


async def discovered(issuer: str) -> dict[str, Any]:
    """Return the issuer's discovery document (OpenID Connect Discovery 1.0, section 4)."""
    address = issuer.rstrip("/") + "/.well-known/openid-configuration"
    told: Any = msgspec.json.decode(await _fetched(address))
    if not isinstance(told, dict) or told.get("issuer") != issuer or not isinstance(told.get("jwks_uri"), str):
        named = told.get("issuer") if isinstance(told, dict) else None
        raise ValueError(f"{address}: is of issuer {named!r}, not of '{issuer}', or names no jwks_uri")
    return told


async def _keys_discovered(issuer: str) -> bytes:
    """Return the keys at `jwks_uri`."""
    address: str = (await discovered(issuer))["jwks_uri"]
    check_address(address)
    return await _fetched(address)


async def _fetched(url: str) -> bytes:
    content = b""
    async with asyncio.timeout(SECONDS), httpx.AsyncClient(timeout=SECONDS) as client, client.stream("GET", url) as response:
        response.raise_for_status()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > BYTES:
                raise ValueError(f"{url}: more than {BYTES:,} bytes")
    if response.status_code != 200:
        raise ValueError(f"{url}: answered {response.status_code}, which is not followed; name the last address")
    return content
