"""What callers' limits are in statements: a text for all who are limited in the same way, and values that are theirs."""

from typing import Any

import pytest

from hub.graph.compiled import run, statements
from hub.graph.compiled.sight import EVERY_ROW, sight_of
from schema.context import Caller
from schema.entities import Approval
from schema.row_limits import RowLimits
from tests.unit.graph.city import READER, City
from tests.unit.graph.records import made

QUERY = "{ approvals { totalCount edges { node { approvalNo } } } }"


def of_departments(*codes: str) -> Caller:
    return Caller("-".join(codes), READER, RowLimits(frozenset(codes)))


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what statements were made of, as they are made."""
    made_of = list[Any]()

    def noted(*about: Any) -> Any:
        made_of.append(about)
        return statements.statement(*about)

    monkeypatch.setattr(run, "statement", noted)
    return made_of


async def test_callers_with_a_department_each_share_one_text(city: City, texts: list[Any]) -> None:
    await city.put(*(made(Approval, approval_no=f"A{n}", department_code=f"D{n}") for n in range(30)))
    for n in range(30):
        given = await city.ask(QUERY, caller=of_departments(f"D{n}"))
        assert given.data == {"approvals": {"totalCount": 1, "edges": [{"node": {"approvalNo": f"A{n}"}}]}}
    assert len(texts) == 2  # the list and its count
    assert city.executor is not None
    assert city.executor.tally.compiled == 30


async def test_some_more_codes_need_no_new_text(city: City, texts: list[Any]) -> None:
    await city.put(*(made(Approval, approval_no=f"A{n}", department_code=f"D{n}") for n in range(9)))
    for codes in range(10):
        given = await city.ask("{ approvals { totalCount } }", caller=of_departments(*(f"D{n}" for n in range(codes))))
        assert given.data == {"approvals": {"totalCount": codes}}
    assert len(texts) == 6  # of 0, 1, 2, up to 4, up to 8, up to 16


async def test_no_text_holds_a_code(city: City) -> None:
    await city.ask(QUERY, caller=of_departments("D' OR 'D", "SECRET"))
    told = sight_of(of_departments("SECRET"))
    assert "SECRET" not in str(told.shape)
    assert list(told.codes.values()) == ["SECRET"]


async def test_who_sees_every_row_reads_without_a_condition(city: City, texts: list[Any]) -> None:
    for scopes in (READER, READER | {"ops:read"}, READER | {"graph:pii", "platform:credit"}):
        await city.ask(QUERY, scopes=scopes)
    assert [about[2] for about in texts] == [EVERY_ROW.shape] * 2
