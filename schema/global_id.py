"""Stable ids over all entities: what `id` of a record says, and `node(id:)` and federation gateways bring back."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

import strawberry

from schema.declare import ENTITIES, Declared
from schema.graph_errors import BAD_ID, GraphError


@strawberry.interface(description="Anything that has an id of its own (节点)")
class Node:
    """Relay's Node: refetched by `node(id:)`."""

    id: strawberry.ID = strawberry.field(description="Stable global id (全局编号)")


def pack(text: str) -> str:
    """Return text as an opaque token of letters, digits, `-` and `_`."""
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def unpack(token: str) -> str:
    """Return what `pack` packed; raise ValueError if it was not packed here."""
    try:
        text = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError) as wrong:
        raise ValueError(str(wrong)) from None
    if pack(text) != token:
        raise ValueError("not in the one way in which we write it")
    return text


def global_id(entity: Declared, key: str) -> strawberry.ID:
    """Return the id of a record: the same for ever, the same on every installation."""
    return strawberry.ID(pack(f"{entity.name}:{key}"))


def read_global_id(given: str) -> tuple[Declared, str]:
    """Return the entity and the key that an id names; raise GraphError BAD_ID if it is none of ours."""
    try:
        name, found, key = unpack(given).partition(":")
    except ValueError:
        name, found, key = "", "", ""
    if not found or name not in ENTITIES:
        raise GraphError(BAD_ID, f"'{given}' is no id of this graph; ids come from the field `id` of a record")
    return ENTITIES[name], key
