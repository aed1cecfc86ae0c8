"""A clock that tests move by hand, and a sleep that moves it instead of waiting."""

import asyncio
from datetime import datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))
START = datetime(2019, 8, 15, 9, 0, tzinfo=BEIJING)


class CityClock:
    """`CityClock()()` is 15 August 2019, 09:00 Beijing, until `advance` or `sleep` moves it."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)
