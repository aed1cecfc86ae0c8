"""Limits of rows bind subscriptions as they bind queries: `may_see` says what hub/mirror/visibility.py says in SQL."""

import pytest

from schema.declare import ENTITIES, BelongsTo, Shared
from schema.entity import Mirrored
from schema.subscription import may_see
from tests.unit.graph.roles import ROLES, may_read, placed, sees

TOLD = sorted(name for name, one in ENTITIES.items() if issubclass(one.record, Mirrored) or name == "Obligation")
LIMITED = ("department", "region", "away")


@pytest.mark.parametrize("role", [*LIMITED, "reader", "operator"])
@pytest.mark.parametrize("name", TOLD)
def test_no_change_of_a_hidden_row_is_told(name: str, role: str) -> None:
    entity, told = ENTITIES[name], set[bool]()
    for mine in (True, False):
        record = placed(entity, f"{name}-1", {}, mine=mine)[0]
        if may_read(role, entity):
            seen = may_see(ROLES[role], entity, record)
            assert seen <= sees(role, entity, mine=mine), f"{role} is told of {name} that is {'theirs' if mine else 'hidden'}"
            told.add(seen)
            if isinstance(entity.seen, BelongsTo | Shared) or role not in LIMITED:
                assert seen is sees(role, entity, mine=mine)
    if isinstance(entity.seen, BelongsTo) and entity.seen.department and role == "department" and told:
        assert told == {True, False}


@pytest.mark.parametrize("role", LIMITED)
def test_what_can_no_longer_be_read_is_told_to_nobody_who_is_limited(role: str) -> None:
    assert not may_see(ROLES[role], ENTITIES["Approval"], None)
