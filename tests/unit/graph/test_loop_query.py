"""`loop(of:)` in the graph: who may ask, what is shown, what is refused, what it costs."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.graph.limits import Limits
from hub.graph.loops.loop import loop_of
from hub.mirror.loops import RECORDS
from schema.context import Caller
from schema.entities import Department, Obligation, ObligationState, Subject
from schema.loop import IN_LOOPS, Loop
from schema.step_kinds import STILL_OWED, StepKind
from tests.builders import EVERYTHING, HOUR, PHONE, approval, grid_event, obligation, task
from tests.settable_clock import START
from tests.unit.graph.chains import CASES, gid
from tests.unit.graph.city import READER, City
from tests.unit.graph.records import made

ASK = """query($of: ID!) { loop(of: $of) {
    complete owed awaited overdue truncated
    trigger { id __typename ... on Approval { approvalNo phone } }
    steps { id at kind platform title { en zh } key subjectCode causes dueAt lateSeconds
        record { id __typename ... on VerificationTask { title } ... on GridEvent { content reporterPhone } }
        obligation { key rule state needs dueProvisional closedAt } }
} }"""


@pytest.fixture
def asked(city: City) -> City:
    """A city that answers `loop`, ten days later."""
    city.hub.now = START + timedelta(days=10)

    async def read(entity: str, key: str, caller: Caller) -> Loop | None:
        return await city.database.read(loop_of, city.rows, entity, key, city.hub.clock(), caller)

    city.hub.read_loop = read
    return city


async def loop(city: City, record: Any, query: str = ASK) -> Any:
    given = await city.ask(query, {"of": gid(record)}, scopes=READER)
    assert not given.errors, given.errors
    assert given.data is not None
    return given.data["loop"]


async def test_a_reader_sees_the_whole_case_and_what_is_owed(asked: City) -> None:
    late = {"state": ObligationState.STUCK, "last_error": "the secret words", "due_at": START}
    await asked.put(approval(), obligation(number="N", state=ObligationState.CLOSED, closed_at=START), task(external_no="N"))
    await asked.put(obligation(key="verification-result:1", rule="verification-result", platform="approval", **late))
    found = await loop(asked, task())
    assert {name: found[name] for name in ("complete", "owed", "awaited", "overdue", "truncated")} == {
        "complete": False,
        "owed": 1,
        "awaited": 1,
        "overdue": 1,
        "truncated": False,
    }
    assert found["trigger"] == {
        "id": gid(approval()),
        "__typename": "Approval",
        "approvalNo": approval().approval_no,
        "phone": "139******01",
    }
    assert [step["kind"] for step in found["steps"]] == [
        "APPROVAL_ACCEPTED",
        "APPROVAL_GRANTED",
        "TASK_CREATED",
        "STUCK",
        "AWAITED",
    ]
    created, stuck = found["steps"][2:4]
    assert created["at"] == "2019-09-02T01:00:00+00:00"
    assert created["record"] == {"id": gid(task()), "__typename": "VerificationTask", "title": task().title}
    assert created["causes"] == [found["steps"][1]["id"]]
    assert stuck == {
        "id": "Obligation/verification-result:1/STUCK",
        "at": None,
        "kind": "STUCK",
        "platform": "approval",
        "title": {"en": "Stuck, a person must look: a check", "zh": "受阻待人工处理：检查任务"},
        "key": approval().approval_no,
        "subjectCode": approval().subject_code,
        "causes": ["Approval/YW201908150001/APPROVAL_GRANTED"],
        "dueAt": "2019-09-02T01:00:00+00:00",
        "lateSeconds": 864_000,
        "record": {"id": gid(approval()), "__typename": "Approval"},
        "obligation": {
            "key": "verification-result:1",
            "rule": "verification-result",
            "state": "STUCK",
            "needs": None,
            "dueProvisional": False,
            "closedAt": None,
        },
    }
    assert "secret" not in str(found)


async def test_personal_data_is_masked_in_titles_needs_and_records(asked: City) -> None:
    identity = "330725197908301422"
    told = {"title": f"找{PHONE}，{identity}", "content": PHONE, "town": f"镇{PHONE}"}
    await asked.put(grid_event(**told))
    waiting = {"rule": "grid-dispatch", "cause": grid_event().event_no, "state": ObligationState.WAITING}
    await asked.put(obligation(needs=f"a route, ask {PHONE}", **waiting))
    found = await loop(asked, grid_event())
    assert PHONE not in str(found)
    assert identity not in str(found)
    assert found["steps"][0]["title"]["zh"] == "网格事件上报：镇139******01，找139******01，330*************22"
    assert found["steps"][0]["record"]["reporterPhone"] == "139******01"
    waits = next(step for step in found["steps"] if step["kind"] == "WAITING")
    assert waits["obligation"]["needs"] == "a route, ask 139******01"


async def test_only_those_who_may_read_obligations_follow_a_step_to_its_own(asked: City) -> None:
    await asked.put(approval(), obligation())
    query = "query($of: ID!) { loop(of: $of) { owed steps { obligation { rule obligation { lastError } } } } }"
    given = await asked.ask(query, {"of": gid(approval())}, scopes=READER)
    assert given.data is not None
    assert given.data["loop"]["owed"] == 1
    assert given.data["loop"]["steps"][-1] == {"obligation": {"rule": "approval-verification", "obligation": None}}
    assert [error.extensions for error in given.errors] == [{"code": "FORBIDDEN", "scope": "ops:read"}]
    allowed = await asked.data(query, {"of": gid(approval())})
    assert allowed["loop"]["steps"][-1]["obligation"]["obligation"] == {"lastError": None}


async def test_no_obligation_stands_as_a_record_in_a_readers_loop(asked: City) -> None:
    gone = obligation(cause="GONE")
    await asked.put(gone)
    found = await loop(asked, gone)
    assert found["trigger"] is None
    assert [step["record"] for step in found["steps"]] == [None]
    for case in CASES.values():
        for record in case():
            assert not isinstance(record, Obligation) or type(record).__name__ in IN_LOOPS


async def test_someone_without_the_right_to_read_is_refused(asked: City) -> None:
    await asked.put(approval())
    given = await asked.ask(ASK, {"of": gid(approval())}, scopes=frozenset({"ops:read"}))
    assert [error.extensions for error in given.errors] == [{"code": "FORBIDDEN", "scope": "graph:read"}]


async def test_a_record_that_is_gone_has_none(asked: City) -> None:
    assert await loop(asked, approval()) is None


@pytest.mark.parametrize("record", [made(Subject, code="S"), made(Department, code="D")])
async def test_what_stands_in_no_chain_is_refused_by_name(asked: City, record: Any) -> None:
    await asked.put(record)
    code, message = await asked.error(ASK, {"of": gid(record)})
    assert code == "BAD_USER_INPUT"
    assert message.startswith(f"loop: a {type(record).__name__} stands in no chain of its own; give the id of one of: approval, ")
    assert await asked.error(ASK, {"of": "nonsense"}) == (
        "BAD_ID",
        "'nonsense' is no id of this graph; ids come from the field `id` of a record",
    )


@pytest.mark.parametrize("name", IN_LOOPS)
async def test_every_kind_of_record_in_a_chain_can_be_asked(asked: City, name: str) -> None:
    (record,) = [one for one in EVERYTHING if type(one).__name__ == name]
    await asked.put(record)
    found = await loop(asked, record)
    assert found["steps"] or name in {"TaskResult", "Finding"}


async def test_a_loop_weighs_as_much_as_the_largest_chain(asked: City) -> None:
    await asked.put(approval())
    plain = "query($of: ID!) { loop(of: $of) { complete } }"
    tasks = "... on Approval { tasks(first: 5) { edges { node { title } } } }"
    nested = f"query($of: ID!) {{ loop(of: $of) {{ steps {{ record {{ {tasks} }} }} }} }}"
    for query, cost in ((plain, RECORDS), (nested, RECORDS + RECORDS * (1 + 5))):
        given = await asked.ask(query, {"of": gid(approval())}, limits=Limits(cost=cost - 1))
        assert [error.extensions for error in given.errors] == [{"code": "COST_LIMIT", "limit": cost - 1, "found": cost}]
        assert not (await asked.ask(query, {"of": gid(approval())}, limits=Limits(cost=cost))).errors


# --- What is late, and what soon will be -----------------------------------------------------------------------------

DUE = "{ edges { node { key dueAt dueProvisional lateSeconds overdue } } pageInfo { hasNextPage endCursor } totalCount }"


def keys(found: Any) -> list[str]:
    return [edge["node"]["key"] for edge in found["edges"]]


async def due(city: City, hours: dict[str, float], **fields: Any) -> None:
    for key, away in hours.items():
        await city.put(obligation(key=key, due_at=city.hub.now + away * HOUR, **fields))


async def test_overdue_lists_what_is_open_and_late_the_longest_ago_first(each_city: City) -> None:
    await due(each_city, {"late": -1, "later": -3.5, "now": 0, "soon": 1})
    closed_at = each_city.hub.now - HOUR
    for state in ObligationState:
        await due(each_city, {state.value: -2}, state=state, closed_at=closed_at if state is ObligationState.CLOSED else None)
    found = (await each_city.data(f"{{ overdue {DUE} }}"))["overdue"]
    assert keys(found) == ["later", "DUE", "LEASED", "SENT", "STUCK", "WAITING", "late"]
    assert found["totalCount"] == 7
    assert found["edges"][0]["node"] == {
        "key": "later",
        "dueAt": "2019-09-10T21:30:00+00:00",
        "dueProvisional": False,
        "lateSeconds": 12_600,
        "overdue": True,
    }
    page = (await each_city.data(f"{{ overdue(first: 3) {DUE} }}"))["overdue"]
    rest = (await each_city.data(f'{{ overdue(first: 9, after: "{page["pageInfo"]["endCursor"]}") {DUE} }}'))["overdue"]
    assert keys(page) + keys(rest) == keys(found)
    stuck = (await each_city.data(f"{{ overdue(where: {{state: {{eq: STUCK}}}}) {DUE} }}"))["overdue"]
    assert keys(stuck) == ["STUCK"]


async def test_due_soon_lists_what_is_open_and_ends_within_so_many_hours(each_city: City) -> None:
    await due(each_city, {"late": -0.1, "now": 0, "a": 24, "b": 24.1, "c": 47}, due_provisional=True)
    await due(each_city, {"closed": 1}, state=ObligationState.CLOSED, closed_at=each_city.hub.now)
    assert keys((await each_city.data(f"{{ dueSoon {DUE} }}"))["dueSoon"]) == ["now", "a"]
    found = (await each_city.data(f"{{ dueSoon(withinHours: 48) {DUE} }}"))["dueSoon"]
    assert keys(found) == ["now", "a", "b", "c"]
    assert [(edge["node"]["lateSeconds"], edge["node"]["overdue"], edge["node"]["dueProvisional"]) for edge in found["edges"]] == [
        (0, False, True)
    ] * 4


@pytest.mark.parametrize("hours", [0, -1, 8785])
async def test_a_span_that_cannot_be_meant_is_refused(city: City, hours: int) -> None:
    assert await city.error(f"{{ dueSoon(withinHours: {hours}) {{ totalCount }} }}") == (
        "BAD_USER_INPUT",
        f"dueSoon: withinHours is {hours}; give 1 to 8784",
    )
    assert (await city.error("{ overdue(first: 201) { totalCount edges { cursor } } }"))[0] == "PAGE_LIMIT"


@pytest.mark.parametrize("field", ["overdue", "dueSoon"])
async def test_both_lists_ask_for_the_right_of_operators(city: City, field: str) -> None:
    given = await city.ask(f"{{ {field} {{ totalCount }} }}", scopes=READER)
    assert [error.extensions for error in given.errors] == [{"code": "FORBIDDEN", "scope": "ops:read"}]
    assert given.data == {field: None}
    assert city.statements == []


async def test_how_late_is_measured_to_the_proof_to_now_or_not_at_all(city: City) -> None:
    now = city.hub.now
    cases: dict[str, tuple[dict[str, Any], int | None]] = {
        "closed": ({"state": ObligationState.CLOSED, "closed_at": now - HOUR}, 3600),
        "in-time": ({"state": ObligationState.CLOSED, "closed_at": now - 3 * HOUR}, 0),
        "open": ({}, 7200),
        "waived": ({"state": ObligationState.WAIVED}, None),
        "settled": ({"state": ObligationState.SETTLED}, None),
        "withdrawn": ({"state": ObligationState.WITHDRAWN}, None),
    }
    for key, (fields, _) in cases.items():
        await city.put(obligation(key=key, due_at=now - 2 * HOUR, **fields))
    await city.put(obligation(key="ages", due_at=now - timedelta(days=365 * 100)))
    for key, late in [*((key, late) for key, (_, late) in cases.items()), ("ages", 2**31 - 1)]:
        found = (await city.data(f'{{ obligation(key: "{key}") {{ lateSeconds overdue }} }}'))["obligation"]
        assert found == {"lateSeconds": late, "overdue": key in {"open", "ages"}}, key


# --- The page about it -----------------------------------------------------------------------------------------------

PAGE = (Path(__file__).parents[3] / "docs" / "loop.md").read_text("utf-8")


@pytest.mark.parametrize("query", re.findall(r"```graphql\n(.*?)```", PAGE, re.DOTALL))
async def test_every_query_of_the_page_is_answered(asked: City, query: str) -> None:
    await asked.put(approval(), obligation(platform="credit", due_at=START))
    given = await asked.ask(query, {"of": gid(approval())} if "$of" in query else None)
    assert not given.errors
    assert given.data


def test_every_kind_of_step_that_the_page_names_exists() -> None:
    named = set(re.findall(r'(?:"kind": "|`)([A-Z_]{4,})[`"]', PAGE)) - {"CAUSES", "LINKS"}
    assert named <= set(StepKind.__members__)
    assert {kind.name for kind in STILL_OWED} <= named
