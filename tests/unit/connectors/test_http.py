"""connectors/http.py and breaker.py: what is tried again, what an unanswered write means, when a platform is left alone."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from connectors.errors import PermanentError, PlatformDown, TransientError, UnknownOutcome
from connectors.http import HttpSettings, PlatformClient, UnusableError
from connectors.http_dates import retry_after_seconds
from connectors.lease import sends_under
from connectors.patience import waits_until
from tests.contract.cases import NOW, FakeTime, surroundings

Handler = Callable[[httpx.Request], httpx.Response] | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]


class Script:
    """A platform that gives its answers in order, the last one for ever; exceptions are raised."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers, self.requests = list(answers), list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def client_of(handler: Handler, time: FakeTime, **settings: float) -> PlatformClient:
    """Return a client of a platform played by `handler`."""
    given = HttpSettings.model_validate({"url": "http://platform.test/base", **settings})
    return PlatformClient("platform", given, surroundings(time, httpx.MockTransport(handler)))


def text(response: httpx.Response) -> str:
    return response.text


async def read(client: PlatformClient) -> str:
    return await client.read("look", lambda: client.request("GET", "/thing"), text)


async def write(client: PlatformClient) -> str:
    return await client.write("make", lambda: client.request("POST", "/thing"), text)


OK, BUSY = httpx.Response(200, text="done"), httpx.Response(500)


async def test_a_read_is_built_anew_and_tried_again_until_it_is_answered() -> None:
    time, built = FakeTime(), list[datetime]()
    script = Script(httpx.ReadTimeout("slow"), BUSY, OK)
    client = client_of(script, time)

    def build() -> httpx.Request:
        built.append(time.now)
        return client.request("GET", "/thing")

    assert await client.read("look", build, text) == "done"
    assert len(set(built)) == 3
    assert script.requests[0].url.path == "/base/thing"


def test_parameters_are_percent_encoded_whatever_they_hold() -> None:
    client = client_of(Script(OK), FakeTime())
    request = client.request("GET", "/thing", params={"type": "a", "cursor": "+/=& 中%41~"})
    assert request.url.raw_path == b"/base/thing?type=a&cursor=%2B%2F%3D%26%20%E4%B8%AD%2541~"


async def test_a_read_waits_at_least_as_long_as_the_platform_asks() -> None:
    time = FakeTime()
    client = client_of(Script(httpx.Response(429, headers={"Retry-After": "7"}), OK), time)
    assert await read(client) == "done"
    assert 7 <= time.slept[0] < 8


async def test_after_too_many_calls_no_other_call_is_sent_until_the_platform_takes_them_again() -> None:
    time, script = FakeTime(), Script(httpx.Response(429, headers={"Retry-After": "7"}), OK)
    client = client_of(script, time)
    with pytest.raises(TransientError):
        await write(client)
    time.now += timedelta(seconds=5)
    with pytest.raises(TransientError) as held:
        await write(client)
    assert (held.value.code, held.value.retry_after, len(script.requests)) == ("RATE_LIMITED", 2.0, 1)
    assert not isinstance(held.value, UnknownOutcome)
    time.now += timedelta(seconds=2)
    assert await write(client) == "done"


async def test_a_read_fails_at_once_when_the_platform_asks_for_more_patience_than_there_is() -> None:
    time = FakeTime()
    client = client_of(Script(httpx.Response(503, headers={"Retry-After": "7200"})), time)
    with pytest.raises(TransientError) as failed:
        await read(client)
    assert (failed.value.retry_after, time.slept) == (7200.0, [])


@pytest.mark.parametrize(
    ("answer", "seconds", "tries"),
    [
        (httpx.Response(429, headers={"Retry-After": "7"}), 5.0, 1),
        (httpx.Response(429, headers={"Retry-After": "7"}), 3600.0, 3),
        (httpx.ReadTimeout("slow"), 0.1, 1),
        (httpx.ReadTimeout("slow"), 3600.0, 3),
    ],
)
async def test_a_read_is_not_tried_again_when_its_caller_will_have_gone(
    answer: httpx.Response | Exception, seconds: float, tries: int
) -> None:
    script = Script(answer)
    client = client_of(script, FakeTime(), read_attempts=3)
    with waits_until(asyncio.get_running_loop().time() + seconds), pytest.raises(TransientError):
        await asyncio.create_task(read(client))
    assert len(script.requests) == tries


