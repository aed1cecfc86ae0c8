"""The loop as one answer, of a city that really ran: each case is told whole, in order, and from both its ends alike."""

from collections import Counter
from typing import Any

from schema.declare import declared
from schema.entities import Approval, GridEvent, VerificationTask
from schema.global_id import global_id
from tests.e2e.city_life import TWO_FINDINGS, all_closed, begin, obligations_of, officers_work
from tests.e2e.stage import RunningHub, Stage

ASK = """query($of: ID!) { loop(of: $of) { complete owed awaited truncated trigger { id }
    steps { id at kind causes obligation { rule state } } } }"""


async def loop(running: RunningHub, record: type[Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = (await running.ask(ASK, of=global_id(declared(record), key)))["loop"]
    return found


def kinds(found: dict[str, Any]) -> list[str]:
    return [step["kind"] for step in found["steps"]]


async def test_every_case_of_a_morning_is_told_from_its_trigger_to_its_end(stage: Stage) -> None:
    async with stage.hub() as running:
        morning = begin(stage)
        await officers_work(stage, morning)
        await all_closed(running, obligations_of(morning))
        for granted in morning.granted:
            found = await loop(running, Approval, granted.serial)
            (task,) = stage.tasks_for(granted.serial)
            assert found == await loop(running, VerificationTask, task["taskId"])
            assert found["trigger"]["id"] == global_id(declared(Approval), granted.serial)
            told = kinds(found)
            assert told.count("RECORD_CREATED") == len(granted.records), told
            assert told.count("FINDING") == (2 if granted.results is TWO_FINDINGS else len(granted.records)), told
            assert {"APPROVAL_GRANTED", "TASK_CREATED", "RESULT_WRITTEN_BACK"} <= set(told)
            assert (found["complete"], found["truncated"]) == (True, False), found
            rules = Counter(step["obligation"]["rule"] for step in found["steps"] if step["obligation"])
            assert (rules["approval-verification"], rules["verification-result"]) == (1, 1)
            assert rules["breach-record"] == len(granted.records)
            taking = [points for _, points in granted.records if points != "0.0"]
            assert len(taking) <= rules["score-notice"] <= 2 * len(taking), rules  # some subjects have no telephone
        for tip in morning.tips:
            told = kinds(await loop(running, GridEvent, tip.number))
            ends = {"DONE": "EVENT_HANDLED", "TRANSFERRED": "EVENT_TRANSFERRED", "CANCELLED": "EVENT_RETURNED"}[tip.ends]
            assert [each for each in told if each.startswith("EVENT_")] == ["EVENT_REPORTED", "EVENT_SENT", "EVENT_ACCEPTED", ends]
        refused = kinds(await loop(running, Approval, morning.nothing[0]))
        assert refused == ["APPROVAL_ACCEPTED", "APPROVAL_REFUSED"]
