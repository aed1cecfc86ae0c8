"""Answers are what one would count by hand over the facts, whatever is asked of them."""

import itertools
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete

from hub.mirror.statistics import cells, reading
from hub.mirror.statistics.fact import Fact
from hub.mirror.tables import METADATA, STATISTIC_CELL, STATISTIC_FACT
from schema import counting
from schema.context import Caller
from schema.counting import PERIODS, Question, StatisticAxis, Within
from schema.figures import BY_NAME, FIGURES, Kind
from schema.row_limits import RowLimits
from tests.unit.graph.records import SEES_ALL
from tests.unit.mirror.statistics.books import Books, Memory, question

KINDS = [Kind.TASK, Kind.RECORD, Kind.REPORT]
ASKED = [figure for figure in FIGURES if figure.kind in KINDS]
DAYS = [20181231, 20190101, 20190131, 20190201, 20190214, 20190228, 20190301, 20191231, 20200101, 20200229]
FEW = st.sampled_from(["", "A", "B"])
FACTS = st.lists(
    st.builds(
        Fact,
        kind=st.sampled_from([kind.value for kind in KINDS]),
        day=st.sampled_from([0, *DAYS]),
        department=FEW,
        matter=FEW,
        item=FEW,
        way=st.sampled_from(["COMMITMENT", "SPECIAL", "REGULATORY_POINTS", "SELF_CHECK", "SELF_REPORT"]),
        grade=FEW,
        watched=st.booleans(),
        subject=FEW,
        number=st.just(1),
        amount=st.integers(0, 9),
    ),
    min_size=8,
    max_size=40,
)
AXES = st.lists(st.sampled_from([axis for axis in StatisticAxis if axis not in PERIODS]), unique=True, max_size=2)
WHERE = st.lists(
    st.builds(Within, st.sampled_from(["department", "grade"]), st.lists(FEW, min_size=1, max_size=2).map(tuple))
    | st.builds(Within, st.just("watched"), st.tuples(st.booleans())),
    max_size=1,
)


@pytest.fixture(scope="module")
def memory() -> Iterator[Memory]:
    database = Memory()
    METADATA.create_all(database.engine)
    yield database
    database.engine.dispose()


def put(connection: Connection, facts: Sequence[Fact]) -> None:
    """Let these be all the facts there are."""
    for table in (STATISTIC_FACT, STATISTIC_CELL):
        connection.execute(delete(table))
    for at, fact in enumerate(facts):
        connection.execute(STATISTIC_FACT.insert(), {"entity": "X", "key": str(at), "place": 0, **fact._asdict()})
    cells.add(connection, cells.changes(facts, +1))


def by_hand(
    facts: Sequence[Fact], asked: Question, axes: Sequence[StatisticAxis], names: frozenset[str]
) -> dict[Any, dict[str, Any]]:
    """Count one figure after the other over all facts."""
    lowest, highest = asked.first_day or 0, asked.last_day or 99999999
    mine = [fact for fact in facts if lowest <= fact.day <= highest]
    for each in asked.where:
        mine = [fact for fact in mine if getattr(fact, each.column) in each.values]
    rows: dict[Any, dict[str, Any]] = {}
    for name in names:
        figure = BY_NAME[name]
        groups: dict[Any, list[Fact]] = {}
        for fact in mine:
            if fact.kind == figure.kind.value and (not figure.ways or fact.way in figure.ways):
                groups.setdefault(tuple(part(fact, axis) for axis in axes), []).append(fact)
        for key, group in groups.items():
            if figure.of in {"number", "amount"}:
                value: Any = sum(getattr(fact, figure.of) for fact in group)
            else:
                value = len({getattr(fact, figure.of) for fact in group} - {""})
            if value:
                rows.setdefault(key, dict.fromkeys(names, 0))[name] = Decimal(value) / 10 if figure.points else value
    return rows


