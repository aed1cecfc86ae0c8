"""Operators settle what only a person can, pause platforms and enter maintenance windows; who only looks cannot."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from tests.console.browser import Seen, opened
from tests.console.city import WATCHER, ConsoleCity

pytestmark = pytest.mark.asyncio(loop_scope="module")
BEIJING = timezone(timedelta(hours=8))
CALLS = "{ platforms { name calls { today { made failed } } quota { perSecond } } }"
SETTLED = """query($about: String!) { opsItems(where: {cause: {eq: $about}}) { edges { node { resolvedAt resolvedBy resolution
    audit { edges { node { actor action reason } } } } } } }"""
STANDING = "{ platforms { name paused { reason by } maintenance { reason kind } } }"
WINDOWS = """{ maintenanceWindows(where: {platform: {eq: "grid"}}, orderBy: BEGINS_AT_DESC) {
    edges { node { beginsAt endsAt reason plannedBy cancelledBy cancelReason } } } }"""


@pytest_asyncio.fixture(loop_scope="module")
async def seen(browser: Browser, city: ConsoleCity) -> AsyncIterator[Seen]:
    """A window of an operator; nothing wrong was said in it, and nobody but the hub was asked."""
    async with opened(browser, city.address, city.key) as ready:
        yield ready
        assert ready.errors == []
        assert ready.foreign == []


def dialog_of(seen: Seen) -> Locator:
    return seen.page.get_by_role("dialog")


async def choose(seen: Seen, platform: str, lever: str) -> Locator:
    """Open a platform's levers and choose one; return its dialog."""
    await seen.page.get_by_role("button", name=f"Pause or maintain: {platform}").click()
    await seen.page.get_by_role("menuitem", name=lever).click()
    return dialog_of(seen)


async def say_why(dialog: Locator, button: str, reason: str) -> None:
    """Try without a reason, which does nothing; then with one."""
    await dialog.get_by_role("button", name=button).click()
    await expect(dialog).to_contain_text("Say why.")
    await dialog.get_by_label("Reason").fill(reason)
    await dialog.get_by_role("button", name=button).click()
    await expect(dialog).to_be_hidden()


async def standing(city: ConsoleCity, platform: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in (await city.ask(STANDING))["platforms"] if each["name"] == platform)
    return found


async def test_what_needs_a_person_comes_while_one_looks_and_is_settled_with_a_reason(seen: Seen, city: ConsoleCity) -> None:
    first = await city.cancel_a_task()
    await seen.go("overview")
    await expect(seen.page.locator("[data-figure='overview.opsItems'] b")).not_to_have_text("0")
    await seen.page.locator("[data-figure='overview.opsItems']").click()
    items = seen.page.locator("section[aria-labelledby='items'] tbody tr.ant-table-row")
    await expect(items.filter(has_text=first)).to_contain_text("Task cancelled there")
    second = await city.cancel_a_task()
    row = items.filter(has_text=second)
    await expect(row).to_be_visible()
    await row.get_by_role("button", name=f"Evidence: {second}").click()
    evidence = seen.page.locator("[data-evidence]")
    await expect(evidence.locator("pre").last).to_contain_text(second)
    await seen.picture("console-ops-evidence-en")
    assert await seen.violations() == []

    await row.get_by_role("button", name="Settle").click()
    await say_why(dialog_of(seen), "Settle", "the department checks it in autumn")
    await expect(row).to_be_hidden()
    await expect(items.filter(has_text=first)).to_be_visible()
    ((edge,),) = (each["edges"] for each in (await city.ask(SETTLED, about=second)).values())
    assert (edge["node"]["resolvedBy"], edge["node"]["resolution"]) == ("operator", "the department checks it in autumn")
    assert edge["node"]["audit"]["edges"][0]["node"]["action"] == "resolveOpsItem"
    await seen.page.get_by_text("Settled", exact=True).first.click()
    await expect(row).to_contain_text("the department checks it in autumn")


async def test_the_ops_list_is_filtered_by_kind_and_found_by_number(seen: Seen, city: ConsoleCity) -> None:
    number = await city.cancel_a_task()
    items = seen.page.locator("section[aria-labelledby='items'] tbody tr.ant-table-row")
    await seen.go(f"ops?q={number}")
    await expect(items).to_have_count(1)
    await expect(items).to_contain_text(number)
    await seen.go("ops?kind=unknown-matter")
    await expect(seen.page.locator("section[aria-labelledby='items']")).to_contain_text("Nothing waits for a person.")
    await seen.go("ops?kind=task-cancelled&order=OPENED_AT_DESC")
    await expect(items.first).to_contain_text(number)


