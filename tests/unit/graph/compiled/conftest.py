"""A schema with room for generated operations."""

import pytest

from hub.graph.limits import Limits
from hub.graph.schema import HubSchema, build_schema


@pytest.fixture(scope="session")
def roomy() -> HubSchema:
    return build_schema(Limits(tokens=100_000, depth=50, aliases=10_000, directives=1_000, cost=10**9))
