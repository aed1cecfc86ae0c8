"""Every query of docs/graph.md, as it stands there, asked of a city that really ran: each is answered, with something in it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.e2e.city_life import all_closed, begin, obligations_of, officers_work
from tests.e2e.stage import RunningHub, Stage

PAGE = Path(__file__).parents[2] / "docs" / "graph.md"
NEEDED = """query($approvalNo: String!) { approval(approvalNo: $approvalNo) { id matterCode departmentCode subject { code
    creditRecords { edges { node { departmentCode } } } } } }"""
NOTHING_IS_LATE = {"overdue", "dueSoon"}


def queries() -> dict[str, str]:
    """Return the page's queries, by their headings."""
    return dict(re.findall(r"### \d+\. ([^\n]+)\n.*?```graphql\n(.*?)```", PAGE.read_text(), re.DOTALL))


async def test_ten_queries_are_answered_with_what_is_there(stage: Stage) -> None:
    asked = queries()
    assert len(asked) == 10
    async with stage.hub() as running:
        morning = begin(stage)
        await officers_work(stage, morning)
        await all_closed(running, obligations_of(morning))
        told = await _variables(running, morning.granted[2].serial, morning.tips[0].number)
        for heading, query in asked.items():
            names = re.findall(r"\$(\w+): ", query.partition("{")[0])
            answer = await running.ask(query, **{name: told[name] for name in names})
            empty = [name for name, value in answer.items() if name not in NOTHING_IS_LATE and not list(_leaves(value))]
            assert not empty, f"{heading}: {empty} told nothing: {answer}"


async def _variables(running: RunningHub, serial: str, event: str) -> dict[str, Any]:
    found = (await running.ask(NEEDED, approvalNo=serial))["approval"]
    (record, *_) = found["subject"]["creditRecords"]["edges"]
    return {
        "approvalNo": serial,
        "after": None,
        "code": found["subject"]["code"],
        "subject": found["subject"]["code"],
        "matter": found["matterCode"],
        "id": found["id"],
        "eventNo": event,
        "department": record["node"]["departmentCode"],
        "since": "2019-08-01T00:00:00+08:00",
        "withinHours": 24,
        "from": "2019-09-01",
        "to": "2019-09-30",
    }


def _leaves(value: Any) -> Iterator[Any]:
    """Yield what an answer says, but how many there are and whether there are more."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in {"totalCount", "pageInfo"}:
                yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif value is not None:
        yield value
