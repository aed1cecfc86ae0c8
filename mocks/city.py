"""A city that lives on the mock platforms: people apply, officials decide, officers check, grids report, towns send, firms mend.

`City` carries out a `Plan` (city_plan.py) with its `Officers`, `Towns` and `Residents`, and reacts to what the hub makes of it:
tasks that turn up, events that come back, points on a subject's list. What is decided hangs on the seed alone; when it happens
hangs on the platforms' clock.
"""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import count, islice
from typing import Any, Final

from mocks.approval_records import ACCEPTED, COMMITMENT, STANDARD
from mocks.breaches import breaches
from mocks.callbacks import Sleep
from mocks.checker_notices import takes_points
from mocks.city_officers import LOADED, Officers
from mocks.city_plan import Application, Plan
from mocks.city_residents import Residents
from mocks.city_towns import Towns
from mocks.config import Platforms
from mocks.credit_records import COMMITMENT_BREACH, REGULATORY_POINTS
from mocks.enforcement_tasks import FINAL
from mocks.people import Subject

TICK: Final = 0.05
_LISTS_EVERY: Final = 10  # ticks between two looks at the subjects' own lists
_BREATH: Final = 20  # steps between two chances for everybody else

Work = Coroutine[Any, Any, None]


class City:
    """`run` lets it live until it is cancelled; `progress` says how far it is.

    A city goes on where an earlier one with the same seed stopped on the same platforms.
    """

    def __init__(
        self,
        platforms: Platforms,
        *,
        seed: int,
        approvals: int,
        breaches: int = 0,
        sleep: Sleep,
        a_second: float = 200.0,
        longest_pause: float = 0.5,
        ask_eligibility: bool = False,
    ) -> None:
        """`approvals` are granted in the end, no more and no fewer; `breaches` are loaded before anything else: finished
        inspections of the platform's own with one finding each.

        `a_second` is how many applications are filed in a second (0: as many as there is time for), `longest_pause` how many
        seconds somebody takes at most for one step. With `ask_eligibility` the hub is asked before each commitment, and its
        answer may make it a standard procedure.
        """
        self.plan = Plan(seed, approvals)
        self._platforms = platforms
        self._sleep = sleep
        self._loaded = breaches
        self._a_second = a_second
        self._longest_pause = longest_pause
        self._ask_eligibility = ask_eligibility
        self._towns = Towns(platforms.grid, self.plan, self._pause)
        self._officers = Officers(platforms.enforcement, platforms.approval, self._towns, plan=self.plan, pause=self._pause)
        self._residents = Residents(platforms.selfgov, self.plan, self._pause)
        self._seen = 0
        self._busy = 0
        self._made = False

    async def run(self) -> None:
        """Live until cancelled: make what is planned, and react to what the hub makes of it."""
        async with asyncio.TaskGroup() as group:

            def begin(work: Work) -> None:
                self._busy += 1
                group.create_task(work).add_done_callback(self._done)

            group.create_task(self._make(begin))
            await self._watch(begin)

    def _done(self, _task: asyncio.Task[None]) -> None:
        self._busy -= 1

    async def _pause(self, *words: object) -> None:
        await self._sleep(self._longest_pause * self.plan.pause(*words))

    # --- what the city makes by itself

    async def _make(self, begin: Callable[[Work], None]) -> None:
        """Populate the credit platform, load breaches, then file applications and report incidents side by side."""
        loaded_firms = self.plan.loaded_firms(self._loaded)
        for number, subject in enumerate([*self.plan.known, *loaded_firms]):
            self._make_known(subject)
            await self._breathe(number)
        tasks = self._platforms.enforcement.store.all("task").values()
        for number in range(sum(task["title"] == LOADED for task in tasks), self._loaded):
            self._officers.inspect_at_once(loaded_firms[number % len(loaded_firms)])
            await self._breathe(number)
        for number in range(self.plan.reports):
            begin(self._residents.report(number))
        applications, incidents = self.plan.applications, iter(self.plan.incidents)
        at_once = max(1, int(self._a_second * TICK)) if self._a_second else _BREATH
        for number, application in enumerate(applications):
            begin(self._apply(application))
            before, now = (at * len(self.plan.incidents) // len(applications) for at in (number, number + 1))
            for incident in islice(incidents, now - before):
                begin(self._towns.report(incident))
            if (number + 1) % at_once == 0:
                await self._sleep(TICK if self._a_second else 0)
        self._made = True

    async def _breathe(self, number: int) -> None:
        if number % _BREATH == 0:
            await self._sleep(0)

    def _make_known(self, subject: Subject) -> None:
        credit = self._platforms.credit
        code = subject.uscc or credit.resident_code(subject.code)
        old_codes = [subject.old_number] if subject.old_number else None
        credit.add_subject(code, subject.name, score=self.plan.score(subject), old_codes=old_codes)

    def serial(self, application: Application) -> str:
        """Return the YWLSH of an application: a function of seed and number."""
        return f"YW{self.plan.seed:08d}{application.number:08d}"

    async def _apply(self, application: Application) -> None:
        """Accept an application and decide it, or revoke it undecided."""
        approval, serial, subject = self._platforms.approval, self.serial(application), application.subject
        if approval.store.get("record", serial) is None:
            procedure = application.procedure
            if self._ask_eligibility and procedure == COMMITMENT:
                said = await approval.ask_eligibility(subject.code, application.matter)
                procedure = COMMITMENT if said is not None and said["sycn"] else STANDARD
            approval.accept(subject, matter=application.matter, procedure=procedure, serial=serial)
        await self._pause("decision", serial)
        if approval.record(serial)["ZT"] == ACCEPTED and application.outcome == "revoked":
            approval.revoke(serial)
        elif approval.record(serial)["ZT"] == ACCEPTED:
            approval.decide(serial, granted=application.outcome == "granted")

    # --- what it reacts to

    async def _watch(self, begin: Callable[[Work], None]) -> None:
        """Give each new task to officers, let towns and residents do what they have to, write everything down."""
        whole = self._platforms
        for tick in count():
            for task_id in list(islice(whole.enforcement.store.all("task"), self._seen, None)):
                self._seen += 1
                begin(self._officers.work_on(task_id))
            for work in list(self._towns.work()):
                begin(work)
            for work in self._residents.work() if tick % _LISTS_EVERY == 0 else ():
                begin(work)
            for platform in whole:
                platform.store.flush()
            await self._sleep(TICK)

    def progress(self) -> dict[str, object]:
        """Return counts of what there is and of what is expected, and whether the city has done all it can do by itself."""
        whole, kinds = self._platforms, {COMMITMENT_BREACH, REGULATORY_POINTS}
        approvals, tasks = whole.approval.store.all("record").values(), whole.enforcement.store.all("task").values()
        events, records = whole.grid.store.all("event").values(), whole.credit.store.all("record").values()
        done = self._made and not self._busy and self._seen == len(tasks) and not whole.selfgov.uncommitted
        checked = {task["origin"]["ref"] for task in tasks if (task["origin"] or {}).get("platform") == "approval"}
        return {
            "approvals_planned": self.plan.approvals,
            "approvals": len(approvals),
            "approvals_granted": sum(record.get("SPJG") == "1" for record in approvals),
            "tasks": len(tasks),
            "tasks_of_approvals": len(checked),
            "tasks_done": sum(task["status"] in FINAL for task in tasks),
            "breaches_expected": len(breaches(tasks, whole.enforcement.items)),
            "records": sum(record["category"] in kinds and not record["cancelled"] for record in records),
            "events_planned": len(self.plan.incidents),
            "events": len(events),
            "events_sent": sum(event["status"] != "10" for event in events),
            "events_answered": sum(event["status"] in {"40", "50", "60", "70"} for event in events),
            "records_taking_points": sum(map(takes_points, records)),
            "lines": self._residents.lines,
            "messages": len(whole.sms.outbox()),
            "reports_decided": self._residents.decided,
            "reports_marked": self._residents.marked,
            "made": self._made,
            "finished": done and self._residents.have_read_all(),
        }
