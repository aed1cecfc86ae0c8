"""The short form of kills.py."""

from tests.chaos.kills import show
from tests.chaos.shown import Form


def test_processes_killed_at_any_moment_lose_nothing_and_double_nothing() -> None:
    assert show(Form.SHORT).losses == []
