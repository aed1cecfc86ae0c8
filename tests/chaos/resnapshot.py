"""Reading everything again while it changes: no record goes back to an older version, none is lost, none is marked as gone.

The credit platform's snapshot beside its feed and 200 webhooks a second. Each page is held up on its way, so that it is older
than what webhooks have brought by the time it comes.
"""

import asyncio
import random
import tempfile
from datetime import datetime
from pathlib import Path

import httpx
from sqlalchemy import Connection, func, select

from hub.mirror import drift
from hub.mirror.tables import CHANGE, TOMBSTONE
from hub.simulation.clock import in_simulated_time, simulated_now
from hub.simulation.stage import Stage, staged
from mocks.people import make_uscc
from tests.chaos.shown import Form, Shown
from tests.chaos.there import gaps

BEGINS = datetime.fromisoformat("2019-09-02T09:00:00+08:00")
ROWS = {Form.SHORT: 1200, Form.FULL: 50_000}
A_SECOND = {Form.SHORT: 40, Form.FULL: 200}
"""Changes, each told by a webhook."""
HELD_UP = 2.0
POLLED = 120.0
"""Seconds in which the poller reads all that has happened."""


class HeldUp(httpx.AsyncBaseTransport):
    """Answers of the snapshot come late, with what was true when they were asked for."""

    def __init__(self, behind: httpx.AsyncBaseTransport) -> None:
        self._behind = behind
        self.pages = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on, and hold its answer up."""
        answer = await self._behind.handle_async_request(request)
        if request.url.path == "/v2/snapshot":
            content = await answer.aread()
            self.pages += 1
            await asyncio.sleep(HELD_UP)
            return httpx.Response(answer.status_code, headers=answer.headers, content=content)
        return answer


class Changing:
    """Changes subjects, so many a second, until told to stop."""

    def __init__(self, stage: Stage, codes: list[str], a_second: int) -> None:
        self._a_second = a_second
        self._credit, self._codes, self._rng = stage.platforms.credit, codes, random.Random(3)
        self.made = 0

    async def run(self) -> None:
        """Change and go on changing."""
        while True:
            for code in self._rng.sample(self._codes, self._a_second // 10):
                score = float(self._credit.subject(code)["score"])
                self._credit.set_score(code, score - 0.5 if score > 50 else 90.0)
                self.made += 1
            await asyncio.sleep(0.1)


def _went_back(connection: Connection) -> list[str]:
    """Return what was applied although a newer version was there: the history is in the order of applying."""
    newest: dict[tuple[str, str], int] = {}
    back = []
    columns = (CHANGE.c.entity, CHANGE.c.key, CHANGE.c.version, CHANGE.c.deleted)
    for entity, key, version, deleted in connection.execute(select(*columns).order_by(CHANGE.c.sequence)):
        if deleted or version <= newest.get((entity, key), 0):
            back.append(f"{entity} {key}: {'gone' if deleted else version} after {newest.get((entity, key))}")
        newest[entity, key] = version
    return back


async def _play(form: Form, folder: Path) -> Shown:
    rows = ROWS[form]
    async with staged(folder, 13, 15.0) as stage:
        hub, credit, rng = stage.hub, stage.platforms.credit, random.Random(2)
        calm = credit.faults
        credit.faults = calm.changed({"callbacks_off": True})
        codes = [make_uscc(rng) for _ in range(rows)]
        for number, code in enumerate(codes):
            credit.add_subject(code, f"义乌市第{number}公司")
        credit.faults = calm
        await asyncio.sleep(POLLED)
        losses = [f"before: {gap}" for gap in await gaps(stage, "CreditProfile")]

        wire = stage.wires["credit"]
        wire.behind = held_up = HeldUp(wire.behind)
        changing = Changing(stage, codes, A_SECOND[form])
        running = asyncio.create_task(changing.run())
        await asyncio.sleep(1)
        began = simulated_now()
        done = await hub.drift.read_again("credit", "changes")
        seconds = (simulated_now() - began).total_seconds()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

        await asyncio.sleep(POLLED)
        losses += [f"lost: {gap}" for gap in await gaps(stage, "CreditProfile")]
        losses += [f"went back: {each}" for each in await hub.database.read(_went_back)]
        gone = await hub.database.read(lambda connection: connection.execute(select(func.count()).select_from(TOMBSTONE)).scalar())
        losses += [f"{gone} marked as gone"] if gone else []
        report = next(one for one in await hub.database.read(drift.reports, hub.rows, "credit") if one.entity == "CreditProfile")
    if not done or report.ended_at is None or report.checked < rows:
        losses.append(f"the snapshot was not read to its end: {report}")
    if held_up.pages < rows // 1000 or changing.made < A_SECOND[form] * seconds * 0.9:
        losses.append(f"too little happened meanwhile: {held_up.pages} pages, {changing.made} changes in {seconds:.0f} s")
    return Shown(
        f"{rows} rows, {held_up.pages} pages, {changing.made} changes in {seconds:.0f} s",
        f"{len(losses)} regressions, {report.missing_there} missing there",
        losses,
    )


def show(form: Form) -> Shown:
    """Read everything again while it changes."""
    with tempfile.TemporaryDirectory() as folder:
        return in_simulated_time(_play(form, Path(folder)), BEGINS)
