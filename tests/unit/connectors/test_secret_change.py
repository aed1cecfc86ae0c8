"""While a secret of ours is changed: the newer one signs, the older where the platform refuses the newer, and only then."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs

import httpx
import msgspec
import pytest
from pydantic import SecretStr

from connectors.base import CALLS, Notices
from connectors.credit import CreditConnector
from connectors.credit_calls import CreditSettings
from connectors.enforcement import EnforcementConnector
from connectors.errors import PermanentError, TransientError
from connectors.grid import GridConnector
from connectors.grid_settings import GridSettings
from connectors.signing_secrets import NEWEST_AGAIN, SecretRefused, SigningSecrets
from tests.contract.cases import FakeTime, surroundings
from tests.contract.credit_cases import whsec
from tests.unit.connectors import enforcement_gateway, grid_node


class Noticed(Notices):
    """Which secrets were taken, in order."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    def signed(self, platform: str, purpose: str, position: int) -> None:
        assert purpose == CALLS
        self.taken.append(position)


class Platform:
    """Takes the calls that are signed with one secret."""

    def __init__(self, takes: str) -> None:
        self.takes, self.tried = takes, list[str]()

    async def __call__(self, secret: str) -> str:
        self.tried.append(secret)
        await asyncio.sleep(0)
        if secret != self.takes:
            raise SecretRefused("platform", "SIGNATURE_REFUSED", f"{secret} is refused")
        return "done"


def secrets_of(time: FakeTime, *secrets: str) -> tuple[SigningSecrets, Noticed]:
    noticed = Noticed()
    given = msgspec.structs.replace(surroundings(time), notices=noticed)
    return SigningSecrets("platform", [SecretStr(each) for each in secrets], given), noticed


async def test_the_older_one_signs_where_the_newer_is_refused_and_then_first_until_it_is_time_to_look_again() -> None:
    time, platform = FakeTime(), Platform("old")
    secrets, noticed = secrets_of(time, "new", "old")
    for _ in range(3):
        assert await secrets.signed(platform) == "done"
    assert (platform.tried, noticed.taken) == (["new", "old", "old", "old"], [1, 1, 1])
    time.advance(NEWEST_AGAIN.total_seconds())
    platform.takes = "new"
    await secrets.signed(platform)
    assert (platform.tried[4:], noticed.taken[3:]) == (["new"], [0])


async def test_when_the_platform_changes_over_the_newer_one_signs_at_once() -> None:
    platform = Platform("old")
    secrets, _ = secrets_of(FakeTime(), "new", "old")
    await secrets.signed(platform)
    platform.takes, platform.tried = "new", []
    await secrets.signed(platform)
    await secrets.signed(platform)
    assert platform.tried == ["old", "new", "new"]


async def test_calls_that_are_refused_together_all_find_the_one_that_is_taken() -> None:
    platform = Platform("old")
    secrets, _ = secrets_of(FakeTime(), "new", "old")
    assert await asyncio.gather(*(secrets.signed(platform) for _ in range(8))) == ["done"] * 8


async def test_where_all_are_refused_the_refusal_of_the_newest_is_told_and_nothing_is_kept_of_it() -> None:
    platform = Platform("another")
    secrets, noticed = secrets_of(FakeTime(), "new", "old")
    with pytest.raises(SecretRefused, match="new is refused"):
        await secrets.signed(platform)
    assert noticed.taken == []
    platform.takes, platform.tried = "new", []
    await secrets.signed(platform)
    assert platform.tried == ["new"]


async def test_any_other_error_tries_no_other_secret() -> None:
    secrets, noticed = secrets_of(FakeTime(), "new", "old")
    tried = []

    async def busy(secret: str) -> None:
        tried.append(secret)
        raise TransientError("platform", "BUSY", "not now")

    with pytest.raises(TransientError):
        await secrets.signed(busy)
    assert (tried, noticed.taken) == (["new"], [])


# --- each platform's own refusal


