"""The enforcement connector: cursors that expire, tasks that show up late, lists with an ETag, refusals of the gateway."""

from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import httpx
import msgspec
import pytest
from pydantic import ValidationError

from connectors.base import Item, Page
from connectors.enforcement import EnforcementConnector
from connectors.errors import PermanentError, TransientError
from schema.entity import Observation, Tombstone, key_of
from tests.contract.cases import NOW, WIRE, FakeTime, said
from tests.unit.connectors.enforcement_gateway import Script, asked, connector, page, refusal, settings

SAMPLES = WIRE / "enforcement"
ODD = "a+b/=&? ~中'\""
ODD_SENT = "a%2Bb%2F%3D%26%3F%20~%E4%B8%AD%27%22"
EXPIRED = refusal(400, "CURSOR_EXPIRED", "cursor expired")


def sample(name: str) -> Any:
    return msgspec.json.decode((SAMPLES / name).read_bytes())


def task(number: int, updated: str = "2019-08-15T09:59:30+08:00") -> dict[str, Any]:
    own = sample("tasks.json")["items"][1]
    return {**own, "taskId": f"RW{number:03}", "updatedAt": updated}


async def pages(platform: EnforcementConnector, stream: str = "tasks", cursor: str | None = None) -> list[Page]:
    return [each async for each in platform.changes(stream, cursor)]


def keys(read: list[Page]) -> list[str]:
    return [key_of(item.record) for each in read for item in each.items if isinstance(item, Observation)]


async def test_a_stream_is_read_cursor_by_cursor_percent_encoded() -> None:
    script = Script(page(task(1), cursor=ODD), page(task(2), cursor=None))

    read = await pages(connector(script, FakeTime()))

    assert script.asked == [
        "GET tasks?updatedAfter=1970-01-01T00%3A00%3A00%2B08%3A00&limit=100",
        f"GET tasks?cursor={ODD_SENT}",
    ]
    assert unquote(ODD_SENT) == ODD
    assert keys(read) == ["RW001", "RW002"]
    assert [each.more for each in read] == [True, False]


async def test_the_next_run_begins_behind_what_may_still_show_up() -> None:
    script = Script(page(task(1)), page())
    platform = connector(script, FakeTime(NOW + timedelta(seconds=0.7)))

    (read,) = await pages(platform)
    await pages(platform, cursor=read.cursor)

    # 30 s before the first run began, in whole seconds
    assert script.asked[1] == "GET tasks?updatedAfter=2019-08-15T09%3A59%3A30%2B08%3A00&limit=100"


async def test_a_clock_of_ours_that_is_ahead_passes_nothing_over() -> None:
    script = Script(page(task(1), headers={"date": "Thu, 15 Aug 2019 01:45:00 GMT"}), page())
    platform = connector(script, FakeTime())

    (read,) = await pages(platform)
    await pages(platform, cursor=read.cursor)

    assert script.asked[1] == "GET tasks?updatedAfter=2019-08-15T09%3A44%3A30%2B08%3A00&limit=100"


async def test_a_run_is_gone_on_with_by_the_platforms_cursor() -> None:
    first = Script(page(task(1), cursor=ODD), page(task(2)))
    read = await pages(connector(first, FakeTime()))
    second = Script(page(task(2)))

    rest = await pages(connector(second, FakeTime()), cursor=read[0].cursor)

    assert second.asked == [f"GET tasks?cursor={ODD_SENT}"]
    assert rest[-1].cursor == read[-1].cursor


async def test_an_expired_cursor_is_replaced_by_the_last_settled_place() -> None:
    first = Script(page(task(1, "2019-08-14T09:00:30+08:00"), cursor=ODD), page(task(2)))
    read = await pages(connector(first, FakeTime()))
    second = Script(EXPIRED, page(task(1)), page(task(2)))

    rest = await pages(connector(second, FakeTime()), cursor=read[0].cursor)

    assert second.asked == [f"GET tasks?cursor={ODD_SENT}", "GET tasks?updatedAfter=2019-08-14T09%3A00%3A00%2B08%3A00&limit=100"]
    assert keys(rest) == ["RW001"]


async def test_cursors_that_always_expire_end_in_an_error() -> None:
    script = Script(*[page(task(1), cursor="c"), EXPIRED] * 4)
    with pytest.raises(TransientError, match="expire"):
        await pages(connector(script, FakeTime()))


async def test_a_task_that_shows_up_late_between_two_pages_is_read_by_the_next_run() -> None:
    """Read at 10:00:00 up to 09:59:59; RW009 of 09:59:58 shows up at 10:00:01, when its page is over; the run goes on."""
    time = FakeTime()
    script = Script(page(task(1, "2019-08-15T09:59:59+08:00"), cursor="c"), page(task(2, "2019-08-15T10:01:59+08:00")), page())
    platform = connector(script, time)
    changes = platform.changes("tasks", None)
    await anext(changes)
    time.advance(120)

    last = await anext(changes)
    await pages(platform, cursor=last.cursor)

    after = unquote(script.asked[-1]).split("updatedAfter=")[1][:19]
    assert after < "2019-08-15T09:59:58"


