"""Every metric that /metrics shows, each with its meaning and whose figure it is. docs/metrics.md is printed from here.

A registry belongs to one hub, so that two of them in one process do not mix. Gauges are brought up to date by gauges.py.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

OPERATIONS = "bihuan_graph_operations"


class Whose(Enum):
    """Whose figure a metric is: add up those of processes; of those of the database take one, every process shows the same."""

    PROCESS = "process"
    DATABASE = "database"


class Described:
    """What docs/metrics.md tells of a metric."""

    def __init__(self, name: str, kind: str, labels: tuple[str, ...], whose: Whose, meaning: str) -> None:
        self.name, self.kind, self.labels, self.whose, self.meaning = name, kind, labels, whose, meaning

    @property
    def samples(self) -> tuple[str, ...]:
        """Return the names under which Prometheus keeps it."""
        if self.kind == "counter":
            return (f"{self.name}_total",)
        return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count")) if self.kind == "histogram" else (self.name,)


class Metrics:
    """The metrics of one hub."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.described: dict[str, Described] = {}
        self._gauges: list[tuple[Gauge, tuple[str, ...]]] = []
        process, database = Whose.PROCESS, Whose.DATABASE

        # --- what this process does
        self.calls = self._counter(
            "bihuan_platform_calls", "Calls to platforms by operation and outcome", "platform", "operation", "outcome"
        )
        self.call_seconds = self._histogram("bihuan_platform_call_seconds", "Seconds that calls to platforms took", "platform")
        self.quota_rate = self._gauge(
            process,
            "bihuan_platform_quota_per_second",
            "Calls a second that the platform allows all processes together",
            "platform",
        )
        self.webhooks = self._counter("bihuan_webhooks", "Webhooks by platform and what became of them", "platform", "outcome")
        self.eligibility = self._counter("bihuan_eligibility", "Questions of the approval system by outcome", "outcome")
        self.live_reads = self._counter(
            "bihuan_live_reads",
            "Records that the graph asked live, by platform and outcome: OK or the error's code",
            "platform",
            "outcome",
        )
        self.describe(
            Described(
                OPERATIONS,
                "counter",
                ("how",),
                process,
                "Operations answered by a plan (COMPILED), or by graphql-core for a reason: docs/graph-executor.md",
            )
        )
        self.subscriptions = self._gauge(process, "bihuan_subscriptions", "Subscriptions that this process feeds now")
        self.replica_read = self._gauge(
            process, "bihuan_replica_read", "1 while the graph reads the read replica, 0 while it reads the primary"
        )
        self.replica_lag = self._gauge(process, "bihuan_replica_lag_seconds", "Seconds by which the read replica may be behind")
        self.database_up = self._gauge(
            process, "bihuan_database_up", "1 if the database answered this process's last question, else 0"
        )
        self.disk_free = self._gauge(
            process, "bihuan_disk_free_bytes", "Bytes free where the embedded database is; not shown with a PostgreSQL"
        )
        self.disk_low = self._gauge(
            process, "bihuan_disk_low_bytes", "Bytes that should be free there, HUB_DISK_LOW_BYTES; not shown with a PostgreSQL"
        )
        self.alerts_told = self._counter("bihuan_alerts_told", "Messages to HUB_ALERT_WEBHOOK by outcome", "outcome")

        # --- how each platform does
        self.last_success = self._gauge(
            database,
            "bihuan_platform_last_success_timestamp_seconds",
            "When the platform was last read to its end, epoch seconds; its slowest stream counts",
            "platform",
        )
        self.lag = self._gauge(
            database, "bihuan_platform_lag_seconds", "Seconds since the platform was last read to its end", "platform"
        )
        self.stale_after = self._gauge(
            database,
            "bihuan_platform_stale_after_seconds",
            "Lag from which the platform's records are stale: HUB_STALE_SECONDS, or three polls where that is more",
            "platform",
        )
        self.streams_failing = self._gauge(
            database,
            "bihuan_platform_streams_failing",
            "Streams of the platform whose last reading failed; of those read now and then, that were missed three times",
            "platform",
        )
        self.breaker_open = self._gauge(
            database,
            "bihuan_platform_breaker_open",
            "1 while a process leaves the platform alone after failures in a row, until a call of it succeeds",
            "platform",
        )
        self.quota_wait = self._gauge(
            database,
            "bihuan_platform_quota_wait_seconds",
            "Seconds for which the platform's quota is given away in advance; 0: a call goes out at once",
            "platform",
        )
        self.paused = self._gauge(
            database, "bihuan_platform_paused_seconds", "Seconds since an operator paused the platform; 0 if not", "platform"
        )
        self.maintenance = self._gauge(database, "bihuan_maintenance", "1 while the platform is in maintenance", "platform")
        self.silenced = self._gauge(
            database,
            "bihuan_platform_silenced",
            "1 while alerts about the platform are to be silent: it is paused or in maintenance",
            "platform",
        )
        self.clock_ahead = self._gauge(
            database,
            "bihuan_platform_clock_ahead_seconds",
            "Seconds by which the platform's clock is ahead of ours; negative: behind",
            "platform",
        )
        self.clock_limit = self._gauge(
            database, "bihuan_platform_clock_limit_seconds", "Difference of clocks that the platform allows", "platform"
        )
        self.clock_off = self._gauge(
            database,
            "bihuan_platform_clock_off_seconds",
            "Seconds by which the platform's clock differs from ours at the least, either way",
            "platform",
        )
        self.clock_warning = self._gauge(
            database,
            "bihuan_platform_clock_warning_seconds",
            "Difference of clocks from which there is a warning, HUB_CLOCK_WARNING_SECONDS",
            "platform",
        )
        self.silent = self._gauge(
            database,
            "bihuan_platform_silent_seconds",
            "Seconds since the platform last told anything new, by whichever way; shown while all its streams are read well",
            "platform",
        )
        self.silence_limit = self._gauge(
            database,
            "bihuan_platform_silence_limit_seconds",
            "Silence that is unusual at this hour: in the same hours of the weeks before, it told something each time; "
            "not shown where no silence would be",
            "platform",
        )
        self.unannounced = self._gauge(
            database,
            "bihuan_platform_unannounced_records",
            "New records of kinds that the platform posts, and that polls found since its last webhook came",
            "platform",
        )
        self.secret_used = self._gauge(
            database,
            "bihuan_secret_last_used_timestamp_seconds",
            "When a secret was last used, epoch seconds; position 0 is the newest",
            "platform",
            "purpose",
            "position",
        )

        # --- what is owed, what waits
        self.obligations = self._gauge(database, "bihuan_obligations", "Obligations by platform and state", "platform", "state")
        self.backlog = self._gauge(database, "bihuan_platform_backlog", "Open obligations towards the platform", "platform")
        self.overdue = self._gauge(
            database, "bihuan_obligations_overdue", "Obligations that are open and were to be closed before now", "platform"
        )
        self.most_overdue = self._gauge(
            database,
            "bihuan_obligations_most_overdue_seconds",
            "Seconds by which the most overdue open obligation is late, from when it was derived where that was later; 0: none is",
            "platform",
        )
        self.deliveries_waiting = self._gauge(
            database, "bihuan_deliveries_waiting", "Deliveries stored and not yet applied", "platform"
        )
        self.oldest_waiting = self._gauge(
            database,
            "bihuan_deliveries_oldest_waiting_seconds",
            "Age of the oldest delivery that is stored and not yet applied; 0: none waits",
            "platform",
        )
        self.deliveries_failed = self._gauge(
            database,
            "bihuan_deliveries_failed",
            "Deliveries that could not be applied and wait to be replayed",
            "platform",
        )
        self.quarantined = self._gauge(
            database, "bihuan_quarantined", "Quarantined records without a good version since", "platform"
        )
        self.quarantined_lately = self._gauge(
            database,
            "bihuan_quarantined_lately",
            "Records quarantined within the last hour, and without a good version since",
            "platform",
        )
        self.ops_items = self._gauge(database, "bihuan_ops_items_open", "Items that wait for a person")
        self.schedule_ran = self._gauge(
            database,
            "bihuan_schedule_last_run_timestamp_seconds",
            "When regular work was last done to its end, epoch seconds",
            "schedule",
        )
        self.sweep_age = self._gauge(
            database, "bihuan_sweep_age_seconds", "Seconds since all rules were last asked about everything"
        )
        self.sweep_limit = self._gauge(
            database,
            "bihuan_sweep_limit_seconds",
            "Age from which that sweep is missed: three times HUB_FULL_SWEEP_SECONDS",
        )
        self.alerts = self._gauge(database, "bihuan_alerts", "Alerts of the hub itself that stand now, by name", "name")
        self.alerts_untold = self._gauge(
            database, "bihuan_alerts_untold", "Raised or cleared alerts that HUB_ALERT_WEBHOOK has not taken yet"
        )

    def describe(self, one: Described) -> None:
        """Let docs/metrics.md tell of a metric."""
        self.described[one.name] = one

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        self.describe(Described(name, "counter", labels, Whose.PROCESS, meaning))
        return Counter(name, meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, *labels: str) -> Histogram:
        self.describe(Described(name, "histogram", labels, Whose.PROCESS, meaning))
        return Histogram(name, meaning, labels, registry=self.registry)

    def _gauge(self, whose: Whose, name: str, meaning: str, *labels: str) -> Gauge:
        self.describe(Described(name, "gauge", labels, whose, meaning))
        gauge = Gauge(name, meaning, labels, registry=self.registry)
        if whose is Whose.DATABASE:
            self._gauges.append((gauge, labels))
        if not labels:
            gauge.set(float("nan"))  # nothing is known of it yet
        return gauge

    def forget_database(self) -> None:
        """Show nothing of what the database says: it was not asked yet, does not answer, or will be asked now."""
        for gauge, labels in self._gauges:
            if labels:
                gauge.clear()
            else:
                gauge.set(float("nan"))

    def count_operations(self, counts: Callable[[], Mapping[str, int]]) -> None:
        """Show from now on how many operations of the graph were answered how."""
        self.registry.register(_Operations(self.described[OPERATIONS].meaning, counts))

    def observe_call(self, platform: str, operation: str, outcome: str, seconds: float) -> None:
        """Count a call to a platform; `Surroundings.observe`."""
        self.calls.labels(platform, operation, outcome).inc()
        self.call_seconds.labels(platform).observe(seconds)


