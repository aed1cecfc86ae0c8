"""Every alert: its condition on metrics, how long that must hold, what it means. The only place where that stands.

The hub judges these conditions itself (judging.py); the rules for Prometheus and the table in docs/alerts.md are written from them
(writing.py).
"""

from dataclasses import dataclass
from enum import Enum
from typing import Literal, NamedTuple

SILENCED = "bihuan_platform_silenced"


class Severity(Enum):
    """How soon somebody should look: critical: now, also at night; warning: today."""

    CRITICAL = "critical"
    WARNING = "warning"


class Figure(NamedTuple):
    """A metric, or those of its samples whose label has a value."""

    metric: str
    label: str = ""
    value: str = ""


@dataclass(frozen=True)
class Alert:
    """A condition `figure is than limit`, for each value of the label `by`."""

    name: str
    figure: Figure
    is_: Literal[">", ">=", "<"]
    limit: float | str
    """A number, or the metric that holds it, with the same label."""
    summary: str
    """In words; `{of}` is whom it is about, `{number}` what was measured."""
    severity: Severity = Severity.WARNING
    by: Literal["platform", "instance", ""] = "platform"
    """`platform`: for each platform. `instance`: for each process, which the hub judges for itself. Empty: for the whole hub."""
    for_seconds: int = 0
    """How long it must hold."""
    silenced: bool = True
    """Whether it is silent while its platform is paused or in maintenance."""
    measure: Literal["s", "bytes", ""] = ""
    """What its number is."""

    @property
    def runbook(self) -> str:
        """Return where its page is, from the top of the source."""
        return f"docs/runbooks/{self.name}.md"


KEEP_SECONDS = 60
"""A raised alert is cleared when its condition has not held for so long: what comes and goes is told once."""

ALERTS: tuple[Alert, ...] = (
    Alert(
        "BihuanBreakerOpen",
        Figure("bihuan_platform_breaker_open"),
        ">",
        0,
        "{of} fails, and is left alone but for a probe now and then",
        Severity.CRITICAL,
    ),
    Alert(
        "BihuanSyncFailing",
        Figure("bihuan_platform_streams_failing"),
        ">",
        0,
        "{number} streams of {of} cannot be read",
        for_seconds=30,
    ),
    Alert(
        "BihuanStale",
        Figure("bihuan_platform_lag_seconds"),
        ">",
        "bihuan_platform_stale_after_seconds",
        "what the hub knows of {of} is {number} old",
        measure="s",
    ),
    Alert(
        "BihuanSilent",
        Figure("bihuan_platform_silent_seconds"),
        ">",
        "bihuan_platform_silence_limit_seconds",
        "{of} answers well, and has told nothing new for {number}, in hours in which it always did",
        measure="s",
    ),
    Alert(
        "BihuanWebhooksMissing",
        Figure("bihuan_platform_unannounced_records"),
        ">=",
        3,
        "{of} posts no webhooks: polls found {number} records since the last one",
        for_seconds=15,
    ),
    Alert(
        "BihuanClockSkew",
        Figure("bihuan_platform_clock_off_seconds"),
        ">",
        "bihuan_platform_clock_warning_seconds",
        "the clock of {of} and ours differ by {number}",
        measure="s",
    ),
    Alert(
        "BihuanOverdue",
        Figure("bihuan_obligations_most_overdue_seconds"),
        ">",
        600,
        "what is owed to {of} is up to {number} late",
        measure="s",
    ),
    Alert(
        "BihuanStuck",
        Figure("bihuan_obligations", "state", "STUCK"),
        ">",
        0,
        "{of} refused {number} obligations: a person has to look at them",
    ),
    Alert(
        "BihuanQuarantineGrowing",
        Figure("bihuan_quarantined_lately"),
        ">=",
        5,
        "{number} records of {of} could not be used within the last hour",
    ),
    Alert(
        "BihuanDeliveriesWaiting",
        Figure("bihuan_deliveries_oldest_waiting_seconds"),
        ">",
        300,
        "webhooks of {of} have waited for up to {number} to be applied",
        silenced=False,
        measure="s",
    ),
    Alert(
        "BihuanDeliveriesFailed",
        Figure("bihuan_deliveries_failed"),
        ">",
        0,
        "{number} webhooks of {of} could not be applied: they are kept, and nobody sends them again",
        silenced=False,
    ),
    Alert(
        "BihuanPausedLong",
        Figure("bihuan_platform_paused_seconds"),
        ">",
        28_800,
        "{of} has been paused for {number}: nothing is sent to it, and its other alerts are silent",
        silenced=False,
        measure="s",
    ),
    Alert(
        "BihuanSweepMissed",
        Figure("bihuan_sweep_age_seconds"),
        ">",
        "bihuan_sweep_limit_seconds",
        "all rules were last asked about everything {number} ago",
        by="",
        measure="s",
    ),
    Alert(
        "BihuanDiskLow",
        Figure("bihuan_disk_free_bytes"),
        "<",
        "bihuan_disk_low_bytes",
        "only {number} are free on the disk of the hub's database",
        Severity.CRITICAL,
        by="instance",
        measure="bytes",
    ),
    Alert(
        "BihuanDatabaseUnreachable",
        Figure("bihuan_database_up"),
        "<",
        1,
        "the hub's database does not answer: webhooks are not taken, nothing is sent",
        Severity.CRITICAL,
        by="instance",
        for_seconds=30,
    ),
)

BY_NAME = {alert.name: alert for alert in ALERTS}
