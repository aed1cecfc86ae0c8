"""What a demo keeps in its folder: secrets for hub and platforms, made once, and the settings that follow from them."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEY_NAME = "demo"
HISTORY_SINCE = "2026-01-01"
"""The city of the demo is young; the approval system is not asked for what was before it."""
SCOPES = "graph:read+ops:read+ops:act"


@dataclass(frozen=True)
class Household:
    """The folder of a demo and the secrets in it."""

    folder: Path
    secrets: dict[str, str]

    @classmethod
    def of(cls, folder: Path) -> "Household":
        """Return what the folder keeps; make it where it is new, and what an older one lacks. The file is its owner's alone."""
        folder.mkdir(parents=True, exist_ok=True)
        kept, own = folder / "secrets.json", _made_up()
        if kept.exists():
            own |= json.loads(kept.read_text())
        kept.touch(mode=0o600)
        kept.write_text(json.dumps(own, indent=2))
        return cls(folder, own)

    @property
    def exchange_url(self) -> str:
        """Return the address of the database that the self-governance system shares with the hub."""
        return f"sqlite:///{self.folder / 'platforms' / 'exchange.sqlite'}"

    def platforms_config(self, hub_url: str, seed: int) -> dict[str, Any]:
        """Return the configuration of the mock platforms."""
        own = self.secrets
        return {
            "data_dir": str(self.folder / "platforms"),
            "seed": seed,
            "hub_url": hub_url,
            "time_scale": 0.05,  # what is repeated after minutes comes after seconds, so that one sees it
            "approval": {"app_key": "bihuan", "app_secrets": [own["approval"]]},
            "credit": {
                "client_id": "bihuan",
                "client_secret": own["credit"],
                "exchange_key": own["exchange"],
                "webhook_secrets": [own["credit_webhook"]],
            },
            "grid": {"user": "bihuan", "password": own["grid"], "callback_user": "grid", "callback_password": own["grid_callback"]},
            "enforcement": {
                "access_key": "bihuan",
                "secrets": [own["enforcement"]],
                "callback_access_key": "enforcement",
                "callback_secrets": [own["enforcement_callback"]],
            },
            "selfgov": {"database_url": self.exchange_url, "late_commit_seconds": 3.0},
            # The demo's city lives at any hour.
            "sms": {"account": "bihuan", "secrets": [own["sms"]], "quiet_from": "00:00", "quiet_until": "00:00"},
        }

    def environment(self, urls: dict[str, str]) -> dict[str, str]:
        """Return the hub's settings for platforms at these addresses."""
        own = self.secrets
        key = hashlib.sha256(own["api_key"].encode()).hexdigest()
        return {
            "HUB_DATABASE_URL": f"sqlite:///{self.folder / 'hub.db'}",
            "HUB_PII_KEYS": f"demo:{own['pii']}",
            "HUB_PII_JOIN_KEY": own["pii_join"],
            "HUB_API_KEYS": f"{KEY_NAME}:{key}:{SCOPES}",
            "HUB_GRAPH_ANONYMOUS": "true",
            "HUB_PRODUCTION": "false",
            "HUB_LOG_LEVEL": "error",
            "HUB_LOG_JSON": "false",
            "HUB_PLATFORMS": ",".join(urls),
            "HUB_WAITING_SECONDS": "3",
            "HUB_SWEEP_SECONDS": "20",
            "HUB_FULL_SWEEP_SECONDS": "60",
            "HUB_ECHO_SECONDS": "30",
            **{f"HUB_{name.upper()}_URL": url for name, url in urls.items()},
            **{f"HUB_{name.upper()}_POLL_SECONDS": "2" for name in urls},
            **{f"HUB_{name.upper()}_DEADLINE_SECONDS": "5" for name in urls},
            "HUB_APPROVAL_HISTORY_SINCE": HISTORY_SINCE,
            "HUB_APPROVAL_APP_KEY": "bihuan",
            "HUB_APPROVAL_APP_SECRETS": own["approval"],
            "HUB_APPROVAL_EXCHANGE_KEY": own["exchange"],
            "HUB_CREDIT_CLIENT_ID": "bihuan",
            "HUB_CREDIT_CLIENT_SECRET": own["credit"],
            "HUB_CREDIT_EXCHANGE_KEY": own["exchange"],
            "HUB_CREDIT_WEBHOOK_SECRETS": own["credit_webhook"],
            "HUB_GRID_USER": "bihuan",
            "HUB_GRID_PASSWORD": own["grid"],
            "HUB_GRID_CALLBACK_USER": "grid",
            "HUB_GRID_CALLBACK_PASSWORDS": own["grid_callback"],
            "HUB_ENFORCEMENT_ACCESS_KEY": "bihuan",
            "HUB_ENFORCEMENT_SECRETS": own["enforcement"],
            "HUB_ENFORCEMENT_CALLBACK_ACCESS_KEY": "enforcement",
            "HUB_ENFORCEMENT_CALLBACK_SECRETS": own["enforcement_callback"],
            "HUB_SELFGOV_URL": self.exchange_url,  # what it serves is only the control interface
            "HUB_SMS_ACCOUNT": "bihuan",
            "HUB_SMS_SECRETS": own["sms"],
            "HUB_SMS_QUIET_FROM": "00:00",
            "HUB_SMS_QUIET_UNTIL": "00:00",
        }


def _made_up() -> dict[str, str]:
    plain = (
        "approval",
        "credit",
        "exchange",
        "grid",
        "grid_callback",
        "enforcement",
        "enforcement_callback",
        "sms",
        "pii_join",
        "api_key",
    )
    return {name: secrets.token_urlsafe(24) for name in plain} | {
        "pii": base64.b64encode(secrets.token_bytes(32)).decode(),
        "credit_webhook": "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode(),
    }
