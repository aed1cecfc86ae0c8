"""A city on each kind of database, and what was logged meanwhile."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, StaticPool, create_engine
from structlog.testing import capture_logs
from structlog.typing import EventDict

from hub.mirror.database import Database
from hub.mirror.rows import Rows
from hub.mirror.tables import METADATA
from tests.settable_clock import SettableClock
from tests.unit.reconcile.city import City


@pytest.fixture
def city(database: Database, rows: Rows, clock: SettableClock) -> City:
    return City(database, rows, clock)


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[EventDict]]:
    """Everything that is logged, as events; nothing is printed."""
    with capture_logs() as events:
        yield events


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An empty SQLite in memory, for histories that are rolled back."""
    made = create_engine("sqlite://", poolclass=StaticPool)
    METADATA.create_all(made)
    yield made
    made.dispose()
