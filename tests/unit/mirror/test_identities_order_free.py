"""Whatever is said and decided, in any order and with any repetition: the index is what merges that stand and newest words make.

The model below is written from the rules alone and knows no order: for each identifier the merge that stands, else its newest
word; then the way to its end, the oldest word of a circle left out.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, StaticPool, create_engine, select

from hub.mirror import merges
from hub.mirror.rows import Rows
from hub.mirror.subjects import know_subjects
from hub.mirror.tables import METADATA, TABLES
from schema.entity import Observation
from tests.builders import HOUR, approval, credit_profile, observed
from tests.settable_clock import START
from tests.subject_codes import old_number, uscc

CODES = [uscc(number) for number in range(5)]
NUMBERS = [old_number(number) for number in range(3)]


class Said(NamedTuple):
    """The credit platform's word at an hour."""

    code: str
    old: tuple[str, ...]
    hour: int


class Merged(NamedTuple):
    """A decision, by its place among those of the same identifier; undone or not."""

    identifier: str
    code: str
    stands: bool


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = create_engine("sqlite://", poolclass=StaticPool)
    METADATA.create_all(made)
    yield made
    made.dispose()


SAID = st.builds(
    Said,
    code=st.sampled_from(CODES),
    old=st.lists(st.sampled_from(CODES + NUMBERS), max_size=3, unique=True).map(tuple),
    hour=st.integers(0, 4),
)


@st.composite
def decisions(draw: st.DrawFn) -> list[Merged]:
    """Merges, of each identifier at most one that stands; among themselves they lead upwards only, so never in a circle."""
    made = []
    for identifier in draw(st.lists(st.sampled_from(CODES + NUMBERS), max_size=4, unique=True)):
        above = [code for code in CODES if code > identifier or identifier in NUMBERS]
        if above:
            made.append(Merged(identifier, draw(st.sampled_from(above)), draw(st.booleans())))
    return made


def end_by_the_rules(
    identifier: str, said: Sequence[Said], decided: Sequence[Merged], without: frozenset[str] = frozenset()
) -> str:
    """Return where an identifier's way ends; `without` are those whose word does not count."""
    way = [identifier]
    while True:
        here = way[-1]
        by_hand = [each.code for each in decided if each.identifier == here and each.stands]
        words = [(each.hour, each.code) for each in said if here in each.old and each.code != here]
        if by_hand:
            following = by_hand[0]
        elif words and here not in without:
            following = max(words)[1]
        else:
            return here
        if following in way:
            circle = way[way.index(following) :]
            told = {
                each: max((one.hour, one.code) for one in said if each in one.old and one.code != each)
                for each in circle
                if not any(one.identifier == each and one.stands for one in decided)
            }
            return end_by_the_rules(identifier, said, decided, without | {min(told, key=lambda each: (told[each], each))})
        way.append(following)


def observation(said: Said) -> Observation:
    return observed(credit_profile(code=said.code, old_codes=said.old, updated_at=START + said.hour * HOUR))


def decide(connection: Connection, rows: Rows, decision: Merged) -> None:
    made = merges.add(connection, rows, decision.identifier, decision.code, "lou", "why", START)
    if not decision.stands:
        merges.undo(connection, rows, made, "lou", "why not", START)


def index(connection: Connection) -> dict[str, tuple[str, str | None]]:
    table = TABLES["SubjectIdentifier"]
    rows = connection.execute(select(table.c.identifier, table.c.code, table.c.credit_code))
    return {identifier: (code, credit_code) for identifier, code, credit_code in rows}


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_the_order_of_words_and_decisions_does_not_matter(engine: Engine, rows: Rows, data: st.DataObject) -> None:
    said, decided = data.draw(st.lists(SAID, max_size=8)), data.draw(decisions())
    approvals = [observed(approval(subject_code=None, old_number=number)) for number in NUMBERS]
    everything: list[Observation | Merged] = [*map(observation, said), *approvals, *decided]
    again = data.draw(st.lists(st.sampled_from([*map(observation, said), *approvals]), max_size=4))
    with engine.connect() as connection, connection.begin() as transaction:
        for one in data.draw(st.permutations(everything)) + again:
            if isinstance(one, Merged):
                decide(connection, rows, one)
            else:
                know_subjects(connection, rows, [one])
        found = index(connection)
        transaction.rollback()
    assert {identifier: code for identifier, (code, _) in found.items()} == {
        identifier: end_by_the_rules(identifier, said, decided) for identifier in found
    }
    assert found.keys() >= {*NUMBERS, *(each.code for each in said), *(old for each in said for old in each.old)}
    of_numbers = [each for each in decided if each.identifier in NUMBERS]
    for identifier, (_, credit_code) in found.items():
        by_hand = [each.code for each in of_numbers if each.identifier == identifier and each.stands]
        known = end_by_the_rules(by_hand[0] if by_hand else identifier, said, [])
        assert credit_code == (None if known in NUMBERS else known)


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_together_or_one_by_one_is_the_same(engine: Engine, rows: Rows, data: st.DataObject) -> None:
    said = [observation(each) for each in data.draw(st.lists(SAID, max_size=8))]
    found = []
    for batches in ([said], [[each] for each in said], [said[::-1]]):
        with engine.connect() as connection, connection.begin() as transaction:
            for batch in batches:
                know_subjects(connection, rows, batch)
            found.append(index(connection))
            transaction.rollback()
    assert found[0] == found[1] == found[2]
