"""A clock that tests move by hand, and a sleep that moves it instead of waiting."""

import asyncio
from datetime import datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))
START = datetime(2019, 9, 2, 9, 0, tzinfo=BEIJING)
"""A Monday morning in Beijing: the moment around which tests/builders.py puts its records."""


class SettableClock:
    """`clock()` is START until `set`, `advance` or `sleep` moves it."""

    def __init__(self, start: datetime = START) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def set(self, now: datetime) -> None:
        self.now = now

    def advance(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)
