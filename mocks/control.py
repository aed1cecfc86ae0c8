"""The control interface of a mock platform, for tests in another process: unsigned, and for this machine only.

`GET /_control/state`, `GET|POST /_control/faults` (a partial update), `POST /_control/do` `{"action": name, ...arguments}`.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from mocks.platform import Platform

_LOOPBACK = frozenset({"127.0.0.1", "::1"})


def control_routes(platform: "Platform") -> list[Route]:
    """Return the control routes of one platform."""

    async def state(_request: Request) -> Response:
        return _json(platform.state())

    async def faults(request: Request) -> Response:
        if request.method == "POST":
            platform.faults = platform.faults.changed(await _object(request))
        return _json(msgspec.structs.asdict(platform.faults))

    async def do(request: Request) -> Response:
        arguments = await _object(request)
        action = arguments.pop("action", None)
        return _json({"result": await platform.do(str(action), arguments)})

    return [
        Route("/_control/state", guarded(state)),
        Route("/_control/faults", guarded(faults), methods=["GET", "POST"]),
        Route("/_control/do", guarded(do), methods=["POST"]),
    ]


def guarded(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Return the handler for callers on this machine only; what it refuses with an exception becomes a 400 with `error`."""

    async def answer(request: Request) -> Response:
        if request.client is not None and request.client.host not in _LOOPBACK:
            return _json({"error": "the control interface answers this machine only"}, 403)
        try:
            return await handler(request)
        except (LookupError, ValueError, TypeError) as problem:
            # str() of a KeyError puts quotes around the message
            message = problem.args[0] if isinstance(problem, LookupError) and problem.args else problem
            return _json({"error": str(message)}, 400)

    return answer


async def _object(request: Request) -> dict[str, Any]:
    return msgspec.json.decode(await request.body() or b"{}", type=dict[str, Any])


def _json(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