async def test_the_calls_to_a_platform_and_its_quota_stand_in_its_line(seen: Seen, city: ConsoleCity) -> None:
    def counted(told: dict[str, Any]) -> bool:
        return all(each["calls"]["today"]["made"] > 0 for each in told["platforms"] if each["name"] in {"approval", "enforcement"})

    await city.until(counted, CALLS)
    await seen.go("overview")
    calls = seen.page.locator("[data-calls='enforcement']")
    await expect(calls).not_to_have_text("0")
    await calls.hover()
    await expect(seen.page.get_by_role("tooltip")).to_contain_text("Today:")
    await expect(seen.page.locator("[data-quota='enforcement']")).to_contain_text("%")


async def test_a_platform_is_paused_and_resumed_with_a_reason_and_shows_it_meanwhile(seen: Seen, city: ConsoleCity) -> None:
    await seen.go("overview")
    dialog = await choose(seen, "Credit", "Pause")
    assert await seen.violations() == []
    await seen.picture("console-pause-en")
    assert (await standing(city, "credit"))["paused"] is None
    await say_why(dialog, "Pause", "they move house")
    line = seen.page.locator("[data-standing='paused']")
    for told in ("Credit", "they move house", "by operator", "since"):
        await expect(line).to_contain_text(told)
    assert (await standing(city, "credit"))["paused"] == {"reason": "they move house", "by": "operator"}
    assert await seen.violations() == []
    await seen.picture("console-paused-en")
    await line.get_by_role("button", name="Resume").click()
    await say_why(dialog_of(seen), "Resume", "they are there")
    await expect(line).to_be_hidden()
    assert (await standing(city, "credit"))["paused"] is None


async def test_a_maintenance_window_is_refused_entered_shown_and_called_off(seen: Seen, city: ConsoleCity) -> None:
    await seen.go("overview")
    dialog = await choose(seen, "Grid", "Maintenance window")
    until = dialog.get_by_label("Until")
    await until.fill("2019-09-02T09:00")
    await dialog.get_by_label("Reason").fill("new servers")
    await dialog.get_by_role("button", name="Enter").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("it ends at 2019-09-02T01:00:00+00:00")
    assert (await standing(city, "grid"))["maintenance"] is None
    now = datetime.now(BEIJING)
    begins, ends = now - timedelta(minutes=1), now + timedelta(hours=3)
    await dialog.get_by_label("From").fill(begins.strftime("%Y-%m-%dT%H:%M"))
    await until.fill(ends.strftime("%Y-%m-%dT%H:%M"))
    await dialog.get_by_role("button", name="Enter").click()
    await expect(dialog).to_be_hidden()
    line = seen.page.locator("[data-standing='maintenance']")
    for told in ("Grid", "new servers", "by operator", f"{begins:%m-%d %H:%M} – {ends:%m-%d %H:%M}"):
        await expect(line).to_contain_text(told)
    assert (await standing(city, "grid"))["maintenance"] == {"reason": "new servers", "kind": "PLANNED"}
    await seen.picture("console-maintenance-en")

    tomorrow = now + timedelta(days=1)
    dialog = await choose(seen, "Grid", "Maintenance window")
    await dialog.get_by_label("From").fill(tomorrow.strftime("%Y-%m-%dT%H:%M"))
    await dialog.get_by_label("Until").fill((tomorrow + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M"))
    await say_why(dialog, "Enter", "and new cables")
    await expect(seen.page.locator("[data-standing='planned']")).to_contain_text("and new cables")

    await line.get_by_role("button", name="Call off").click()
    await say_why(dialog_of(seen), "Call off", "not today")
    await expect(line).to_be_hidden()
    assert (await standing(city, "grid"))["maintenance"] is None
    found = [edge["node"] for edge in (await city.ask(WINDOWS))["maintenanceWindows"]["edges"]]
    assert [(each["reason"], each["cancelReason"]) for each in found] == [("and new cables", None), ("new servers", "not today")]


async def test_who_only_looks_is_offered_no_lever_and_settles_nothing(browser: Browser, city: ConsoleCity) -> None:
    number = await city.cancel_a_task()
    async with opened(browser, city.address, WATCHER) as seen:
        await seen.go("overview")
        await expect(seen.page.locator("[data-calls='credit']")).to_be_visible()
        assert await seen.page.get_by_role("button", name="Pause or maintain").count() == 0
        await seen.go(f"ops?q={number}")
        await expect(seen.page.locator("section[aria-labelledby='items'] tbody")).to_contain_text(number)
        assert await seen.page.get_by_role("button", name="Settle").count() == 0
        assert await seen.page.locator(".failure").count() == 0, "nothing is asked that the key does not allow"
        assert (seen.errors, seen.foreign) == ([], [])
