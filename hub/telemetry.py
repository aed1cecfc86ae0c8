"""Logs and metrics. Metrics live in a registry that app.py makes, so that two hubs in one process do not mix."""

import contextlib
import io
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO, cast

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from schema.identifiers import redact


class Metrics:
    """All that /metrics shows; each name is documented by its help text."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.calls = Counter(
            "bihuan_platform_calls",
            "Calls to platforms by operation and outcome",
            ["platform", "operation", "outcome"],
            registry=self.registry,
        )
        self.call_seconds = Histogram(
            "bihuan_platform_call_seconds", "Seconds that calls to platforms took", ["platform"], registry=self.registry
        )
        self.webhooks = Counter(
            "bihuan_webhooks", "Webhooks by platform and what became of them", ["platform", "outcome"], registry=self.registry
        )
        self.eligibility = Counter(
            "bihuan_eligibility", "Questions of the approval system by outcome", ["outcome"], registry=self.registry
        )
        self.live_reads = Counter(
            "bihuan_live_reads",
            "Records that the graph asked live, by platform and outcome: OK or the error's code",
            ["platform", "outcome"],
            registry=self.registry,
        )
        self.obligations = Gauge(
            "bihuan_obligations", "Obligations by platform and state", ["platform", "state"], registry=self.registry
        )
        self.deliveries_waiting = Gauge(
            "bihuan_deliveries_waiting", "Deliveries stored and not yet applied", ["platform"], registry=self.registry
        )
        self.quarantined = Gauge(
            "bihuan_quarantined", "Quarantined records without a good version since", ["platform"], registry=self.registry
        )
        self.paused = Gauge(
            "bihuan_platform_paused_seconds",
            "Seconds since an operator paused the platform; 0 if not",
            ["platform"],
            registry=self.registry,
        )
        self.silenced = Gauge(
            "bihuan_platform_silenced",
            "1 while alerts about the platform are to be silent: it is paused or in maintenance",
            ["platform"],
            registry=self.registry,
        )
        self.clock_ahead = Gauge(
            "bihuan_platform_clock_ahead_seconds",
            "Seconds by which the platform's clock is ahead of ours; negative: behind",
            ["platform"],
            registry=self.registry,
        )
        self.clock_limit = Gauge(
            "bihuan_platform_clock_limit_seconds",
            "Difference of clocks that the platform allows",
            ["platform"],
            registry=self.registry,
        )
        self.secret_used = Gauge(
            "bihuan_secret_last_used_timestamp_seconds",
            "When a secret was last used, epoch seconds; position 0 is the newest",
            ["platform", "purpose", "position"],
            registry=self.registry,
        )
        self.ops_items = Gauge("bihuan_ops_items_open", "Items that wait for a person", registry=self.registry)
        self.replica_read = Gauge(
            "bihuan_replica_read", "1 while the graph reads the read replica, 0 while it reads the primary", registry=self.registry
        )
        self.replica_lag = Gauge(
            "bihuan_replica_lag_seconds", "Seconds by which the read replica may be behind", registry=self.registry
        )
        self.subscriptions = Gauge("bihuan_subscriptions", "Subscriptions that this process feeds now", registry=self.registry)

    def count_operations(self, counts: Callable[[], Mapping[str, int]]) -> None:
        """Show from now on how many operations of the graph were answered how."""
        self.registry.register(_Operations(counts))

    def observe_call(self, platform: str, operation: str, outcome: str, seconds: float) -> None:
        """Count a call to a platform; `Surroundings.observe`."""
        self.calls.labels(platform, operation, outcome).inc()
        self.call_seconds.labels(platform).observe(seconds)


class _Operations(Collector):
    """Asks for the numbers when they are shown, so that counting costs an operation next to nothing."""

    def __init__(self, counts: Callable[[], Mapping[str, int]]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """Yield the numbers."""
        family = CounterMetricFamily(
            "bihuan_graph_operations",
            "Operations answered by a plan (COMPILED), or by graphql-core for a reason: docs/graph-executor.md",
            labels=["how"],
        )
        for how, number in self._counts().items():
            family.add_metric([how], number)
        yield family


def redact_event(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Mask identity and telephone numbers in every text of a log line, tracebacks and what lies in lists included."""
    return {name: _redacted(value) for name, value in event.items()}


def _redacted(value: Any) -> Any:
    if isinstance(value, bool | int | float | None):
        return value
    if isinstance(value, Mapping):
        return {redact(str(name)): _redacted(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(each) for each in value]
    return redact(str(value))


class Forwarding(logging.Handler):
    """Hands on what libraries log, so that it is masked as well and looks like everything else."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it under the library's name."""
        log = structlog.get_logger()
        log.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info or None)


class Outlet(io.TextIOBase):
    """A stream for logs. A line that cannot be written (the disk is full, the pipe is closed) is dropped: work goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write it, or drop it."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written, or drop it."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def configure_logs(level: str, *, as_json: bool) -> None:
    """Send structured logs to standard error; called once by the command line."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact_event,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", Outlet(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    # Libraries tell of trouble only: at the level of debugging they would show signatures and tokens.
    logging.basicConfig(level=logging.WARNING, handlers=[Forwarding()], force=True)
