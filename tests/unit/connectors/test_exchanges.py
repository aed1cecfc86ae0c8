"""connectors/exchanges.py: what is kept of a call, what never is, and where a text may be cut off."""

import asyncio

import httpx
import pytest
from pydantic import BaseModel, SecretStr

from connectors.errors import TransientError, UnknownOutcome
from connectors.exchanges import KEPT_BYTES, Telling
from connectors.http import HttpSettings, PlatformClient
from hub.reconcile.transcript import MOST, Transcript
from schema.identifiers import mask_phone, redact
from tests.contract.cases import FakeTime, surroundings
from tests.unit.connectors.test_http import client_of

PHONE, PERSON = "13957912345", "330782199003073512"
SECRET = "a+secret/of=ours"


class Settings(BaseModel):
    secrets: tuple[SecretStr, ...] = (SecretStr(SECRET),)
    other: SecretStr = SecretStr("another one")
    plain: str = "bihuan"


TELLING = Telling(Settings())


def posted(content: bytes | str, **headers: str) -> httpx.Request:
    return httpx.Request("POST", "http://platform.test/base/things?name=%E4%B8%AD%20x", content=content, headers=headers)


def test_a_request_is_told_with_its_query_decoded_and_the_headers_that_matter() -> None:
    told = TELLING.request(
        posted('{"a":1}', **{"Idempotency-Key": "k", "X-Sign": "abc", "Authorization": "Bearer x", "Cookie": "c"})
    )
    assert told == 'POST /base/things?name=中 x\nidempotency-key: k\n\n{"a":1}'


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"sign":"0A","b":"c"}', '{"sign":"…","b":"c"}'),
        ('{"client_secret" : "a\\"b"}', '{"client_secret" : "…"}'),
        ('{"accessToken":"x"', '{"accessToken":"…"'),
        ('{"password":"cut of', '{"password":"…'),
        ("<a><sign>0A</sign><b>c</b></a>", "<a><sign>…</sign><b>c</b></a>"),
        ('<ns:Password kind="1"><![CDATA[a<b]]></ns:Password>', '<ns:Password kind="1">…</ns:Password>'),
        ("grant_type=x&client_secret=y&scope=z", "grant_type=x&client_secret=…&scope=z"),
        (f"somewhere {SECRET} and another one", "somewhere … and …"),
        ('{"account":"bihuan"}', '{"account":"bihuan"}'),
    ],
)
def test_what_signs_or_opens_anything_is_left_out(body: str, told: str) -> None:
    assert TELLING.body(body.encode()) == told


def test_a_document_in_gb18030_is_read_as_it_says() -> None:
    assert "楼䶮" in TELLING.body('<?xml version="1.0" encoding="GBK"?><a>楼䶮</a>'.encode("gb18030"))
    assert TELLING.body(b"a\xffb") == "a\ufffdb"


@pytest.mark.parametrize("number", [PHONE, PERSON, "139 5791 2345", "0579-85551234"])
@pytest.mark.parametrize("inside", range(1, 18))
def test_a_long_body_is_cut_off_and_never_within_a_number(number: str, inside: int) -> None:
    inside = min(inside, len(number) - 1)
    body = "x" * (KEPT_BYTES - inside - 1) + ":" + number + "y" * 100
    told = TELLING.body(body.encode())
    assert told.endswith(f"\n… ({len(body):,} bytes in all)")
    assert redact(told).rstrip().count(number[:4]) == 0, told[-80:]
    assert len(told.encode()) < KEPT_BYTES + 40


def test_a_character_that_is_cut_is_left_out() -> None:
    assert "\ufffd" not in TELLING.body(("中" * KEPT_BYTES).encode())


def test_personal_numbers_are_left_for_who_shows_it_to_mask() -> None:
    told = TELLING.body(f'{{"mobile":"{PHONE}"}}'.encode())
    assert PHONE in told
    assert redact(told) == f'{{"mobile":"{mask_phone(PHONE)}"}}'


# --- In one client ---------------------------------------------------------------------------------------------------


async def write(client: PlatformClient) -> str:
    return await client.write("make", lambda: client.request("POST", "/thing", content=b"wanted"), lambda answer: answer.text)


async def test_what_was_sent_and_answered_is_kept_by_the_work_under_way_and_by_no_other() -> None:
    client = client_of(lambda request: httpx.Response(200, text="made"), FakeTime())
    await write(client)
    with Transcript() as transcript:
        await write(client)
    await write(client)
    (kept,) = transcript.exchanges
    assert (kept.operation, kept.outcome) == ("make", "OK")
    assert kept.request.startswith("POST /base/thing\n")
    assert kept.request.endswith("\n\nwanted")
    assert (kept.answer or "").startswith("200 OK\n")
    assert (kept.answer or "").endswith("\n\nmade")


async def test_a_refused_call_is_kept_with_what_the_platform_answered() -> None:
    client = client_of(lambda request: httpx.Response(503, text="<html>closed</html>"), FakeTime())
    with Transcript() as transcript, pytest.raises(UnknownOutcome):
        await write(client)
    (kept,) = transcript.exchanges
    assert kept.outcome == "HTTP_503"
    assert "<html>closed</html>" in (kept.answer or "")


async def test_a_call_that_never_left_says_so() -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with Transcript() as transcript, pytest.raises(TransientError):
        await write(client_of(nobody, FakeTime()))
    (kept,) = transcript.exchanges
    assert (kept.outcome, kept.answer) == ("UNREACHABLE", None)


async def test_a_call_that_is_cut_off_has_its_request() -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    async def hangs(request: httpx.Request) -> httpx.Response:
        begun.set()
        await never.wait()
        raise AssertionError

    transcript = Transcript()

    async def attempt() -> None:
        with transcript:
            await write(client_of(hangs, FakeTime(), deadline_seconds=1000))

    task = asyncio.create_task(attempt())
    await begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    (kept,) = transcript.exchanges
    assert (kept.outcome, kept.answer, kept.answered_at) == ("CANCELLED", None, None)
    assert "wanted" in kept.request


async def test_a_token_is_fetched_without_being_kept() -> None:
    client = client_of(lambda request: httpx.Response(200, json={"access_token": "t"}), FakeTime())
    with Transcript() as transcript:
        await client.exempt("token", lambda: client.request("POST", "/oauth"), lambda answer: answer.text)
    assert transcript.exchanges == ()


async def test_the_last_of_many_exchanges_are_kept() -> None:
    client = client_of(lambda request: httpx.Response(200, text=request.url.path), FakeTime())
    with Transcript() as transcript:
        for at in range(MOST + 3):
            await client.write("make", lambda at=at: client.request("POST", f"/{at}"), lambda answer: answer.text)  # type: ignore[misc]
    assert [each.request.split("/")[-1].split("\n")[0] for each in transcript.exchanges] == [str(at) for at in range(3, MOST + 3)]


async def test_a_secret_of_the_settings_never_is_in_what_is_kept() -> None:
    class Own(HttpSettings):
        secret: SecretStr = SecretStr(SECRET)

    client = PlatformClient(
        "platform",
        Own.model_validate({"url": "http://platform.test"}),
        surroundings(FakeTime(), httpx.MockTransport(lambda request: httpx.Response(200, content=request.content))),
    )
    with Transcript() as transcript:
        await client.write("make", lambda: client.request("POST", "/", content=SECRET.encode()), lambda answer: answer.text)
    (kept,) = transcript.exchanges
    assert kept.request.endswith("\n\n…")
    assert (kept.answer or "").endswith("\n\n…")
