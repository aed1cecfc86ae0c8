"""The grid connector: proof of origin, paging by a time of whole seconds, live reads and the platform's own digest."""

import re
from collections.abc import Mapping
from datetime import date, timedelta

import httpx
import pytest
from pydantic import ValidationError

from connectors.base import Delivery, Page, Quarantined
from connectors.errors import BadSignature, CursorExpired, PermanentError, TransientError
from connectors.grid import GridConnector
from connectors.grid_calls import sign
from schema.entity import Observation, key_of
from tests.contract.cases import NOW, WIRE, FakeTime, said
from tests.unit.connectors.grid_node import Events, answer, asked, connector, event, settings, soap

BODY = (WIRE / "grid" / "event_callback.xml").read_bytes()
# printf 'callback-new20190815095900' | cat - tests/wire/grid/event_callback.xml | openssl md5, in upper case
SIGN_NEW = "C5C3DE910BC6D6C10D55BDB68A2327F8"
SIGN_OLD = "A73AF01329DC1C393629A0C731FD9B40"


def quiet(request: httpx.Request) -> httpx.Response:
    raise AssertionError("no call was expected")


def callback(body: bytes = BODY, headers: Mapping[str, str] | None = None) -> Delivery:
    signed = {"x-grid-user": "grid", "x-grid-time": "20190815095900", "x-grid-sign": SIGN_NEW}
    return Delivery(platform="grid", path="/webhooks/grid", headers={**signed, **(headers or {})}, body=body, received_at=NOW)


def refused(delivery: Delivery) -> str:
    with pytest.raises(BadSignature) as problem:
        connector(quiet, FakeTime()).verify(delivery)
    return problem.value.code


def test_a_signature_is_the_one_that_openssl_makes() -> None:
    xml = "<request><no>YW1</no><opinion>䶮𬭎已清除</opinion></request>".encode("gb18030")

    assert sign("grid-pw", "20190805090000", xml) == "267A794897907C16BD4285B3FEAE2E32"


def test_a_signed_callback_is_verified_and_has_no_lasting_id() -> None:
    verified = connector(quiet, FakeTime()).verify(callback())

    assert (verified.message_id, verified.secret_index) == (None, 0)
    assert verified.signature == f"{SIGN_NEW}@20190815095900"


def test_an_old_password_still_verifies_and_is_named() -> None:
    assert connector(quiet, FakeTime()).verify(callback(headers={"x-grid-sign": SIGN_OLD})).secret_index == 1


@pytest.mark.parametrize(
    ("delivery", "code"),
    [
        (callback(BODY + b" "), "BAD_SIGNATURE"),
        (
            callback(headers={"x-grid-sign": SIGN_NEW.lower()}),
            "BAD_SIGNATURE",
        ),  # upper-case hex, or one signing would have two names
        (callback(headers={"x-grid-sign": "签名"}), "BAD_SIGNATURE"),
        (callback(headers={"x-grid-sign": ""}), "MISSING_HEADER"),
        (callback(headers={"x-grid-user": "hub"}), "UNKNOWN_USER"),
        (callback(headers={"x-grid-time": "20190815094959"}), "STALE"),
        (callback(headers={"x-grid-time": "20190815101001"}), "STALE"),
        (callback(headers={"x-grid-time": "2019081509590"}), "BAD_TIMESTAMP"),
        (callback(headers={"x-grid-time": "20190815095900 "}), "BAD_TIMESTAMP"),
    ],
)
def test_a_callback_without_proof_is_refused_with_its_reason(delivery: Delivery, code: str) -> None:
    assert refused(delivery) == code


