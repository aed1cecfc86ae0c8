"""What the ten cases are played with: a stage, words for the terminal, and expectations that are checked in the end.

A case (case_01.py ...) is a `Case`: its title, the moment it begins, and `play`, which makes on the platforms what people did
there, lets the hub do the rest, and says what must have come of it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hub.simulation.clock import simulated_now
from hub.simulation.stage import NeverHappened, Stage
from mocks.people import Subject
from mocks.selfgov import APPROVED, EXAM, SELF_CHECK, SELF_REPORT, STUDY
from mocks.store import Document

BEIJING = timezone(timedelta(hours=8))

WAYS = {"self_check": SELF_CHECK, "self_report": SELF_REPORT, "study": STUDY, "exam": EXAM}

SYSTEMS = {
    "approval": "审批系统（义网通办）",
    "credit": "信用信息核查平台",
    "grid": "基层治理四平台",
    "enforcement": "行政执法监管平台",
    "selfgov": "主体自治系统",
    "sms": "短信平台",
    "hub": "闭环",
}
"""The real names of the systems."""


@dataclass(frozen=True)
class Told:
    """One line of the story: when, on which system, what somebody did."""

    at: datetime
    system: str
    words: str


@dataclass(frozen=True)
class Differs:
    """An expectation that did not come true."""

    what: str
    wanted: object
    found: object


@dataclass
class Play:
    """One performance of a case."""

    stage: Stage
    say: Callable[[Told], None]
    differences: list[Differs] = field(default_factory=list)
    checked: int = 0
    loops: list[tuple[str, str]] = field(default_factory=list)
    """Records whose loops are shown in the end: (entity's root field, key)."""

    def tell(self, system: str, words: str) -> None:
        """Tell what happens on a system now."""
        self.say(Told(simulated_now(), system, words))

    async def at(self, text: str) -> None:
        """Let time pass until `yyyy-MM-dd HH:mm`, Beijing."""
        await self.stage.until(datetime.fromisoformat(text).replace(tzinfo=BEIJING))

    async def rest(self) -> None:
        """Let the hub do what it owes."""
        await self.stage.settled()

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Note an expectation, and the difference where it did not come true."""
        self.checked += 1
        if found != wanted:
            self.differences.append(Differs(what, wanted, found))

    def show(self, field_name: str, key: str) -> None:
        """Have a record's loop shown in the end."""
        self.loops.append((field_name, key))

    # --- people of the city

    def known(self, firm: Subject, *, score: float = 88.0) -> str:
        """Make a subject known to the credit platform before anything else; return its code there."""
        credit = self.stage.platforms.credit
        code = firm.uscc or credit.resident_code(firm.code)
        credit.add_subject(code, firm.name, score=score)
        return code

    async def task_for(self, ref: str, nth: int = 0) -> Document:
        """Return the task that the hub made for another platform's record, as soon as it is there."""

        def look() -> Document | None:
            tasks = self.stage.platforms.enforcement.store.all("task").values()
            found = [task for task in tasks if (task["origin"] or {}).get("ref") == ref]
            return found[nth] if len(found) > nth else None

        found: Document = await self.stage.seen(f"a task for {ref}", look)
        return found

    def check(self, task_id: str, *results: dict[str, Any], head: bool = False) -> Document:
        """Send officers, let them take the task in the mobile app and finish it; return the finished task."""
        enforcement = self.stage.platforms.enforcement
        enforcement.dispatch(task_id, head=head)
        enforcement.accept(task_id)
        enforcement.begin(task_id)
        return enforcement.finish(task_id, results)

    def special_check(self, firm: Subject, department: str, *, title: str, participants: Sequence[str] = ()) -> Document:
        """Let a department order a check of its own at a subject; return the task."""
        enforcement = self.stage.platforms.enforcement
        subject = {"code": firm.uscc, "name": firm.name, "address": firm.address}
        due = (simulated_now() + timedelta(days=5)).isoformat()
        return enforcement.make_task(subjects=[subject], department=department, title=title, participants=participants, due_at=due)

    def govern(
        self,
        firm: Subject,
        way: str,
        *,
        repairs: Document | None = None,
        points: str | None = None,
        item: str | None = None,
        figures: str | None = None,
    ) -> str:
        """Let a subject do something for itself, approved at once; return the row's number.

        `way` is self_check, self_report, study or exam; `repairs` the credit record that it is to restore points of.
        """
        system = self.stage.platforms.selfgov
        row = system.enter(
            WAYS[way],
            code=firm.uscc,
            name=firm.name,
            repairs=repairs["bizNo"] if repairs else None,
            points=float(points) if points else None,
            item=item or (repairs["itemCode"] if repairs else None),
            figures=figures,
            state=APPROVED,
        )
        return str(row)

    # --- what front ends ask the hub for

    async def request_campaign(self, wanted: dict[str, Any]) -> None:
        """Order a joint inspection through the graph."""
        await self._mutate("requestCampaign", "RequestCampaignInput", wanted)

    async def push_notice(
        self, number: str, *, subjects: Sequence[str] | None = None, industry: str | None = None, title: str
    ) -> None:
        """Push a notice or law through the graph, to subjects or to an industry."""
        content = f"{title}，请组织学习并遵照执行。"
        given = {"requestNo": number, "subjects": subjects, "industry": industry}
        await self._mutate("pushNotice", "PushNoticeInput", given | {"title": title, "content": content, "department": "JR"})

    async def check_figures(self, report: str, conclusion: str, *, inspect: bool = False) -> None:
        """Record an on-line check of reported figures through the graph."""
        given = {"reportNo": report, "conclusion": conclusion, "department": "JR", "inspect": inspect}
        await self._mutate("recordFiguresCheck", "RecordFiguresCheckInput", given)

    async def _mutate(self, name: str, kind: str, given: dict[str, Any]) -> None:
        query = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ message }} }} }}"
        answer = await self.stage.ask(query, input=given)
        if refused := answer[name]["userErrors"]:
            raise NeverHappened(f"{name} was refused: {refused[0]['message']}")

    async def figures(self, *names: str) -> dict[str, Any]:
        """Return figures of the statistics of 2019."""
        found = await self.stage.counted(f'{{ statistics(from: "2019-01-01") {{ uncounted total {{ {" ".join(names)} }} }} }}')
        total: dict[str, Any] = found["statistics"]["total"]
        return total

    async def for_people(self) -> list[str]:
        """Return the kinds of what stands on the ops list, for people to settle."""
        found = await self.stage.ask("{ opsItems(first: 200) { edges { node { kind } } } }")
        return sorted(edge["node"]["kind"] for edge in found["opsItems"]["edges"])

    # --- what the platforms hold

    def records(self, code: str, category: str | None = None) -> list[Document]:
        """Return the credit platform's records of a subject, cancelled ones left out."""
        found = self.stage.platforms.credit.store.all("record").values()
        return [one for one in found if one["code"] == code and not one["cancelled"] and category in {None, one["category"]}]

    def points(self, records: Sequence[Document]) -> str:
        """Return the points of records together, with one decimal."""
        return f"{sum((Decimal(one['points']) for one in records), Decimal(0)):.1f}"

    def tasks_of(self, kind: str) -> list[Document]:
        """Return the enforcement platform's tasks of a type."""
        return [task for task in self.stage.platforms.enforcement.store.all("task").values() if task["type"] == kind]

    def messages(self, firm: Subject) -> list[str]:
        """Return the short messages that were sent to a subject's telephone."""
        return [one["content"] for one in self.stage.platforms.sms.outbox() if one["mobile"] == firm.telephone]

    def scores(self, code: str) -> list[Document]:
        """Return what a subject sees on its own list in the self-governance system."""
        return [row for row in self.stage.platforms.selfgov.rows("zz_score") if row["tyshxydm"] == code]

    def blacklisted(self, firm: Subject) -> list[str]:
        """Return the matters that a subject may not use commitment for."""
        entries = self.stage.platforms.approval.store.all("hmd").values()
        return [entry["sxbm"] for entry in entries if entry["dxbs"] == firm.code and not entry["ycrq"]]

    def watched(self, code: str) -> bool:
        """Return whether a subject is on the key supervision list."""
        return self.stage.platforms.enforcement.store.get("key subject", code) is not None


@dataclass(frozen=True)
class Case:
    """One case: its number, its title in both languages, when it begins (Beijing, `yyyy-MM-dd HH:mm`) and how it goes."""

    number: int
    title: str
    title_en: str
    begins: str
    play: Callable[[Play], Awaitable[None]]
