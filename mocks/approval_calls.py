"""How the approval system lets a call in and reads its parameters (approval.md, "Transport and envelope" and "Signature")."""

import hmac
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec
from starlette.responses import Response

from mocks.approval_records import beijing_moment
from mocks.approval_signing import is_nonce, sign
from mocks.people import is_identity_number, is_uscc
from mocks.quota import Quota
from mocks.store import Document

_FAR_OFF: Final = timedelta(seconds=300)
_NONCE_MEMORY: Final = timedelta(minutes=15)
_KEY_CHANGE: Final = timedelta(hours=24)


class Refused(Exception):
    """The call is answered with one of the page's codes."""

    def __init__(self, code: str, message: str, data: Document | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


def envelope(code: str, message: str, data: Document | None) -> Response:
    """Return the one envelope, with HTTP status 200."""
    content = msgspec.json.encode({"code": code, "msg": message, "data": data})
    return Response(content, 200, media_type="application/json; charset=utf-8")


class Sentry:
    """Lets a signed call in, or says why not: timestamp, signature, nonce, then the rate limit, in this order."""

    def __init__(self, app_key: str, secrets: Sequence[str], calls_per_second: int) -> None:
        self._app_key = app_key
        self._secrets: list[tuple[str, datetime | None]] = [(secret, None) for secret in secrets]
        self._quota = Quota(calls_per_second)
        self._nonces: set[str] = set()
        self._nonce_ages: deque[tuple[datetime, str]] = deque()

    @property
    def newest(self) -> str:
        """Return the secret that signs callbacks."""
        return self._secrets[0][0]

    def rotate(self, secret: str, now: datetime) -> None:
        """Make secret the newest; the one before it is valid for 24 hours more, older ones no longer."""
        self._secrets = [(secret, None), (self.newest, now + _KEY_CHANGE)]

    def check(self, headers: Mapping[str, str], path: str, body: bytes, now: datetime) -> None:
        """Raise Refused unless the call may come in."""
        timestamp, nonce = headers.get("x-timestamp", ""), headers.get("x-nonce", "")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 15):
            raise Refused("40001", "X-Timestamp: epoch milliseconds wanted")
        if abs(now.timestamp() - int(timestamp) / 1000) > _FAR_OFF.total_seconds():
            raise Refused("40102", "timestamp more than 300 s off")
        valid = [secret for secret, until in self._secrets if until is None or now < until]
        signatures = [
            sign(secret, app_key=self._app_key, timestamp=timestamp, nonce=nonce, path=path, body=body).encode() for secret in valid
        ]
        given = headers.get("x-sign", "").encode()
        matching = [signature for signature in signatures if hmac.compare_digest(given, signature)]
        if not matching or headers.get("x-app-key") != self._app_key:
            raise Refused("40101", "signature wrong or appKey unknown")
        self._spend(nonce, now)
        wait = self._quota.take(now)
        if wait:
            raise Refused("42901", "more than 20 calls in one second", {"retryAfterMs": int(wait * 1000) + 1})

    def _spend(self, nonce: str, now: datetime) -> None:
        if not is_nonce(nonce):
            raise Refused("40001", "X-Nonce: 8 to 64 of A-Z a-z 0-9 - wanted")
        while self._nonce_ages and now - self._nonce_ages[0][0] > _NONCE_MEMORY:
            self._nonces.discard(self._nonce_ages.popleft()[1])
        if nonce in self._nonces:
            raise Refused("40103", "nonce already used")
        self._nonces.add(nonce)
        self._nonce_ages.append((now, nonce))


class Parameters:
    """The JSON object of one call; every reader raises Refused 40001 naming the parameter that is missing or malformed."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    @classmethod
    def parse(cls, body: bytes, content_type: str) -> "Parameters":
        """Read the body of a call."""
        if content_type.partition(";")[0].strip().lower() != "application/json":
            raise Refused("40001", "Content-Type: application/json; charset=utf-8 wanted")
        try:
            return cls(msgspec.json.decode(body, type=dict[str, Any]))
        except msgspec.DecodeError as problem:
            raise Refused("40001", f"body: a JSON object wanted ({problem})") from problem

    def text(self, name: str) -> str:
        """Return a required text that is not empty."""
        value = self._values.get(name)
        if not isinstance(value, str) or not value:
            raise Refused("40001", f"{name}: text wanted")
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a text, or None where it is absent, null or empty."""
        return self.text(name) if self._values.get(name) else None

    def texts(self, name: str, most: int) -> list[str]:
        """Return a list of at most so many texts."""
        value = self._values.get(name)
        if not isinstance(value, list) or len(value) > most or not all(isinstance(text, str) for text in value):
            raise Refused("40001", f"{name}: a list of at most {most} texts wanted")
        return value

    def integer(self, name: str, least: int, most: int | None) -> int:
        """Return an integer from least to most (None: open)."""
        value = self._values.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < least or (most is not None and value > most):
            raise Refused("40001", f"{name}: an integer from {least}{f' to {most}' if most else ' on'} wanted")
        return value

    def moment(self, name: str) -> datetime:
        """Return a time `yyyy-MM-dd HH:mm:ss`, Beijing."""
        moment = beijing_moment(self._values.get(name))
        if moment is None:
            raise Refused("40001", f"{name}: yyyy-MM-dd HH:mm:ss wanted")
        return moment

    def day(self, name: str) -> str:
        """Return a day `yyyy-MM-dd` as it was sent."""
        value = self._values.get(name)
        try:
            good = isinstance(value, str) and date.fromisoformat(value).isoformat() == value
        except ValueError:
            good = False
        if not good:
            raise Refused("40001", f"{name}: yyyy-MM-dd wanted")
        return str(value)

    def subject_number(self, name: str) -> str:
        """Return a USCC or an identity number, check digits included."""
        value = self.text(name)
        if not (is_uscc(value) or is_identity_number(value)):
            raise Refused("40001", f"{name}: a unified social credit code or an identity number wanted")
        return value
