"""The towns of a city: grid officers report incidents, towns send them to departments, once more after a return, and close some."""

import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any

from mocks.city_plan import Incident, Plan
from mocks.grid import GridPlatform

_KIND = "city incident"

Pause = Callable[..., Awaitable[None]]
"""Waits as long as somebody takes for the step that the arguments name."""


class Towns:
    """Which event is which incident of the plan, and what its town does about it; kept in the grid platform's store."""

    def __init__(self, grid: GridPlatform, plan: Plan, pause: Pause) -> None:
        self._grid = grid
        self._plan = plan
        self._pause = pause
        self._numbers = {kept["no"]: int(number) for number, kept in grid.store.all(_KIND).items()}
        self._closing: set[str] = set()

    def number(self, no: str) -> int | None:
        """Return the number of the incident behind an event, or None for an event that is not the city's."""
        return self._numbers.get(no)

    def sending(self, no: str) -> int:
        """Return which sending of an event stands: 2 once the town has sent it again, which it does once."""
        kept = self._grid.store.get(_KIND, str(self._numbers[no]))
        return 2 if kept is not None and kept["again"] else 1

    async def report(self, incident: Incident) -> None:
        """Report an incident and send it to a department; go on where an earlier life stopped."""
        grid, kept = self._grid, self._grid.store.get(_KIND, str(incident.number))
        if kept is None:
            event = grid.report(
                category=incident.category,
                title=incident.title,
                town=incident.town,
                level=incident.level,
                send=incident.sent_at_once,
                dept_code=incident.dept_code,
                address=f"义乌市{incident.town}",
            )
            kept = {"no": event["no"], "again": False}
            grid.store.put(_KIND, str(incident.number), kept)
        self._numbers[kept["no"]] = incident.number
        await self._pause("send", incident.number)
        if grid.event(kept["no"])["status"] == "10":
            grid.send(kept["no"])
        if incident.edited:
            await self._pause("edit", incident.number)
            grid.edit(kept["no"], content="现场照片已补充")

    def work(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Yield what the towns have to do now: each returned event is sent once more, some answered ones are closed."""
        for no, number in self._numbers.items():
            status = self._grid.event(no)["status"]
            if status == "60" and self.sending(no) == 1:
                self._grid.store.put(_KIND, str(number), {"no": no, "again": True})
                yield self._send_again(no, number)
            elif status in {"40", "70"} and no not in self._closing:
                self._closing.add(no)
                if self._plan.pause("closing", number) < 0.3:
                    yield self._close(no, number)

    async def _send_again(self, no: str, number: int) -> None:
        await self._pause("again", number)
        with contextlib.suppress(ValueError):  # no longer returned
            self._grid.send(no)

    async def _close(self, no: str, number: int) -> None:
        await self._pause("close", number)
        with contextlib.suppress(ValueError):  # no longer merely answered
            self._grid.close(no)
