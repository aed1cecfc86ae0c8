"""Every setting of the hub, read once from the environment. Used by cli, demo and app only.

`HUB_<NAME>` for the hub's own, `HUB_<PLATFORM>_<NAME>` for a platform's (its connector says which). Lists are separated by
commas. Any setting may come from a file: `HUB_<NAME>_FILE=/run/secrets/...` holds its value. Secrets never show in errors.
"""

import difflib
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, IPvAnyNetwork, SecretStr, ValidationError

from connectors.base import PlatformSettings
from connectors.registry import CONNECTORS
from hub.access.settings import AccessSettings, access_problems
from hub.alerts.settings import AlertSettings, alert_problems
from hub.mirror.database import CONNECTIONS
from hub.web.origins import check_origin

PREFIX = "HUB_"
M = TypeVar("M", bound=BaseModel)


class SettingsError(Exception):
    """Settings are missing or wrong; each problem names the setting and its cure."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _at_least(least: int) -> AfterValidator:
    def check(days: int) -> int:
        if days and days < least:
            raise ValueError(f"{days} days are too few; give {least} or more, or 0 to keep for ever")
        return days

    return AfterValidator(check)


Days30 = Annotated[int, _at_least(30)]
Days183 = Annotated[int, _at_least(183)]


class HubSettings(AccessSettings, AlertSettings):
    """The hub's own settings, HUB_<NAME>."""

    model_config = ConfigDict(frozen=True)

    database_url: str = Field(
        "sqlite:///bihuan.db",
        pattern=r"^(sqlite:///.|postgresql(\+asyncpg)?://)",
        repr=False,  # it may hold a password
        description="sqlite:///path, or postgresql://user:password@host/name; several hosts: @host:5432,host:5432/name",
    )
    database_read_url: str | None = Field(
        None,
        pattern=r"^postgresql(\+asyncpg)?://",
        repr=False,
        description="A streaming standby of that database, which the graph reads; the database itself if not set",
    )
    database_read_lag_seconds: float = Field(
        30.0, gt=0, description="Seconds that the standby may be behind; beyond that the graph reads the database itself"
    )
    database_connections: int = Field(
        CONNECTIONS,
        ge=1,
        description="Connections to a PostgreSQL that a process uses at a time, beside one for webhooks and one for wake-ups",
    )
    platforms: tuple[str, ...] = Field(tuple(CONNECTORS), description="Platforms that are bridged, comma separated")
    pii_keys: tuple[SecretStr, ...] = Field(
        min_length=1,
        description="Keys that personal data is encrypted with, each `<id>:<base64 of 32 bytes>`; the first writes, all read",
    )
    pii_join_key: SecretStr = Field(
        min_length=16, description="Key of the HMAC that joins equal personal data; 16 characters or more"
    )
    policy_dir: Path | None = Field(None, description="Folder of the policy files; the package's own if not set")
    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one")
    share_port: bool = Field(
        False,
        description="Whether several `bihuan serve` of this machine listen on the same port, and the system spreads connections "
        "over them (SO_REUSEPORT); needs a PostgreSQL",
    )
    probe_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Port on which this `bihuan serve` alone shows /livez, /readyz and /metrics, beside HUB_PORT; "
        "for those that share a port; none if not set",
    )
    work_port: int | None = Field(
        None, ge=0, le=65535, description="Port on which `bihuan work` serves /livez, /readyz and /metrics; none if not set"
    )
    worker_inside: bool = Field(True, description="Whether `bihuan serve` polls and works too; `bihuan work` does it elsewhere")
    poll: bool = Field(True, description="Whether streams are polled")
    lease_seconds: float = Field(
        90.0,
        gt=0,
        description="Seconds that a worker's claim lasts until it is renewed; longer than any platform's deadline",
    )
    echo_seconds: float = Field(
        120.0, gt=0, description="Seconds within which what was accepted must be seen; then it is looked up"
    )
    sweep_seconds: float = Field(300.0, gt=0, description="Seconds between two sweeps over what changed since the last one")
    full_sweep_seconds: float = Field(3600.0, gt=0, description="Seconds between two sweeps of all rules over the whole mirror")
    waiting_seconds: float = Field(10.0, gt=0, description="Seconds between two looks at what waits")
    schedule_lease_seconds: float = Field(
        15.0, gt=0, description="Seconds after which another process takes over regular work (sweeps, counts) of one that died"
    )
    seal_seconds: float = Field(
        1.0, gt=0, description="Seconds between two blocks that seal what changed, and give it its public position"
    )
    prune_seconds: float = Field(21_600.0, gt=0, description="Seconds between two looks for what is kept longer than it must be")
    keep_deliveries_days: Days30 = Field(
        400,
        description="Days that an applied webhook is kept as it came, 30 or more; 0 for ever. 400: longer than a repair's year",
    )
    keep_attempts_days: Days30 = Field(400, description="Days that calls for an obligation that has ended are kept; 0 for ever")
    keep_quarantine_days: Days30 = Field(400, description="Days that the content of a released quarantine is kept; 0 for ever")
    keep_ops_items_days: Days30 = Field(
        1100, description="Days that the texts of a settled item of the ops list are kept; 0 for ever"
    )
    keep_drift_days: Days30 = Field(
        400, description="Days that a difference with a platform is kept after it was repaired or was no more; 0 for ever"
    )
    keep_changes_days: Days183 = Field(
        0, description="Days that versions of a record other than its last two are kept, 183 or more; 0 for ever"
    )
    keep_audit_days: Days183 = Field(
        0, description="Days that the audit is kept, 183 or more (Cybersecurity Law, art. 21: logs six months at least); 0 for ever"
    )
    keep_obligation_changes_days: int = Field(
        30, gt=0, description="Days for which changes of obligations are kept, so that subscribers can go on behind them"
    )
    score_seconds: float = Field(
        900.0, gt=0, description="Seconds between two comparisons of our count of points with the credit platform's figures"
    )
    score_patience_seconds: float = Field(
        600.0, gt=0, description="Seconds that figures of points may differ by themselves; then they are read live, and ops is told"
    )
    idle_seconds: float = Field(1.0, gt=0, description="Seconds after which an idle worker looks again")
    rescue_seconds: float = Field(
        5.0, gt=0, description="Seconds between two looks for what dead processes had claimed and for what was not seen in time"
    )
    backoff_seconds: float = Field(
        1.0, gt=0, description="Seconds before the second try of a failed call; doubles with each failure"
    )
    backoff_most_seconds: float = Field(300.0, gt=0, description="Longest wait between two tries, in seconds")
    poll_lease_seconds: float = Field(
        60.0, gt=0, description="Seconds that a process may read one page of a stream before another takes over"
    )
    stale_seconds: float = Field(
        300.0, gt=0, description="Seconds without a successful read after which a platform's records are stale"
    )
    keep_refusals_days: int = Field(30, gt=0, description="Days after which the record of a refused webhook is forgotten")
    clock_warning_seconds: float = Field(
        30.0, gt=0, description="Seconds by which a platform's clock may differ from ours before that is a warning"
    )
    drift_seconds: float = Field(
        86400.0, ge=0, description="Seconds between two comparisons with a platform by its digests; 0: only by `bihuan drift`"
    )
    full_read_seconds: float = Field(
        604800.0,
        ge=0,
        description="Seconds between two readings from the beginning of what a platform gives no digests of; 0: only by hand",
    )
    drift_grace_seconds: float = Field(
        120.0, ge=0, description="Seconds by which a change may come later than its stream was read, and is no drift yet"
    )
    drift_percent: int = Field(
        10, gt=0, le=100, description="Percent of a platform's quota that comparisons and readings from the beginning may take"
    )
    live_percent: int = Field(
        25, gt=0, le=100, description="Percent of a platform's quota, and of its calls under way, that live reads (maxAge) may take"
    )
    tombstone_percent: int = Field(
        1, ge=0, le=100, description="Percent of an entity's records that are marked as gone without asking an operator"
    )
    tombstones_unasked: int = Field(20, ge=0, description="So many records of an entity are marked as gone without asking anyway")
    webhook_limit_bytes: int = Field(2_000_000, gt=0, description="Largest webhook body, bytes")
    webhook_seconds: float = Field(
        4.0, gt=0, description="Seconds within which a webhook is answered; what is not stored by then is to be sent again"
    )
    webhook_waiting: int = Field(2000, gt=0, description="Webhooks that may wait to be stored; more are to be sent again (503)")
    webhook_waiting_bytes: int = Field(
        64_000_000, gt=0, description="Bytes of webhooks that may wait to be stored, and as many that may be coming in"
    )
    eligibility_seconds: float = Field(
        2.8, ge=0.5, lt=3, description="Seconds within which a question of eligibility is answered; the approval system waits 3 s"
    )
    eligibility_under_way: int = Field(
        200, gt=0, description="Questions of eligibility under way at once, outside the graph and in it each; one more is refused"
    )
    graph_under_way: int = Field(100, gt=0, description="GraphQL requests under way at once; one more is refused (503)")
    graph_limit_bytes: int = Field(200_000, gt=0, description="Largest GraphQL request body, bytes")
    subscriptions: int = Field(
        1000, gt=0, description="WebSockets and event streams open at once, and operations under way on them; one more is refused"
    )
    subscriptions_of_connection: int = Field(
        20, gt=0, description="Operations under way on one WebSocket at once; one more is refused"
    )
    subscription_window: int = Field(
        2000, ge=400, description="Newest changes kept for all subscribers of a process; who falls further behind is cut off"
    )
    subscription_slow_seconds: float = Field(
        10.0, gt=0, description="Seconds for which a subscriber may take nothing that is sent to it before it is cut off"
    )
    subscription_beat_seconds: float = Field(
        15.0, gt=0, description="Seconds between signs of life to a subscriber; each time its key is looked at again"
    )
    graph_rate_per_second: float = Field(
        100.0,
        ge=0,
        description="GraphQL requests a second of one client (key, token's name, else address), each process; 0: no limit",
    )
    graph_burst: int = Field(500, gt=0, description="GraphQL requests that a client may make at once after a while of silence")
    reveals_per_hour: int = Field(
        60, ge=0, description="Personal fields that one caller may have shown in clear text in an hour (revealPersonalData)"
    )
    graph_documents: Path | None = Field(
        None, description="Trusted documents: a manifest that `bihuan documents` made, or a folder of .graphql files; read at start"
    )
    graph_documents_only: bool = Field(False, description="Whether nothing but trusted documents is executed")
    graph_anonymous: bool = Field(False, description="Whether the graph may be read without a key (scope graph:read)")
    production: bool = Field(True, description="Whether introspection and explorer are off")
    explorer: bool | None = Field(
        None, description="Whether the graph may be introspected, and explored at /explorer; where not set, unless HUB_PRODUCTION"
    )
    trusted_proxies: tuple[IPvAnyNetwork, ...] = Field(
        (), description="Addresses or networks whose X-Forwarded-For is believed, comma separated"
    )
    base_path: str = Field(
        "",
        pattern=r"^((/[A-Za-z0-9._~-]+)+)?$",
        description="Path below which a reverse proxy shows the hub, as /bihuan, whether it passes that on or takes it away",
    )
    cors_origins: tuple[Annotated[str, AfterValidator(check_origin)], ...] = Field(
        (), description="Origins whose pages may read the graph in a browser, each https://host or https://host:port"
    )
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="Least level that is logged")
    log_json: bool = Field(True, description="Whether log lines are JSON; else they are for people")

    @property
    def explored(self) -> bool:
        """Return whether introspection is answered, and the explorer served."""
        return not self.production if self.explorer is None else self.explorer