async def test_a_read_gives_up_after_its_tries() -> None:
    script = Script(httpx.ReadTimeout("slow"))
    with pytest.raises(TransientError) as failed:
        await read(client_of(script, FakeTime()))
    assert len(script.requests) == 3
    assert not isinstance(failed.value, UnknownOutcome)


async def test_a_read_that_cannot_be_understood_is_tried_again() -> None:
    script, time = Script(OK), FakeTime()
    client = client_of(script, time)

    def never(response: httpx.Response) -> str:
        raise UnusableError("what")

    with pytest.raises(TransientError, match="unusable"):
        await client.read("look", lambda: client.request("GET", "/thing"), never)
    assert len(script.requests) == 3


async def test_a_refusal_is_permanent_and_not_tried_again_and_shows_no_identity_number() -> None:
    script = Script(httpx.Response(400, text="who is 330782196512120018?"))
    with pytest.raises(PermanentError) as failed:
        await read(client_of(script, FakeTime()))
    assert len(script.requests) == 1
    assert "330782196512120018" not in str(failed.value)


@pytest.mark.parametrize(
    "answer", [httpx.ReadTimeout("slow"), httpx.ReadError("reset"), httpx.RemoteProtocolError("gone"), BUSY, httpx.Response(504)]
)
async def test_a_write_without_a_usable_answer_is_sent_once_and_its_outcome_is_unknown(answer: httpx.Response | Exception) -> None:
    script, time = Script(answer, OK), FakeTime()
    with pytest.raises(UnknownOutcome) as failed:
        await write(client_of(script, time))
    assert len(script.requests) == 1
    assert failed.value.sent_at == time.now
    assert failed.value.retry_after == 30.0


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.Response(429),
        httpx.Response(503, headers={"Retry-After": "5"}),
    ],
)
async def test_a_write_that_was_surely_not_carried_out_is_transient(answer: httpx.Response | Exception) -> None:
    with pytest.raises(TransientError) as failed:
        await write(client_of(Script(answer, OK), FakeTime()))
    assert not isinstance(failed.value, UnknownOutcome)


@pytest.mark.parametrize("lasts", [None, -0.001])
async def test_a_write_whose_claim_ended_while_it_waited_is_not_sent(lasts: float | None) -> None:
    """A process was suspended: what it was about to say is old by then, and its signature would be as fresh as any."""
    time, script = FakeTime(), Script(OK)
    client = client_of(script, time)
    with sends_under(lambda: None if lasts is None else time.now + timedelta(seconds=lasts)):
        with pytest.raises(TransientError) as refused:
            await write(client)
        assert (refused.value.code, isinstance(refused.value, UnknownOutcome), script.requests) == ("CLAIM_OVER", False, [])
        assert await read(client) == "done"
    assert await write(client) == "done"


async def test_a_write_answered_with_503_and_no_time_has_an_unknown_outcome() -> None:
    with pytest.raises(UnknownOutcome):
        await write(client_of(Script(httpx.Response(503)), FakeTime()))


async def test_a_write_whose_answer_cannot_be_read_has_an_unknown_outcome_and_quotes_nothing() -> None:
    client = client_of(Script(httpx.Response(200, text='{"name": "王小明"')), FakeTime())
    with pytest.raises(UnknownOutcome) as failed:
        await client.write("make", lambda: client.request("POST", "/thing"), lambda response: str(response.json()["id"]))
    assert "王小明" not in str(failed.value)


