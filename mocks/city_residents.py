"""The residents of a city: they read on their own lists what was taken from them, and mend it in the self-governance system.

Its officials decide as the plan says; some rows cannot be made good, and some are plain reports that repair nothing.
"""

from collections.abc import Coroutine, Iterator
from typing import Any, Final

from mocks.city_plan import Mending, Plan
from mocks.city_towns import Pause
from mocks.selfgov import SELF_REPORT, WAITING, SelfgovPlatform
from mocks.store import Document

FIGURES: Final = '{"guaranteeBalance": 1200, "guarantees": 3}'


class Residents:
    """What they have entered stands in the system itself: a city that goes on finds it there."""

    def __init__(self, selfgov: SelfgovPlatform, plan: Plan, pause: Pause) -> None:
        self._selfgov = selfgov
        self._plan = plan
        self._pause = pause
        self._read: set[str] = set()
        self.lines = self.decided = self.marked = 0
        """Lines of all lists, rows that were decided, and rows that the hub has marked, at the last look."""

    def work(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Yield what follows from lines that nobody has read yet; a person has no USCC to mend under."""
        lines, rows = self._selfgov.rows("zz_score"), self._selfgov.rows("zz_result")
        self.lines = len(lines)
        self.decided, self.marked = (sum(row[column] != "0" for row in rows) for column in ("shzt", "clbz"))
        for line in lines:
            if line["bizno"] not in self._read:
                self._read.add(line["bizno"])
                mending = self._plan.mending(line["bizno"])
                if mending is not None and not line["tyshxydm"].startswith("RID-"):
                    yield self._mend(line, mending)

    def have_read_all(self) -> bool:
        """Return whether no line is there that nobody has read."""
        return all(line["bizno"] in self._read for line in self._selfgov.rows("zz_score"))

    async def _mend(self, line: Document, mending: Mending) -> None:
        named = "0" * 40 if mending.flaw == "unknown" else line["bizno"]
        points = None if mending.flaw == "no points" else float(line["points"]) * (2 if mending.flaw == "too much" else 1)
        if mending.half and not mending.flaw and float(line["points"]) >= 1:
            points = int(float(line["points"])) / 2
        code = self._plan.stranger.uscc if mending.flaw == "stranger" else line["tyshxydm"]
        await self._pause("mend", line["bizno"])
        item = {"item": line["itemcode"], "item_name": f"{line['itemname']} {line['bizno'][:8]}"}
        await self._enter(mending, code=code, repairs=named, points=points, **item)

    async def report(self, number: int) -> None:
        """Report figures that repair nothing, and have them approved."""
        code, reported = self._plan.reporter(number), f"月报 {number}"
        await self._pause("report", number)
        await self._enter(Mending(SELF_REPORT, "approve"), code=code, figures=FIGURES, item="JR-BB", item_name=reported)

    async def _enter(self, mending: Mending, **row: Any) -> None:
        """Enter a row unless it is there, and let officials decide it."""
        selfgov = self._selfgov
        before = [each for each in selfgov.rows("zz_result") if (each["tyshxydm"], each["sxmc"]) == (row["code"], row["item_name"])]
        number = before[0]["id"] if before else selfgov.enter(mending.way, late=0, **row)
        if mending.decision == "wait":
            return
        await self._pause("decide", row["item_name"])
        if selfgov.result(number)["shzt"] == WAITING:
            (selfgov.approve if mending.decision == "approve" else selfgov.refuse)(number)
