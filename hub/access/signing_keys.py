"""The public keys of an OpenID provider, as far as they are known: read again when a token names another one, and now and then.

A provider that is down stops nobody whose key is known. Whoever makes up key ids makes us ask it once in `reload_every` at most.
"""

import asyncio
import warnings
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
import structlog
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import JWKRegistry, Key, KeySet, RSAKey

from hub.access.key_sources import Source

WAITING = 20
"""Requests that wait for a key that is not known; whoever makes up key ids must not take the room of others."""
KINDS = {"RSA", "EC", "OKP"}
RSA_BITS = 2048
"""The least that is held to be safe (NIST SP 800-131A)."""

ALGORITHMS: Collection[str] = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519",
)  # fmt: skip
"""All that may be allowed: asymmetric, so that who can verify cannot sign. `none` and HS* never are (RFC 8725, section 3.1)."""

log = structlog.get_logger()


class SigningKeys:
    """`generation` grows whenever another set of keys is known: what was verified by the one before must be verified anew."""

    def __init__(self, source: Source, *, clock: Callable[[], datetime], reload_every: timedelta, refresh_every: timedelta) -> None:
        self._source, self._clock = source, clock
        self._reload_every, self._refresh_every = reload_every, refresh_every
        self._known: dict[str, dict[str, Any]] = {}
        self._keys = KeySet([])
        self._tried_at: datetime | None = None
        self._reading: asyncio.Task[None] | None = None
        self._failed = True
        self._waiting = 0
        self.generation = 0

    async def holding(self, kid: str | None) -> KeySet | None:
        """Return the keys, the named one among them; None if it is not there, read again if that is allowed by now.

        Where the key is known, nobody waits: what is old is read anew beside.
        """
        if self._has(kid):
            self.keep_fresh()
        else:
            await self._again(self._reload_every)
        return self._keys if self._has(kid) else None

    def keep_fresh(self) -> None:
        """Have keys read anew that were read long ago; nobody waits for it."""
        if self._is_older(self._refresh_every):
            self._read_beside()

    @property
    def uncertain(self) -> bool:
        """Return whether a key that is not known may be a good one all the same: the last reading failed, or is under way."""
        return self._failed or self._reading is not None

    async def close(self) -> None:
        """Give up reading."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _has(self, kid: str | None) -> bool:
        return kid in self._known if kid is not None else len(self._known) == 1

    def _is_older(self, age: timedelta) -> bool:
        """Whichever way the clock was set meanwhile."""
        return self._tried_at is None or abs(self._clock() - self._tried_at) >= age

    async def _again(self, every: timedelta) -> None:
        if self._reading is None and self._is_older(every):
            self._read_beside()
        if self._reading is not None and self._waiting < WAITING:
            self._waiting += 1
            try:
                await asyncio.shield(self._reading)  # all who wait share it, and one who goes leaves it to the others
            finally:
                self._waiting -= 1

    def _read_beside(self) -> None:
        if self._reading is None:
            self._tried_at = self._clock()
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(lambda _done: setattr(self, "_reading", None))

    async def _read(self) -> None:
        try:
            found = usable_keys(await self._source())
        except (OSError, httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            reason = str(error) or type(error).__name__
            log.warning("the keys of the OpenID provider cannot be read", error=reason, known=len(self._known))
            self._failed = True
            return
        self._failed = False
        if found != self._known:
            self._keys = KeySet([JWKRegistry.import_key(each) for each in found.values()])
            self._known = found
            self.generation += 1
            log.info("keys of the OpenID provider", known=sorted(found))


def usable_keys(content: bytes) -> dict[str, Any]:
    """Return the public keys of a JWKS that tokens can be verified with, by key id; raise ValueError if there is none.

    One that cannot be used is passed over, as RFC 7517, section 5, has it: symmetric ones, such as are for encryption, small ones.
    """
    told = msgspec.json.decode(content)
    listed = told.get("keys") if isinstance(told, dict) else None
    found: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # of keys that are too small: refused here
        for each in listed if isinstance(listed, list) else ():
            if (key := _usable(each)) is not None:
                found[str(key.kid)] = key.as_dict(private=False) | {"kid": str(key.kid)}
    if not found:
        raise ValueError("no key in it can verify a token: RSA of 2048 bits or more, EC or OKP, for signatures")
    return found


def _usable(told: Any) -> Key | None:
    try:
        if told["kty"] not in KINDS or told.get("use", "sig") != "sig":
            return None
        key = JWKRegistry.import_key(told)
        key.ensure_kid()
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("a key of the OpenID provider cannot be used", error=str(error) or type(error).__name__)
        return None
    if isinstance(key, RSAKey) and key.public_key.key_size < RSA_BITS:
        log.warning("a key of the OpenID provider is too small", kid=key.kid, bits=key.public_key.key_size)
        return None
    return key
