"""A city on each kind of database."""

import pytest

from hub.mirror.database import Database
from hub.mirror.rows import Rows
from tests.settable_clock import SettableClock
from tests.unit.reconcile.city import City


@pytest.fixture
def city(database: Database, rows: Rows, clock: SettableClock) -> City:
    return City(database, rows, clock)
