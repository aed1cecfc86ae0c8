"""Structured logs: masked, one line an event, never in the way of the work. What a line holds: docs/operations.md."""

import contextlib
import io
import logging
import sys
from collections.abc import Mapping
from typing import Any, TextIO, cast

import structlog

from hub.tracing import trace_id
from schema.identifiers import redact

LONGEST = 16_000
"""Characters of a text that are logged, half of them its beginning and half its end; clients' texts have no end."""
NUMBER = 64
"""Characters that are looked at beyond these, so that no number is cut in two and shown."""


def add_trace_id(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Say in which trace a line was logged, where there is one."""
    if (found := trace_id()) is not None:
        event["trace_id"] = found
    return event


def redact_event(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Mask identity and telephone numbers in every text of a log line, tracebacks and what lies in lists included."""
    return {name: _redacted(value) for name, value in event.items()}


def _redacted(value: Any) -> Any:
    if isinstance(value, bool | int | float | None):
        return value
    if isinstance(value, Mapping):
        return {_text(str(name)): _redacted(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(each) for each in value]
    return _text(str(value))


def _text(text: str) -> str:
    """Return the text masked, its middle left out where it is too long; masking changes no length."""
    if len(text) <= LONGEST:
        return redact(text)
    half = LONGEST // 2
    begin, end = redact(text[: half + NUMBER])[:half], redact(text[-half - NUMBER :])[-half:]
    return f"{begin} [{len(text) - LONGEST:,} characters left out] {end}"


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
            add_trace_id,
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
