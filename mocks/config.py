"""What `python -m mocks` is told: one JSON file, everything optional; secrets that are missing are made up."""

import random
import secrets
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
import msgspec

from mocks.approval import ApprovalPlatform, ApprovalSettings
from mocks.callbacks import Sleep
from mocks.credit import CreditPlatform, CreditSettings
from mocks.enforcement import EnforcementPlatform, EnforcementSettings
from mocks.grid import GridPlatform, GridSettings
from mocks.platform import Clock, PlatformSettings
from mocks.selfgov import SelfgovPlatform, SelfgovSettings
from mocks.sms import SmsPlatform, SmsSettings

_SHARED: Final = ("data_dir", "hub_url", "time_scale")


class ConfigError(ValueError):
    """The configuration names something that is not there, or gives it an impossible value."""


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file. `data_dir`, `hub_url` and `time_scale` hold for every platform that does not say otherwise."""

    data_dir: str | None = None
    seed: int = 7
    hub_url: str = "http://127.0.0.1:8000"
    time_scale: float = 1.0
    approval: dict[str, Any] = {}
    credit: dict[str, Any] = {}
    grid: dict[str, Any] = {}
    enforcement: dict[str, Any] = {}
    selfgov: dict[str, Any] = {}
    sms: dict[str, Any] = {}


class AllSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of all platforms, complete."""

    approval: ApprovalSettings
    credit: CreditSettings
    grid: GridSettings
    enforcement: EnforcementSettings
    selfgov: SelfgovSettings
    sms: SmsSettings


class Platforms(NamedTuple):
    """The platforms, by name and one after the other."""

    approval: ApprovalPlatform
    credit: CreditPlatform
    grid: GridPlatform
    enforcement: EnforcementPlatform
    selfgov: SelfgovPlatform
    sms: SmsPlatform


def read_config(path: Path | None) -> Config:
    """Return the configuration of a file, the default one without; raise ConfigError naming the file and what is wrong."""
    if path is None:
        return Config()
    try:
        return msgspec.json.decode(path.read_bytes(), type=Config)
    except (OSError, msgspec.MsgspecError) as bad:
        raise ConfigError(f"{path}: {bad}") from bad


def complete_settings(config: Config) -> AllSettings:
    """Return settings with every secret filled in; raise ConfigError for an unknown or impossible setting."""
    shared = {name: getattr(config, name) for name in _SHARED}
    made_up: dict[str, Mapping[str, object]] = {
        "approval": {"app_key": "bihuan", "app_secrets": [_secret()]},
        "credit": {
            "client_id": "bihuan",
            "client_secret": _secret(),
            "exchange_key": _secret(),
            "webhook_secrets": ["whsec_" + b64encode(secrets.token_bytes(24)).decode()],
        },
        "grid": {"user": "bihuan", "password": _secret(), "callback_user": "grid", "callback_password": _secret()},
        "enforcement": {
            "access_key": "bihuan",
            "secrets": [_secret()],
            "callback_access_key": "enforcement",
            "callback_secrets": [_secret()],
        },
        "selfgov": {},
        "sms": {"account": "bihuan", "secrets": [_secret()]},
    }
    kinds: dict[str, type[PlatformSettings]] = {
        "approval": ApprovalSettings,
        "credit": CreditSettings,
        "grid": GridSettings,
        "enforcement": EnforcementSettings,
        "selfgov": SelfgovSettings,
        "sms": SmsSettings,
    }
    return AllSettings(
        **{name: _converted(name, kind, {**shared, **made_up[name], **getattr(config, name)}) for name, kind in kinds.items()}
    )


def built_platforms(
    settings: AllSettings, *, clock: Clock, sleep: Sleep, seed: int, transport: httpx.AsyncBaseTransport | None = None
) -> Platforms:
    """Return the platforms, not yet served; each has a random source of its own, made from the seed.

    `transport` replaces the network under their callbacks.
    """
    shared: dict[str, Any] = {"clock": clock, "sleep": sleep, "transport": transport}

    def source(name: str) -> random.Random:
        return random.Random(f"{seed} {name}")

    return Platforms(
        approval=ApprovalPlatform(settings.approval, rng=source("approval"), **shared),
        credit=CreditPlatform(settings.credit, rng=source("credit"), **shared),
        grid=GridPlatform(settings.grid, rng=source("grid"), **shared),
        enforcement=EnforcementPlatform(settings.enforcement, rng=source("enforcement"), **shared),
        selfgov=SelfgovPlatform(settings.selfgov, rng=source("selfgov"), **shared),
        sms=SmsPlatform(settings.sms, rng=source("sms"), **shared),
    )


def _converted(name: str, kind: type[PlatformSettings], values: Mapping[str, object]) -> Any:
    known = {field.name for field in msgspec.structs.fields(kind)}
    if unknown := sorted(set(values) - known):
        raise ConfigError(f"{name}: no setting {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as bad:
        raise ConfigError(f"{name}: {bad}") from bad


def _secret() -> str:
    return secrets.token_urlsafe(24)