@pytest.mark.parametrize("missing", [{"callback_passwords": ()}, {"password": ""}, {"callback_user": ""}])
def test_a_missing_secret_is_noticed_at_start(missing: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        settings(**missing)


def test_the_password_of_our_calls_proves_no_callback() -> None:
    assert refused(callback(headers={"x-grid-sign": sign("grid-pw", "20190815095900", BODY)})) == "BAD_SIGNATURE"


def test_ten_minutes_are_not_too_late() -> None:
    late = callback(headers={"x-grid-time": "20190815095000", "x-grid-sign": sign("callback-new", "20190815095000", BODY)})

    assert connector(quiet, FakeTime()).verify(late).secret_index == 0


def test_a_callback_is_acknowledged_in_the_platforms_words_only_when_stored() -> None:
    grid = connector(quiet, FakeTime())

    assert (grid.acknowledge(callback(), stored=True).status, grid.acknowledge(callback(), stored=False).status) == (200, 503)
    assert grid.acknowledge(callback(), stored=True).body == b"<response><code>0</code></response>"


async def test_a_call_is_signed_at_the_moment_of_each_try() -> None:
    seen: list[httpx.Request] = []

    def node(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(9) if len(seen) == 1 else answer(5)

    assert await connector(node, FakeTime()).fetch("GridEvent", ["YW<1>"]) == []

    calls = [asked(request) for request in seen]
    assert [call.xml for call in calls] == ["<request><no>YW&lt;1&gt;</no></request>"] * 2
    assert calls[0].time == "20190815100000"
    assert calls[1].time > calls[0].time
    for call in calls:
        assert (call.method, call.user) == ("GetEvent", "hub")
        assert call.sign == sign("grid-pw", call.time, call.xml.encode("gb18030"))
    assert seen[0].headers["content-type"] == "text/xml; charset=GB18030"
    assert seen[0].url == "http://grid.test/services/EventService"


async def pages(grid: GridConnector, cursor: str | None = None) -> list[Page]:
    return [page async for page in grid.changes("events", cursor)]


def keys(read: list[Page]) -> list[str]:
    return [key_of(item.record) for page in read for item in page.items if isinstance(item, Observation)]


async def test_changes_are_read_on_from_the_newest_second() -> None:
    events, time = Events(), FakeTime()
    for at in range(250):
        events.put(f"YW{at:03}", f"201908140900{at // 5:02}")
    grid = connector(events, time)

    read = await pages(grid)

    assert sorted(set(keys(read))) == sorted(events.versions)
    assert [page.more for page in read] == [True, True, False]


async def test_a_second_with_more_records_than_a_page_is_read_until_all_are_there() -> None:
    events, time = Events(), FakeTime()
    for at in range(350):
        events.put(f"YW{at:03}", "20190814090007")
    events.put("YW-before", "20190814090006")
    events.put("YW-after", "20190814090008")

    read = await pages(connector(events, time))

    assert sorted(set(keys(read))) == sorted(events.versions)


async def test_exactly_one_page_in_the_last_second_ends_the_reading() -> None:
    events, time = Events(), FakeTime()
    for at in range(100):
        events.put(f"YW{at:03}", "20190814090007")

    read = await pages(connector(events, time))

    assert (len(keys(read)), events.pages) == (100, 1)


async def test_records_that_change_while_a_second_is_read_are_not_missed() -> None:
    events, time = Events(), FakeTime()
    for at in range(300):
        events.put(f"YW{at:03}", "20190814090007")

    def move(page: int) -> None:
        if page in {3, 4, 6, 9}:
            events.put(f"YW{page:03}", "20190815095959")

    events.before_page = move
    read = await pages(connector(events, time))

    assert sorted(set(keys(read))) == sorted(events.versions)
    newest = {key_of(item.record): item.record.version for page in read for item in page.items if isinstance(item, Observation)}
    assert [newest[f"YW{page:03}"] for page in (3, 4, 6, 9)] == [2, 2, 2, 2]


async def test_a_second_that_never_becomes_complete_is_said_and_not_passed_over() -> None:
    def node(request: httpx.Request) -> httpx.Response:
        same = "".join(event(f"YW{at:03}", updated="20190814090007") for at in range(100))
        return answer(0, f"<total>101</total>{same}")

    grid = connector(node, FakeTime(), tie_passes=3)
    changes = grid.changes("events", None)
    first = await anext(changes)
    with pytest.raises(TransientError) as problem:
        await anext(changes)

    assert problem.value.code == "INCOMPLETE_SECOND"
    assert "20190814090007" in str(problem.value)
    assert '"reached":"2019-08-14T01:00:07Z"' in first.cursor


async def test_every_cursor_can_be_gone_on_with() -> None:
    events, time = Events(), FakeTime()
    for at in range(230):
        events.put(f"YW{at:03}", f"201908140900{at // 4:02}")
    read = await pages(connector(events, time))

    for at, page in enumerate(read):
        rest = await pages(connector(events, time), page.cursor)
        assert set(keys(read[: at + 1])) | set(keys(rest)) == set(events.versions)
        assert not page.more or len(rest) == len(read) - at - 1


async def test_what_is_written_late_is_still_seen() -> None:
    events, time = Events(), FakeTime()
    events.put("YW1", "20190815095959")
    grid = connector(events, time)
    cursor = (await pages(grid))[-1].cursor
    events.put("YW-late", "20190815095940")
    time.advance(60)

    assert "YW-late" in keys(await pages(grid, cursor))


async def test_a_clock_of_ours_that_is_ahead_passes_nothing_over() -> None:
    """The node's Date is 10:00:00 while our clock says 11:00:00; what happens there at 10:00:10 is still to be read."""
    events, time = Events(), FakeTime(NOW + timedelta(hours=1))
    grid = connector(events, time)
    cursor = (await pages(grid))[-1].cursor
    events.put("YW1", "20190815100010")

    assert keys(await pages(grid, cursor)) == ["YW1"]


async def test_what_is_read_for_good_is_not_read_again() -> None:
    events, time = Events(), FakeTime()
    events.put("YW1", "20190815095900")
    grid = connector(events, time)
    cursor = (await pages(grid))[-1].cursor

    assert keys(await pages(grid, cursor)) == []


async def test_one_date_to_come_does_not_hide_what_happens_until_then() -> None:
    events, time = Events(), FakeTime()
    events.put("YW-wrong", "20991231235959")
    grid = connector(events, time)
    cursor = (await pages(grid))[-1].cursor
    time.advance(3600)
    events.put("YW2", "20190815105959")

    assert "YW2" in keys(await pages(grid, cursor))


async def test_a_cursor_from_the_future_is_brought_back() -> None:
    events, time = Events(), FakeTime()
    events.put("YW1", "20190815095955")

    assert keys(await pages(connector(events, time), '{"settled":"2031-01-01T00:00:00Z"}')) == ["YW1"]


async def test_history_begins_on_the_day_that_is_set() -> None:
    seen: list[str] = []

    def node(request: httpx.Request) -> httpx.Response:
        seen.append(asked(request).xml)
        return answer(0, "<total>0</total>")

    await pages(connector(node, FakeTime(), history_since=date(2019, 7, 1)))
    await pages(connector(node, FakeTime()))

    assert "<from>20190701000000</from><to/>" in seen[0].replace("<to></to>", "<to/>")
    assert "<from></from>" in seen[1] or "<from/>" in seen[1]


async def test_one_bad_record_spoils_no_other() -> None:
    good = event("YW1") + event("YW4")
    bad = (
        event("YW2", level="9").encode("gb18030")
        + event("YW3").encode("gb18030").replace("杂".encode("gb18030"), b"\xd4")
        + b"<event><no>YW5</no><title>a & b</title></event>"
    )

    def node(request: httpx.Request) -> httpx.Response:
        data = b"<total>5</total>" + bad + good.encode("gb18030")
        return soap(b"<response><code>0</code><data>" + data + b"</data></response>")

    (page,) = await pages(connector(node, FakeTime()))

    assert sorted(said(item) for item in page.items) == [
        "GridEvent YW1@1",
        "GridEvent YW4@1",
        "Quarantined BAD_ENCODING",
        "Quarantined BAD_VALUE",
        "Quarantined NOT_XML",
    ]


async def test_coordinations_have_a_stream_of_their_own() -> None:
    sample = (WIRE / "grid" / "query_coordinations.xml").read_bytes()
    grid = connector(lambda request: httpx.Response(200, content=sample), FakeTime())

    read = [said(item) async for page in grid.changes("coordinations", None) for item in page.items]

    assert read == ["TownCoordination XG2019000037@2"]


@pytest.mark.parametrize("stream", ["events", "coordinations"])
async def test_a_query_has_the_elements_of_the_page_in_their_order(stream: str) -> None:
    sent: list[str] = []

    def node(request: httpx.Request) -> httpx.Response:
        sent.append(asked(request).xml)
        return answer(0, "<total>0</total>")

    _ = [page async for page in connector(node, FakeTime()).changes(stream, None)]

    assert re.fullmatch(
        r"<request><from(/>|></from>)<to>[0-9]*</to><status(/>|></status>)<page>1</page><size>100</size></request>", sent[0]
    ), sent[0]


async def test_an_unknown_stream_and_a_foreign_cursor_are_named() -> None:
    grid = connector(quiet, FakeTime())
    with pytest.raises(PermanentError, match="events, coordinations"):
        [page async for page in grid.changes("tasks", None)]
    with pytest.raises(CursorExpired):
        [page async for page in grid.changes("events", "20190815")]


async def test_live_reads_leave_out_what_the_platform_does_not_know() -> None:
    sample = (WIRE / "grid" / "get_event.xml").read_bytes()

    def node(request: httpx.Request) -> httpx.Response:
        known = asked(request).field("no") == "YW20190805000123"
        return httpx.Response(200, content=sample) if known else answer(5)

    items = await connector(node, FakeTime()).fetch("GridEvent", ["YW20190805000123", "YW9", "YW20190805000123"])

    assert [said(item) for item in items] == ["GridEvent YW20190805000123@3"]


async def test_a_live_read_that_fails_raises_its_own_error() -> None:
    def node(request: httpx.Request) -> httpx.Response:
        return answer(2) if asked(request).field("no") == "YW2" else answer(5)

    with pytest.raises(PermanentError):
        await connector(node, FakeTime()).fetch("GridEvent", ["YW1", "YW2", "YW3"])


async def test_coordinations_cannot_be_read_by_number() -> None:
    with pytest.raises(PermanentError, match="TownCoordination"):
        await connector(quiet, FakeTime()).fetch("TownCoordination", ["XG1"])


async def test_the_digest_of_a_day_is_the_platforms_own() -> None:
    seen: list[str] = []

    def node(request: httpx.Request) -> httpx.Response:
        seen.append(asked(request).xml)
        return answer(0, "<count>12</count><sum>9E107D9D372BB6826BD81D3542A419D6</sum>")

    digest = await connector(node, FakeTime()).digest("GridEvent", "2019-08-05")

    assert seen == ["<request><day>20190805</day></request>"]
    assert (digest.count, digest.digest) == (12, "9E107D9D372BB6826BD81D3542A419D6")


def test_a_bad_record_of_a_callback_shows_no_telephone() -> None:
    body = BODY.replace(b"<ver>3</ver>", b"<ver>13857912345x</ver>")

    (item,) = connector(quiet, FakeTime()).parse(callback(body))

    assert isinstance(item, Quarantined)
    assert "13857912345" not in item.detail
