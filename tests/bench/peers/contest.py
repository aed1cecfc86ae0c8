"""Interleaved rounds over servers that all run at once; nothing counts before its answer is the one that all others give."""

import contextlib
import json
import statistics
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench.peers import ours
from tests.bench.peers.question import TYPENAME, from_items
from tests.bench.peers.records import in_memory
from tests.bench.peers.stage import DidNotStart, Endpoint, Missing, Peer, Stage, asked, cost
from tests.bench.peers.wrk import Force, Round, load
from tests.servers import postgresql_server

NESTED_COUNT, TYPENAME_COUNT = 20, 500
"""Answers over which the processor's time is taken, in each round."""


@dataclass
class Entrant:
    """A server that runs and has given the right answer, and the rounds that it went through."""

    peer: Peer
    endpoint: Endpoint
    nested: bytes
    """The body of its answer to the nested query."""
    typename: bytes
    nested_rounds: list[Round] = field(default_factory=list)
    typename_rounds: list[Round] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    """Milliseconds of the processor for an answer to the nested query."""
    typename_costs: list[float] = field(default_factory=list)

    async def run(self, force: Force, folder: Path) -> None:
        """Go through one round of each query."""
        self.nested_rounds.append(await load(self.endpoint, self.peer.query, self.nested, force, folder))
        self.typename_rounds.append(await load(self.endpoint, TYPENAME, self.typename, force, folder))
        self.costs.append(await cost(self.endpoint, self.peer.query, self.nested, NESTED_COUNT))
        self.typename_costs.append(await cost(self.endpoint, TYPENAME, self.typename, TYPENAME_COUNT))

    def forget(self) -> None:
        """Leave out of account what was before."""
        for each in (self.nested_rounds, self.typename_rounds, self.costs, self.typename_costs):
            each.clear()

    def cost(self) -> float:
        """Return the median over the rounds of milliseconds of the processor for a nested answer."""
        return statistics.median(self.costs)

    def nested_rate(self) -> float:
        """Return the median of answers a second."""
        return statistics.median(each.rate for each in self.nested_rounds)

    def typename_rate(self) -> float:
        """Return the same of `{ __typename }`."""
        return statistics.median(each.rate for each in self.typename_rounds)

    def typename_cost(self) -> float:
        """Return the same for `{ __typename }`."""
        return statistics.median(self.typename_costs)

    def milliseconds(self, of: Callable[[Round], int]) -> float:
        """Return the median over the rounds of a percentile of the nested query."""
        return statistics.median(of(each) for each in self.nested_rounds) / 1000


@contextlib.asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """Lend what all servers of a run share."""
    with TemporaryDirectory() as folder, postgresql_server() as server:
        async with server.fresh() as url:
            here = Path(folder)
            (here / "postgresql").mkdir()
            await ours.fill(here / "postgresql", url)
            await server.tune({}, url)
            records = here / "records.json"
            records.write_text(json.dumps(in_memory(), ensure_ascii=False))
            yield Stage(here, url, records, server.pid)


async def entered(stack: contextlib.AsyncExitStack, on: Stage, peer: Peer) -> Entrant:
    """Start a server and hold its answers against the records; raise Missing, DidNotStart or AssertionError."""
    endpoint = await stack.enter_async_context(peer.opened(on))
    nested, typename = await asked(endpoint, peer.query), await asked(endpoint, TYPENAME)
    assert json.loads(typename) == {"data": {"__typename": "Query"}}, f"{peer.name}: {typename[:200]!r}"
    given, right = peer.normalised(json.loads(nested)), expected(json.loads(on.records.read_text()))
    assert given == right, f"{peer.name} answers otherwise: {difference(given, right)}"
    return Entrant(peer, endpoint, nested, typename)


async def contest(peers: Sequence[Peer], rounds: int, force: Force) -> tuple[list[Entrant], dict[str, str]]:
    """Return who took part, with all rounds, and why others did not; one round before the first is not counted."""
    missing: dict[str, str] = {}
    async with stage() as on, contextlib.AsyncExitStack() as stack:
        entrants: list[Entrant] = []
        for peer in peers:
            try:
                entrants.append(await entered(stack, on, peer))
            except (Missing, DidNotStart) as error:
                if peer is ours.OURS:
                    raise
                missing[peer.name] = str(error)
        for one in entrants:
            await one.run(force, on.folder)
            one.forget()
        for _ in range(rounds):
            for one in entrants:
                await one.run(force, on.folder)
    return entrants, missing


def expected(told: dict[str, list[dict[str, Any]]]) -> Any:
    """Return the one right answer to the nested query, put together from the records alone."""

    def of(entity: str, by: str, key: str) -> list[dict[str, Any]]:
        return [each for each in told[entity] if each[by] == key]

    def only(record: dict[str, Any], *names: str) -> dict[str, Any]:
        return {name: record[name] for name in names}

    def subject(code: str) -> dict[str, Any]:
        ((found,), (profile,)) = of("Subject", "code", code), of("CreditProfile", "code", code)
        records = [only(each, "recordId", "category", "points") for each in of("CreditRecord", "subjectCode", code)]
        return only(found, "code", "name") | {"profile": only(profile, "score", "grade"), "creditRecords": {"items": records}}

    def result(one: dict[str, Any]) -> dict[str, Any]:
        findings = [only(each, "findingId", "itemName", "conform") for each in of("Finding", "resultId", one["resultId"])]
        return only(one, "resultId", "conclusion") | {"findings": {"items": findings}}

    def task(one: dict[str, Any]) -> dict[str, Any]:
        results = [result(each) for each in of("TaskResult", "taskId", one["taskId"])]
        return only(one, "taskId", "status") | {"results": {"items": results}}

    def approval(one: dict[str, Any]) -> dict[str, Any]:
        tasks = [task(each) for each in of("VerificationTask", "originRef", one["approvalNo"])]
        about = only(one, "approvalNo", "matterName", "state")
        return about | {"subject": subject(one["subjectCode"]), "tasks": {"items": tasks}}

    return from_items({"data": {"approvals": {"items": [approval(each) for each in told["Approval"]]}}})


def difference(given: Any, right: Any, path: str = "") -> str:
    """Return where two answers first differ, for the message."""
    if isinstance(given, dict) and isinstance(right, dict) and set(given) == set(right):
        pairs = [(given[name], right[name], f"{path}.{name}") for name in right]
    elif isinstance(given, list) and isinstance(right, list) and len(given) == len(right):
        pairs = [(*both, f"{path}[{at}]") for at, both in enumerate(zip(given, right, strict=True))]
    else:
        return f"{path}: {str(given)[:200]} instead of {str(right)[:200]}"
    return next((difference(*each) for each in pairs if each[0] != each[1]), "")
