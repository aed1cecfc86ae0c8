"""What is posted to the hub: who posted it, and its body within a limit. Used by the endpoints that platforms call."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from starlette.types import Receive, Scope

from hub.intake.room import Room

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BodyTooLarge(Exception):
    """More bytes came than are allowed."""


class BodyIncomplete(Exception):
    """Who posted hung up before the body had come to its end."""


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers, names in lower case; what came several times is one list (RFC 9110, 5.3), so that none is passed over."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def size_of(headers: Mapping[str, str], limit: int) -> int:
    """Return how many bytes a body may turn out to have, the limit where nobody says; raise BodyTooLarge."""
    declared = headers.get("content-length", "")
    if not (declared.isascii() and declared.isdigit()):
        return limit
    if len(declared) > 15 or int(declared) > limit:
        raise BodyTooLarge
    return int(declared)


async def body_of(receive: Receive, limit: int) -> bytes:
    """Return the body; raise BodyTooLarge before it is read to its end, BodyIncomplete where it ends early."""
    chunks, size = list[bytes](), 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise BodyIncomplete
        chunk = message.get("body", b"")
        if (size := size + len(chunk)) > limit:
            raise BodyTooLarge
        if not message.get("more_body"):
            return b"".join((*chunks, chunk)) if chunks else chunk
        chunks.append(chunk)


async def body_within(room: Room, headers: Mapping[str, str], receive: Receive, limit: int) -> bytes:
    """Return the body, read while there is room for bodies that are coming in: raise NoRoom before it is read, and as `body_of`.

    Whoever dawdles takes room from other bodies only, and from nothing that is being answered.
    """
    with room.inside(size_of(headers, limit)):
        return await body_of(receive, limit)


def remote_of(scope: Scope, headers: Mapping[str, str], proxies: Sequence[Network]) -> str | None:
    """Return who posted this: the nearest address that is no trusted proxy, without the port that some proxies write."""
    client = scope.get("client")
    host = client[0] if client else None
    forwarded = [part.strip() for part in headers.get("x-forwarded-for", "").split(",") if part.strip()]
    while forwarded and is_within(host, proxies):
        host = _without_port(forwarded.pop())
    return host


def is_within(host: str | None, networks: Iterable[Network]) -> bool:
    """Return whether an address lies in one of the networks, also one of IPv4 written as IPv6; what is no address does not."""
    forms = _forms(host or "")
    return any(address in network for network in networks for address in forms)


def _without_port(part: str) -> str:
    """Return the address of `203.0.113.9:51234`, `[2001:db8::1]:443`, or of one that has no port."""
    if part.startswith("["):
        return part[1:].partition("]")[0]
    return part.partition(":")[0] if part.count(":") == 1 else part


@lru_cache(1000)
def _forms(host: str) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]:
    """Return an address, and the IPv4 address that a socket of both kinds shows as `::ffff:10.0.0.5`; nothing for what is none."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ()
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (address, mapped) if mapped else (address,)
