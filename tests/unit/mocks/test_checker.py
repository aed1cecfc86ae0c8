"""The independent checker: silent about a city whose loops are closed, and sharp about each way in which one can be broken."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from mocks.breaches import breaches
from mocks.checker import Checker, judged
from mocks.store import Document
from tests.unit.mocks.small_city import URLS, SmallCity, completed


@pytest.fixture
async def closed() -> AsyncIterator[SmallCity]:
    """A city at rest in which everything that had to follow has followed."""
    small = SmallCity(approvals=40, breaches=3)
    running = asyncio.create_task(small.city.run())
    await completed(small)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    small.clock.advance(5)
    yield small
    await small.stop()


def of_kind(small: SmallCity, category: str) -> Document:
    return next(record for record in small.platforms.credit.store.all("record").values() if record["category"] == category)


async def test_a_closed_city_has_no_problems(closed: SmallCity) -> None:
    result = await closed.check()
    assert result.problems == ()
    assert (result.approvals_granted, result.tasks_for_approvals, result.missing) == (40, 40, 0)
    assert result.breaches == result.records > 3
    assert (result.events_sent, result.events_answered) == (8, 8)
    told = result.to_dict()
    assert (told["approvals_granted"], told["missing"], told["problems"]) == (40, 0, [])


async def test_it_keeps_within_the_quotas_and_uses_no_control_route(closed: SmallCity) -> None:
    await closed.check()
    for platform in closed.platforms:
        if platform.name not in URLS:  # the checker has no business there
            continue
        counters = platform.counters
        assert counters["calls"] > 0 or platform.name == "sms"  # which answers no questions
        assert not [name for name in counters if name.startswith("refused")]
    assert closed.platforms.credit.counters["calls.token"] == 1


async def test_it_gets_through_while_platforms_fail_now_and_then(closed: SmallCity) -> None:
    for platform in closed.platforms:
        platform.faults = platform.faults.changed({"error_rate": 0.4})
    assert (await closed.check()).problems == ()


@pytest.mark.parametrize("category", ["COMMITMENT_BREACH", "REGULATORY_POINTS"])
async def test_a_removed_record_is_missed(closed: SmallCity, category: str) -> None:
    record = of_kind(closed, category)
    closed.platforms.credit.delete("record", record["recordId"])
    result = await closed.check()
    assert (result.records_missing, result.missing) == (1, 1)
    assert [problem for problem in result.problems if record["evidence"]["ref"] in problem]


async def test_a_cancelled_record_counts_no_longer(closed: SmallCity) -> None:
    closed.platforms.credit.cancel(of_kind(closed, "REGULATORY_POINTS")["recordId"])
    assert (await closed.check()).records_missing == 1


@pytest.mark.parametrize("category", ["COMMITMENT_BREACH", "REGULATORY_POINTS"])
async def test_a_doubled_record_is_seen(closed: SmallCity, category: str) -> None:
    record = of_kind(closed, category)
    evidence = record["evidence"]
    closed.post_record("another-number", record["code"], category, record["points"], evidence["ref"], evidence["finding"])
    result = await closed.check()
    assert (result.records_doubled, result.missing, len(result.problems)) == (1, 0, 1)
    assert "recorded 2 times" in result.problems[0]


async def test_wrong_points_a_wrong_subject_and_a_wrong_task_are_seen(closed: SmallCity) -> None:
    first, second, third = [
        record for record in closed.platforms.credit.store.all("record").values() if record["category"] == "REGULATORY_POINTS"
    ][:3]
    credit = closed.platforms.credit
    credit.contradict("record", first["recordId"], {"points": "11.5"})
    credit.contradict("record", second["recordId"], {"code": "91350100M000100Y43"})
    credit.contradict("record", third["recordId"], {"evidence": {**third["evidence"], "ref": "RW0"}})
    result = await closed.check()
    assert (result.records_wrong, result.missing) == (3, 0)
    said = "\n".join(result.problems)
    assert f"{first['recordId']} takes 11.5 points, not {first['points']}" in said
    assert f"{second['recordId']} is under 91350100M000100Y43" in said
    assert f"{third['recordId']} names task RW0" in said


async def test_an_invented_record_is_seen(closed: SmallCity) -> None:
    closed.post_record("another-number", of_kind(closed, "REGULATORY_POINTS")["code"], "REGULATORY_POINTS", "1.0", "RW0", "F0")
    result = await closed.check()
    assert (result.records_invented, len(result.problems)) == (1, 1)


async def test_an_approval_without_its_task_and_one_with_two_are_named(closed: SmallCity) -> None:
    granted = [record for record in closed.platforms.approval.store.all("record").values() if record.get("SPJG") == "1"]
    double = next(record for record in granted if record["SPFS"] == "2")
    closed.make_task("APPROVAL", "approval", double["YWLSH"], "SCJG", None, "店")
    without = closed.platforms.approval.grant()
    closed.clock.advance(5)
    result = await closed.check()
    assert (result.approvals_without_task, result.approvals_with_several_tasks, result.missing) == (1, 1, 1)
    assert f"approval {without} is granted and has no task" in result.problems
    assert [problem for problem in result.problems if problem.startswith(f"approval {double['YWLSH']} has 2 tasks")]


async def test_a_task_for_a_refused_approval_and_one_of_the_wrong_type_are_named(closed: SmallCity) -> None:
    refused = closed.platforms.approval.accept()
    closed.platforms.approval.decide(refused, granted=False)
    closed.make_task("COMMITMENT", "approval", refused, "SCJG", None, "店")
    serial = closed.platforms.approval.grant(procedure="2")
    closed.make_task("COMMITMENT", "approval", serial, "SCJG", None, "店")
    closed.clock.advance(5)
    problems = (await closed.check()).problems
    assert [problem.partition(" and has")[0] for problem in problems] == [
        f"approval {refused} was never granted",
        f"approval {serial} needs a task of type APPROVAL,",
    ]


async def test_an_event_without_task_or_answer_and_one_with_a_task_too_many_are_named(closed: SmallCity) -> None:
    grid = closed.platforms.grid
    waiting = grid.report(category="JT-03", title="杂草", town="佛堂镇", send=True)["no"]
    unsent = grid.report(category="JT-03", title="杂草", town="佛堂镇")["no"]
    task = next(task for task in closed.tasks() if (task["origin"] or {}).get("platform") == "grid")
    closed.make_task("GRID", "grid", task["origin"]["ref"], "JT", None, "店")
    closed.make_task("GRID", "grid", unsent, "JT", None, "店")
    closed.clock.advance(5)
    result = await closed.check()
    assert (result.event_tasks_missing, result.event_tasks_doubled, result.missing) == (1, 1, 2)
    said = "\n".join(result.problems)
    assert f"event {waiting} has status 20: it is not answered" in said
    assert f"event {task['origin']['ref']} was sent" in said
    assert f"event {unsent} was never sent and has a task" in said


def test_points_are_the_findings_own_then_its_items_then_its_tiers() -> None:
    items: dict[str, Document] = {
        "A": {"points": "2.0", "severity": "MAJOR"},
        "B": {"points": None, "severity": "SERIOUS"},
        "C": {"points": None, "severity": None},
    }

    def taken(**finding: object) -> list[str]:
        whole = {"findingId": "F1", "conform": False, "points": None, "severity": None, **finding}
        result = {"conclusion": "NONCONFORM", "subjectCode": None, "findings": [whole]}
        task: Document = {"taskId": "RW1", "type": "RANDOM", "origin": None, "results": [result]}
        return [breach.points for breach in breaches([task], items).values()]

    assert taken(itemCode="A", points="0.5") == ["0.5"]
    assert taken(itemCode="A", severity="MINOR") == ["2.0"]
    assert taken(itemCode="B") == ["12.0"]
    assert taken(itemCode="C", severity="GENERAL") == ["3.0"]
    assert taken(itemCode="C") == []
    assert taken(itemCode="A", conform=True) == []


@pytest.mark.parametrize(
    ("kind", "origin", "conclusion", "expected"),
    [
        ("COMMITMENT", {"platform": "approval", "ref": "YW1"}, "NONCONFORM", ["approval YW1"]),
        ("COMMITMENT", {"platform": "approval", "ref": "YW1"}, "UNREACHABLE", []),
        ("APPROVAL", {"platform": "approval", "ref": "YW1"}, "NONCONFORM", ["finding F1", "finding F2"]),
        ("RECHECK", {"platform": "enforcement", "ref": "ZG1"}, "NONCONFORM", []),
        ("SPECIAL", {"platform": "enforcement", "ref": "RW9"}, "NONCONFORM", []),
        ("SPECIAL", None, "NONCONFORM", ["finding F1", "finding F2"]),
        ("GRID", {"platform": "grid", "ref": "YW2"}, "UNREACHABLE", []),
    ],
)
def test_what_counts_as_a_breach(kind: str, origin: Document | None, conclusion: str, expected: list[str]) -> None:
    findings = [
        {"findingId": number, "itemCode": "A", "conform": False, "points": "1.0", "severity": None} for number in ("F1", "F2")
    ]
    result = {"conclusion": conclusion, "subjectCode": None, "findings": findings}
    task: Document = {"taskId": "RW1", "type": kind, "origin": origin, "results": [result]}
    assert sorted(breaches([task], {})) == expected


def test_nothing_at_all_is_no_problem() -> None:
    assert judged([], [], {}, [], []).problems == ()


async def test_the_checker_can_be_made_from_the_configuration_of_the_platforms(closed: SmallCity) -> None:
    assert isinstance(Checker.from_config({"seed": 3, "approval": {"app_secrets": ["one"]}}, URLS), Checker)
