"""Calls to the credit platform with its access token (credit.md, Transport and Access). Used by connectors/credit.py only."""

from collections.abc import Awaitable, Callable, Container
from datetime import timedelta
from typing import TypeVar
from urllib.parse import urlencode

import httpx
import msgspec
from pydantic import Field, SecretStr, field_validator

from connectors.base import Surroundings
from connectors.credit_records import PLATFORM, problem_reason
from connectors.credit_token import Token, TokenKeeper
from connectors.errors import ConnectorError, PermanentError, TransientError
from connectors.http import Build, HttpSettings, Judge, PlatformClient
from connectors.signing import standard_webhook_key
from connectors.signing_secrets import SecretRefused, SigningSecrets
from schema.identifiers import redact

T = TypeVar("T")

REFUSALS = frozenset(range(400, 500)) - {408, 425, 429}
"""Statuses that say no, in a problem document; the others of 4xx say not now."""
CODES = {404: "NOT_FOUND", 409: "CONFLICT", 422: "INVALID"}


class CreditSettings(HttpSettings):
    """Settings of the credit platform, read from HUB_CREDIT_<FIELD>."""

    client_id: str = Field(min_length=1, description="OAuth client id")
    client_secret: SecretStr = Field(min_length=1, description="OAuth client secret")
    old_client_secret: SecretStr | None = Field(
        None, min_length=1, description="The client secret before it, during a change: used where the platform refuses the new one"
    )
    exchange_key: SecretStr = Field(
        min_length=1, description="Exchange key agreed with the platform: makes RID codes of natural persons' numbers"
    )
    webhook_secrets: tuple[SecretStr, ...] = Field(
        min_length=1, description="Standard Webhooks secrets (whsec_ and base64), the newest first, comma separated"
    )
    webhook_tolerance_seconds: float = Field(300.0, gt=0, description="Seconds that the time of a webhook may be off")
    settling_seconds: float = Field(5.0, ge=0, description="Seconds after which nothing appears in the feed behind a seq any more")
    token_ahead_seconds: float = Field(60.0, ge=0, description="Seconds before its end at which a token is renewed")
    token_calls_a_minute: int = Field(10, gt=0, description="Tokens that one process asks for in a minute at most")
    repeat_seconds: float = Field(1.0, ge=0, description="Seconds before an unanswered write is repeated; bizNo makes that safe")

    @property
    def client_secrets(self) -> tuple[SecretStr, ...]:
        """Return the client secrets that may get a token, the newest first."""
        return (self.client_secret,) if self.old_client_secret is None else (self.client_secret, self.old_client_secret)

    @field_validator("webhook_secrets")
    @classmethod
    def _are_keys(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for secret in secrets:
            standard_webhook_key(secret.get_secret_value())
        return secrets


class _TokenRefused(ConnectorError):
    """The platform did not take the token, and therefore did nothing."""


class CreditCalls:
    """Makes the calls; each carries a token that is fetched, kept and renewed here."""

    def __init__(self, settings: CreditSettings, surroundings: Surroundings) -> None:
        self.client = PlatformClient(PLATFORM, settings, surroundings)
        self._settings = settings
        self._secrets = SigningSecrets(PLATFORM, settings.client_secrets, surroundings)
        self._tokens = TokenKeeper(
            PLATFORM,
            self._fetch_token,
            surroundings.clock,
            ahead=timedelta(seconds=settings.token_ahead_seconds),
            a_minute=settings.token_calls_a_minute,
        )

    async def read(
        self,
        operation: str,
        path: str,
        parameters: dict[str, str],
        make: Judge[T],
        *,
        known: Container[int] = (),
        shared: bool = False,
    ) -> T:
        """Return what `make` makes of the answer to a GET, tried again as PlatformClient.read does.

        `operation` names the call in messages and metrics, without the numbers in its path; `known` are the refusals that
        `make` takes itself, any other raises PermanentError.
        """
        same = (path, *sorted(parameters.items())) if shared else None
        return await self._with_token(
            lambda: self.client.request("GET", path, params=parameters or None),
            self._judge(operation, make, known),
            lambda build, judge: self.client.read(operation, build, judge, accept=REFUSALS, same=same),
        )

    async def write(self, operation: str, method: str, path: str, body: object, make: Judge[T], *, known: Container[int] = ()) -> T:
        """Return what `make` makes of the answer to a write, sent once as PlatformClient.write does."""
        content = msgspec.json.encode(body)
        return await self._with_token(
            lambda: self.client.request(method, path, content=content, headers={"Content-Type": "application/json"}),
            self._judge(operation, make, known),
            lambda build, judge: self.client.write(
                operation, build, judge, accept=REFUSALS, repeat_after=self._settings.repeat_seconds
            ),
        )

    async def close(self) -> None:
        """Close connections."""
        self._tokens.close()
        await self.client.close()

    async def _with_token(
        self, request: Callable[[], httpx.Request], judge: Judge[T], send: Callable[[Build, Judge[T]], Awaitable[T]]
    ) -> T:
        async def build() -> httpx.Request:
            token = await self._tokens.current()
            built = request()
            built.headers["Authorization"] = f"Bearer {token}"
            return built

        try:
            return await send(build, judge)
        except _TokenRefused:
            pass  # revoked before its time: once again with a new one
        try:
            return await send(build, judge)
        except _TokenRefused as refused:
            raise TransientError(PLATFORM, "TOKEN_REVOKED", f"{refused}: a new token was refused as well") from refused

    def _judge(self, operation: str, make: Judge[T], known: Container[int]) -> Judge[T]:
        def judge(response: httpx.Response) -> T:
            if response.is_success or response.status_code in known:
                return make(response)
            status = response.status_code
            if status == 401 and "invalid_token" in response.headers.get("www-authenticate", ""):
                self._tokens.drop(response.request.headers["Authorization"].removeprefix("Bearer "))
                raise _TokenRefused(PLATFORM, "TOKEN_REVOKED", f"{operation}: invalid_token")
            reason, said = problem_reason(response.content)
            code = reason or CODES.get(status, f"HTTP_{status}")
            raise PermanentError(PLATFORM, code, f"{operation}: refused, HTTP {status}: {redact(said)}")

        return judge

    async def _fetch_token(self) -> Token:
        try:
            return await self._secrets.signed(self._token_for)
        except SecretRefused as refused:
            raise PermanentError(PLATFORM, refused.code, str(refused).removeprefix(f"{PLATFORM}: ")) from refused

    async def _token_for(self, client_secret: str) -> Token:
        form = {"grant_type": "client_credentials", "client_id": self._settings.client_id, "client_secret": client_secret}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self.client.exempt(
            "POST /oauth/token",
            lambda: self.client.request("POST", "/oauth/token", content=urlencode(form).encode(), headers=headers),
            _token,
            accept=REFUSALS,
        )


class _OauthError(msgspec.Struct, frozen=True):
    error: str = ""


def _token(response: httpx.Response) -> Token:
    if response.is_success:
        return msgspec.json.decode(response.content, type=Token)
    try:
        error = msgspec.json.decode(response.content, type=_OauthError).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        error = ""
    # RFC 6749, 5.2: only invalid_client speaks of the secret.
    refusal = SecretRefused if error == "invalid_client" else PermanentError
    raise refusal(
        PLATFORM,
        "TOKEN_REFUSED",
        f"POST /oauth/token: HTTP {response.status_code} {error}: check HUB_CREDIT_CLIENT_ID and HUB_CREDIT_CLIENT_SECRET",
    )
