"""The enforcement platform in memory for the connector's unit tests, with exactly the traps that a test sets. No mock."""

import base64
import hashlib
import hmac
from collections.abc import Callable

import httpx
import msgspec

from connectors.enforcement import EnforcementConnector
from connectors.enforcement_settings import EnforcementSettings
from tests.contract.cases import FakeTime, surroundings

Handler = Callable[[httpx.Request], httpx.Response]


def settings(**changed: object) -> EnforcementSettings:
    """Return settings of a hub at this platform."""
    return EnforcementSettings.model_validate(
        {
            "url": "http://enforcement.test/gateway",
            "access_key": "AK",
            "secrets": ("secret-new", "secret-old"),
            "callback_access_key": "CB",
            "callback_secrets": ("callback-new", "callback-old"),
            **changed,
        }
    )


def connector(handler: Handler, time: FakeTime, **changed: object) -> EnforcementConnector:
    """Return a connector whose calls go to the handler, each checked for its signature as the page has it."""

    def checked(request: httpx.Request) -> httpx.Response:
        check(request)
        return handler(request)

    return EnforcementConnector(settings(**changed), surroundings(time, httpx.MockTransport(checked)))


def check(request: httpx.Request) -> None:
    """Fail where the gateway would refuse a call of AK with secret-new."""
    path, _, query = request.url.raw_path.decode().partition("?")
    names = sorted(tuple(pair.split("=", 1)) for pair in query.split("&")) if query else []
    lines = [request.method, path, "&".join("=".join(pair) for pair in names), "AK", request.headers["X-BG-DATE"], ""]
    expected = base64.b64encode(hmac.new(b"secret-new", "\n".join(lines).encode(), hashlib.sha256).digest()).decode()
    assert request.headers["X-BG-HMAC-SIGNATURE"] == expected
    assert request.headers["X-BG-HMAC-ACCESS-KEY"] == "AK"
    assert request.headers["X-BG-HMAC-ALGORITHM"] == "hmac-sha256"
    assert request.headers["X-BG-DATE"].endswith(" GMT")
    assert request.headers["X-Body-SM3"] == hashlib.new("sm3", request.content).hexdigest()


def asked(request: httpx.Request) -> str:
    """Return a request in one line: method, path below /irs/v1/ and query as sent."""
    return f"{request.method} {request.url.raw_path.decode().removeprefix('/gateway/irs/v1/')}"


def page(*items: object, cursor: str | None = None, headers: dict[str, str] | None = None) -> httpx.Response:
    """Return one page of a list."""
    return httpx.Response(200, content=msgspec.json.encode({"items": items, "nextCursor": cursor}), headers=headers)


def refusal(status: int, code: str, message: str = "") -> httpx.Response:
    """Return an error of the platform itself."""
    return httpx.Response(status, json={"code": code, "message": message})


class Script:
    """Gives answers one after another and remembers what was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.left = list(answers)
        self.asked: list[str] = []
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer the next call."""
        self.asked.append(asked(request))
        self.requests.append(request)
        given = self.left.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    def body(self, at: int = -1) -> object:
        """Return what a call sent as JSON."""
        return msgspec.json.decode(self.requests[at].content)
