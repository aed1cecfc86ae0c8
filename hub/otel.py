"""Traces by OpenTelemetry, sent over OTLP/HTTP. Loaded only where HUB_OTEL_ENDPOINT is set; needs the extra `bihuan[otel]`."""

import time
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.trace import Link, Span, SpanContext, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from hub.tracing import Tracing, Value
from schema.identifiers import redact

FORMAT = TraceContextTextMapPropagator()
WAITING = 2048
"""Spans that may wait to be sent; more are dropped: the work goes on."""
SEND_SECONDS = 10
NANOSECONDS = 1_000_000_000


class OtelTracing(Tracing):
    """Spans into an exporter. Attributes begin with `bihuan.`, and hold no personal data: what could is masked."""

    on = True

    def __init__(self, exporter: SpanExporter, *, at_once: bool = False) -> None:
        """`at_once`: each span is handed over when it ends, for tests; else in batches, behind the work."""
        self._provider = TracerProvider(resource=Resource.create({"service.name": "bihuan"}))
        processor = SimpleSpanProcessor(exporter) if at_once else BatchSpanProcessor(exporter, max_queue_size=WAITING)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("bihuan")

    def begin(self, name: str, parent: str | None, attributes: dict[str, Value], *, link: str | None = None) -> Any:
        """Begin a span."""
        context = FORMAT.extract({"traceparent": parent}) if parent else None
        linked = _place(link)
        return self._tracer.start_span(
            name,
            context=context if context is not None else trace.set_span_in_context(trace.INVALID_SPAN),
            links=[Link(linked)] if linked is not None else None,
            attributes={f"bihuan.{key}": redact(value) if isinstance(value, str) else value for key, value in attributes.items()},
        )

    def place(self, span: Span) -> str | None:
        """Return a span's traceparent."""
        carrier: dict[str, str] = {}
        FORMAT.inject(carrier, trace.set_span_in_context(span))
        return carrier.get("traceparent")

    def note(self, span: Span, name: str, value: Value) -> None:
        """Add an attribute."""
        span.set_attribute(f"bihuan.{name}", redact(value) if isinstance(value, str) else value)

    def end(self, span: Span, *, error: BaseException | None = None, ago_seconds: float | None = None) -> None:
        """End a span; of an error its kind is told, its text may hold anything."""
        if error is not None:
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
        if ago_seconds is not None:
            span.set_attribute("bihuan.seconds", ago_seconds)
        span.end(time.time_ns())

    def close(self) -> None:
        """Send what waits, for a few seconds."""
        self._provider.shutdown()


def _place(traceparent: str | None) -> SpanContext | None:
    if traceparent is None:
        return None
    found = trace.get_current_span(FORMAT.extract({"traceparent": traceparent})).get_span_context()
    return found if found.is_valid else None


def otel_tracing(endpoint: str) -> OtelTracing:
    """Return traces that are sent to an endpoint, `http(s)://host:4318/v1/traces`."""
    return OtelTracing(OTLPSpanExporter(endpoint=endpoint, timeout=SEND_SECONDS))