async def test_a_call_that_hangs_beyond_the_deadline_counts_as_unanswered() -> None:
    async def hang(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        return httpx.Response(200)

    with pytest.raises(UnknownOutcome) as failed:
        await write(client_of(hang, FakeTime(), deadline_seconds=0.005))
    assert failed.value.code == "TIMEOUT"


async def test_a_platform_that_fails_is_left_alone_until_a_single_probe_succeeds() -> None:
    time, script = FakeTime(), Script(*[httpx.ConnectError("down")] * 5, OK)
    client = client_of(script, time, breaker_failures=5, breaker_cool_down_seconds=15)
    for _ in range(5):
        with pytest.raises(TransientError):
            await write(client)
    assert client.open_until == time.now + timedelta(seconds=15)
    with pytest.raises(PlatformDown) as refused:
        await write(client)
    assert len(script.requests) == 5
    assert refused.value.retry_after is not None
    time.advance(refused.value.retry_after)
    assert client.breaker.refuses_for() is None
    assert await write(client) == "done"
    assert await read(client) == "done"


async def test_while_the_probe_is_under_way_other_calls_are_refused() -> None:
    time, gate, probing, asked = FakeTime(), asyncio.Event(), asyncio.Event(), 0

    async def slow_to_recover(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise httpx.ConnectError("down")
        probing.set()
        await gate.wait()
        return httpx.Response(200)

    client = client_of(slow_to_recover, time, breaker_failures=1)
    with pytest.raises(TransientError):
        await write(client)
    time.advance(15)
    probe = asyncio.create_task(write(client))
    await probing.wait()
    with pytest.raises(PlatformDown):
        await write(client)
    gate.set()
    await probe
    assert asked == 2


async def test_a_failed_probe_opens_the_breaker_again_at_once() -> None:
    time = FakeTime()
    client = client_of(Script(httpx.ConnectError("down")), time, breaker_failures=2)
    for _ in range(2):
        with pytest.raises(TransientError):
            await write(client)
    time.advance(15)
    with pytest.raises(TransientError) as probed:
        await write(client)
    assert not isinstance(probed.value, PlatformDown)
    assert client.open_until == time.now + timedelta(seconds=15)


async def test_a_cancelled_probe_lets_the_next_call_probe() -> None:
    time, probing, asked = FakeTime(), asyncio.Event(), 0

    async def down_then_silent(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise httpx.ConnectError("down")
        if asked == 2:
            probing.set()
            await asyncio.Event().wait()
        return httpx.Response(200)

    client = client_of(down_then_silent, time, breaker_failures=1)
    with pytest.raises(TransientError):
        await write(client)
    time.advance(15)
    probe = asyncio.create_task(write(client))
    await probing.wait()
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    await write(client)
    assert asked == 3


async def test_the_breaker_respects_the_wait_of_a_maintenance_window() -> None:
    time = FakeTime()
    client = client_of(Script(httpx.Response(503, headers={"Retry-After": "600"})), time, breaker_failures=1)
    with pytest.raises(TransientError):
        await write(client)
    assert client.open_until == time.now + timedelta(seconds=600)


async def test_refusals_and_rate_limits_do_not_open_the_breaker() -> None:
    client = client_of(Script(httpx.Response(400)), FakeTime(), breaker_failures=1)
    for _ in range(3):
        with pytest.raises(PermanentError):
            await write(client)
    assert client.open_until is None


async def test_equal_reads_under_way_share_one_call_and_later_ones_do_not() -> None:
    script, time = Script(OK), FakeTime()
    client = client_of(script, time)

    async def shared() -> str:
        return await client.read("look", lambda: client.request("GET", "/thing"), text, same="thing")

    assert tuple(await asyncio.gather(shared(), shared(), shared())) == ("done", "done", "done")
    assert len(script.requests) == 1
    await shared()
    assert len(script.requests) == 2


async def test_a_caller_that_leaves_does_not_take_a_shared_read_from_the_others() -> None:
    gate = asyncio.Event()

    async def slow(request: httpx.Request) -> httpx.Response:
        await gate.wait()
        return httpx.Response(200, text="done")

    client = client_of(slow, FakeTime())
    first, second = (
        asyncio.create_task(client.read("look", lambda: client.request("GET", "/thing"), text, same=1)) for _ in range(2)
    )
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    assert await second == "done"


async def test_a_read_that_everybody_has_left_is_joined_by_nobody_and_still_opens_the_breaker() -> None:
    gates = [asyncio.Event(), asyncio.Event()]
    answers = iter([(gates[0], BUSY), (gates[1], OK)])

    async def slow(request: httpx.Request) -> httpx.Response:
        gate, answer = next(answers)
        await gate.wait()
        return httpx.Response(answer.status_code, content=answer.content)

    client = client_of(slow, FakeTime(), breaker_failures=1, read_attempts=1)
    first, second = (
        asyncio.create_task(client.read("look", lambda: client.request("GET", "/thing"), text, same=1)) for _ in range(2)
    )
    await asyncio.sleep(0.01)
    for caller in (first, second):
        caller.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    third = asyncio.create_task(client.read("look", lambda: client.request("GET", "/thing"), text, same=1))
    await asyncio.sleep(0.01)
    gates[1].set()
    assert await third == "done"
    gates[0].set()
    await asyncio.sleep(0.01)
    with pytest.raises(PlatformDown):
        await read(client)
    await client.close()


async def test_no_more_calls_are_under_way_than_allowed() -> None:
    under_way = most = 0

    async def count(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return httpx.Response(200)

    client = client_of(count, FakeTime(), max_in_flight=2)
    await asyncio.gather(*(write(client) for _ in range(6)))
    assert most == 2


async def test_each_call_waits_for_the_quota_before_it_is_signed() -> None:
    time, built = FakeTime(), list[datetime]()
    client = client_of(Script(OK), time, quota_per_second=4)

    def build() -> httpx.Request:
        built.append(time.now)
        return client.request("GET", "/thing")

    await client.read("look", build, text)
    assert built == [NOW + timedelta(seconds=0.25)]


def test_retry_after_is_read_as_seconds_and_as_a_date_measured_by_the_platforms_own_clock() -> None:
    ours = datetime(2019, 8, 15, 2, 0, 0, tzinfo=UTC)
    date = {"Retry-After": "Thu, 15 Aug 2019 03:00:30 GMT"}
    assert retry_after_seconds(httpx.Response(503, headers={"Retry-After": "120"}), ours) == 120.0
    assert retry_after_seconds(httpx.Response(503, headers=date), ours) == 3630.0
    skewed = httpx.Response(503, headers={**date, "Date": "Thu, 15 Aug 2019 03:00:00 GMT"})
    assert retry_after_seconds(skewed, ours) == 30.0
    assert retry_after_seconds(httpx.Response(503, headers={"Retry-After": "soon"}), ours) is None
    assert retry_after_seconds(httpx.Response(503), ours) is None


# --- answers of any size


class Endless(httpx.AsyncByteStream):
    """A body that goes on and on; counts what was taken of it, and whether it was closed."""

    def __init__(self, chunk: bytes) -> None:
        self.chunk, self.taken, self.closed = chunk, 0, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.taken += 1
            yield self.chunk

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_without_end_is_given_up_and_is_no_answer(monkeypatch: pytest.MonkeyPatch, packed: bool) -> None:
    packing = zlib.compressobj(wbits=31)
    bomb = packing.compress(b" " * 100_000) + packing.flush(zlib.Z_SYNC_FLUSH)
    body, headers = Endless(bomb if packed else b" " * 1_000), {"content-encoding": "gzip"} if packed else {}
    monkeypatch.setattr("connectors.whole_answer.ANSWER_AT_MOST", 5_000)
    client = client_of(lambda _request: httpx.Response(200, headers=headers, stream=body), FakeTime(), read_attempts=1)
    with pytest.raises(TransientError) as read_in_vain:
        await read(client)
    assert (read_in_vain.value.code, type(read_in_vain.value)) == ("BAD_ANSWER", TransientError)
    assert (body.taken, body.closed) == (1 if packed else 6, True)
    with pytest.raises(UnknownOutcome) as written:
        await write(client)
    assert written.value.code == "BAD_ANSWER"


async def test_a_packed_answer_is_unpacked_once_and_told_as_it_reads() -> None:
    headers = {"content-encoding": "gzip", "content-type": "text/plain; charset=gb18030", "x-kept": "yes"}
    packed = httpx.ByteStream(gzip.compress("路灯".encode("gb18030")))
    client = client_of(lambda _request: httpx.Response(200, headers=headers, stream=packed), FakeTime())

    def judge(response: httpx.Response) -> tuple[str, str]:
        assert response.request.url.path == "/base/thing"
        return response.text, response.headers["x-kept"]

    assert await client.read("look", lambda: client.request("GET", "/thing"), judge) == ("路灯", "yes")
