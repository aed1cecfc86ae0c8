"""Every page with data, in both languages and colours; an operator's day: retry, waive, undo; a connection that is gone."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.console.browser import Seen, opened
from tests.console.city import FACTORIES, READER, STRANGER, STUCK, ConsoleCity
from tests.e2e.processes import serves, start_bihuan

pytestmark = pytest.mark.asyncio(loop_scope="module")
FIRST_LOAD = 500_000
SENT_AGAIN = """performance.getEntriesByType('resource')
    .filter(each => each.name.includes('/assets/') && each.transferSize > 0).map(each => each.name)"""
LOOKS: dict[str, dict[str, Any]] = {
    "zh": {"locale": "zh-CN", "color_scheme": "light"},
    "en": {"locale": "en-US", "color_scheme": "dark"},
    "tablet": {"locale": "zh-CN", "color_scheme": "light", "viewport": {"width": 1024, "height": 768}},
}


def pages(city: ConsoleCity, subject: str) -> dict[str, tuple[str, str]]:
    """Return each page's address, and where on it the data stands; in places that are the same in both languages."""
    serial = city.morning.granted[1].serial
    return {
        "overview": ("overview", "[data-figure='overview.stuck'] b"),
        "obligations": ("obligations?state=CLOSED&state=STUCK", "a[href*='approval-verification']"),
        "obligation": (f"obligations/{STUCK}", "#attempts"),
        "ops": ("ops", "section[aria-labelledby='items'] td .mono"),
        "loop": (f"loop?number={serial}", "[data-kind='RECORD_CREATED']"),
        "subject": (f"subject?code={subject}", "section[aria-labelledby='records'] a"),
        "deliveries": ("deliveries", "td .mono"),
        "drift": ("drift", "#reports"),
        "statistics": ("statistics", "section[aria-labelledby='figures'] td .number"),
    }


@pytest_asyncio.fixture(loop_scope="module")
async def seen(browser: Browser, city: ConsoleCity) -> AsyncIterator[Seen]:
    """A window of an operator; nothing wrong was said in it, and nobody but the hub was asked."""
    async with opened(browser, city.address, city.key) as ready:
        yield ready
        assert ready.errors == []
        assert ready.foreign == []


async def subject_of(city: ConsoleCity) -> str:
    found = await city.ask("query($no: String!) { approval(approvalNo: $no) { subjectCode } }", no=city.morning.granted[1].serial)
    return str(found["approval"]["subjectCode"])


@pytest.mark.parametrize("look", LOOKS)
async def test_every_page_shows_its_data_and_everybody_can_use_it(browser: Browser, city: ConsoleCity, look: str) -> None:
    wrong: list[str] = []
    await city.cancel_a_task()
    async with opened(browser, city.address, city.key, **LOOKS[look]) as seen:
        for name, (address, place) in pages(city, await subject_of(city)).items():
            await seen.go(address)
            await expect(seen.page.locator(place).first).to_be_visible()
            assert await seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
                f"{name} is wider than the window"
            )
            wrong += [f"{name}: {each}" for each in await seen.violations()]
            await seen.picture(f"console-{name}-{look}")
        heading = await seen.page.locator("header h1").inner_text()
        assert heading == ("Statistics" if look == "en" else "统计分析")
        assert (seen.errors, seen.foreign) == ([], [])
    assert wrong == [], "\n".join(wrong)


async def test_the_first_page_comes_in_few_bytes_and_what_the_browser_keeps_is_not_asked_for_again(seen: Seen) -> None:
    await seen.go("overview")
    await expect(seen.page.locator("[data-figure='overview.stuck'] b")).to_be_visible()
    await expect(seen.page.locator("canvas").first).to_be_visible()
    assert 0 < sum(seen.received.values()) < FIRST_LOAD, seen.received
    timed = await seen.page.evaluate("performance.getEntriesByType('paint').at(-1).startTime")
    print(f"first load: {sum(seen.received.values()):,} bytes, first contentful paint after {timed:.0f} ms")  # noqa: T201
    hashed = [each for each in seen.received if "/assets/" in each]
    seen.received.clear()
    await seen.page.reload()
    await expect(seen.page.locator("[data-figure='overview.stuck'] b")).to_be_visible()
    assert hashed
    assert await seen.page.evaluate(SENT_AGAIN) == []


