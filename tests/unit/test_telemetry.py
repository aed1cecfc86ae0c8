"""Logs mask personal numbers wherever they stand, also in what libraries log."""

import errno
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from hub.metrics import Metrics
from hub.telemetry import configure_logs, redact_event

PHONE, IDENTITY = "13905790001", "33072519790830142X"


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is written to the log while a test runs; afterwards everything is as it was."""
    out, root = io.StringIO(), logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    monkeypatch.setattr("sys.stderr", out)
    configure_logs("debug", as_json=True)
    yield out
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(logged: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in logged.getvalue().splitlines()]


def test_numbers_are_masked_in_texts_lists_names_and_tracebacks(logged: io.StringIO) -> None:
    event, wrong, log = f"event {PHONE}", ValueError(f"no such telephone {PHONE}"), structlog.get_logger()
    told = {"keys": [PHONE, (IDENTITY,)], "by": {PHONE: {"of": IDENTITY}}, "error": wrong}
    log.error(event, **told, count=3, good=True, none=None, exc_info=wrong)
    (line,) = lines(logged)
    assert PHONE not in json.dumps(line)
    assert IDENTITY not in json.dumps(line)
    assert (line["count"], line["good"], line["none"], line["event"]) == (3, True, None, "event 139******01")
    assert "ValueError" in line["exception"]


@pytest.mark.parametrize("at", range(7_970, 8_005))
def test_a_long_text_is_logged_without_its_middle_and_no_number_is_cut_in_two(at: int) -> None:
    text = " " * at + IDENTITY + " " * 30_000 + IDENTITY + " " * at
    shown = redact_event(None, "info", {"event": text})["event"]
    assert len(shown) < 16_100
    assert f"[{len(text) - 16_000:,} characters left out]" in shown
    assert "0830142" not in shown
    assert "330725" not in shown


def test_what_libraries_log_is_masked_and_only_trouble_is_shown(logged: io.StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: POST with a token")
    logging.getLogger("a.library").error("Exception in %s", PHONE, exc_info=ValueError(IDENTITY))
    (line,) = lines(logged)
    assert (line["logger"], line["level"], line["event"]) == ("a.library", "error", "Exception in 139******01")
    assert IDENTITY not in json.dumps(line)


@pytest.mark.parametrize(
    "trouble", [BrokenPipeError(), OSError(errno.ENOSPC, "No space left on device"), ValueError("I/O operation on closed file")]
)
def test_a_line_that_cannot_be_written_stops_nothing(
    logged: io.StringIO, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def refuse(_text: str) -> int:
        raise trouble

    monkeypatch.setattr(logged, "write", refuse)
    structlog.get_logger().error("the hub's own")
    logging.getLogger("a.library").error("a library's")
    monkeypatch.undo()
    assert lines(logged) == []


def test_an_unchanged_event_stays_as_it_is() -> None:
    event = {"event": "put back", "lost": 2, "key": "approval-verification:YW201908150001"}
    assert redact_event(None, "info", dict(event)) == event


def test_two_hubs_in_one_process_count_for_themselves() -> None:
    one, other = Metrics(), Metrics()
    one.observe_call("credit", "GET /v2/changes", "OK", 0.25)
    labels = {"platform": "credit", "operation": "GET /v2/changes", "outcome": "OK"}
    assert one.registry.get_sample_value("bihuan_platform_calls_total", labels) == 1
    assert other.registry.get_sample_value("bihuan_platform_calls_total", labels) is None
