"""Access tokens of an OpenID provider: JWTs (RFC 7519, 9068), their signature, issuer, audience and times. Asked by door.py.

A token that was verified is remembered by its hash until it expires, so that the next request costs a look-up.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError

from hub.access.claims import ClaimRules, caller_of
from hub.access.signing_keys import ALGORITHMS, SigningKeys
from hub.access.unproven import KeysUnavailable, Unproven
from schema.context import Caller

TYPES = {"jwt", "at+jwt", "application/at+jwt"}
"""`typ` of an access token; others, as logout+jwt, are for other ends (RFC 8725, section 3.11)."""
CHARACTERS = 8_192
DAY = 86_400
REMEMBERED = 10_000
"""Tokens; some 10 MB at most."""
REASONS = {
    "iss": ("ISSUER_WRONG", "is not of the issuer that is trusted here"),
    "aud": ("AUDIENCE_WRONG", "is not meant for this hub"),
    "nbf": ("TOKEN_NOT_YET_VALID", "is not valid yet; compare clocks"),
    "iat": ("TOKEN_FROM_THE_FUTURE", "was issued in the future; compare clocks"),
}


@dataclass(frozen=True)
class TokenRules:
    """What a token must be like."""

    issuer: str
    audiences: Collection[str]
    algorithms: Collection[str]
    skew: timedelta
    """By how much the provider's clock may differ from ours."""
    claims: ClaimRules

    def __post_init__(self) -> None:
        """Raise ValueError for an algorithm that would let others sign."""
        for name in self.algorithms:
            if name not in ALGORITHMS:
                raise ValueError(f"no algorithm '{name}' for tokens; there are {', '.join(ALGORITHMS)}")


class _Known(NamedTuple):
    caller: Caller
    until: float
    generation: int


class Tokens:
    """Verifies tokens."""

    def __init__(self, rules: TokenRules, keys: SigningKeys, clock: Callable[[], datetime]) -> None:
        self._rules, self._keys, self._clock = rules, keys, clock
        self._registry = jws.JWSRegistry(algorithms=list(rules.algorithms), strict_check_header=False)
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    async def caller(self, token: str) -> Caller:
        """Return whose token this is; raise Unproven for one that does not hold, KeysUnavailable where nobody can tell."""
        digest, now = hashlib.sha256(token.encode()).digest(), self._clock().timestamp()
        known = self._known.get(digest)
        if known is not None and known.generation == self._keys.generation and now < known.until:
            self._known.move_to_end(digest)
            self._keys.keep_fresh()
            return known.caller
        claims = await self._claims(token, int(now))
        caller = caller_of(claims, self._rules.claims)
        until = min(claims["exp"], now + DAY) + self._rules.skew.total_seconds()
        self._known[digest] = _Known(caller, until, self._keys.generation)
        self._known.move_to_end(digest)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return caller

    async def close(self) -> None:
        """Give up reading keys."""
        await self._keys.close()

    async def _claims(self, token: str, now: int) -> dict[str, Any]:
        """Return the claims of a token that holds in every respect."""
        kid = self._key_named(token)
        keys = await self._keys.holding(kid)
        if keys is None:
            if self._keys.uncertain:
                raise KeysUnavailable("the keys of the OpenID provider cannot be read now")
            raise Unproven("KEY_UNKNOWN", "the token is signed with a key that its provider does not show; get a new token")
        try:
            claims = jwt.decode(token, keys, list(self._rules.algorithms), self._registry).claims
        except (JoseError, ValueError) as error:
            raise Unproven("SIGNATURE_WRONG", "the token's signature does not hold; get a new token") from error
        self._check(claims, now)
        return claims

    def _key_named(self, token: str) -> str | None:
        """Return the key id that the header names; raise Unproven for a header that is not allowed, before any key is looked at."""
        try:
            header = jws.extract_compact(token.encode() if len(token) <= CHARACTERS else b"", registry=self._registry).headers()
        except (JoseError, ValueError, TypeError, AttributeError):
            raise Unproven("TOKEN_UNREADABLE", f"the token is no signed JWT of at most {CHARACTERS:,} characters") from None
        if header.get("alg") not in self._rules.algorithms:
            allowed = ", ".join(self._rules.algorithms)
            raise Unproven("ALGORITHM_REFUSED", f"the token's algorithm is not allowed here; allowed are {allowed}")
        if str(header.get("typ", "JWT")).lower() not in TYPES:
            raise Unproven("TYPE_REFUSED", "the token is no access token by its typ; send the access token")
        kid = header.get("kid")
        if kid is not None and not isinstance(kid, str):
            raise Unproven("TOKEN_UNREADABLE", "the token's kid is no text")
        return kid

    def _check(self, claims: dict[str, Any], now: int) -> None:
        rules = self._rules
        registry = jwt.JWTClaimsRegistry(
            now=now,
            leeway=int(rules.skew.total_seconds()),
            iss={"essential": True, "value": rules.issuer},
            aud={"essential": True, "values": list(rules.audiences)},
            exp={"essential": True},
        )
        try:
            registry.validate(claims)
        except ExpiredTokenError:
            raise Unproven("TOKEN_EXPIRED", "the token has expired; get a new one") from None
        except MissingClaimError as missing:
            raise Unproven("CLAIM_MISSING", f"the token lacks a claim: {missing.description}") from None
        except InvalidClaimError as wrong:
            reason, what = REASONS.get(str(wrong.claim), ("CLAIM_UNUSABLE", f"has a claim that cannot be read: {wrong.claim}"))
            raise Unproven(reason, f"the token {what}") from None
        except (OverflowError, TypeError):
            raise Unproven("CLAIM_UNUSABLE", "the token has a time that cannot be read") from None