async def test_a_figure_leads_to_what_it_counts_and_a_stuck_obligation_is_retried_and_closes_before_ones_eyes(
    seen: Seen, city: ConsoleCity
) -> None:
    await city.order_inspection("SSJ-2", FACTORIES[1])
    await seen.go("overview")
    await seen.page.locator("[data-figure='overview.stuck']").click()
    row = seen.page.locator("[data-row-key='campaign:SSJ-2']")
    await expect(row).to_contain_text("Stuck")
    city.grow_pool("SSJ-2", *FACTORIES[1:])
    await row.get_by_role("checkbox").check()
    await seen.page.get_by_role("button", name="Try again").click()
    await seen.page.get_by_role("dialog").get_by_role("button", name="Try again").click()
    await expect(row).to_contain_text("Closed")
    await city.state_of("campaign:SSJ-2", "CLOSED")


async def test_a_waive_needs_a_reason_and_can_be_taken_back(seen: Seen, city: ConsoleCity) -> None:
    await seen.go(f"obligations/{STUCK}")
    await seen.page.get_by_role("button", name="Waive").click()
    dialog = seen.page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Waive").click()
    await expect(dialog).to_contain_text("Say why.")
    await city.state_of(STUCK, "STUCK")
    await dialog.get_by_role("textbox").fill("the boilers were scrapped")
    await dialog.get_by_role("button", name="Waive").click()
    await expect(seen.page.locator("#one")).to_contain_text("Waived")
    await expect(seen.page.locator("section[aria-labelledby='audit']")).to_contain_text("the boilers were scrapped")
    await city.state_of(STUCK, "WAIVED")
    await seen.page.get_by_role("button", name="Undo").click()
    await expect(seen.page.locator("section[aria-labelledby='audit']")).to_contain_text("Undo: the boilers were scrapped")


async def test_what_was_said_with_the_platform_stands_beside_each_try(seen: Seen, city: ConsoleCity) -> None:
    await seen.go(f"obligations/{STUCK}")
    tries = seen.page.locator("section[aria-labelledby='attempts']")
    await expect(tries.get_by_role("region", name="Sent, personal data masked").last).to_contain_text("POST /irs/v1/campaigns")
    await expect(tries.get_by_role("region", name="Answered").last).to_contain_text(re.compile(r"^4\d\d "))
    assert not re.search(r"signature|x-bg-hmac", await tries.inner_text(), re.IGNORECASE)
    await tries.get_by_text("What was to be made true").click()
    await expect(tries.get_by_role("region", name="What was to be made true")).to_contain_text("SSJ-1")
    await tries.get_by_role("button", name="Messages").first.click()
    await expect(tries.get_by_role("region", name="Answered")).to_have_count(0)


async def test_an_obligation_is_found_by_how_one_of_its_numbers_begins(seen: Seen, city: ConsoleCity) -> None:
    serial = city.morning.granted[1].serial
    key = f"approval-verification:{serial}"
    told = await city.ask("query($key: String!) { obligation(key: $key) { number receipt } }", key=key)
    row, search = seen.page.locator(f"[data-row-key='{key}']"), seen.page.get_by_role("searchbox")
    await seen.go("obligations")
    for whole in (serial, told["obligation"]["number"], told["obligation"]["receipt"], key):
        await search.fill(whole[:-1])
        await search.press("Enter")
        await expect(row).to_be_visible()
        await search.fill("no such number")
        await search.press("Enter")
        await expect(row).to_have_count(0)


