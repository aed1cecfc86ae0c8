"""One trace from a webhook through apply, rule and attempt to the echo, over platforms, crashes and other processes."""

import asyncio
import subprocess
import sys
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from hub.app import Hub
from hub.cases.play import BEIJING
from hub.otel import OtelTracing, otel_tracing
from hub.settings import load_settings
from hub.simulation.clock import in_simulated_time
from hub.simulation.stage import Ground, Stage, staged_on
from hub.tracing import within
from mocks.people import make_subject
from tests.e2e.trace_collector import collector, said
from tests.unit.test_settings import complete

MONDAY = datetime(2019, 9, 2, 9, 0, tzinfo=BEIJING)
PACE = {"IDLE_SECONDS": "5", "RESCUE_SECONDS": "5", "SEAL_SECONDS": "5", "ECHO_SECONDS": "60", "LEASE_SECONDS": "30"}


def told(span: ReadableSpan, name: str) -> object:
    return (span.attributes or {}).get(f"bihuan.{name}")


def in_memory(exporter: InMemorySpanExporter) -> OtelTracing:
    return OtelTracing(exporter, at_once=True)


def play(folder: Path, tracing: OtelTracing, **settings: str) -> dict[str, list[str]]:
    """Grant two approvals while enforcement is down, kill the hub, let another go on; return what enforcement's calls carried."""
    carried: dict[str, list[str]] = defaultdict(list)

    async def playing() -> None:
        ground = Ground(tracing=tracing)
        async with staged_on(ground, folder, 7, 600.0, **{**PACE, **settings}) as stage:
            listen(stage, carried)
            enforcement, approval = stage.platforms.enforcement, stage.platforms.approval
            await asyncio.sleep(30.0)  # behind the first polls, so that webhooks are first
            enforcement.faults = enforcement.faults.changed({"outage": True})
            for _ in range(2):
                approval.grant(make_subject(approval.rng, "1"), procedure="1")
            await asyncio.sleep(20.0)
            await stage.kill()
            enforcement.faults = enforcement.faults.changed({"outage": False})
            await stage.start()
            await stage.settled(within=7200.0)

    in_simulated_time(playing(), MONDAY)
    return carried


def listen(stage: Stage, carried: dict[str, list[str]]) -> None:
    for name, wire in stage.wires.items():
        behind = wire.behind.handle_async_request

        async def note(request, name=name, behind=behind):  # type: ignore[no-untyped-def]
            carried[name].append(request.headers.get("traceparent", ""))
            return await behind(request)

        wire.behind.handle_async_request = note  # type: ignore[method-assign]


def test_a_webhook_and_all_that_follows_from_it_is_one_trace(tmp_path: Path) -> None:
    exporter = InMemorySpanExporter()
    carried = play(tmp_path, in_memory(exporter))
    spans = exporter.get_finished_spans()
    rules = [span for span in spans if span.name == "rule" and told(span, "rule") == "approval-verification"]
    assert len({told(span, "key") for span in rules}) == 2
    assert len({span.context.trace_id for span in rules if span.context}) == 2, "each approval has a trace of its own"
    for rule in rules:
        assert rule.context
        ours = [span for span in spans if span.context and span.context.trace_id == rule.context.trace_id]
        (door,) = (span for span in ours if span.parent is None)
        assert (door.name, told(door, "platform")) == ("webhook", "approval")
        attempts = [span for span in ours if span.name == "attempt" and told(span, "key") == told(rule, "key")]
        outcomes = [told(span, "outcome") for span in attempts]
        assert outcomes[-1] == "ACCEPTED"
        assert len(outcomes) > 1, "the first was before the crash"
        (echo,) = (span for span in ours if span.name == "echo" and told(span, "key") == told(rule, "key"))
        assert [link.context.trace_id != rule.context.trace_id for link in echo.links] == [True], "what showed it came by itself"
        known = {span.context.span_id for span in ours if span.context}
        assert all(span.parent.span_id in known for span in ours if span.parent), "a span hangs in the air"
        assert {"webhook", "apply", "rule", "attempt", "call", "echo"} <= {span.name for span in ours}
    assert carried["enforcement"]
    assert not any(each for some in carried.values() for each in some), "a platform was told, and its page does not know of it"


def test_a_collector_receives_one_trace_from_webhook_to_echo(tmp_path: Path) -> None:
    with collector() as (endpoint, received):
        tracing = otel_tracing(endpoint)
        play(tmp_path, tracing)
        tracing.close()
    assert {each.path for each in received} == {"/v1/traces"}
    assert {service for each in received for service in each.services} == {"bihuan"}
    spans = [span for each in received for span in each.spans]
    rules = [span for span in spans if span.name == "rule" and said(span, "rule") == "approval-verification"]
    assert len({rule.trace_id for rule in rules}) == 2
    for rule in rules:
        ours = [span for span in spans if span.trace_id == rule.trace_id]
        (door,) = (span for span in ours if not span.parent_span_id)
        assert (door.name, said(door, "platform")) == ("webhook", "approval")
        assert {span.parent_span_id for span in ours if span.parent_span_id} <= {span.span_id for span in ours}
        about = {span.name for span in ours if said(span, "key") == said(rule, "key")}
        assert {"rule", "attempt", "echo"} <= about
        assert {"apply", "call"} <= {span.name for span in ours}
        assert all(span.end_time_unix_nano >= span.start_time_unix_nano > 0 for span in ours)


async def test_a_hub_that_is_told_where_sends_there_and_leaves_nothing_behind_when_it_ends(tmp_path: Path) -> None:
    with collector() as (endpoint, received):
        hub = Hub(load_settings(complete() | {"HUB_OTEL_ENDPOINT": endpoint, "HUB_DATABASE_URL": f"sqlite:///{tmp_path}/hub.db"}))
        with within(hub.observing.tracing, "webhook", platform="grid"):
            pass
        await hub.observing.close()
    assert [(span.name, said(span, "platform")) for each in received for span in each.spans] == [("webhook", "grid")]


def test_a_span_in_which_something_failed_says_so_by_the_kind_of_the_error_alone() -> None:
    exporter = InMemorySpanExporter()
    with pytest.raises(ValueError, match="138"), within(in_memory(exporter), "attempt"):
        raise ValueError("13800000000 cannot be reached")
    (span,) = exporter.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ValueError")


def test_traces_hold_no_personal_data(tmp_path: Path) -> None:
    exporter = InMemorySpanExporter()
    play(tmp_path, in_memory(exporter))
    texts = [str(value) for span in exporter.get_finished_spans() for value in (span.attributes or {}).values()]
    assert len(texts) > 100
    assert not any(name in text for text in texts for name in ("测试", "有限公司", "身份证", "1390579"))


def test_a_platform_that_bears_it_is_told_the_trace(tmp_path: Path) -> None:
    exporter = InMemorySpanExporter()
    carried = play(tmp_path, in_memory(exporter), ENFORCEMENT_TRACEPARENT="true")
    assert not any(carried["credit"])
    assert not any(carried["approval"])
    of = {each.split("-")[1] for each in carried["enforcement"] if each}
    assert of & {
        f"{span.context.trace_id:032x}" for span in exporter.get_finished_spans() if span.context and span.name == "attempt"
    }


def test_nothing_of_opentelemetry_is_loaded_without_the_setting() -> None:
    look = "import sys, hub.app, hub.commands; sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
