"""The grid connector: proof of origin, paging by a time of whole seconds, live reads and the platform's own digest."""

from datetime import date, timedelta

import httpx
import pytest

from connectors.base import Delivery, Page, Quarantined
from connectors.errors import BadSignature, CursorExpired, PermanentError, TransientError
from connectors.grid import GridConnector
from connectors.grid_calls import sign
from schema.entity import Observation, key_of
from tests.contract.cases import NOW, WIRE, FakeTime, said
from tests.unit.connectors.grid_node import Events, answer, asked, connector, event, settings, soap

BODY = (WIRE / "grid" / "event_callback.xml").read_bytes()


def quiet(request: httpx.Request) -> httpx.Response:
    raise AssertionError("no call was expected")


def callback(body: bytes = BODY, **headers: str) -> Delivery:
    # printf 'callback-new20190815095900' | cat - tests/wire/grid/event_callback.xml | openssl md5
    signed = {"x-grid-user": "grid", "x-grid-time": "20190815095900", "x-grid-sign": "SIGN_NEW"}
    return Delivery(platform="grid", path="/webhooks/grid", headers={**signed, **headers}, body=body, received_at=NOW)


def refused(delivery: Delivery, **changed: object) -> str:
    with pytest.raises(BadSignature) as problem:
        connector(quiet, FakeTime(), **changed).verify(delivery)
    return problem.value.code


def test_a_signature_is_the_one_that_openssl_makes() -> None:
    xml = "<request><no>YW1</no><opinion>䶮𬭎已清除</opinion></request>".encode("gb18030")

    assert sign("grid-pw", "20190805090000", xml) == "267A794897907C16BD4285B3FEAE2E32"


def test_a_signed_callback_is_verified_and_has_no_lasting_id() -> None:
    verified = connector(quiet, FakeTime()).verify(callback())

    assert (verified.message_id, verified.secret_index) == (None, 0)
    assert verified.signature == "SIGN_NEW@20190815095900"


def test_an_old_password_still_verifies_and_is_named() -> None:
    assert connector(quiet, FakeTime()).verify(callback(**{"x-grid-sign": "SIGN_OLD"})).secret_index == 1


@pytest.mark.parametrize(
    ("delivery", "code"),
    [
        (callback(BODY + b" "), "BAD_SIGNATURE"),
        (callback(**{"x-grid-sign": "sign_new"}), "BAD_SIGNATURE"),  # upper-case hex, or one signing would have two names
        (callback(**{"x-grid-sign": "签名"}), "BAD_SIGNATURE"),
        (callback(**{"x-grid-sign": ""}), "MISSING_HEADER"),
        (callback(**{"x-grid-user": "hub"}), "UNKNOWN_USER"),
        (callback(**{"x-grid-time": "20190815094959"}), "STALE"),
        (callback(**{"x-grid-time": "20190815101001"}), "STALE"),
        (callback(**{"x-grid-time": "2019081509590"}), "BAD_TIMESTAMP"),
        (callback(**{"x-grid-time": "20190815095900 "}), "BAD_TIMESTAMP"),
    ],
)
def test_a_callback_without_proof_is_refused_with_its_reason(delivery: Delivery, code: str) -> None:
    assert refused(delivery) == code


def test_without_a_password_nothing_is_verified() -> None:
    assert refused(callback(), callback_passwords=()) == "BAD_SIGNATURE"


def test_the_password_of_our_calls_proves_no_callback() -> None:
    assert refused(callback(**{"x-grid-sign": sign("grid-pw", "20190815095900", BODY)})) == "BAD_SIGNATURE"


def test_ten_minutes_are_not_too_late() -> None:
    late = callback(**{"x-grid-time": "20190815095000", "x-grid-sign": sign("callback-new", "20190815095000", BODY)})

    assert connector(quiet, FakeTime()).verify(late).secret_index == 0


def test_a_callback_is_acknowledged_in_the_platforms_words_only_when_stored() -> None:
    grid = connector(quiet, FakeTime())

    assert (grid.acknowledge(callback(), stored=True).status, grid.acknowledge(callback(), stored=False).status) == (200, 503)
    assert grid.acknowledge(callback(), stored=True).body == b"<response><code>0</code></response>"


def test_a_call_is_signed_over_the_text_of_its_xml_at_the_moment_of_sending() -> None:
    seen = []

    async def run() -> None:
        def node(request: httpx.Request) -> httpx.Response:
            seen.append((asked(request), request))
            return answer(9) if len(seen) == 1 else answer(5)

        time = FakeTime()
        await connector(node, time).fetch("GridEvent", ["YW1"])

    import asyncio

    asyncio.run(run())


async def pages(grid: GridConnector, cursor: str | None = None) -> list[Page]:
    return [page async for page in grid.changes("events", cursor)]


def keys(read: list[Page]) -> list[str]:
    return [key_of(item.record) for page in read for item in page.items if isinstance(item, Observation)]