async def test_coordinations_in_no_order_settle_nothing_before_their_end() -> None:
    (co,) = sample("coordinations.json")["items"]
    newer, older = {**co, "updatedAt": "2019-08-15T09:30:00+08:00"}, {**co, "updatedAt": "2019-08-01T09:30:00+08:00"}
    script = Script(page(newer, cursor="c"), page(older), EXPIRED, page())
    platform = connector(script, FakeTime())

    read = await pages(platform, "coordinations")
    await pages(platform, "coordinations", cursor=read[0].cursor)

    assert script.asked[0] == "GET coordinations?updatedAfter=1970-01-01T00%3A00%3A00%2B08%3A00"
    assert script.asked[3] == script.asked[0]
    assert '"settled"' not in read[0].cursor
    assert '"settled":"2019-08-15T09:59:30+08:00"' in read[1].cursor


async def test_one_bad_task_spoils_no_other() -> None:
    script = Script(page({**task(1), "version": None}, task(2), "nonsense"))

    (read,) = await pages(connector(script, FakeTime()))

    assert [said(item) for item in read.items] == ["Quarantined MISSING_FIELD", "VerificationTask RW002@1", "Quarantined BAD_VALUE"]


async def test_key_subjects_are_read_as_a_whole_each_time() -> None:
    first, second = sample("key_subjects.json")["items"]
    script = Script(page(first, cursor=ODD), page(second), page(first))
    platform = connector(script, FakeTime())

    read = await pages(platform, "key_subjects")
    await pages(platform, "key_subjects", cursor=read[-1].cursor)

    assert script.asked == ["GET key-subjects", f"GET key-subjects?cursor={ODD_SENT}", "GET key-subjects"]
    assert len(keys(read)) == 2
    assert [each.more for each in read] == [True, False]


async def test_a_key_subject_that_two_whole_lists_lack_is_gone() -> None:
    first, second = sample("key_subjects.json")["items"]
    script = Script(page(first, second), page(first), page(first), page(first), page(first, second))
    platform, cursor, read = connector(script, FakeTime()), None, []
    for _ in range(5):
        (each,) = await pages(platform, "key_subjects", cursor)
        cursor = each.cursor
        read.append([said(item) for item in each.items])

    one, other = "KeySubject 91330782MA2E4K7B4C@2", f"KeySubject RID-{'0f' * 32}@1"
    gone = f"KeySubject RID-{'0f' * 32} gone"
    assert read == [[one, other], [one], [one, gone], [one], [one, other]]


async def test_a_key_subject_that_is_gone_may_begin_again_at_any_version() -> None:
    script = Script(page(sample("key_subjects.json")["items"][0]), page(), page())
    platform, cursor, items = connector(script, FakeTime()), None, list[Item]()
    for _ in range(3):
        (each,) = await pages(platform, "key_subjects", cursor)
        cursor = each.cursor
        items += each.items
    assert [item.counts_anew for item in items if isinstance(item, Tombstone)] == [True]


async def test_a_key_subject_that_is_missed_once_is_not_gone() -> None:
    first, second = sample("key_subjects.json")["items"]
    script = Script(page(first, second), page(first), page(first, second), page(first), page(first, second))
    platform, cursor = connector(script, FakeTime()), None
    for _ in range(5):
        (each,) = await pages(platform, "key_subjects", cursor)
        cursor = each.cursor
        assert not any(said(item).endswith("gone") for item in each.items)


async def test_an_unreadable_entry_proves_of_no_other_that_it_is_gone() -> None:
    first, second = sample("key_subjects.json")["items"]
    script = Script(page(first, second), *[page(first, {**second, "code": None})] * 3, *[page(first, {**second, "ref": ""})] * 3)
    platform, cursor = connector(script, FakeTime()), None
    for _ in range(7):
        (each,) = await pages(platform, "key_subjects", cursor)
        cursor = each.cursor
        assert not any(said(item).endswith("gone") for item in each.items)


async def test_a_whole_list_whose_cursor_expired_is_begun_anew() -> None:
    first, second = sample("key_subjects.json")["items"]
    script = Script(page(first, second), page(first, cursor="c"), EXPIRED, page(second), page(second))
    platform = connector(script, FakeTime())
    (before,) = await pages(platform, "key_subjects")

    read = await pages(platform, "key_subjects", before.cursor)
    (last,) = await pages(platform, "key_subjects", read[-1].cursor)

    assert script.asked == ["GET key-subjects"] * 2 + ["GET key-subjects?cursor=c"] + ["GET key-subjects"] * 2
    assert [said(item) for item in last.items][1:] == ["KeySubject 91330782MA2E4K7B4C gone"]


async def test_a_list_that_did_not_change_is_not_read_again() -> None:
    departments = sample("departments.json")["items"]
    tagged = page(*departments, headers={"etag": '"v1"'})
    script = Script(tagged, httpx.Response(304), page(*departments[:1], headers={"etag": '"v2"'}), page())
    platform = connector(script, FakeTime())

    (first,) = await pages(platform, "departments")
    (second,) = await pages(platform, "departments", first.cursor)
    (third,) = await pages(platform, "departments", second.cursor)
    await pages(platform, "departments", third.cursor)

    assert [request.headers.get("if-none-match") for request in script.requests] == [None, '"v1"', '"v1"', '"v2"']
    assert [len(each.items) for each in (first, second, third)] == [2, 0, 1]
    assert said(first.items[0]) == "Department JTJ@1565834400"


