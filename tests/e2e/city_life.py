"""A morning in the city: approvals are granted, events reported, checks made. And what must be true on the platforms afterwards."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from mocks.people import Subject, identity_check_digit
from tests.e2e.eventually import eventually
from tests.e2e.stage import RunningHub, Stage

BROKEN_PROMISE: Sequence[dict[str, Any]] = [{"findings": [{"itemCode": "SCJG-001"}], "remarks": "与承诺不符"}]
TWO_FINDINGS: Sequence[dict[str, Any]] = [
    {"findings": [{"itemCode": "SCJG-001", "points": "2.0"}, {"itemCode": "SCJG-002", "points": "1.5"}]}
]
_BODY = "33072519850312001"
PERSON = Subject(
    "2", "吴𬭎", identity_number=_BODY + identity_check_digit(_BODY), telephone="13905790123", address="义乌市佛堂镇大成路2号"
)


class Granted(NamedTuple):
    """A granted approval: what its check finds, what the approval must say then, and the records that it must leave."""

    serial: str
    results: Sequence[dict[str, Any]]
    verdict: str
    records: Sequence[tuple[str, str]]


class Tip(NamedTuple):
    """A grid event that was sent to a department: how its check ends, and the status that the event must reach."""

    number: str
    ends: str
    status: str


class Morning(NamedTuple):
    """What happened, beside the records that must lead to nothing."""

    granted: Sequence[Granted]
    tips: Sequence[Tip]
    nothing: Sequence[str]

    @property
    def refs(self) -> list[str]:
        """What must have a task on the enforcement platform, each exactly one."""
        return [*(one.serial for one in self.granted), *(one.number for one in self.tips)]


def begin(stage: Stage, rounds: int = 1) -> Morning:
    """Let approvals be granted and events be sent, so many times over; some lead to nothing."""
    granted: list[Granted] = []
    tips: list[Tip] = []
    approval, grid = stage.approval, stage.grid
    for _ in range(rounds):
        granted += [
            Granted(approval.grant(procedure="1"), [], "1", []),
            Granted(approval.grant(procedure="1"), BROKEN_PROMISE, "2", [("COMMITMENT_BREACH", "6.0")]),
            Granted(approval.grant(procedure="2"), TWO_FINDINGS, "2", [("REGULATORY_POINTS", "1.5"), ("REGULATORY_POINTS", "2.0")]),
            Granted(approval.grant(PERSON, procedure="1"), BROKEN_PROMISE, "2", [("COMMITMENT_BREACH", "6.0")]),
        ]
        tips += [
            Tip(_sent(stage, level=1), "DONE", "40"),
            Tip(_sent(stage, level=3), "TRANSFERRED", "70"),
            Tip(_sent(stage, level=2), "CANCELLED", "60"),
        ]
    refused = approval.accept(procedure="2")
    approval.decide(refused, granted=False)
    at_the_town = grid.report(category="JT-03", title="路灯不亮", town="佛堂镇", level=4)["no"]
    return Morning(granted, tips, [refused, approval.accept(procedure="1"), at_the_town])


def _sent(stage: Stage, level: int) -> str:
    event = stage.grid.report(category="JT-03", title="杂草遮挡视线", town="赤岸镇", level=level, send=True)
    return str(event["no"])


async def officers_work(stage: Stage, morning: Morning, *, within: float = 30.0) -> None:
    """Wait until each cause has its task, and finish it as the morning says."""
    for one in morning.granted:
        task = (await eventually(stage.tasks_for, one.serial, within=within, or_say=f"a task for {one.serial}"))[0]
        stage.enforcement.finish(task["taskId"], one.results)
    for tip in morning.tips:
        await eventually(_accepted, stage, tip.number, within=within, or_say=f"{tip.number} accepted")
        (task,) = stage.tasks_for(tip.number)
        if tip.ends == "DONE":
            stage.enforcement.finish(task["taskId"], [{"remarks": "已清理"}])
        elif tip.ends == "TRANSFERRED":
            stage.enforcement.transfer(task["taskId"], to="省公路局")
        else:
            stage.enforcement.cancel(task["taskId"])


def _accepted(stage: Stage, number: str) -> bool:
    return bool(stage.grid.event(number)["status"] == "30")


async def all_closed(running: RunningHub, obligations: int, *, within: float = 40.0) -> None:
    """Wait until so many obligations exist and nothing is open."""

    async def closed() -> bool:
        counts = await running.counts()
        return sum(counts.values()) >= obligations and not await running.open_ends()

    try:
        await eventually(closed, within=within)
    except AssertionError as late:
        raise AssertionError(f"{late}; {await running.counts()}; open: {await running.open_ends()}") from late


def obligations_of(morning: Morning) -> int:
    """Return how many obligations follow: task and write-back of an approval, its records; task, acceptance, answer of an event."""
    return sum(2 + len(one.records) for one in morning.granted) + 3 * len(morning.tips)


def assert_guaranteed(stage: Stage, morning: Morning) -> None:
    """Check on the platforms themselves: nothing is missing, nothing doubled, nothing made without a cause."""
    assert {ref: len(stage.tasks_for(ref)) for ref in morning.refs} == dict.fromkeys(morning.refs, 1)
    assert [ref for ref in morning.nothing if stage.tasks_for(ref)] == []
    assert len(stage.enforcement.store.all("task")) == len(morning.refs)
    for one in morning.granted:
        (task,) = stage.tasks_for(one.serial)
        record = stage.approval.record(one.serial)
        assert (record.get("HCJG"), record.get("HCRWBH")) == (one.verdict, task["taskId"]), one
        taken = sorted((each["category"], each["points"]) for each in stage.records_for(task["taskId"]))
        assert taken == sorted(one.records), one
    assert len(stage.credit.store.all("record")) == sum(len(one.records) for one in morning.granted)
    for tip in morning.tips:
        (task,) = stage.tasks_for(tip.number)
        handling = stage.grid.store.get("handling", tip.number)
        assert handling is not None, tip
        assert (stage.grid.event(tip.number)["status"], handling["taskNo"]) == (tip.status, task["taskId"]), tip
    assert stage.twins() == {}