class _Operations(Collector):
    """Asks for the numbers when they are shown, so that counting costs an operation next to nothing."""

    def __init__(self, meaning: str, counts: Callable[[], Mapping[str, int]]) -> None:
        self._meaning = meaning
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """Yield the numbers."""
        family = CounterMetricFamily(OPERATIONS, self._meaning, labels=["how"])
        for how, number in self._counts().items():
            family.add_metric([how], number)
        yield family


def reference() -> str:
    """Return docs/metrics.md."""
    lines = [
        "# Metrics",
        "",
        "What `/metrics` of `bihuan serve`, and of `bihuan work` with `HUB_WORK_PORT`, shows to Prometheus. Printed by",
        "`bihuan metrics`; a test keeps it complete.",
        "",
        "- *process*: what that process did or sees. Add up the processes: `sum by (platform) (rate(bihuan_webhooks_total[5m]))`.",
        "- *database*: what all processes know, the same from each. Take one: `max by (platform) (bihuan_platform_backlog)`.",
        "  None is shown while the database does not answer.",
        "",
        "A counter's name ends in `_total` there; a histogram has `_bucket`, `_sum` and `_count`. Which of them mean trouble:",
        "[alerts](alerts.md).",
        "",
        "| metric | kind | labels | of | meaning |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in Metrics().described.values():
        labels = ", ".join(one.labels)
        lines.append(f"| `{one.name}` | {one.kind} | {labels} | {one.whose.value} | {one.meaning} |")
    return "\n".join(lines) + "\n"
