"""The hub as a whole, without network: what a start makes right, and operators' decisions through the graph."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, update
from structlog.testing import capture_logs

from hub.app import Hub
from hub.graph.answer import Question, answer
from hub.graph.loaders import Loaders
from hub.graph.schema import build_schema
from hub.mirror import merges
from hub.mirror.tables import TABLES
from hub.parts import World
from hub.settings import load_settings
from hub.simulation.clock import in_simulated_time, simulated_now
from schema.context import Caller, Context
from tests.builders import approval, credit_profile, observed
from tests.settable_clock import START, SettableClock
from tests.subject_codes import old_number, uscc
from tests.unit.test_settings import complete

A, B = uscc(1), uscc(2)
N = old_number(1)


def new_hub(folder: Path, clock: SettableClock, **changes: str) -> Hub:
    folder.mkdir(exist_ok=True)
    environment = complete() | {"HUB_DATABASE_URL": f"sqlite:///{folder / 'hub.db'}"} | changes
    return Hub(load_settings(environment), World(clock=clock, sleep=clock.sleep))


@pytest.fixture
async def hub(tmp_path: Path, clock: SettableClock) -> AsyncIterator[Hub]:
    made = new_hub(tmp_path, clock)
    async with made.opened():
        said = [
            observed(approval(approval_no="1", subject_code=None, old_number=N)),
            observed(credit_profile(code=A, old_codes=(N,))),
            observed(credit_profile(code=B, name="b")),
        ]
        await made.applier.apply("approval", "approvals", said)
        yield made


async def ask(hub: Hub, query: str, **variables: str) -> object:
    caller = Caller("lou", frozenset({"graph:read", "ops:read", "ops:act"}))
    given = await answer(
        build_schema(), Question(query, variables), Context(Loaders(hub.database, hub.rows, caller), hub.operator, caller, "c-1")
    )
    assert not given.errors, given.errors
    return given.data


def forget_identifiers(connection: Connection) -> None:
    connection.execute(TABLES["SubjectIdentifier"].delete())
    connection.execute(update(TABLES["Approval"]).values(identifier=None))


async def test_a_database_from_before_there_were_identifiers_is_right_after_the_next_start(
    hub: Hub, tmp_path: Path, clock: SettableClock
) -> None:
    query = f'{{ subject(code: "{N}") {{ code approvals {{ edges {{ node {{ approvalNo }} }} }} }} }}'
    known = await ask(hub, query)
    assert known == {"subject": {"code": A, "approvals": {"edges": [{"node": {"approvalNo": "1"}}]}}}
    await hub.database.write(forget_identifiers)
    assert await ask(hub, query) == {"subject": None}
    later = new_hub(tmp_path, clock)
    async with later.opened():
        assert await ask(later, query) == known


async def test_a_sweep_makes_it_right_as_well(hub: Hub) -> None:
    await hub.database.write(forget_identifiers)
    await hub.sweep.everything()
    assert await hub.database.read(merges.is_complete)
    assert await ask(hub, f'{{ subject(code: "{N}") {{ code }} }}') == {"subject": {"code": A}}


async def test_an_operator_merges_and_splits_through_the_graph(hub: Hub) -> None:
    merged = await ask(
        hub,
        f"""mutation {{ mergeSubjects(input: {{from: "{N}", into: "{B}", reason: "its licence says so"}}) {{
            merge {{ mergeId mergedBy reason }} subject {{ code approvals {{ totalCount }} }} userErrors {{ message }} }} }}""",
    )
    assert merged == {
        "mergeSubjects": {
            "merge": {"mergeId": f"{N}/1", "mergedBy": "lou", "reason": "its licence says so"},
            "subject": {"code": B, "approvals": {"totalCount": 1}},
            "userErrors": [],
        }
    }
    split = await ask(
        hub,
        f"""mutation {{ splitSubjects(input: {{mergeId: "{N}/1", reason: "it does not"}}) {{
            merge {{ undoneBy undoneReason }} subject {{ code }} userErrors {{ message }} }} }}""",
    )
    assert split == {
        "splitSubjects": {"merge": {"undoneBy": "lou", "undoneReason": "it does not"}, "subject": {"code": A}, "userErrors": []}
    }


async def test_a_merge_that_is_refused_says_by_type_what_is_wrong(hub: Hub) -> None:
    wrong = A[:-1] + ("0" if A[-1] != "0" else "1")
    found = await ask(
        hub,
        f"""mutation {{ mergeSubjects(input: {{from: "{wrong}", into: "{A}", reason: "r"}}) {{
            merge {{ mergeId }} userErrors {{ __typename path ... on InvalidIdentifier {{ identifier }} }} }} }}""",
    )
    error = {"__typename": "InvalidIdentifier", "path": ["from"], "identifier": wrong}
    assert found == {"mergeSubjects": {"merge": None, "userErrors": [error]}}


async def test_a_merge_wakes_the_worker(hub: Hub) -> None:
    woken: list[str] = []
    hub.operator.wake = lambda: woken.append("woken")
    await hub.operator.merge(N, B, "its licence says so", "lou")
    await hub.operator.split(f"{N}/1", "it does not", "lou")
    assert woken == ["woken"] * 2


def test_a_delivery_that_comes_as_the_process_is_told_to_end_does_not_keep_it_alive(tmp_path: Path) -> None:
    async def live_and_end() -> None:
        environment = complete() | {"HUB_DATABASE_URL": f"sqlite:///{tmp_path / 'hub.db'}", "HUB_POLL": "false"}
        hub = Hub(load_settings(environment), World(simulated_now, asyncio.sleep, inline_database=True))
        async with hub.opened(), asyncio.timeout(3600), hub.running(work=False):
            await asyncio.sleep(0.5)
            hub._arrived.set()

    in_simulated_time(live_and_end(), START)


async def test_what_is_owed_to_a_platform_that_is_left_out_is_said_by_status_graph_and_log(
    hub: Hub, tmp_path: Path, clock: SettableClock
) -> None:
    query = "{ platforms { name bridged backlog } }"
    assert "{'name': 'enforcement', 'bridged': True, 'backlog': 1}" in str(await ask(hub, query))
    poorer = new_hub(tmp_path, clock, HUB_PLATFORMS="approval,credit")
    with capture_logs() as logged:
        async with poorer.opened():
            found = await poorer.operator.status()
            assert [(one.name, one.bridged, one.backlog) for one in found] == [
                ("approval", True, 0),
                ("credit", True, 0),
                ("enforcement", False, 1),
            ]
            assert "HUB_PLATFORMS" in str(found[-1].failure)
            shown = await ask(poorer, query)
    assert "{'name': 'enforcement', 'bridged': False, 'backlog': 1}" in str(shown)
    (line,) = [event for event in logged if event.get("platform") == "enforcement"]
    assert (line["log_level"], line["open"]) == ("warning", 1)
