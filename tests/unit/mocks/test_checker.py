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
    assert result.records_taking_points == result.lines == result.records
    assert result.messages_owed == result.messages > 3
    assert result.messages < result.lines, "some have no telephone"
    assert result.reports >= result.reports_decided > result.repairs > 3
    told = result.to_dict()
    assert (told["approvals_granted"], told["missing"], told["problems"]) == (40, 0, [])


async def test_it_keeps_within_the_quotas_and_asks_the_control_interface_for_the_outbox_alone(closed: SmallCity) -> None:
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
    closed.tell_subjects()
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
    closed.tell_subjects()
    result = await closed.check()
    assert (result.records_invented, len(result.problems)) == (1, 1)


def rows(small: SmallCity, state: str, mark: str, *, repairs: bool = True) -> list[Document]:
    found = [row for row in small.platforms.selfgov.rows("zz_result") if (row["shzt"], row["clbz"]) == (state, mark)]
    return [row for row in found if (row["jf_bizno"] is not None) == repairs]


async def test_a_message_that_is_missing_and_one_too_many_are_seen(closed: SmallCity) -> None:
    sms, record = closed.platforms.sms, of_kind(closed, "COMMITMENT_BREACH")
    told = next(each for each in sms.outbox() if each["extno"].startswith(f"SN{record['bizNo']}"[:40]))
    closed.send_message("once more", told["mobile"], record)
    result = await closed.check()
    assert (result.messages_surplus, result.messages_missing, len(result.problems)) == (1, 0, 1)
    assert "tells of no record that takes points, or of one once more" in result.problems[0]
    for extno in ("once more", told["extno"]):
        sms.store.delete("message", extno)
    result = await closed.check()
    assert (result.messages_missing, result.missing) == (1, 1)
    assert result.problems == (f"record {record['recordId']} takes points, and no short message tells its subject",)
    closed.send_message("other points", told["mobile"], {**record, "points": "66.0"})
    result = await closed.check()
    assert (result.messages_missing, result.messages_surplus) == (1, 1)
    sms.store.delete("message", "other points")
    closed.send_message("elsewhere", "13900000000", record)
    assert (await closed.check()).messages_surplus == 1


async def test_a_line_that_is_missing_wrong_of_another_state_or_of_no_record_is_seen(closed: SmallCity) -> None:
    first, second, third, fourth = list(closed.platforms.credit.store.all("record").values())[:4]
    closed.put_line({**first, "bizNo": "of no record"}, "open")
    closed.take_line(first)
    closed.put_line({**second, "points": "66.0"}, "repaired" if second["openPoints"] == "0.0" else "open")
    closed.put_line(third, "expired")
    closed.put_line({**fourth, "code": first["code"] + "X"}, "repaired" if fourth["openPoints"] == "0.0" else "open")
    result = await closed.check()
    assert (result.lines_missing, result.lines_wrong, result.missing) == (2, 3, 2)
    said = "\n".join(result.problems)
    for words in (
        f"record {first['recordId']} takes points and has no line",
        f"record {second['recordId']}: its line in zz_score says something else",
        f"record {third['recordId']}: its line in zz_score is expired",
        "zz_score has a line of no record of no credit record",
    ):
        assert words in said


async def test_a_row_that_is_not_marked_or_marked_wrongly_is_seen(closed: SmallCity) -> None:
    selfgov, record = closed.platforms.selfgov, of_kind(closed, "REGULATORY_POINTS")
    code, number = record["code"], record["bizNo"]
    selfgov.enter("1", code=code, repairs=number, points=1, late=0)
    selfgov.enter("1", code=code, repairs=number, points=1, state="2", late=0)
    selfgov.enter("1", code=code, repairs=number, points=None, state="1", late=0)
    closed.mark_reports()
    (taken, *_), (refused, *_), (report, *_) = rows(closed, "1", "1"), rows(closed, "1", "9"), rows(closed, "1", "1", repairs=False)
    (withdrawn, *_), (waiting, *_) = rows(closed, "2", "1"), rows(closed, "0", "0")

    async def said(row: Document, mark: str, why: str | None = "理由") -> tuple[int, int, str]:
        closed.mark(row["id"], mark, why)
        result = await closed.check()
        closed.mark(row["id"], row["clbz"], row["clsm"])
        assert all(problem.startswith((f"zz_result {row['id']}: ", "repair ")) for problem in result.problems)
        return result.reports_unmarked, result.reports_wrong, next(each for each in result.problems if "zz_result" in each)

    for row in (taken, refused, report, withdrawn):
        assert (await said(row, "0"))[:2] == (1, 0)
    closed.mark(taken["id"], "9", "理由")
    assert (await closed.check()).repairs_surplus == 1
    closed.mark(taken["id"], "1", None)
    assert "is taken, though it" in (await said(refused, "1"))[2]
    assert "is refused without a reason" in (await said(refused, "9", None))[2]
    for row in (report, withdrawn):
        assert "has nothing to be refused for" in (await said(row, "9"))[2]
    assert "waits for its decision" in (await said(waiting, "1"))[2]
    assert (await closed.check()).problems == ()
    records = closed.platforms.credit.store.all("record").values()
    repairable = next(each for each in records if each["openPoints"] == each["points"] != "0.0")
    entered = selfgov.enter("1", code=repairable["code"], repairs=repairable["bizNo"], points=0.5, state="1", late=0)
    closed.mark(entered, "9", "理由")
    assert (await closed.check()).problems == (f"zz_result {entered}: could be made good, and is refused",)


async def test_a_repair_that_is_missing_or_made_twice_is_seen(closed: SmallCity) -> None:
    credit, row = closed.platforms.credit, rows(closed, "1", "1")[0]
    repair = credit.register.by_biz_no("repair", f"RE{row['id']:06}")
    assert repair is not None
    credit.store.put("repair", "again", {**repair, "repairId": "again", "bizNo": "again"})
    result = await closed.check()
    assert (result.repairs_surplus, result.problems[0][:6]) == (1, "repair")
    for key in ("again", repair["repairId"]):
        credit.delete("repair", key)
    result = await closed.check()
    assert (result.repairs_missing, result.missing) == (1, 1)
    assert f"zz_result {row['id']}: is taken, and {repair['recordId']} was not given back" in result.problems[0]


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
