"""What the enforcement connector can be told (HUB_ENFORCEMENT_<FIELD>)."""

from datetime import date, timedelta

from pydantic import Field, SecretStr

from connectors.http import HttpSettings


class EnforcementSettings(HttpSettings):
    """Settings of the enforcement platform behind its gateway."""

    access_key: str = Field(min_length=1, description="Our access key at the gateway")
    secrets: tuple[SecretStr, ...] = Field(
        min_length=1, description="Secrets of that key, newest first, comma separated; the newest signs our calls"
    )
    callback_access_key: str = Field(min_length=1, description="Access key in the platform's webhooks")
    callback_secrets: tuple[SecretStr, ...] = Field(
        min_length=1, description="Secrets that sign webhooks, newest first, comma separated"
    )
    callback_fresh_seconds: float = Field(900, gt=0, description="Seconds by which a webhook's date may be off, both ways")
    webhook_limit_bytes: int | None = Field(
        16_000_000,
        gt=0,
        description="Largest body of a webhook of this platform, bytes, where that is more than `HUB_WEBHOOK_LIMIT_BYTES`: "
        "a batch holds up to 100 whole tasks",
    )
    visible_seconds: float = Field(3, ge=0, description="Seconds after which what was made or changed is visible to every query")
    margin_seconds: float = Field(2, ge=0, description="Seconds beyond the platform's own times before anything is made again")
    overlap_seconds: float = Field(30, ge=4, description="Seconds by which reading stays behind, for what shows up late")
    history_since: date = Field(date(1970, 1, 1), description="First day to read changes of (Beijing)")

    @property
    def carried_out_after(self) -> timedelta:
        """Return how long after an unanswered write its outcome is certain."""
        return timedelta(seconds=self.dropped_after_seconds + self.margin_seconds)

    @property
    def visible_after(self) -> timedelta:
        """Return how long after an unanswered creation a look-up that finds nothing proves that nothing was made."""
        return self.carried_out_after + timedelta(seconds=self.visible_seconds)
