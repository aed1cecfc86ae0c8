"""Answers that come well after the work was done: whoever is killed meanwhile never hears of it."""

import asyncio
import random
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mocks.platform import Platform


class Late(Response):
    """An answer of a platform, half a second later."""

    def __init__(self, answer: Response, seconds: float = 0.5) -> None:
        super().__init__()
        self._answer = answer
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(self._seconds)
        await self._answer(scope, receive, send)


def answers_late(platform: Platform, rng: random.Random, *, share: float, seconds: float) -> None:
    """Let a share of a platform's creating calls be answered late."""
    before: Callable[[Response], Response] = platform.after_work

    def after_work(answer: Response) -> Response:
        done = before(answer)
        return Late(done, seconds) if rng.random() < share else done

    platform.after_work = after_work  # type: ignore[method-assign]