async def test_enforcement_refuses_by_401_and_with_a_wrong_clock_no_other_secret_is_tried() -> None:
    time, calls = FakeTime(), list[int]()

    def signed_with(request: httpx.Request, secret: bytes) -> bool:
        path, _, query = request.url.raw_path.decode().partition("?")
        lines = [request.method, path, query, "AK", request.headers["X-BG-DATE"], ""]
        expected = base64.b64encode(hmac.digest(secret, "\n".join(lines).encode(), "sha256")).decode()
        return request.headers["X-BG-HMAC-SIGNATURE"] == expected

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(1)
        return httpx.Response(200, json={"items": [], "nextCursor": None}) if signed_with(request, b"secret-old") else refused

    refused = httpx.Response(401, text="<html>401</html>")
    given = surroundings(time, httpx.MockTransport(answer))
    connector = EnforcementConnector(enforcement_gateway.settings(), given)
    assert await connector.tasks_by_external_no("AV1") == []
    assert await connector.tasks_by_external_no("AV1") == []
    assert len(calls) == 3
    refused = httpx.Response(401, headers={"date": "Thu, 15 Aug 2019 00:00:00 GMT"})
    clockless = EnforcementConnector(enforcement_gateway.settings(), given)
    with pytest.raises(PermanentError) as problem:
        await clockless.tasks_by_external_no("AV1")
    assert (problem.value.code, len(calls)) == ("CLOCK_SKEW", 4)


async def test_grid_refuses_by_code_2_and_other_codes_try_no_other_password() -> None:
    time, codes = FakeTime(), list[int]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked = grid_node.asked(request)
        text = f"{password}{asked.time}{asked.xml}".encode("gb18030")
        good = hashlib.md5(text, usedforsecurity=False).hexdigest().upper() == asked.sign
        codes.append(code if good else 2)
        return grid_node.answer(codes[-1])

    def connector(**more: str) -> GridConnector:
        given = {"url": "http://grid.test", "user": "bihuan", "password": "new", "callback_user": "g", "callback_passwords": ("c",)}
        return GridConnector(GridSettings.model_validate(given | more), surroundings(time, httpx.MockTransport(answer)))

    password, code = "old", 5
    changing = connector(old_password="old")
    assert await changing.fetch("GridEvent", ["YW1"]) == []
    assert codes == [2, 5]
    code = 1
    with pytest.raises(PermanentError) as problem:
        await changing.fetch("GridEvent", ["YW1"])
    assert (problem.value.code, codes[2:]) == ("BAD_REQUEST", [1])
    with pytest.raises(PermanentError) as problem:
        await connector().fetch("GridEvent", ["YW1"])
    assert (problem.value.code, codes[3:]) == ("BAD_SIGN", [2])


Token = Callable[[str], httpx.Response]


async def test_credit_refuses_a_client_secret_by_invalid_client_and_another_error_tries_no_other() -> None:
    time, tried = FakeTime(), list[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/oauth/token":
            return httpx.Response(200, json={"items": []})
        tried.append(parse_qs(request.content.decode())["client_secret"][0])
        return token(tried[-1])

    def connector() -> CreditConnector:
        given = {
            "url": "http://credit.test",
            "client_id": "bihuan",
            "client_secret": "new",
            "old_client_secret": "old",
            "exchange_key": "k",
            "webhook_secrets": (whsec("new"),),
        }
        return CreditConnector(CreditSettings.model_validate(given), surroundings(time, httpx.MockTransport(answer)))

    def knows_old_only(secret: str) -> httpx.Response:
        if secret == "old":
            return httpx.Response(200, json={"access_token": "t", "token_type": "Bearer", "expires_in": 600})
        return httpx.Response(401, json={"error": "invalid_client"})

    token: Token = knows_old_only
    made = connector()
    assert await made.fetch("CreditProfile", ["91330782MA2DEXAMPL"]) == []
    time.advance(timedelta(seconds=590).total_seconds())
    await made.fetch("CreditProfile", ["91330782MA2DEXAMPL"])
    assert tried == ["new", "old", "old"]
    token, tried[:] = lambda secret: httpx.Response(400, json={"error": "unauthorized_client"}), []
    with pytest.raises(PermanentError) as problem:
        await connector().fetch("CreditProfile", ["91330782MA2DEXAMPL"])
    assert (problem.value.code, tried) == ("TOKEN_REFUSED", ["new"])
