"""What a declaration that contradicts itself is told."""

from typing import Annotated

import pytest

from schema.declare import ENTITIES, DeclarationError, FirstOf, Relation, Says, Through, declared, target
from schema.entities import Subject
from schema.entity import Entity, entity


def edge(through: Through | None, theirs: str = "code") -> Relation:
    return Relation("one", "Subject", Says("whose", "谁的"), "code", theirs, through)


def test_an_edge_through_a_table_needs_that_table_its_columns_and_its_key() -> None:
    owner = declared(Subject)
    assert target(owner, edge(Through("SubjectIdentifier", ours="identifier", theirs="code"))) is owner
    for through, told in (
        (Through("Nowhere", ours="identifier", theirs="code"), "passes Nowhere"),
        (Through("SubjectIdentifier", ours="number", theirs="code"), "passes SubjectIdentifier by 'number'"),
        (Through("SubjectIdentifier", ours="told_code", theirs="code"), "without its key 'identifier', which would double records"),
    ):
        with pytest.raises(DeclarationError, match=told):
            target(owner, edge(through))


def test_every_edge_of_the_language_leads_somewhere() -> None:
    for owner in ENTITIES.values():
        for each in owner.edges.values():
            assert target(owner, each).name == each.to


def test_a_field_that_follows_from_others_names_columns_that_there_are() -> None:
    with pytest.raises(DeclarationError, match="no column 'gone'"):

        @entity("Nothing", "无", key="number")
        class Nothing(Entity, frozen=True):
            """Never declared."""

            number: Annotated[str, Says("Number", "编号")]
            best: Annotated[str | None, FirstOf(("number", "gone")), Says("Best", "最佳")] = None

    assert "Nothing" not in ENTITIES
