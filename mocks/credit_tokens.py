"""Access tokens of the credit platform (credit.md, "Access"): client credentials, ten a minute, revocable before their time."""

import hmac
import random
from datetime import datetime, timedelta
from urllib.parse import parse_qs

import msgspec
from starlette.responses import Response

from mocks.quota import Quota

_NO_STORE = {"Cache-Control": "no-store"}


class Tokens:
    """Issues and remembers tokens; a new start of the platform forgets them all."""

    def __init__(self, client_id: str, client_secret: str, *, seconds: int, a_minute: int, rng: random.Random) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._seconds = seconds
        self._quota = Quota(a_minute, 60.0)
        self._rng = rng
        self._until: dict[str, datetime] = {}

    def wait(self, now: datetime) -> float:
        """Count a request for a token; return 0.0, or the seconds to wait where there were too many in the last minute."""
        return self._quota.take(now)

    def answer(self, content_type: str, body: bytes, now: datetime) -> Response:
        """Return the token, or the error in OAuth's own words (RFC 6749, 5.2)."""
        if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
            return _error("invalid_request", "a form is wanted: application/x-www-form-urlencoded")
        try:
            form = parse_qs(body.decode(), keep_blank_values=True, strict_parsing=True)
        except (ValueError, UnicodeDecodeError):
            return _error("invalid_request", "the form cannot be read")
        if any(len(values) > 1 for values in form.values()) or "grant_type" not in form:
            return _error("invalid_request", "each parameter once, grant_type among them")
        if form["grant_type"] != ["client_credentials"]:
            return _error("unsupported_grant_type", "client_credentials is the only grant")
        given = f"{form.get('client_id', [''])[0]}\n{form.get('client_secret', [''])[0]}"
        if not hmac.compare_digest(given.encode(), f"{self._client_id}\n{self._client_secret}".encode()):
            return _error("invalid_client", "client_id or client_secret is wrong", 401)
        token = f"{self._rng.getrandbits(192):048x}"
        self._until[token] = now + timedelta(seconds=self._seconds)
        content = {"access_token": token, "token_type": "Bearer", "expires_in": self._seconds}
        return Response(msgspec.json.encode(content), 200, _NO_STORE, "application/json")

    def valid(self, authorization: str, now: datetime) -> bool:
        """Tell whether an Authorization header carries a token that was issued, has time left and was not revoked."""
        scheme, _, token = authorization.partition(" ")
        until = self._until.get(token.strip()) if scheme.lower() == "bearer" else None
        return until is not None and now < until

    def revoke_all(self) -> int:
        """Revoke every token before its time; return how many there were."""
        revoked = len(self._until)
        self._until.clear()
        return revoked


def _error(error: str, description: str, status: int = 400) -> Response:
    content = {"error": error, "error_description": description}
    return Response(msgspec.json.encode(content), status, _NO_STORE, "application/json")
