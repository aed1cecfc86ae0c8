"""`me`: who asks, and what they may, so that front ends offer nothing else."""

import pytest

from hub.graph.schema import HubSchema
from hub.mirror.database import SQLiteDatabase
from hub.mirror.rows import Rows
from tests.unit.graph.city import City
from tests.unit.graph.roles import ROLES

QUERY = "{ me { name scopes departments regions } }"
TOLD = {
    "nobody": (None, [], None, None),
    "operator": ("operator", ["graph:read", "ops:act", "ops:read"], None, None),
    "vendor": ("vendor", ["platform:P1"], None, None),
    "department": ("department", ["graph:pii", "graph:read"], ["D1"], None),
    "region": ("region", ["graph:read"], None, ["330782"]),
}
"""Whoever sees the rows of a department has no scope of operators, whatever the key says."""


@pytest.mark.parametrize("role", TOLD)
async def test_it_tells_what_holds_for_the_caller(
    sqlite_database: SQLiteDatabase, schema: HubSchema, rows: Rows, role: str
) -> None:
    given = await City(sqlite_database, rows, schema).ask(QUERY, caller=ROLES[role])
    assert not given.errors
    name, scopes, departments, regions = TOLD[role]
    assert given.data == {"me": {"name": name, "scopes": scopes, "departments": departments, "regions": regions}}
