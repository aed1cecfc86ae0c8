"""Pauses and maintenance windows: the same for all processes, refused with a way out, harmless to repeat."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hub.app import Hub
from hub.levers import LONGEST_ASKED, LONGEST_WINDOW, Levers
from hub.mirror import ledger
from hub.mirror.database import Database
from hub.mirror.rows import Rows
from hub.parts import World
from hub.reconcile import claims
from hub.settings import load_settings
from schema.conditions import MaintenanceKind
from schema.entities import ObligationState
from schema.entities.obligation import waits_for
from schema.operations import Outcome
from tests.builders import approval, obligation, observed
from tests.settable_clock import START, SettableClock
from tests.unit.test_app import ask
from tests.unit.test_settings import complete

HOUR = timedelta(hours=1)
Processes = tuple[Hub, Hub]


@pytest.fixture
async def processes(tmp_path: Path, clock: SettableClock) -> AsyncIterator[Processes]:
    """Two processes on one database; nothing of theirs runs by itself."""
    environment = complete() | {
        "HUB_DATABASE_URL": f"sqlite:///{tmp_path / 'hub.db'}",
        "HUB_CREDIT_MAINTENANCE": "daily 12:00-13:00,sun 22:30-04:00",
    }
    one, other = (Hub(load_settings(environment), World(clock=clock, sleep=clock.sleep)) for _ in range(2))
    async with one.opened(), other.opened():
        yield one, other


def refusal(outcome: Outcome) -> tuple[str, str]:
    assert outcome.done == ()
    (error,) = outcome.refused
    return type(error).__name__, error.message


async def shown_waits(hub: Hub) -> object:
    found = await ask(hub, "{ obligations { edges { node { platform state waitsFor } } } }")
    return [edge["node"] for edge in found["obligations"]["edges"]]  # type: ignore[index]


async def test_a_paused_platform_gets_no_claim_from_any_process_and_goes_on_when_it_is_resumed(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = processes
    await one.applier.apply("approval", "approvals", [observed(approval())])
    await one.levers.pause("enforcement", "they move house", "lou")
    assert await other.worker._claim("enforcement", 10) == ()
    assert {state for _, state in await one.database.read(ledger.backlog)} == {"DUE"}
    await other.operator.refresh()
    assert await shown_waits(other) == [
        {
            "platform": "enforcement",
            "state": "DUE",
            "waitsFor": "PLATFORM_PAUSED: enforcement is paused; it goes on when an operator resumes it",
        }
    ]
    monkeypatch.setattr(claims, "_next_due_at", lambda connection, platform: 0)  # looked just before the pause
    assert await other.worker._claim("enforcement", 10) == ()
    await other.levers.resume("enforcement", "they are there", "wu")
    assert await shown_waits(other) == [{"platform": "enforcement", "state": "DUE", "waitsFor": None}]
    assert len(await one.worker._claim("enforcement", 10)) == 1


async def test_a_paused_platform_is_not_polled_and_not_asked_live(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = processes
    asked: list[str] = []

    def changes(stream: str, cursor: str | None) -> object:
        asked.append(stream)
        raise AssertionError("a paused platform was read")

    async def fetch(entity: str, keys: object) -> list[object]:
        asked.append(entity)
        return []

    for name in ("credit", "approval"):
        monkeypatch.setattr(other.connectors[name], "changes", changes)
        monkeypatch.setattr(other.connectors[name], "fetch", fetch)
        await one.levers.pause(name, "r", "lou")
    await other.operator.refresh()
    assert await other.poller.read_on("credit", "changes") is None
    decision = await other.asker.ask("91330782MA2DEXAMPL", "WH-SX01")
    assert (decision.eligible, asked) == (False, [])
    await one.levers.resume("approval", "r", "lou")
    await other.operator.refresh()
    await other.asker.ask("91330782MA2DEXAMPL", "WH-SX01")
    assert asked == ["BlacklistEntry"]


async def test_what_a_paused_platform_posts_is_still_applied(processes: Processes) -> None:
    one, _ = processes
    await one.levers.pause("approval", "r", "lou")
    assert (await one.applier.apply("approval", "webhook", [observed(approval())])).applied == 1


async def test_pausing_and_resuming_twice_change_nothing_and_keep_the_first_word(
    processes: Processes, clock: SettableClock
) -> None:
    one, other = processes
    first = await one.levers.pause("grid", "first", "lou")
    clock.advance(60)
    assert await other.levers.pause("grid", "second", "wu") == first == Outcome(("grid/1",))
    paused = other.levers.paused("grid")
    assert paused is not None
    assert (paused.since, paused.reason, paused.by) == (START, "first", "lou")
    assert await one.levers.resume("grid", "r", "lou") == await other.levers.resume("grid", "again", "wu") == Outcome(("grid/1",))
    assert await one.levers.pause("grid", "third", "lou") == Outcome(("grid/2",))
    found = await ask(
        one, '{ platformPauses(where: {platform: {eq: "grid"}}) { edges { node { pauseId reason endReason endedBy } } } }'
    )
    assert [edge["node"] for edge in found["platformPauses"]["edges"]] == [  # type: ignore[index]
        {"pauseId": "grid/1", "reason": "first", "endReason": "r", "endedBy": "lou"},
        {"pauseId": "grid/2", "reason": "third", "endReason": None, "endedBy": None},
    ]
    for by in ("lou", "wu"):
        assert await one.levers.resume("grid", "r", by) == Outcome(("grid/2",)), "its last pause, not its first"
    assert await one.levers.resume("credit", "never paused", "lou") == Outcome()


async def test_the_graph_pauses_and_shows_it_on_the_platform(processes: Processes) -> None:
    one, _ = processes
    acted = await ask(
        one,
        """mutation { pausePlatform(input: {platform: "sms", reason: "ask 13905790001"}) {
                          pause { pauseId pausedBy } userErrors { message } }
                      unknown: pausePlatform(input: {platform: "taxes", reason: "r"}) { userErrors { __typename } }
                      blank: resumePlatform(input: {platform: "sms", reason: " "}) { userErrors { __typename path } } }""",
    )
    assert acted == {
        "pausePlatform": {"pause": {"pauseId": "sms/1", "pausedBy": "lou"}, "userErrors": []},
        "unknown": {"userErrors": [{"__typename": "UnknownPlatform"}]},
        "blank": {"userErrors": [{"__typename": "ReasonMissing", "path": ["reason"]}]},
    }
    found = await ask(one, "{ platforms { name silenced paused { since by reason } } }")
    (sms,) = (each for each in found["platforms"] if each["name"] == "sms")  # type: ignore[index]
    assert (sms["silenced"], sms["paused"]["by"]) == (True, "lou")
    assert "13905790001" not in sms["paused"]["reason"]
    assert one.health.notes()["sms"] == "paused since 2019-09-02T01:00:00+00:00"
    await one.refresh_metrics()
    sample = one.metrics.registry.get_sample_value
    assert sample("bihuan_platform_silenced", {"platform": "sms"}) == 1
    assert sample("bihuan_platform_silenced", {"platform": "credit"}) == 0


async def test_a_window_silences_its_platform_as_long_as_it_is_open(processes: Processes, clock: SettableClock) -> None:
    one, other = processes
    outcome = await one.levers.plan_maintenance("grid", START + HOUR, START + 2 * HOUR, "new discs", "lou")
    assert outcome == Outcome(("grid/1",))
    await other.operator.refresh()
    silent = []
    for minute in (0, 59, 60, 119, 120):
        clock.set(START + timedelta(minutes=minute))
        silent.append(other.levers.silenced("grid"))
    assert silent == [False, False, True, True, False]
    clock.set(START + HOUR)
    shown = other.levers.maintenance("grid")
    assert shown is not None
    assert (shown.until, shown.reason, shown.kind) == (START + 2 * HOUR, "new discs", MaintenanceKind.PLANNED)
    assert not other.levers.silenced("enforcement")
    assert await other.levers.cancel_maintenance("grid/1", "it was quick", "wu") == outcome
    assert await other.levers.cancel_maintenance("grid/1", "again", "wu") == outcome
    assert not other.levers.silenced("grid")
    assert await other.levers.plan_maintenance("grid", None, START + 3 * HOUR, "once more", "wu") == Outcome(("grid/2",))


async def test_windows_that_overlap_are_past_or_never_end_are_refused_with_a_way_out(
    processes: Processes, clock: SettableClock
) -> None:
    plan = processes[0].levers.plan_maintenance
    assert refusal(await plan("taxes", None, START + HOUR, "r", "lou"))[0] == "UnknownPlatform"
    assert refusal(await plan("grid", START + HOUR, START + HOUR, "r", "lou"))[0] == "InvalidWindow"
    assert refusal(await plan("grid", START - 2 * HOUR, START, "r", "lou"))[0] == "InThePast"
    kind, message = refusal(await plan("grid", None, START + LONGEST_WINDOW + HOUR, "r", "lou"))
    assert (kind, "at most 7 days" in message) == ("InvalidWindow", True)
    window = (START + HOUR, START + 3 * HOUR)
    assert await plan("grid", *window, "r", "lou") == await plan("grid", *window, "the same again", "wu") == Outcome(("grid/1",))
    for begins, ends in ((START, START + 2 * HOUR), (START + 2 * HOUR, START + 4 * HOUR), (START, START + 4 * HOUR)):
        kind, message = refusal(await plan("grid", begins, ends, "r", "lou"))
        assert (kind, "'grid/1'" in message) == ("WindowOverlaps", True)
    assert (await plan("grid", START, START + HOUR, "up to it", "lou")).done == ("grid/2",)
    assert (await plan("credit", *window, "another platform", "lou")).done == ("credit/1",)
    assert refusal(await processes[0].levers.cancel_maintenance("grid/9", "r", "lou"))[0] == "UnknownWindow"
    clock.set(START + 3 * HOUR)
    kind, message = refusal(await processes[0].levers.cancel_maintenance("grid/1", "r", "lou"))
    assert (kind, "was over at" in message) == ("InThePast", True)


async def test_a_recurring_window_is_known_by_settings(processes: Processes, clock: SettableClock) -> None:
    levers = processes[0].levers
    clock.set(START.replace(hour=12))
    found = levers.maintenance("credit")
    assert found is not None
    assert (found.until, found.kind) == (START.replace(hour=13), MaintenanceKind.RECURRING)
    clock.set(START.replace(hour=3))  # Monday morning: it began on Sunday
    assert levers.silenced("credit")
    clock.set(START.replace(hour=3) + timedelta(days=1))
    assert not levers.silenced("credit")
    assert not levers.silenced("grid")


async def test_a_platform_that_says_until_when_it_is_closed_is_in_maintenance_but_not_for_ever(
    processes: Processes, clock: SettableClock
) -> None:
    one, other = processes
    one.conditions.closed("credit", START + HOUR)
    await one.operator.refresh()
    await other.operator.refresh()
    found = other.levers.maintenance("credit")
    assert found is not None
    assert (found.until, found.kind) == (START + HOUR, MaintenanceKind.ASKED)
    while clock.now - START < LONGEST_ASKED:
        assert other.levers.silenced("credit"), clock.now
        clock.advance(3000)
        one.conditions.closed("credit", clock.now + HOUR)
        await one.operator.refresh()
        await other.operator.refresh()
    other.conditions.closed("credit", clock.now + HOUR)  # a process that has not heard of it before
    await other.operator.refresh()
    assert not other.levers.silenced("credit")
    one.conditions.closed("credit", None)
    await one.operator.refresh()
    clock.advance(1)
    one.conditions.closed("credit", clock.now + HOUR)  # another day, another window
    await one.operator.refresh()
    await other.operator.refresh()
    assert other.levers.silenced("credit")


async def test_processes_that_pause_at_once_make_one_pause(postgresql_database: Database, rows: Rows, clock: SettableClock) -> None:
    hub = Hub(load_settings(complete()), World(clock=clock, sleep=clock.sleep))
    levers = [Levers(postgresql_database, rows, hub.connectors, clock, lambda: None) for _ in range(4)]
    outcomes = await asyncio.gather(*(each.pause("grid", f"reason {at}", "lou") for at, each in enumerate(levers)))
    assert set(outcomes) == {Outcome(("grid/1",))}


def test_what_waits_says_why_in_one_way(clock: SettableClock) -> None:
    paused: set[str] = set()

    class Known:
        levers = SimpleNamespace(is_paused=lambda platform: platform in paused)

        def clock(self) -> datetime:
            return clock()

    def said(**fields: Any) -> str | None:
        return waits_for(obligation(**{"platform": "sms", "next_at": START} | fields), Known())

    quiet, later = "QUIET_HOURS: sms: SC1: no call is made in quiet hours, 22:00 to 07:00 Beijing", START + HOUR
    assert said(last_error=quiet, next_at=later) == quiet
    assert (
        said(last_error="BALANCE_EMPTY: top it up, ask 13905790001", next_at=later) == "BALANCE_EMPTY: top it up, ask 139******01"
    )
    assert said(last_error=quiet, next_at=START) is None  # it is tried now
    assert said(state=ObligationState.WAITING, needs="the legal representative") == "NEEDS: the legal representative"
    assert said(state=ObligationState.SENT, last_error=quiet, next_at=later) is None
    paused.add("sms")
    assert (said(last_error=quiet, next_at=later) or "").startswith("PLATFORM_PAUSED: sms is paused")
    assert said(state=ObligationState.STUCK, last_error="BAD_MOBILE: x", next_at=later) is None
