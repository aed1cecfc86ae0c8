"""Carries a history out on the mock platforms, in simulated time, while the hub lives, dies and starts again beside it."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec

from hub.simulation.clock import simulated_now
from hub.simulation.stage import NeverHappened, Stage
from mocks.enforcement_tasks import OPEN, stamp
from mocks.people import Subject, make_old_number, make_subject
from mocks.reference import SHORT_NAMES
from mocks.selfgov import APPROVED, REFUSED
from mocks.store import Document
from tests.chaos.history import OPINIONS, Found, History, Person, Step, Story, Weather

DOWN_SECONDS = (0, 2, 30, 120, 1800, 9000)
OTHER = "ZFJ"
"""The department that an approval is handed over to."""
TOWN = "佛堂镇"


def subject_of(person: Person, seed: str) -> Subject:
    """Return the subject that a person of the history is."""
    rng = random.Random(seed)
    made = make_subject(rng, person.kind)
    return msgspec.structs.replace(
        made,
        telephone="13757900000"[: -len(seed)] + seed if person.telephone else None,
        old_number=make_old_number(rng) if person.old else None,
    )


def faults_of(weather: Weather) -> dict[str, object]:
    """Return a platform's faults in this weather."""
    return {
        "callbacks_lost": weather.lost,
        "callbacks_doubled": weather.doubled,
        "callbacks_shuffled": weather.shuffled,
        "error_rate": weather.errors,
        "timeout_after_work": weather.timeouts,
        "callbacks_off": weather.callbacks_off,
    }


