"""What is posted to the hub: who posted it, and its body within a limit. Used by the endpoints that platforms call."""

import ipaddress
from collections.abc import Iterable, Sequence

from starlette.requests import Request

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BodyTooLarge(Exception):
    """More bytes came than are allowed."""


async def body_of(request: Request, limit: int) -> bytes:
    """Return the body; raise BodyTooLarge before it is read to its end, ClientDisconnect where it ends early."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise BodyTooLarge
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise BodyTooLarge
    return bytes(body)


def remote_of(request: Request, proxies: Sequence[Network]) -> str | None:
    """Return who posted this: the nearest address that is no trusted proxy."""
    host = request.client.host if request.client else None
    forwarded = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",") if part.strip()]
    while forwarded and is_within(host, proxies):
        host = forwarded.pop()
    return host


def is_within(host: str | None, networks: Iterable[Network]) -> bool:
    """Return whether an address lies in one of the networks; what is no address does not."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return False
    return any(address in network for network in networks)
