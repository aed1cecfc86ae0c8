"""Traces: one from a webhook through apply, rule and attempt to the echo, across processes and restarts (docs/traces.md).

What is said here costs next to nothing while `Tracing` is off, which it is unless HUB_OTEL_ENDPOINT is set: then parts.py gives
`hub.otel.OtelTracing` instead. A place in a trace is a text, W3C's `traceparent`; it is kept with the delivery and the obligation.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

Value: TypeAlias = str | int | float | bool
TRACE_ID = slice(3, 35)
"""Where the id of the trace stands in a traceparent."""


class Tracing:
    """No traces. Times are those of the machine, whatever the hub's clock says."""

    on = False

    def begin(self, name: str, parent: str | None, attributes: dict[str, Value], *, link: str | None = None) -> Any:
        """Begin a span below a place (None: a new trace), linked to another; return what `place` and `end` take."""
        return None

    def place(self, span: Any) -> str | None:
        """Return a span's own place."""
        return None

    def note(self, span: Any, name: str, value: Value) -> None:
        """Say more of what a span did."""

    def end(self, span: Any, *, error: BaseException | None = None, ago_seconds: float | None = None) -> None:
        """End a span; `ago_seconds`: it began so long ago."""

    def close(self) -> None:
        """Send what is still to be sent, for a few seconds at most."""


OFF = Tracing()


class Here:
    """Where the work is now: a span that is begun when something first asks for its place, or is in it from the start."""

    def __init__(self, tracing: Tracing, name: str, parent: str | None, attributes: dict[str, Value]) -> None:
        self.tracing = tracing
        self._name, self._parent, self._attributes = name, parent, attributes
        self._span: Any = None

    def begin(self) -> None:
        """Begin the span, unless it was."""
        if self._span is None:
            self._span = self.tracing.begin(self._name, self._parent, self._attributes)

    @property
    def place(self) -> str | None:
        """Return the place of this span, for what follows from it."""
        self.begin()
        return self.tracing.place(self._span)

    @property
    def known(self) -> str | None:
        """Return the place if there is one, without making any."""
        return self._parent if self._span is None else self.tracing.place(self._span)

    def note(self, name: str, value: Value) -> None:
        """Say more of what this span did."""
        self.tracing.note(self._span, name, value)

    def end(self, error: BaseException | None) -> None:
        """End the span, if it was begun."""
        if self._span is not None:
            self.tracing.end(self._span, error=error)


_HERE: ContextVar[Here | None] = ContextVar("here", default=None)


@contextmanager
def within(
    tracing: Tracing, name: str, parent: str | None = None, *, lazy: bool = False, **attributes: Value
) -> Iterator[Here | None]:
    """Do something within a span; None where there are no traces. `lazy`: without a span unless something follows from it."""
    if not tracing.on:
        yield None
        return
    here = Here(tracing, name, parent, attributes)
    if not lazy:
        here.begin()
    before = _HERE.set(here)
    try:
        yield here
    except BaseException as error:
        here.end(error)
        raise
    else:
        here.end(None)
    finally:
        _HERE.reset(before)


def follows(name: str, **attributes: Value) -> str | None:
    """Note that something follows from where we are, as a span without length; return its place. None where there are no traces."""
    here = _HERE.get()
    return None if here is None else _mark(here.tracing, name, here.place, attributes)


def closes(name: str, trace: str | None, **attributes: Value) -> None:
    """Note that something of an earlier trace is closed by where we are; linked to the trace that showed it."""
    here = _HERE.get()
    if here is not None and trace is not None:
        _mark(here.tracing, name, trace, attributes, here.place)


def took(name: str, seconds: float, **attributes: Value) -> None:
    """Note something that has just ended, where we are."""
    here = _HERE.get()
    if here is not None:
        span = here.tracing.begin(name, here.place, attributes)
        here.tracing.end(span, ago_seconds=seconds)


def traceparent() -> dict[str, str]:
    """Return the header that tells a platform where we are; empty where there is no trace."""
    here = _HERE.get()
    place = None if here is None else here.place
    return {} if place is None else {"traceparent": place}


def trace_id() -> str | None:
    """Return the id of the trace that we are in, for the log."""
    here = _HERE.get()
    place = None if here is None else here.known
    return None if place is None else place[TRACE_ID]


def _mark(tracing: Tracing, name: str, parent: str | None, attributes: dict[str, Value], link: str | None = None) -> str | None:
    span = tracing.begin(name, parent, attributes, link=link)
    tracing.end(span)
    return tracing.place(span)