@dataclass
class Life:
    """The city at work. `asked` is what front ends asked the hub for, and were not refused."""

    stage: Stage
    history: History
    asked: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[int, list[Document]] = field(default_factory=dict)
    """The versions of each row of zz_result, as the system wrote them."""
    people: list[Subject] = field(default_factory=list)
    said: int = 0
    _unanswered: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    _mine: dict[int, str] = field(default_factory=dict)
    """What each story is about: the number of its first record."""
    _up_at: datetime | None = None

    async def go(self) -> None:
        """Live through the whole history; in the end the hub is up and the weather is fine."""
        begins = simulated_now()
        self._settle_in()
        for platform, weather in zip(self.stage.platforms, self.history.weather, strict=True):
            platform.faults = platform.faults.changed(faults_of(weather))
        for step in self.history.steps:
            await self._until(begins + timedelta(days=step.day, seconds=step.second))
            await self._do(step, self.history.stories[step.story])
        if self._up_at is not None:
            await self._until(self._up_at)
        for platform in self.stage.platforms:
            platform.faults = platform.faults.changed(faults_of(Weather()))
        await self.ask_again()

    def _settle_in(self) -> None:
        platforms = self.stage.platforms
        self.people = [subject_of(person, f"{self.history.seed % 1000}{n}") for n, person in enumerate(self.history.people)]
        for person, subject in zip(self.history.people, self.people, strict=True):
            if person.known:
                self._make_known(subject)
        pool = [{"code": one.uscc, "name": one.name, "address": one.address} for one in self.people if one.uscc]
        platforms.enforcement.add_pool([{**one, "industry": "餐饮", "town": TOWN, "grade": "B"} for one in pool])

    def _make_known(self, subject: Subject) -> None:
        self.stage.platforms.credit.add_subject(
            self.code_of(subject), subject.name, score=90.0, old_codes=[subject.old_number] if subject.old_number else None
        )

    def code_of(self, subject: Subject) -> str:
        """Return a subject's code on the credit platform."""
        return subject.uscc or self.stage.platforms.credit.resident_code(subject.code)

    async def _until(self, moment: datetime) -> None:
        if self._up_at is not None:
            await sleep_until(min(moment, self._up_at))
            if moment < self._up_at:
                return
            self._up_at = None
            await self.stage.start()
        await self.stage.until(moment)

    async def _do(self, step: Step, story: Story) -> None:
        acts: dict[str, Callable[[Step, Story], object]] = {
            "approval": self._on_approval,
            "special": self._on_special,
            "event": self._on_event,
            "coordination": self._on_coordination,
            "repair": self._on_repair,
            "report": self._on_report,
            "credit": self._on_credit,
        }
        if story.kind == "hub":
            await self._hub(step)
        elif story.kind == "request":
            await self._ask(step)
        elif step.act == "figures":
            await self._check_figures(step)
        elif step.act in {"recheck", "referral"}:
            self._on_sequel(step)
        else:
            acts[story.kind](step, story)

    # --- the hub's process

    async def _hub(self, step: Step) -> None:
        if self._up_at is None:
            await (self.stage.kill() if step.act == "kill" else self.stage.stop())
            self._up_at = simulated_now() + timedelta(seconds=DOWN_SECONDS[step.number])

    # --- approvals

    def _on_approval(self, step: Step, story: Story) -> None:
        approval = self.stage.platforms.approval
        if step.act == "apply":
            self._mine[step.story] = approval.accept(self.people[story.subject], matter=story.matter, procedure=story.procedure)
            return
        no = self._mine[step.story]
        state = approval.record(no)["ZT"]
        if step.act in {"grant", "refuse"} and state == "01":
            approval.decide(no, granted=step.act == "grant")
        elif step.act == "revoke" and state != "03":
            approval.revoke(no)
        elif step.act == "reassign" and state != "03":
            approval.change(no, {"BMBM": OTHER, "BMMC": SHORT_NAMES[OTHER]})
        elif step.act in {"check", "cancel"}:
            self._at(self._task_for("approval", no), step)

    # --- checks

    def _on_special(self, step: Step, story: Story) -> None:
        enforcement = self.stage.platforms.enforcement
        if step.act == "order":
            subject = self.people[story.subject]
            due = (simulated_now() + timedelta(days=5)).isoformat()
            about = {"code": self.code_of(subject), "name": subject.name, "address": subject.address}
            self._mine[step.story] = enforcement.make_task(subjects=[about], department=story.department, due_at=due)["taskId"]
            return
        self._at(enforcement.tasks.current(self._mine[step.story]), step)

    def _at(self, task: Document | None, step: Step) -> None:
        """Do something at a task, if it is there: finish or correct it, cancel it, hand it over."""
        enforcement = self.stage.platforms.enforcement
        if task is None:
            return
        number, is_open = task["taskId"], task["status"] in OPEN
        if step.act == "cancel" and is_open:
            enforcement.cancel(number)
        elif step.act == "transfer" and is_open:
            enforcement.transfer(number, to="市公安局", results=[{"conclusion": "CONFORM", "remarks": self._remark()}])
        elif step.found is not None and is_open:
            if step.number % 2:  # officers were on their way before
                enforcement.begin(enforcement.accept(enforcement.dispatch(number)["taskId"])["taskId"])
            enforcement.finish(number, [self._result(step.found, task)])
        elif step.found is not None and task["status"] == "DONE":
            enforcement.correct(number, [self._result(step.found, task)])

    def _result(self, found: Found, task: Document) -> Mapping[str, object]:
        """Return what the officer writes down."""
        findings = [
            {"itemCode": one.code, "conform": one.conform} | ({"points": one.points} if one.points else {}) for one in found.items
        ]
        deadline = simulated_now() + timedelta(days=found.order_days or 0)
        seen = stamp(simulated_now() - timedelta(hours=found.hours_ago))
        result: dict[str, object] = {"findings": findings, "remarks": self._remark(), "checkedAt": seen}
        if found.conclusion != "nonconform":
            result["conclusion"] = {"conform": "CONFORM", "unreachable": "UNREACHABLE", "bare": "NONCONFORM"}[found.conclusion]
        if found.order_days is not None:
            result["rectification"] = {"deadline": deadline.replace(hour=18, minute=0, second=0, microsecond=0).isoformat()}
        if found.transferred:
            result["transferredTo"] = "市公安局"
        if task["type"] == "GRID" and found.names_subject:
            subject = self.people[0]
            result |= {"subjectCode": subject.uscc, "subjectName": subject.name}
        return result

    def _remark(self) -> str:
        self.said += 1
        return f"第{self.said}次记录"

    def _tasks(self) -> Sequence[Document]:
        return list(self.stage.platforms.enforcement.store.all("task").values())

    def _task_for(self, platform: str, ref: str, first: bool = False) -> Document | None:
        found = [
            one for one in self._tasks() if one["origin"] and (one["origin"]["platform"], one["origin"]["ref"]) == (platform, ref)
        ]
        return found[0 if first else -1] if found else None

    def _on_sequel(self, step: Step) -> None:
        """Do the newest recheck, or referral, that came of a story's tasks."""
        if step.story not in self._mine:
            return
        numbers, found = {self._mine[step.story]}, list[Document]()
        for task in self._tasks():
            orders = {one["rectification"]["orderNo"] for one in task["results"] if one["rectification"]}
            ref = (task["origin"] or {}).get("ref")
            if task["taskId"] in numbers or ref in numbers:
                numbers |= {task["taskId"], *orders}
                found.append(task)
        wanted = "RECHECK" if step.act == "recheck" else "SPECIAL"
        sequels = [one for one in found if one["type"] == wanted and (one["origin"] or {}).get("platform") == "enforcement"]
        self._at(sequels[-1] if sequels else None, step)

    # --- grid

    def _on_event(self, step: Step, story: Story) -> None:
        grid = self.stage.platforms.grid
        if step.act == "report":
            named = story.department if step.word == "b" else ""
            about = {"category": story.matter, "title": f"隐患{step.story}", "town": TOWN, "address": "双林路"}
            self._mine[step.story] = grid.report(**about, level=step.number % 4 + 1, dept_code=named)["no"]  # type: ignore[arg-type]
            return
        no = self._mine[step.story]
        status = grid.event(no)["status"]
        if step.act == "send" and status in {"10", "60"}:
            grid.send(no)
        elif step.act == "close" and status in {"40", "70"}:
            grid.close(no)
        elif step.act == "edit":
            grid.edit(no, **({"category": "JT-03"} if step.word == "a" else {"title": f"隐患{step.story}（更正）"}))
        elif step.act in {"check", "first check", "cancel", "transfer"}:
            self._at(self._task_for("grid", no, first=step.act == "first check"), step)

    def _on_coordination(self, step: Step, story: Story) -> None:
        platforms, content = self.stage.platforms, f"请协助劝离{step.story}"
        if step.act == "issue":
            due = (simulated_now() + timedelta(days=3)).replace(microsecond=0).isoformat()
            platforms.enforcement.issue_coordination(
                department=story.department, town=TOWN, category=story.matter, content=content, due_at=due
            )
            return
        at_town = [one for one in platforms.grid.store.all("coordination").values() if one["content"] == content]
        opinion = OPINIONS[step.number % len(OPINIONS)]
        if at_town and at_town[0]["status"] in {"10", "30"}:
            platforms.grid.handle_coordination(at_town[0]["no"], opinion=opinion)
        elif at_town and step.act == "correct":
            platforms.grid.correct_coordination(at_town[0]["no"], opinion=opinion)

    # --- self-governance, credit

    def _on_repair(self, step: Step, story: Story) -> None:
        selfgov = self.stage.platforms.selfgov
        if step.act == "enter":
            self._enter_repair(step, story)
            return
        if step.story not in self._mine:
            return
        number = int(self._mine[step.story])
        try:
            row = selfgov.result(number)
        except LookupError:  # the system has not committed it yet
            return
        fields: dict[str, object] = {"shzt": REFUSED if step.act == "refuse" else APPROVED}
        if step.act == "points":
            fields["xffs"] = max(0.5, float(row["xffs"] or 1.0) - 0.5) if step.word else None
        selfgov.change(number, late=0.0, **fields)
        self.rows[number].append(selfgov.result(number))

    def _enter_repair(self, step: Step, story: Story) -> None:
        records = [one for one in self.stage.platforms.credit.store.all("record").values() if len(one["code"]) == 18]
        record = records[story.subject % len(records)] if records else None
        if record is None and step.number < 5:
            return
        open_points = float(record["openPoints"]) if record else 1.0
        points = {1: 0.5, 2: open_points + 0.5, 3: None}.get(step.number, open_points)
        number = self.stage.platforms.selfgov.enter(
            "1234"[step.second % 4],
            code=str(record["code"]) if record and step.word != "b" else self.people[0].uscc,
            name="申请人",
            repairs=record["bizNo"] if record and step.number < 5 else "NO-SUCH-RECORD" if step.word else None,
            points=points,
            completed_at="2022-01-01 09:00:00" if step.number == 4 else None,
            late=45.0 if step.word == "a" else 0.0,
        )
        self._mine[step.story], self.rows[number] = str(number), []

    def _on_report(self, step: Step, story: Story) -> None:
        """A subject reports figures; nothing is repaired by that."""
        selfgov = self.stage.platforms.selfgov
        if step.act == "enter":
            firm = self.people[0]
            number = selfgov.enter("2", code=firm.uscc, name=firm.name, figures='{"从业人员": 12}', late=0.0)
            self._mine[step.story], self.rows[number] = str(number), []
            return
        number = int(self._mine[step.story])
        selfgov.change(number, late=0.0, shzt=APPROVED)
        self.rows[number].append(selfgov.result(number))

    def _on_credit(self, step: Step, story: Story) -> None:
        credit = self.stage.platforms.credit
        if step.act == "resolve":
            if credit.register.get("subject", self.code_of(self.people[story.subject])) is None:
                self._make_known(self.people[story.subject])
            return
        records = sorted(credit.store.all("record"))
        if records:
            credit.cancel(records[step.number % len(records)])

    # --- front ends

    async def _ask(self, step: Step) -> None:
        """Ask the hub for something; whoever got no answer asks again in the end, with the same number."""
        number = step.number
        if step.act in {"notice", "industry"}:
            given: dict[str, Any] = {"content": "请组织学习。", "department": "YJ"}
            if step.act == "notice":
                given |= {"requestNo": f"N{number}", "title": f"安全生产通知{number}"}
                given |= {"subjects": [self.code_of(one) for one in self.people[:2]]}
            else:
                given |= {"requestNo": f"I{number}", "title": f"行业规范{number}", "industry": "餐饮"}
            await self._mutate("pushNotice", "PushNoticeInput", given)
        else:
            given = {"requestNo": f"C{number}", "title": f"双随机检查{number}", "departments": ["SCJG"], "subjects": 1}
            given |= {"officersPerTask": 2, "dueAt": "2020-06-30T18:00:00+08:00"}
            await self._mutate("requestCampaign", "RequestCampaignInput", given)

    async def _check_figures(self, step: Step) -> None:
        """Say what the on-line check of a report came to: each is checked once, some are to be seen on site."""
        if step.story not in self._mine:
            return
        holds = step.story % 3 == 0
        given = {"reportNo": self._mine[step.story], "conclusion": "CONFORM" if holds else "NONCONFORM", "department": "YJ"}
        await self._mutate("recordFiguresCheck", "RecordFiguresCheckInput", given | {"inspect": step.story % 3 == 1})

    async def _mutate(self, name: str, kind: str, given: dict[str, Any]) -> None:
        query = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ message }} }} }}"
        try:
            answer = await self.stage.ask(query, input=given)
        except (httpx.TransportError, NeverHappened):  # it may have been heard all the same
            self._unanswered.append((name, kind, given))
            return
        if not answer[name]["userErrors"]:
            self.asked.append({"name": name, **given})

    async def ask_again(self) -> None:
        """Ask again what got no answer, once the hub is up and all is well."""
        again, self._unanswered = self._unanswered, []
        for name, kind, given in again:
            await self._mutate(name, kind, given)


async def sleep_until(moment: datetime) -> None:
    await asyncio.sleep(max(0.0, (moment - simulated_now()).total_seconds()))