async def test_the_case_behind_a_number_is_found_and_a_number_of_nobody_says_so(seen: Seen, city: ConsoleCity) -> None:
    await seen.go("loop")
    await seen.page.get_by_role("searchbox").fill(city.morning.tips[0].number)
    await seen.page.get_by_role("searchbox").press("Enter")
    await expect(seen.page.locator("[data-kind='EVENT_REPORTED']")).to_be_visible()
    await expect(seen.page.locator("#case")).to_contain_text("Closed")
    await seen.go("loop?number=NO-SUCH-NUMBER")
    await expect(seen.page.locator("main")).to_contain_text("No record has the number NO-SUCH-NUMBER")


async def test_what_a_key_does_not_allow_is_not_offered(browser: Browser, city: ConsoleCity) -> None:
    async with opened(browser, city.address, None) as seen:
        await seen.go("")
        field, button = seen.page.get_by_label("Application key"), seen.page.get_by_role("button", name="Sign in")
        await field.fill(STRANGER)
        await button.click()
        await expect(seen.page.get_by_role("alert").first).to_contain_text("does not know this key")
        await field.fill(READER)
        await button.click()
        menu = seen.page.get_by_role("navigation").get_by_role("link")
        await expect(menu).to_have_text(["Loop", "Subject", "Statistics"])
        await seen.go("obligations")
        await expect(seen.page).to_have_url(re.compile("#/loop$"))
        await seen.page.get_by_role("button", name="Sign out").click()
        await expect(field).to_be_visible()
        assert seen.foreign == []


async def test_a_connection_that_is_gone_shows_and_comes_back_by_itself(browser: Browser, city: ConsoleCity) -> None:
    async with opened(browser, city.address, city.key) as seen:
        await seen.go("overview")
        sign = seen.page.locator("[data-link]")
        await expect(sign).to_have_attribute("data-link", "live")
        await expect(seen.page.locator("canvas").first).to_be_visible()  # the page is loaded whole
        await city.running.kill()
        await expect(seen.page.get_by_text("The connection to the hub is gone.")).to_be_visible()
        await expect(sign).not_to_have_attribute("data-link", "live")
        port = city.address.rpartition(":")[2]
        again = await start_bihuan("serve", "--port", port, settings=city.settings, log=city.folder / "again.log")
        try:
            await serves(again)
            await expect(sign).to_have_attribute("data-link", "live")
            await expect(seen.page.get_by_text("The connection to the hub is gone.")).to_be_hidden()
        finally:
            city.running = again


async def test_statistics_are_counted_by_two_axes_and_drawn_as_one_figure(seen: Seen) -> None:
    await seen.go("statistics")
    section = seen.page.locator("section[aria-labelledby='figures']")
    await expect(section.locator("#figures")).to_have_text("Approval and verification by Department")
    await seen.page.get_by_role("combobox", name="And by").click()
    await seen.page.locator(".ant-select-item-option", has_text="Month").click()
    await expect(section.locator("#figures")).to_have_text("Approvals granted by Department and Month")
    await expect(section.locator("thead th").nth(1)).to_have_text("Month")
    await expect(section.locator("tbody tr.ant-table-row").first).to_contain_text(re.compile(r"\d{4}-\d{2}"))
    await seen.picture("console-statistics-two-axes-en")
    assert await seen.violations() == []


async def test_one_platform_is_compared_alone(seen: Seen, city: ConsoleCity) -> None:
    await seen.go("drift")
    await seen.page.get_by_role("combobox", name="Platform").click()
    await seen.page.locator(".ant-select-item-option", has_text="Credit").click()
    await seen.page.get_by_role("button", name="Compare Credit now").click()
    await expect(seen.page.get_by_text("comparisons begin now.")).to_be_visible()
    asked = await city.ask('{ auditEntries(where: {action: {eq: "compareNow"}}) { edges { node { target } } } }')
    assert [edge["node"]["target"] for edge in asked["auditEntries"]["edges"]] == ["credit"]
