"""From the claims of a verified token to a caller: name, scopes, and the rows that are seen. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.access.scopes import is_scope
from hub.access.unproven import Unproven
from schema.context import Caller
from schema.identifiers import redact
from schema.row_limits import row_limits

NAME_AT_MOST = 200


@dataclass(frozen=True)
class ClaimRules:
    """Which claims say what. A name with dots leads into objects: `realm_access.roles`."""

    name: str = "sub"
    roles: str = "roles"
    departments: str = "departments"
    regions: str = "regions"
    home: str = "330782"
    """Region of the hub."""
    scopes_of: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What a role, or a scope with a name of the provider's own, stands for."""


def caller_of(claims: Mapping[str, Any], rules: ClaimRules) -> Caller:
    """Return who a token is of; raise Unproven for claims of a shape that cannot be meant.

    Scopes come from `scope` (RFC 8693: a text with blanks), `scp` and roles; what is none of ours and not mapped is passed over.
    A claim of departments or regions limits the rows that are seen; where there is none, there is no limit.
    """
    name = _found(claims, rules.name)
    if not isinstance(name, str) or not name.strip() or len(name) > NAME_AT_MOST or not name.isprintable():
        raise Unproven("CLAIM_UNUSABLE", f"the token's claim '{rules.name}' is no name of up to {NAME_AT_MOST} characters")
    said = {word for claim in ("scope", "scp", rules.roles) for word in _words(claims, claim) or ()}
    scopes = frozenset(scope for word in said for scope in rules.scopes_of.get(word, frozenset({word} if is_scope(word) else ())))
    limits = row_limits(_limit(claims, rules.departments), _limit(claims, rules.regions), rules.home)
    # an application key's name has no colon, so that the audit tells the two apart
    return Caller(f"oidc:{redact(name)}", scopes, limits)


def _limit(claims: Mapping[str, Any], claim: str) -> frozenset[str] | None:
    words = _words(claims, claim)
    return None if words is None else frozenset(words)


def _words(claims: Mapping[str, Any], claim: str) -> Iterable[str] | None:
    """Return the words of a claim, a text with blanks or a list of texts; None where it is not there."""
    found = _found(claims, claim)
    if found is None:
        return None
    if isinstance(found, str):
        return found.split()
    if isinstance(found, list) and all(isinstance(each, str) for each in found):
        return found
    raise Unproven("CLAIM_UNUSABLE", f"the token's claim '{claim}' is neither a text nor a list of texts")


def _found(claims: Mapping[str, Any], path: str) -> Any:
    if path in claims:  # providers write names like https://example.org/roles, dots and all
        return claims[path]
    found: Any = claims
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found
