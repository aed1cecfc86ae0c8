"""Personal data at rest: AES-GCM under a ring of keys, and a keyed join value. Used by rows.py, built by app.py."""

import base64
import binascii
import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12


class SealError(ValueError):
    """A key ring or a sealed value is not usable; the message says which key is missing or what is wrong, never the data."""


class Seals:
    """Seals and opens values. The first key writes, all keys read; `join_key` makes equal values findable."""

    def __init__(self, keys: Sequence[tuple[str, bytes]], join_key: bytes) -> None:
        if not keys:
            raise SealError("no key to seal personal data with; set HUB_PII_KEYS to id:base64 of 32 bytes")
        self._keys = {key_id: AESGCM(key) for key_id, key in keys}
        first = keys[0][0].encode()
        self._head = bytes([len(first)]) + first
        self._writer = self._keys[keys[0][0]]
        self._join_key = join_key

    @classmethod
    def from_text(cls, keys: Sequence[str], join_key: str) -> "Seals":
        """Read `id:base64` keys of 16, 24 or 32 bytes; raise SealError naming the key's id, never its value."""
        ring: list[tuple[str, bytes]] = []
        for position, text in enumerate(keys, 1):
            key_id, _, encoded = text.partition(":")
            try:
                raw = base64.b64decode(encoded, validate=True)
            except (binascii.Error, ValueError):
                raw = b""
            if not 1 <= len(key_id.encode()) <= 255 or len(raw) not in {16, 24, 32}:
                raise SealError(f"HUB_PII_KEYS: key {position} is not <id>:<base64 of 32 bytes>")
            if key_id in dict(ring):
                raise SealError(f"HUB_PII_KEYS: key {position} has the id '{key_id}' of an earlier one; give it another id")
            ring.append((key_id, raw))
        return cls(ring, join_key.encode())

    def seal(self, clear: bytes) -> bytes:
        """Return the value encrypted under the first key; equal values give different results."""
        nonce = os.urandom(NONCE)
        return self._head + nonce + self._writer.encrypt(nonce, clear, None)

    def open(self, sealed: bytes) -> bytes:
        """Return the clear value; raise SealError when its key is not in the ring or it was changed."""
        length = sealed[0] if sealed else 0
        key_id = sealed[1 : 1 + length].decode(errors="replace")
        if (key := self._keys.get(key_id)) is None:
            raise SealError(f"sealed with key '{key_id}', which HUB_PII_KEYS no longer holds; add it again")
        try:
            return key.decrypt(sealed[1 + length : 1 + length + NONCE], sealed[1 + length + NONCE :], None)
        except (InvalidTag, ValueError):  # ValueError: it is shorter than any sealed value
            raise SealError(f"a value sealed with key '{key_id}' was changed, or the key is another one of the same name") from None

    def join(self, clear: str) -> bytes:
        """Return 16 bytes that are equal for equal values and say nothing else."""
        return hmac.digest(self._join_key, clear.encode(), "sha256")[:16]