class Settings(BaseModel):
    """All settings together."""

    model_config = ConfigDict(frozen=True)

    hub: HubSettings
    platforms: Mapping[str, Any]
    """Platform -> its connector's own settings."""

    def platform(self, name: str) -> PlatformSettings:
        """Return a platform's settings."""
        found: PlatformSettings = self.platforms[name]
        return found


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings that the environment gives; raise SettingsError with all that is missing or wrong."""
    problems: list[str] = []
    given = _with_files({name: value for name, value in environ.items() if name.startswith(PREFIX)}, problems)
    known = set(_names(HubSettings, PREFIX))
    hub = _read(HubSettings, PREFIX, given, problems)
    platforms: dict[str, PlatformSettings] = {}
    chosen = hub.platforms if isinstance(hub, HubSettings) else tuple(CONNECTORS)
    unknown = [name for name in chosen if name not in CONNECTORS]
    problems += [f"HUB_PLATFORMS: no connector '{name}'; there are {', '.join(CONNECTORS)}" for name in unknown]
    for name, connector in CONNECTORS.items():
        prefix = f"{PREFIX}{name.upper()}_"
        known |= set(_names(connector.settings_class, prefix))
        if name in chosen and (read := _read(connector.settings_class, prefix, given, problems)) is not None:
            platforms[name] = read
    for name in sorted(set(given) - known):
        near = difflib.get_close_matches(name, known, 1)
        problems.append(f"{name}: no such setting" + (f"; did you mean {near[0]}?" if near else "; docs/settings.md lists all"))
    if hub is not None:
        if hub.database_read_url and not hub.database_url.startswith("postgresql"):
            problems.append("HUB_DATABASE_READ_URL: a file has no standby; set HUB_DATABASE_URL to a PostgreSQL, or leave it out")
        if hub.share_port and not hub.database_url.startswith("postgresql"):
            problems.append("HUB_SHARE_PORT: a file is one process's own; set HUB_DATABASE_URL to a PostgreSQL, or leave this out")
        problems += access_problems(hub)
        if hub.graph_documents_only and hub.graph_documents is None:
            problems.append("HUB_GRAPH_DOCUMENTS_ONLY: no operation could be executed; set HUB_GRAPH_DOCUMENTS, or leave this out")
        problems += _short_leases(hub, platforms)
        problems += alert_problems(hub)
    if problems or hub is None:
        raise SettingsError(problems)
    return Settings(hub=hub, platforms=platforms)


def _short_leases(hub: HubSettings, platforms: Mapping[str, PlatformSettings]) -> list[str]:
    """Name the leases that would be over while what they are for goes on, so that processes take it from each other for ever."""
    problems = []
    for name, each in platforms.items():
        deadline = f"{PREFIX}{name.upper()}_DEADLINE_SECONDS, {each.deadline_seconds:g} s"
        for lease, seconds, then in (
            ("HUB_LEASE_SECONDS", hub.lease_seconds, "claims would end before their calls"),
            ("HUB_POLL_LEASE_SECONDS", hub.poll_lease_seconds, "a slow page would be taken over again and again"),
        ):
            if seconds <= each.deadline_seconds:
                problems.append(
                    f"{lease}: {seconds:g} s is not longer than {deadline}: {then}; make one longer or the other shorter"
                )
    return problems


def database_url(environ: Mapping[str, str]) -> str:
    """Return HUB_DATABASE_URL alone, for what needs no other setting; raise SettingsError."""
    problems: list[str] = []
    names = {f"{PREFIX}DATABASE_URL", f"{PREFIX}DATABASE_URL_FILE"}
    given = _with_files({name: value for name, value in environ.items() if name in names}, problems)
    url = given.get(f"{PREFIX}DATABASE_URL", "").strip() or HubSettings.model_fields["database_url"].default
    if problems:
        raise SettingsError(problems)
    return str(url)


def _with_files(given: dict[str, str], problems: list[str]) -> dict[str, str]:
    """Replace each X_FILE by X with the file's content, trailing line break left out."""
    plain = {name: value for name, value in given.items() if not name.endswith("_FILE")}
    for name, path in given.items():
        if not name.endswith("_FILE"):
            continue
        if name.removesuffix("_FILE") in plain:
            problems.append(f"{name}: {name.removesuffix('_FILE')} is set too; keep one of them")
        try:
            plain[name.removesuffix("_FILE")] = Path(path).read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{name}: cannot read '{path}' ({type(error).__name__}); name a readable file")
    return plain


