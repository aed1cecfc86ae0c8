"""The settings of alerts and traces, a part of the hub's own (hub/settings.py)."""

from pydantic import BaseModel, Field, SecretStr

from connectors.signing import standard_webhook_key

SHORTEST_KEY = 24
"""Bytes, by the Standard Webhooks specification."""


class AlertSettings(BaseModel):
    """What is noticed, and who is told."""

    alert_seconds: float = Field(15.0, gt=0, description="Seconds between two looks at what means trouble (docs/alerts.md)")
    alert_webhook: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#]+(/[^\s#]*)?$",
        repr=False,  # who knows it may post there
        description="Address to which raised and cleared alerts are posted (docs/alerts.md); nobody is told if not set",
    )
    alert_secret: SecretStr | None = Field(
        None, description="Secret that signs what is posted there, `whsec_<base64>` (Standard Webhooks)"
    )
    otel_endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#]+(/[^\s#]*)?$",
        description="Where traces are sent by OTLP over HTTP, as http://host:4318/v1/traces (docs/traces.md); no traces if not set",
    )
    disk_low_bytes: int = Field(
        1_000_000_000, ge=0, description="Bytes that should be free where the embedded database is; with less there is an alert"
    )


def alert_problems(own: AlertSettings) -> list[str]:
    """Return what is wrong with how alerts are signed, with its cure."""
    if own.alert_webhook is None:
        return []
    cure = "give `whsec_` and base64 of 24 bytes or more"
    if own.alert_secret is None:
        return [f"HUB_ALERT_SECRET: is missing, and HUB_ALERT_WEBHOOK is set; {cure}"]
    try:
        key = standard_webhook_key(own.alert_secret.get_secret_value())
    except ValueError:
        key = b""
    return [] if len(key) >= SHORTEST_KEY else [f"HUB_ALERT_SECRET: has another form than it must have; {cure}"]
