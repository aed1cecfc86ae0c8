"""A platform that is paused in the middle of its work, for hours and over a crash of the hub: not one call reaches it, and what it
posts is applied; once resumed the backlog drains within its quota, and nothing is missing or doubled.

All on a simulated clock, with the real mocks; what counts is read from the platform itself.
"""

import asyncio
import tempfile
from collections import Counter, deque
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx

from hub.mirror import ledger
from hub.simulation.clock import in_simulated_time, simulated_now
from hub.simulation.stage import Stage, staged
from mocks.approval import ApprovalPlatform
from mocks.enforcement import EnforcementPlatform
from tests.chaos.shown import Form, Shown

START = datetime(2019, 9, 2, 9, 0, tzinfo=timezone(timedelta(hours=8)))
PER_SECOND = 20
PACE = {"IDLE_SECONDS": "20", "WAITING_SECONDS": "600", "SWEEP_SECONDS": "1800", "RESCUE_SECONDS": "60", "ECHO_SECONDS": "600"}
UNDER_WAY = 60.0
"""Seconds in which what is under way ends."""
PAUSE = 'mutation($why: String!) { %s(input: {platform: "enforcement", reason: $why}) { userErrors { message } } }'


class Watched(httpx.AsyncBaseTransport):
    """The way to the platform, with the moment of each call."""

    def __init__(self, behind: httpx.AsyncBaseTransport) -> None:
        self._behind = behind
        self.calls: deque[datetime] = deque()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(simulated_now())
        return await self._behind.handle_async_request(request)

    def since(self, moment: datetime) -> int:
        """Return how many calls were made from a moment on."""
        return sum(at >= moment for at in self.calls)

    def most_in_a_second(self) -> int:
        """Return the most calls in any second that begins with one of them."""
        most, window = 0, deque[datetime]()
        for at in self.calls:
            window.append(at)
            while at - window[0] >= timedelta(seconds=1):
                window.popleft()
            most = max(most, len(window))
        return most


def show(form: Form) -> Shown:
    """Play it; the full form has ten times the backlog, and a longer pause."""
    count, hours = (24, 2) if form is Form.SHORT else (600, 8)
    with tempfile.TemporaryDirectory() as folder:
        losses, said = in_simulated_time(_played(Path(folder), count, hours), START)
    return Shown(f"{count} approvals, {hours} h of pause (simulated), one crash", said, losses)


async def _played(folder: Path, count: int, hours: int) -> tuple[list[str], str]:
    async with staged(folder, 7, 300.0, **PACE) as stage:
        approval = next(one for one in stage.platforms if isinstance(one, ApprovalPlatform))
        enforcement = next(one for one in stage.platforms if isinstance(one, EnforcementPlatform))
        wire = stage.wires["enforcement"]
        watched = Watched(wire.behind)
        wire.behind = watched
        serials = [approval.grant(procedure="1") for _ in range(count // 4)]
        await asyncio.sleep(1.0)  # some are on their way
        await stage.ask(PAUSE % "pausePlatform", why="they move house")
        await asyncio.sleep(UNDER_WAY)
        paused_at = simulated_now()
        serials += [approval.grant(procedure="1") for _ in range(count - len(serials))]
        moved = await _moved_meanwhile(stage, enforcement)
        await asyncio.sleep(hours * 1800)
        await stage.kill()
        await stage.start()
        await asyncio.sleep(hours * 1800)
        called, waiting = watched.since(paused_at), await _waiting(stage)
        losses = [f"{called} calls reached the paused platform"] if called else []
        losses += await _unseen(stage, moved)
        if waiting < count // 2:
            losses.append(f"only {waiting} obligations waited: nothing was shown")
        await stage.ask(PAUSE % "resumePlatform", why="they are there")
        await stage.settled()
        losses += _missing_or_doubled(enforcement, serials)
        if (most := watched.most_in_a_second()) > PER_SECOND:
            losses.append(f"{most} calls in one second; the platform allows {PER_SECOND}")
        said = f"{called} calls while paused, {waiting} waited, {most} calls a second at most, 0 missing, 0 doubled"
        return losses, said if not losses else f"{len(losses)} losses"


async def _moved_meanwhile(stage: Stage, enforcement: EnforcementPlatform) -> list[str]:
    """Let officers begin tasks that the platform has: it tells by webhook, and only by that."""
    tasks = [str(task_id) for task_id in enforcement.store.all("task")][:3]
    for task_id in tasks:
        enforcement.dispatch(task_id)
    await asyncio.sleep(UNDER_WAY)
    return tasks


async def _unseen(stage: Stage, moved: list[str]) -> list[str]:
    """Return what a paused platform posted and the mirror does not show."""
    if not moved:
        return ["no task was there to be moved while paused: nothing was shown"]
    found = []
    for task_id in moved:
        data = await stage.ask("query($id: String!) { verificationTask(taskId: $id) { status } }", id=task_id)
        status = (data["verificationTask"] or {}).get("status")
        if status != "DISPATCHED":
            found.append(f"task {task_id}: posted as DISPATCHED while paused, the mirror says {status}")
    return found


async def _waiting(stage: Stage) -> int:
    counts = await stage.hub.database.read(ledger.backlog)
    return counts.get(("enforcement", "DUE"), 0)


def _missing_or_doubled(enforcement: EnforcementPlatform, serials: list[str]) -> list[str]:
    tasks = Counter(str(task["origin"]["ref"]) for task in enforcement.store.all("task").values() if task["origin"])
    return [f"approval {serial}: {tasks[serial]} tasks instead of one" for serial in serials if tasks[serial] != 1]
