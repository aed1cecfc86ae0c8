"""Commands to the grid platform, and what each code and silence of it means."""

from datetime import datetime, timedelta

import httpx
import msgspec
import pytest

from connectors.base import Receipt
from connectors.errors import PermanentError, TransientError, UnknownOutcome
from schema.commands import AcceptEvent, AnyCommand, CancelTask, FeedbackEvent, FileLink, IssueCoordination
from schema.entity import Observation
from tests.contract.cases import NOW, WIRE, FakeTime
from tests.unit.connectors.grid_node import answer, asked, connector, event

ACCEPT = AcceptEvent(event_no="YW20190805000123", task_id="RW0000000042", department="JTJ", accepted_at=NOW)
FEEDBACK = FeedbackEvent(
    event_no="YW20190805000123",
    task_id="RW0000000042",
    result="handled",
    opinion="已清除𬭎宇路口杂草 <3处>\x0b",
    handler="楼䶮",
    handled_at=NOW,
    files=(FileLink(name="清除后.jpg", url="http://10.33.1.8/f/3.jpg"),),
)
ISSUE = IssueCoordination(
    out_no="gc-0f1e2d",
    department="ZFJ",
    town="佛堂镇",
    category="ZF-02",
    content="协助核实",
    limit_at=datetime.fromisoformat("2019-08-16T10:00:00+00:00"),
)
EVERY = [ACCEPT, FEEDBACK, ISSUE]


async def ensured(command: AnyCommand, *answers: httpx.Response | Exception, time: FakeTime | None = None) -> Receipt:
    """Carry a command out against a node that gives these answers, one after another."""
    left = list(answers)

    def node(request: httpx.Request) -> httpx.Response:
        given = left.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    return await connector(node, time or FakeTime()).ensure(command, "key", unknown_since=None)


@pytest.mark.parametrize(
    ("command", "method", "xml"),
    [
        (
            ACCEPT,
            "AcceptEvent",
            "<request><no>YW20190805000123</no><taskNo>RW0000000042</taskNo><deptCode>JTJ</deptCode>"
            "<time>20190815100000</time></request>",
        ),
        (
            FEEDBACK,
            "FeedbackEvent",
            "<request><no>YW20190805000123</no><taskNo>RW0000000042</taskNo><result>handled</result>"
            "<opinion>已清除𬭎宇路口杂草 &lt;3处&gt; </opinion><handler>楼䶮</handler><time>20190815100000</time>"
            '<files><file name="清除后.jpg" url="http://10.33.1.8/f/3.jpg" md5=""/></files></request>',
        ),
        (
            ISSUE,
            "CreateCoordination",
            "<request><outNo>gc-0f1e2d</outNo><deptCode>ZFJ</deptCode><town>佛堂镇</town><category>ZF-02</category>"
            "<content>协助核实</content><limitTime>20190816180000</limitTime></request>",
        ),
    ],
)
async def test_a_command_is_sent_as_the_page_has_it(command: AnyCommand, method: str, xml: str) -> None:
    seen = []

    def node(request: httpx.Request) -> httpx.Response:
        seen.append(asked(request))
        return answer(0, "<no>XG1</no>")

    await connector(node, FakeTime()).ensure(command, "key", unknown_since=None)

    assert [(call.method, call.xml) for call in seen] == [(method, xml)]


async def test_what_is_done_is_a_receipt_and_no_proof() -> None:
    assert await ensured(ACCEPT, answer(0)) == Receipt(reference="YW20190805000123")
    assert await ensured(FEEDBACK, answer(0)) == Receipt(reference="YW20190805000123")
    assert await ensured(ISSUE, answer(0, "<no>XG7</no>")) == Receipt(reference="XG7")


@pytest.mark.parametrize("command", [ACCEPT, FEEDBACK])
async def test_a_repetition_that_names_our_task_is_the_proof(command: AnyCommand) -> None:
    sample = httpx.Response(200, content=(WIRE / "grid" / "repeated.xml").read_bytes())

    assert await ensured(command, sample) == Receipt(reference="YW20190805000123", repeated=True, proof=True)


RETURNED = msgspec.structs.replace(FEEDBACK, result="returned")


@pytest.mark.parametrize("status", ["60", "20"])
async def test_that_an_event_was_returned_is_shown_and_proven_by_the_mirror_alone(status: str) -> None:
    """What the mirror holds may be older than the answer: it must not be taken for the event being sent once more."""
    repeated = answer(8, "<no>YW20190805000123</no><taskNo>RW0000000042</taskNo>")

    receipt = await ensured(RETURNED, repeated, answer(0, event("YW20190805000123", 5, status=status)))

    assert not receipt.proof
    (shown,) = receipt.shows
    assert isinstance(shown, Observation)
    assert shown.record.version == 5


@pytest.mark.parametrize("second", [answer(5), answer(9), httpx.ReadTimeout("nothing came")])
async def test_where_a_returned_event_cannot_be_read_nothing_is_proven(second: httpx.Response | Exception) -> None:
    repeated = answer(8, "<no>YW20190805000123</no><taskNo>RW0000000042</taskNo>")

    receipt = await ensured(RETURNED, repeated, *[second] * 6)

    assert receipt == Receipt(reference="YW20190805000123", repeated=True)


