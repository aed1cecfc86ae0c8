"""Eligibility for commitment through a whole hub: the approval system asks over HTTP, front ends by the graph."""

import sqlite3
import time
from datetime import date
from typing import Any

import httpx
import pytest

from mocks.people import Subject
from schema.commands import AddToBlacklist
from schema.identifiers import rid_code
from tests.e2e.eventually import eventually
from tests.e2e.stage import RunningHub, Stage

COMPANY, MATTER = "91330782MA28D5K77N", "WH-SX01"
PERSON = "330725197908301422"
QUERY = """
query Eligible($subject: String!, $matter: String!) {
  eligibility(subject: $subject, matter: $matter) {
    subject matter eligible grade score asOf reasons { code text } data { source asOf live stale }
  }
}
"""


class Recorded(httpx.AsyncBaseTransport):
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self._network = httpx.AsyncHTTPTransport(trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        self.sent.append(f"{request.method} {request.url} {dict(request.headers)} {body.decode()}")
        return await self._network.handle_async_request(request)

    async def aclose(self) -> None:
        await self._network.aclose()


async def asked(running: RunningHub, subject: str, matter: str = MATTER) -> dict[str, Any]:
    told: dict[str, Any] = (await running.ask(QUERY, subject=subject, matter=matter))["eligibility"]
    return told


async def known(running: RunningHub, code: str) -> bool:
    """Return whether a subject's profile has come into the mirror."""
    return bool((await running.ask(f'{{ creditProfile(code: "{code}") {{ grade }} }}'))["creditProfile"])


async def test_the_approval_system_gets_grade_and_score_and_the_graph_the_same_with_ages(stage: Stage) -> None:
    stage.credit.add_subject(COMPANY, "义乌市天䶮贸易有限公司", score=80.0)
    async with stage.hub() as running:
        data = await stage.approval.ask_eligibility(COMPANY, MATTER)
        assert data is not None
        assert (data["sycn"], data["xydj"], data["xyf"], data["yy"]) == (True, "B", 80, [])
        assert data["sjsj"].startswith("2019-09-02 09:0")
        told = await asked(running, COMPANY)
        assert (told["eligible"], told["grade"], told["score"], told["reasons"]) == (True, "B", "80.0", [])
        assert [(one["source"], one["live"], one["stale"]) for one in told["data"]] == [
            ("credit", True, False),
            ("approval", True, False),
        ]
        assert stage.approval.counters["eligibility.true"] == 1
        metrics = (await running.client.get("/metrics")).text
        assert 'bihuan_eligibility_total{outcome="eligible"} 1.0' in metrics


@pytest.mark.parametrize("number", ["330782600123456", "not a number"])
async def test_a_number_of_15_digits_is_no_answer_and_means_the_standard_procedure(stage: Stage, number: str) -> None:
    async with stage.hub():
        assert await stage.approval.ask_eligibility(number, MATTER) is None


async def test_subjects_without_credit_a_low_grade_a_matter_and_the_blacklist_are_each_named(stage: Stage) -> None:
    stage.credit.add_subject(COMPANY, "义乌市天䶮贸易有限公司", score=90.0)
    async with stage.hub() as running:
        running.hub.asker._budget = 30.0  # what is decided, not how soon: a busy machine may take more than the two seconds
        nobody = await asked(running, "91330782147664100G")
        assert [one["code"] for one in nobody["reasons"]] == ["SUBJECT_UNKNOWN"]
        assert [one["code"] for one in (await asked(running, COMPANY, "XX-99"))["reasons"]] == ["MATTER_UNKNOWN"]
        stage.credit.set_score(COMPANY, 79.9)
        assert [one["code"] for one in (await asked(running, COMPANY))["reasons"]] == ["GRADE_TOO_LOW"]
        stage.credit.set_score(COMPANY, 80.0)
        entry = AddToBlacklist(
            entry_no="CB1", holder=COMPANY, holder_name="店", matter_code=MATTER, reason="未履行承诺", since=date(2019, 9, 2)
        )
        await running.hub.connectors["approval"].ensure(entry, "key", unknown_since=None)
        data = await stage.approval.ask_eligibility(COMPANY, MATTER)
        assert data is not None
        assert (data["sycn"], data["xydj"], len(data["yy"])) == (False, "B", 1)
        assert "黑名单" in data["yy"][0]
        assert (await asked(running, COMPANY, "GA-SX01"))["eligible"]

        async def kept() -> bool:
            return bool((await running.ask("{ blacklistEntries { totalCount } }"))["blacklistEntries"]["totalCount"])

        await eventually(kept, or_say="the entry that was read live, in the mirror")
        stage.approval.unblacklist("CB1")
        assert (await asked(running, COMPANY))["eligible"]


async def test_no_identity_number_ever_goes_to_the_credit_platform(stage: Stage) -> None:
    code = rid_code(PERSON, stage.household.secrets["exchange"])
    stage.credit.add_subject(code, "吴𬭎", score=85.0)
    credit = stage.transports["credit"] = Recorded()
    approvals = stage.transports["approval"] = Recorded()
    async with stage.hub() as running:
        person = Subject("2", "吴𬭎", identity_number=PERSON, telephone="13957912345", address="佛堂镇")
        stage.approval.grant(person, procedure="1")
        data = await stage.approval.ask_eligibility(PERSON, MATTER)
        assert data is not None
        assert (data["sycn"], data["xyf"]) == (True, 85)

        async def by_the_code() -> bool:
            return bool((await asked(running, code))["eligible"])  # once the approval has named the number

        await eventually(by_the_code, or_say="an answer for the RID code")
    assert any(code in sent for sent in credit.sent)
    assert not [sent for sent in credit.sent if PERSON in sent]
    assert any(f'"dxbs":"{PERSON}"' in sent for sent in approvals.sent)


async def test_an_identity_number_in_a_query_is_refused_and_not_repeated(stage: Stage) -> None:
    async with stage.hub() as running:
        for subject, says in ((PERSON, "identity number"), (PERSON[:-1] + "1", "no unified social credit code")):
            asking = {"query": QUERY, "variables": {"subject": subject, "matter": MATTER}}
            answer = await running.client.post("/graphql", json=asking)
            (error,) = answer.json()["errors"]
            assert error["extensions"]["code"] == "BAD_USER_INPUT"
            assert says in error["message"]
            assert PERSON[6:14] not in answer.text


async def test_with_the_credit_platform_hanging_the_mirror_answers_in_time(stage: Stage) -> None:
    stage.credit.add_subject(COMPANY, "义乌市天䶮贸易有限公司", score=80.0)
    async with stage.hub() as running:
        await eventually(known, running, COMPANY, or_say="the profile in the mirror")
        stage.credit.faults = stage.credit.faults.changed({"latency_seconds": 3600.0})
        began = time.monotonic()
        data = await stage.approval.ask_eligibility(COMPANY, MATTER)
        assert time.monotonic() - began < 3
        assert data is not None
        assert (data["sycn"], data["xydj"], data["yy"]) == (True, "B", [])
        told = await asked(running, COMPANY)
        assert [(one["source"], one["live"]) for one in told["data"]] == [("credit", False), ("approval", True)]


async def test_with_both_platforms_hanging_from_the_beginning_it_says_in_time_why_not(stage: Stage) -> None:
    stage.faults(latency_seconds=3600.0)
    async with stage.hub():
        began = time.monotonic()
        data = await stage.approval.ask_eligibility(COMPANY, MATTER)
        assert time.monotonic() - began < 3
        assert data is not None
        assert (data["sycn"], data["xydj"], data["xyf"], data["sjsj"]) == (False, None, None, None)
        assert len(data["yy"]) == 2


async def test_while_the_database_is_locked_the_question_is_answered_in_time(stage: Stage) -> None:
    stage.credit.add_subject(COMPANY, "义乌市天䶮贸易有限公司", score=80.0)
    async with stage.hub() as running:
        await eventually(known, running, COMPANY, or_say="the profile in the mirror")
        locked = sqlite3.connect(stage.household.folder / "hub.db", isolation_level=None)
        try:
            locked.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            data = await stage.approval.ask_eligibility(COMPANY, MATTER)
            took = time.monotonic() - began
            locked.execute("ROLLBACK")
        finally:
            locked.close()
        assert took < 3
        assert data is not None
        assert data["xydj"] == "B"