async def test_live_reads_leave_out_what_the_platform_does_not_know() -> None:
    def gateway(request: httpx.Request) -> httpx.Response:
        if asked(request) == "GET tasks/RW%2F1":
            return httpx.Response(200, json=task(1))
        return refusal(404, "NOT_FOUND")

    items = await connector(gateway, FakeTime()).fetch("VerificationTask", ["RW9", "RW/1", "RW9"])

    assert [said(item) for item in items] == ["VerificationTask RW001@1"]


async def test_campaigns_are_read_by_their_id() -> None:
    script = Script(httpx.Response(200, content=(SAMPLES / "campaign.json").read_bytes()))

    (item,) = await connector(script, FakeTime()).fetch("Campaign", ["SJ0000000003"])

    assert (said(item), script.asked) == ("Campaign SJ0000000003@1565834400", ["GET campaigns/SJ0000000003"])


async def test_short_lists_give_the_keys_that_are_asked_for() -> None:
    script = Script(page(*sample("departments.json")["items"]))

    (item,) = await connector(script, FakeTime()).fetch("Department", ["WHJ", "XXX"])

    assert said(item) == "Department WHJ@1565834400"


async def test_coordinations_cannot_be_read_by_key() -> None:
    with pytest.raises(PermanentError, match="Coordination"):
        await connector(Script(), FakeTime()).fetch("Coordination", ["XG1"])


async def test_tasks_are_found_by_our_number() -> None:
    script = Script(page(*sample("tasks.json")["items"][:1]))

    (item,) = await connector(script, FakeTime()).tasks_by_external_no("av/5f0c")

    assert (said(item), script.asked) == ("VerificationTask RW0000000042@5", ["GET tasks?externalNo=av%2F5f0c"])


async def test_a_refused_signature_with_a_wrong_clock_says_that_the_clock_is_wrong() -> None:
    date = {"date": "Thu, 15 Aug 2019 02:00:00 GMT"}
    wrong = Script(httpx.Response(401, text="<html>401</html>", headers=date))
    with pytest.raises(PermanentError, match=r"\+960 s") as problem:
        await pages(connector(wrong, FakeTime(NOW + timedelta(seconds=959.95))))
    assert problem.value.code == "CLOCK_SKEW"

    right = Script(httpx.Response(401, text="<html>401</html>", headers=date))
    with pytest.raises(PermanentError, match="HUB_ENFORCEMENT_SECRETS") as problem:
        await pages(connector(right, FakeTime(NOW + timedelta(seconds=600)), secrets=("secret-new",)))
    assert problem.value.code == "SIGNATURE_REFUSED"


async def test_an_interface_that_we_have_not_subscribed_to_is_for_people() -> None:
    with pytest.raises(PermanentError, match="not subscribed"):
        await pages(connector(Script(httpx.Response(403, text="<html>")), FakeTime()))


async def test_the_gateways_limit_is_respected() -> None:
    busy = httpx.Response(429, text="<html>", headers={"X-RateLimit-Reset": "60"})
    with pytest.raises(TransientError) as problem:
        await pages(connector(Script(busy), FakeTime()))
    assert problem.value.retry_after == 60

    soon = httpx.Response(429, text="<html>", headers={"X-RateLimit-Reset": "2"})
    time = FakeTime()
    assert len(await pages(connector(Script(soon, page()), time))) == 1
    assert 2 <= time.slept[0] < 3


@pytest.mark.parametrize("broken", [httpx.Response(502, text="<html>"), httpx.Response(504), httpx.Response(200, text="<html>")])
async def test_a_read_is_tried_again_and_signed_anew(broken: httpx.Response) -> None:
    script = Script(broken, page(task(1)))

    read = await pages(connector(script, FakeTime(NOW + timedelta(seconds=0.9))))

    assert keys(read) == ["RW001"]
    first, second = (request.headers["x-bg-date"] for request in script.requests)
    assert first != second


@pytest.mark.parametrize("answer", [{"items": {}}, {"nextCursor": None}, {"items": [], "nextCursor": 3}, []])
async def test_a_list_of_another_shape_is_no_answer(answer: object) -> None:
    script = Script(*[httpx.Response(200, json=answer) for _ in range(3)])
    with pytest.raises(TransientError) as problem:
        await pages(connector(script, FakeTime()))
    assert problem.value.code == "BAD_ANSWER"


async def test_an_unknown_stream_is_named() -> None:
    with pytest.raises(PermanentError, match="tasks, coordinations, key_subjects"):
        connector(Script(), FakeTime()).changes("campaigns", None)


@pytest.mark.parametrize("missing", [{"secrets": ()}, {"callback_secrets": ()}, {"access_key": ""}])
def test_a_missing_secret_is_noticed_at_start(missing: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        settings(**missing)
