"""Webhooks at the door: what dawdles is given up, what does not fit is sent again, and nobody is kept waiting for either."""

import asyncio
import ipaddress
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from structlog.testing import capture_logs

from hub.intake.deliveries import Deliveries
from hub.intake.room import Room
from hub.mirror.database import SQLiteDatabase
from hub.mirror.rows import Rows
from hub.web.posted import headers_of, remote_of
from hub.web.webhooks import Webhooks, name_open_doors
from tests.e2e.eventually import eventually
from tests.settable_clock import SettableClock
from tests.unit.intake.plain_platform import PlainPlatform

PATH = "/webhooks/approval"


class Door:
    """The endpoint before a platform of the simplest kind; `reading` is the room for bodies that come in."""

    def __init__(
        self,
        database: SQLiteDatabase,
        rows: Rows,
        clock: SettableClock,
        *,
        seconds: float = 0.1,
        deliveries: Deliveries | None = None,
        **settings: object,
    ) -> None:
        self.database, self.rows, self.clock = database, rows, clock
        platform = {"approval": PlainPlatform(clock, **settings)}
        self.reading, self.counted = Room(10, 1000), Counter[tuple[str, str]]()
        self.deliveries = deliveries or Deliveries(database, rows, platform, clock=clock, after=lambda: None, most_waiting=2)
        webhooks = Webhooks(
            self.deliveries,
            platform,
            limit_bytes=1000,
            reading=self.reading,
            answer_seconds=seconds,
            trusted_proxies=(),
            clock=clock,
            count=lambda *outcome: self.counted.update([outcome]),
            refused=lambda *_: None,
        )
        transport = httpx.ASGITransport(Starlette(routes=[Route("/webhooks/{platform}", webhooks, methods=["POST"])]))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://hub")

    async def post(self, body: bytes | AsyncIterator[bytes], signature: str = "s1") -> httpx.Response:
        return await self.client.post(PATH, content=body, headers={"x-signature": signature})


@pytest.fixture
async def door(sqlite_database: SQLiteDatabase, rows: Rows, clock: SettableClock) -> AsyncIterator[Door]:
    made = Door(sqlite_database, rows, clock)
    yield made
    await made.client.aclose()


async def test_a_body_that_never_ends_is_given_up_in_time_and_leaves_its_room(door: Door) -> None:
    async def dawdling() -> AsyncIterator[bytes]:
        yield b"YW1:1"
        await asyncio.Event().wait()

    answer = await door.post(dawdling())
    assert (answer.status_code, answer.content, answer.headers["retry-after"]) == (503, b"again", "5")
    assert (door.reading.held, door.reading.taken) == (0, 0)


async def test_a_body_that_no_room_is_left_for_is_not_even_read(door: Door) -> None:
    read: list[bytes] = []

    async def unread() -> AsyncIterator[bytes]:
        read.append(b"YW1:1")
        yield read[-1]

    door.reading.take(500)
    answer = await door.post(unread())
    assert (answer.status_code, answer.content, answer.headers["retry-after"]) == (503, b"again", "5")
    assert (read, door.counted) == ([], {("approval", "not_stored"): 1})


async def test_a_wrong_signature_is_refused_with_its_reason(door: Door) -> None:
    answer = await door.post(b"YW1:1", "")
    assert (answer.status_code, answer.json()["code"]) == (401, "SIGNATURE_MISSING")


async def test_what_is_not_stored_in_time_and_what_finds_no_room_then_is_sent_again(door: Door) -> None:
    """Nobody stores here: two wait until their time is over, and hold their room until it is known what became of them."""
    answers = await asyncio.gather(*(door.post(b"YW1:1", f"s{number}") for number in range(4)))
    assert [answer.status_code for answer in answers] == [503] * 4
    assert door.deliveries.room.held == 2
    running = asyncio.create_task(door.deliveries.run())
    patient = Door(door.database, door.rows, door.clock, seconds=60, deliveries=door.deliveries)
    await eventually(lambda: not door.deliveries.room.held, or_say="room, once those that waited are stored")
    assert (await patient.post(b"YW1:1", "s10")).status_code == 200
    await patient.client.aclose()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_a_forged_forwarding_header_beside_the_proxys_own_is_not_believed() -> None:
    """Headers of one name are one list, whichever line they came in: the proxy's is the last."""
    scope = {"headers": [(b"X-Forwarded-For", b"10.1.2.3"), (b"x-forwarded-for", b"203.0.113.9")], "client": ("127.0.0.1", 1)}
    assert remote_of(scope, headers_of(scope), [ipaddress.ip_network("127.0.0.1/32")]) == "203.0.113.9"


@pytest.mark.parametrize(
    ("of_the_platform", "size", "fits"), [(None, 1001, False), (2000, 1001, True), (2000, 2001, False), (500, 1000, True)]
)
async def test_a_platform_may_have_a_larger_limit_and_the_general_one_is_the_least(
    sqlite_database: SQLiteDatabase, rows: Rows, clock: SettableClock, of_the_platform: int | None, size: int, fits: bool
) -> None:
    door = Door(sqlite_database, rows, clock, webhook_limit_bytes=of_the_platform)
    assert ((await door.post(b"1:1".ljust(size, b","))).status_code != 413) is fits


@pytest.mark.parametrize(
    ("url", "addresses", "named"),
    [
        ("http://platform.example", (), ["approval"]),
        ("http://platform.example", ("10.0.0.0/8",), []),
        ("http://127.0.0.1:8000", (), []),
    ],
)
def test_weakly_signed_webhooks_from_any_address_are_warned_of_at_the_start_unless_all_is_on_this_machine(
    clock: SettableClock, url: str, addresses: tuple[str, ...], named: list[str]
) -> None:
    platform = PlainPlatform(clock, url=url, callback_addresses=addresses)
    platform.only_from_addresses = True  # type: ignore[misc]
    with capture_logs() as logged:
        name_open_doors({"approval": platform})
    assert [each["platform"] for each in logged] == named
