"""The harness itself, not timed: servers start, their answers are compared, and a wrong one is noticed."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.bench.load import WrongAnswer
from tests.bench.peers import npm, ours
from tests.bench.peers.contest import Entrant, entered
from tests.bench.peers.question import OVER_REST, TYPENAME, from_items, from_tenths
from tests.bench.peers.records import APPROVALS, in_memory
from tests.bench.peers.stage import DidNotStart, Missing, Peer, Stage, process
from tests.bench.peers.wrk import Force, NoWrk, load, program


@pytest.fixture
def on(tmp_path: Path) -> Stage:
    """A stage without PostgreSQL."""
    records = tmp_path / "records.json"
    records.write_text(json.dumps(in_memory()))
    return Stage(tmp_path, "", records)


@pytest.fixture
async def stack() -> AsyncIterator[contextlib.AsyncExitStack]:
    """Ends all servers that a test started."""
    async with contextlib.AsyncExitStack() as stack:
        yield stack


async def entrant(stack: contextlib.AsyncExitStack, on: Stage, peer: Peer) -> Entrant:
    """Start a server, or skip the test where it cannot be had."""
    try:
        return await entered(stack, on, peer)
    except Missing as error:
        pytest.skip(str(error))


async def test_hub_and_peers_give_the_same_answer(stack: contextlib.AsyncExitStack, on: Stage) -> None:
    hub = await entered(stack, on, ours.OURS_SQLITE)
    peers = [await entrant(stack, on, peer) for peer in (npm.MERCURIUS, npm.YOGA)]

    nodes = json.loads(hub.nested)["data"]["approvals"]["edges"]
    assert len(nodes) == APPROVALS
    assert {json.dumps(json.loads(one.nested)) for one in peers} == {json.dumps(json.loads(hub.nested))}


async def test_a_peer_with_another_record_does_not_take_part(stack: contextlib.AsyncExitStack, on: Stage) -> None:
    await entrant(stack, on, npm.YOGA)
    told = json.loads(on.records.read_text())
    told["Finding"][3]["conform"] = False
    other = on.folder / "other.json"
    other.write_text(json.dumps(told))

    altered = replace(npm.YOGA, opened=lambda stage: npm.YOGA.opened(replace(stage, records=other)))
    with pytest.raises(AssertionError, match=r"approvals.edges\[1\].*findings.edges\[1\].node.conform: False instead of True"):
        await entered(stack, on, altered)


async def test_a_round_with_a_wrong_answer_does_not_count(stack: contextlib.AsyncExitStack, on: Stage) -> None:
    try:
        program()
    except NoWrk as error:
        pytest.skip(str(error))
    hub = await entered(stack, on, ours.OURS_SQLITE)

    assert (await load(hub.endpoint, TYPENAME, hub.typename, Force(1, 1), on.folder)).requests
    with pytest.raises(WrongAnswer, match="wrong="):
        await load(hub.endpoint, TYPENAME, hub.typename + b" ", Force(1, 1), on.folder)


async def test_a_server_that_ends_says_why(tmp_path: Path) -> None:
    with pytest.raises(DidNotStart, match="no such thing"):
        async with process(("sh", "-c", "echo no such thing; exit 1"), lambda _: None, tmp_path, {}):
            pass


@pytest.mark.parametrize(
    ("normalised", "given", "wanted"),
    [
        (from_tenths, {"a": [{"points": "65", "name": "65"}]}, {"a": [{"points": "6.5", "name": "65"}]}),
        (from_tenths, {"score": None}, {"score": None}),
        (from_items, {"a": {"items": [{"b": {"items": []}}]}}, {"a": {"edges": [{"node": {"b": {"edges": []}}}]}}),
    ],
)
def test_answers_are_made_comparable_and_lose_nothing(normalised: Any, given: Any, wanted: Any) -> None:
    assert normalised(given) == wanted


def test_the_query_over_rest_asks_for_the_same_fields() -> None:
    def words(query: str) -> list[str]:
        return [each for each in query.replace("{", " ").replace("}", " ").split() if each not in {"edges", "node", "items"}]

    assert words(OVER_REST) == words(npm.MERCURIUS.query)