def _names(model: type[BaseModel], prefix: str) -> list[str]:
    return [prefix + name.upper() for name in model.model_fields]


def _read(model: type[M], prefix: str, given: Mapping[str, str], problems: list[str]) -> M | None:
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if (text := given.get(prefix + name.upper())) is not None and text.strip():
            values[name] = (
                [part.strip() for part in text.split(",") if part.strip()] if _is_list(field.annotation) else text.strip()
            )
    try:
        return model.model_validate(values)
    except ValidationError as error:
        for wrong in error.errors(include_input=False, include_url=False, include_context=False):
            name = str(wrong["loc"][0]) if wrong["loc"] else ""
            what = {
                "missing": "is missing, and has no default",
                "string_pattern_mismatch": "has another form than it must have",
            }.get(wrong["type"], wrong["msg"])
            if len(wrong["loc"]) > 1 and isinstance(place := wrong["loc"][1], int):
                what = f"value {place + 1}: {what}"
            says = f"; it is: {model.model_fields[name].description}" if name in model.model_fields else ""
            problems.append(f"{prefix}{name.upper()}: {what}{says}")
        return None


def _is_list(annotation: Any) -> bool:
    if get_origin(annotation) in {Union, UnionType}:
        return any(_is_list(option) for option in get_args(annotation))
    return get_origin(annotation) is tuple
