"""Events and coordinations of the mock grid platform: each trap of the page."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.mocks.city_clock import CityClock
from tests.unit.mocks.grid_caller import GridCaller


@pytest.fixture
async def call() -> AsyncIterator[GridCaller]:
    caller = GridCaller(CityClock())
    yield caller
    await caller.close()


# --- queries


async def test_a_window_includes_its_beginning_and_not_its_end(call: GridCaller) -> None:
    numbers = []
    for _ in range(3):
        numbers.append(call.reported())
        call.clock.advance(1)
    found = await call("QueryEvents", from_="20190815090000", to="20190815090002", status="", page=1, size=100)
    assert (found.value("total"), found.values("event/no")) == ("2", numbers[:2])
    everything = await call("QueryEvents", from_="", to="", status="", page=1, size=100)
    assert everything.values("event/no") == numbers


async def test_a_status_narrows_a_query(call: GridCaller) -> None:
    call.reported(send=False)
    sent = call.reported(send=True)
    found = await call("QueryEvents", from_="", to="", status="20", page=1, size=100)
    assert (found.value("total"), found.values("event/no")) == ("1", [sent])


async def test_ties_come_in_another_order_on_the_next_page_so_that_rows_are_skipped_and_repeated(call: GridCaller) -> None:
    early = call.reported()
    call.clock.advance(1)
    tied = {call.reported() for _ in range(40)}
    call.clock.advance(1)
    late = call.reported()
    pages = [await call("QueryEvents", from_="", to="", status="", page=number, size=14) for number in (1, 2, 3, 4)]
    seen = [no for page in pages for no in page.values("event/no")]
    assert (len(seen), seen[0], seen[-1]) == (42, early, late)
    assert [len(page.values("event/no")) for page in pages] == [14, 14, 14, 0]
    assert set(seen) < {early, late} | tied
    times = [time for page in pages for time in page.values("event/updateTime")]
    assert times == sorted(times)


async def test_a_record_that_changes_between_pages_moves_so_that_another_is_skipped(call: GridCaller) -> None:
    numbers = []
    for _ in range(4):
        numbers.append(call.reported())
        call.clock.advance(1)
    first = await call("QueryEvents", from_="", to="", status="", page=1, size=2)
    call.platform.edit(numbers[0], content="更新")
    second = await call("QueryEvents", from_="", to="", status="", page=2, size=2)
    assert first.values("event/no") == numbers[:2]
    assert second.values("event/no") == [numbers[3], numbers[0]]


@pytest.mark.parametrize(
    "fields",
    [
        {"from_": "2019-08-15", "page": 1, "size": 10},
        {"to": "20190231000000", "page": 1, "size": 10},
        {"page": 1, "size": 101},
        {"page": 0, "size": 10},
        {"page": 1},
        {"size": 10},
    ],
)
async def test_a_bad_query_is_code_1(call: GridCaller, fields: dict[str, object]) -> None:
    assert (await call("QueryEvents", **fields)).code == 1


async def test_what_is_always_filled_is_there_and_the_rest_is_empty_or_absent(call: GridCaller) -> None:
    no = call.reported(attach=[{"name": "a.jpg", "url": "http://x/a", "md5": "00"}], content="")
    replies = [await call("GetEvent", no=no) for _ in range(40)]
    for name in ("no", "ver", "category", "town", "title", "reportTime", "level", "status", "updateTime"):
        assert all(reply.value(f"event/{name}") for reply in replies)
    assert {reply.value("event/content") for reply in replies} == {None, ""}
    files = {tuple(file.attrib.values()) for reply in replies for file in reply.root.iter("file")}
    assert files == {("a.jpg", "http://x/a", "00")}


async def test_an_unknown_number_is_code_5(call: GridCaller) -> None:
    assert (await call("GetEvent", no="YW1")).code == 5
    assert (await call.accept("YW1")).code == 5
    assert (await call.feed_back("YW1")).code == 5


async def test_a_days_events_are_counted_with_a_digest(call: GridCaller) -> None:
    for time in ("20190805090000", "20190805235959", "20190806000000"):
        call.reported(report_time=time)
    call.platform.edit("YW20190805000002", content="x")
    found = await call("CountEvents", day="20190805")
    # printf 'YW20190805000001:1\nYW20190805000002:2\n' | openssl md5
    assert (found.value("count"), found.value("sum")) == ("2", "1A3B5A2E3A0EEA96B6D5C37F09CD525C")
    empty = await call("CountEvents", day="20190101")
    assert (empty.value("count"), empty.value("sum")) == ("0", "D41D8CD98F00B204E9800998ECF8427E")
    assert (await call("CountEvents", day="2019-8-5")).code == 1


# --- accepting and feeding back


async def test_accepting_again_is_code_8_with_the_first_task(call: GridCaller) -> None:
    no = call.reported()
    assert (await call.accept(no, "RW1")).code == 0
    assert call.platform.event(no)["status"] == "30"
    for task_no in ("RW1", "RW2"):
        again = await call.accept(no, task_no)
        assert (again.code, again.value("no"), again.value("taskNo")) == (8, no, "RW1")
    assert call.platform.event(no)["ver"] == 2


async def test_an_event_that_is_not_sent_or_is_done_cannot_be_accepted(call: GridCaller) -> None:
    no = call.reported(send=False)
    assert (await call.accept(no)).code == 1
    call.platform.send(no)
    await call.accept(no)
    await call.feed_back(no)
    assert (await call.accept(no)).code == 1
    assert "<taskNo>" in (await call("AcceptEvent", no=no, deptCode="JT", time="20190815090000")).message
    assert (await call("AcceptEvent", no=no, taskNo="RW1", deptCode="JT", time="15.8.2019")).code == 1


@pytest.mark.parametrize(("result", "status"), [("handled", "40"), ("returned", "60"), ("transferred", "70")])
async def test_feedback_can_be_given_once(call: GridCaller, result: str, status: str) -> None:
    no = call.reported()
    await call.accept(no)
    assert (await call.feed_back(no, result=result)).code == 0
    assert call.platform.event(no)["status"] == status
    second = await call.feed_back(no, result="handled")
    assert (second.code, second.value("no"), second.value("taskNo")) == (8, no, "RW1")
    assert call.platform.event(no)["status"] == status
    assert (await call.feed_back(no, "RW2")).code == 1


async def test_feedback_needs_an_acceptance_its_task_and_a_known_result(call: GridCaller) -> None:
    no = call.reported()
    assert (await call.feed_back(no)).code == 1
    await call.accept(no)
    assert (await call.feed_back(no, "RW2")).code == 1
    assert (await call.feed_back(no, result="done")).code == 1
    assert (await call.feed_back(no)).code == 0


async def test_a_closed_event_still_says_that_it_has_its_feedback(call: GridCaller) -> None:
    no = call.reported()
    await call.accept(no)
    await call.feed_back(no)
    call.platform.close(no)
    assert (await call.feed_back(no)).code == 8


async def test_an_event_sent_once_more_takes_a_new_task(call: GridCaller) -> None:
    no = call.reported()
    await call.accept(no, "RW1")
    await call.feed_back(no, "RW1", "returned")
    version = call.platform.event(no)["ver"]
    again = call.platform.send(no, dept_code="ZFJ")
    assert (again["status"], again["ver"], again["deptCode"]) == ("20", version + 1, "ZFJ")
    assert (await call.feed_back(no, "RW1")).code == 1
    assert (await call.accept(no, "RW2")).code == 0
    assert (await call.feed_back(no, "RW1")).code == 1
    assert (await call.feed_back(no, "RW2")).code == 0


async def test_what_a_town_cannot_do_is_refused(call: GridCaller) -> None:
    no = call.reported()
    with pytest.raises(ValueError, match="has status 20, not 10 or 60"):
        call.platform.send(no)
    with pytest.raises(ValueError, match="status"):
        call.platform.edit(no, status="50")
    with pytest.raises(LookupError, match="no event YW1"):
        call.platform.close("YW1")


# --- coordinations


async def test_a_coordination_is_made_once_for_each_of_our_numbers(call: GridCaller) -> None:
    fields = {"outNo": "CD1", "deptCode": "JT", "town": "佛堂镇", "category": "JT-03", "content": "协助清理", "limitTime": ""}
    first = await call("CreateCoordination", **fields)
    again = await call("CreateCoordination", **{**fields, "content": "另一内容"})
    assert (first.code, again.code) == (0, 8)
    assert first.value("no") == again.value("no")
    assert len(call.platform.store.all("coordination")) == 1
    assert (await call("CreateCoordination", **{**fields, "outNo": "CD2", "town": ""})).code == 1


async def test_a_coordination_goes_from_issued_to_handled(call: GridCaller) -> None:
    made = await call("CreateCoordination", outNo="CD1", deptCode="JT", town="佛堂镇", category="JT-03", content="x")
    no = made.value("no")
    assert no is not None
    call.clock.advance(60)
    call.platform.accept_coordination(no)
    call.platform.handle_coordination(no, opinion="已清理")
    found = await call("QueryCoordinations", from_="20190815090100", to="", status="40", page=1, size=10)
    assert found.value("total") == "1"
    assert [found.value(f"coordination/{name}") for name in ("no", "outNo", "ver", "status", "opinion")] == [
        no,
        "CD1",
        "3",
        "40",
        "已清理",
    ]
    with pytest.raises(ValueError, match="has status 40"):
        call.platform.handle_coordination(no)


async def test_a_second_start_finds_the_same_events_and_goes_on_counting(tmp_path: Path) -> None:
    call = GridCaller(CityClock(), data_dir=str(tmp_path))
    no = call.reported()
    await call.accept(no, "RW1")
    again = GridCaller(call.clock, data_dir=str(tmp_path))
    repeated = await again.accept(no, "RW9")
    assert (repeated.code, repeated.value("taskNo")) == (8, "RW1")
    assert again.reported() > no
    found = await again("QueryEvents", from_="", to="", status="", page=1, size=10)
    assert found.value("total") == "2"
    await again.close()
    await call.client.aclose()
