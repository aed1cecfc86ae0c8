"""How long the worker waits between tries."""

import random

import pytest

from hub.reconcile.pace import Pace

PACE = Pace(backoff_seconds=1.0, backoff_most_seconds=300.0, asked_most_seconds=86400.0)


@pytest.mark.parametrize(
    ("tries", "least", "most"), [(0, 0.5, 1), (1, 0.5, 1), (2, 1, 2), (3, 2, 4), (9, 128, 256), (10, 150, 300), (10**6, 150, 300)]
)
def test_the_wait_doubles_with_each_failure_up_to_a_limit_with_jitter(tries: int, least: float, most: float) -> None:
    rng = random.Random(7)
    waits = [PACE.backoff(tries, None, rng) for _ in range(200)]
    assert least <= min(waits) < max(waits) <= most
    assert max(waits) - min(waits) > (most - least) / 2


@pytest.mark.parametrize(("asked", "least"), [(0.0, 0), (30.0, 30), (3600.0, 3600), (1e12, 86400), (-5.0, 0)])
def test_a_platform_that_names_its_wait_gets_it_up_to_a_day(asked: float, least: float) -> None:
    rng = random.Random(7)
    assert all(least <= PACE.backoff(20, asked, rng) <= least + 0.25 for _ in range(50))