@pytest.mark.parametrize("command", [ACCEPT, FEEDBACK])
async def test_a_repetition_that_names_another_task_is_for_people(command: AnyCommand) -> None:
    with pytest.raises(PermanentError) as problem:
        await ensured(command, answer(8, "<no>YW20190805000123</no><taskNo>RW0000000041</taskNo>"))

    assert "RW0000000041" in str(problem.value)
    assert "RW0000000042" in str(problem.value)


async def test_a_repeated_coordination_gives_the_first_number() -> None:
    assert await ensured(ISSUE, answer(8, "<no>XG7</no>")) == Receipt(reference="XG7", repeated=True)


@pytest.mark.parametrize("command", [ACCEPT, FEEDBACK])
async def test_what_is_impossible_in_this_state_names_the_state(command: AnyCommand) -> None:
    with pytest.raises(PermanentError, match="status is 50") as problem:
        await ensured(command, answer(1, message="状态不允许"), answer(0, event("YW20190805000123", status="50")))

    assert "状态不允许" in str(problem.value)


async def test_a_state_that_cannot_be_read_does_not_hide_the_refusal() -> None:
    with pytest.raises(PermanentError, match="status is unknown"):
        await ensured(ACCEPT, answer(1), answer(5))


@pytest.mark.parametrize("command", EVERY)
@pytest.mark.parametrize(("code", "reason"), [(2, "BAD_SIGN"), (5, "NO_SUCH_RECORD"), (7, "CODE_7")])
async def test_other_refusals_are_permanent(command: AnyCommand, code: int, reason: str) -> None:
    with pytest.raises(PermanentError) as problem:
        await ensured(command, answer(code, message="不允许，电话13857912345"))

    assert problem.value.code == reason
    assert "13857912345" not in str(problem.value)


@pytest.mark.parametrize("command", EVERY)
async def test_busy_means_that_nothing_was_done(command: AnyCommand) -> None:
    with pytest.raises(TransientError) as problem:
        await ensured(command, answer(9))

    assert not isinstance(problem.value, UnknownOutcome)
    assert problem.value.retry_after is not None


async def test_a_clock_that_is_off_is_named_with_the_difference() -> None:
    with pytest.raises(TransientError, match=r"\+720 s") as problem:
        await ensured(ACCEPT, answer(3), time=FakeTime(NOW + timedelta(seconds=719.95)))

    assert not isinstance(problem.value, UnknownOutcome)


@pytest.mark.parametrize("command", EVERY)
@pytest.mark.parametrize(
    "silence",
    [
        httpx.Response(500, content=(WIRE / "grid" / "fault.xml").read_bytes()),
        httpx.Response(200, content=(WIRE / "grid" / "fault.xml").read_bytes()),
        httpx.Response(502, text="<html>"),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, content=b""),
        answer(0).__class__(200, content=answer(0).content.replace(b"<code>0</code>", b"")),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("gone"),
    ],
)
async def test_a_write_without_a_usable_answer_may_have_been_done(command: AnyCommand, silence: httpx.Response | Exception) -> None:
    with pytest.raises(UnknownOutcome) as problem:
        await ensured(command, silence)

    # The platform knows repetitions by their number, so that only an accept has to be waited out.
    assert problem.value.retry_after == (30 if command is ACCEPT else 5)


async def test_an_accept_is_not_repeated_while_the_one_before_it_may_still_be_carried_out() -> None:
    """Carried out late, after the event was returned and sent once more, its task would stand for the new sending."""
    asked_for, time = list[httpx.Request](), FakeTime()

    def node(request: httpx.Request) -> httpx.Response:
        asked_for.append(request)
        return answer(0)

    grid = connector(node, time)
    with pytest.raises(TransientError) as early:
        await grid.ensure(ACCEPT, "key", unknown_since=time.now - timedelta(seconds=29))
    assert (early.value.code, early.value.retry_after, asked_for) == ("UNSETTLED", 1.0, [])
    assert not isinstance(early.value, UnknownOutcome)
    assert await grid.ensure(ACCEPT, "key", unknown_since=time.now - timedelta(seconds=30)) == Receipt(reference=ACCEPT.event_no)
    assert await grid.ensure(FEEDBACK, "key", unknown_since=time.now) == Receipt(reference=ACCEPT.event_no)


async def test_a_read_that_meets_a_fault_is_tried_again() -> None:
    left = [httpx.Response(500, content=(WIRE / "grid" / "fault.xml").read_bytes()), answer(5)]

    assert await connector(lambda request: left.pop(0), FakeTime()).fetch("GridEvent", ["YW1"]) == []


async def test_a_command_of_another_platform_is_refused() -> None:
    with pytest.raises(PermanentError, match="CancelTask"):
        await ensured(CancelTask(task_id="RW1", reason="x"))