def part(fact: Fact, axis: StatisticAxis) -> Any:
    text = f"{fact.day:08}"
    if axis in PERIODS:
        return int(text[: {StatisticAxis.DAY: 8, StatisticAxis.MONTH: 6, StatisticAxis.YEAR: 4}[axis]])
    return getattr(fact, axis.value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(facts=FACTS, axes=AXES, period=st.none() | st.sampled_from(PERIODS), where=WHERE, data=st.data())
def test_rows_and_total_are_as_counted_by_hand(
    memory: Memory,
    facts: list[Fact],
    axes: list[StatisticAxis],
    period: StatisticAxis | None,
    where: list[Within],
    data: st.DataObject,
) -> None:
    ends = st.sampled_from(DAYS)
    first, last = data.draw(st.none() | ends, label="first"), data.draw(st.none() | ends, label="last")
    names = frozenset(data.draw(st.sets(st.sampled_from([figure.name for figure in ASKED]), min_size=3, max_size=8), label="names"))
    asked = Question(first, last, (*axes, *([period] if period else [])), tuple(where), names, names)
    with memory.engine.begin() as connection:
        put(connection, facts)
        found = reading.answer(connection, asked, SEES_ALL)
        limited = reading.answer(connection, asked, Caller("d", frozenset({"graph:read"}), RowLimits(frozenset({"A"}))))
    of_a = [fact for fact in facts if fact.department == "A"]
    assert {row.key: row.values for row in limited.rows} == by_hand(of_a, asked, asked.by, names)
    assert limited.total == by_hand(of_a, asked, (), names).get((), dict.fromkeys(names, 0))
    assert {row.key: row.values for row in found.rows} == by_hand(facts, asked, asked.by, names)
    assert [row.key for row in found.rows] == sorted(row.key for row in found.rows)
    assert found.total == by_hand(facts, asked, (), names).get((), dict.fromkeys(names, 0))


@pytest.mark.parametrize("by", [(), (StatisticAxis.DAY,), (StatisticAxis.MONTH,), (StatisticAxis.YEAR,)])
def test_a_period_holds_its_first_and_last_day_and_no_other_wherever_they_lie_in_their_months(
    memory: Memory, by: tuple[StatisticAxis, ...]
) -> None:
    facts = [Fact(Kind.TASK.value, day) for day in (0, *DAYS)]
    with memory.engine.begin() as connection:
        put(connection, facts)
        for first, last in itertools.product((None, *DAYS), repeat=2):
            asked = question("tasks_received", by=by, first=first, last=last)
            found = reading.answer(connection, asked, SEES_ALL)
            said = {row.key: row.values for row in found.rows}
            assert said == by_hand(facts, asked, by, asked.row_figures), (first, last)


@pytest.mark.parametrize("name", ["applications", "subjects_scored"])
async def test_more_rows_than_allowed_are_none_at_all(books: Books, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(reading, "ROWS_LIMIT", 3)
    kind = BY_NAME[name].kind.value
    facts = [Fact(kind, 20190801, department=f"D{n}", way="REGULATORY_POINTS", subject="S") for n in range(4)]
    await books.database.write(put, facts)
    found = await books.ask(name, by=[StatisticAxis.DEPARTMENT])
    assert (found.rows, found.too_many) == ((), True)
    found = await books.ask(name, by=[StatisticAxis.DEPARTMENT], department=["D1", "D2", "D3"])
    assert (len(found.rows), found.too_many) == (3, False)


async def test_rows_of_different_figures_count_together_against_the_limit(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROWS_LIMIT", 3)
    assert counting.ROWS_LIMIT == 1_000
    records = [Fact(Kind.RECORD.value, 20190801, department=f"R{n}", way="REGULATORY_POINTS", subject="S") for n in range(2)]
    tasks = [Fact(Kind.TASK.value, 20190801, department=f"T{n}") for n in range(2)]
    await books.database.write(put, [*records, *tasks])
    assert (await books.ask("tasks_received", "subjects_scored", by=[StatisticAxis.DEPARTMENT])).too_many


async def test_both_databases_answer_alike(each_books: Books) -> None:
    facts = [Fact(Kind.RECORD.value, day, way="REGULATORY_POINTS", subject=f"S{day % 3}", item="I", amount=5) for day in DAYS]
    await each_books.database.write(put, facts)
    found = await each_books.ask("points_taken", "subjects_scored", by=[StatisticAxis.YEAR, StatisticAxis.KEY_SUPERVISION])
    assert [(row.key, row.values["points_taken"], row.values["subjects_scored"]) for row in found.rows] == [
        ((2018, False), Decimal("0.5"), 1),
        ((2019, False), Decimal("3.5"), 3),
        ((2020, False), Decimal("1.0"), 2),
    ]
    assert found.total == {"points_taken": Decimal("5.0"), "subjects_scored": 3}


def test_a_question_reads_only_the_kinds_that_it_asks_for(memory: Memory) -> None:
    said: list[tuple[str, Any]] = []

    class Listening:
        """A connection that notes statements."""

        def __init__(self, connection: Connection) -> None:
            self.connection = connection

        def execute(self, statement: Any) -> Any:
            said.append((str(statement), statement.compile().params))
            return self.connection.execute(statement)

    with memory.engine.begin() as connection:
        reading.answer(Listening(connection), question("tasks_received", "tasks_done"), SEES_ALL)  # type: ignore[arg-type]
        cell_statements = [params for text, params in said if "statistic_cell" in text]
        assert [params["kind_1"] for params in cell_statements] == [["task", "task-done"]] * 2
        assert not any("statistic_fact" in text for text, _ in said)
