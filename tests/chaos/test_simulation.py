"""The deterministic simulation: seeds in batches, seeds that once failed, and the proof that a seed goes the same way again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.seeds import SHORT_EVENTS, SHORT_SEEDS, seed_done

BATCH = 5
REMEMBERED: dict[tuple[int, int], str] = {}
"""(seed, events) -> what it found."""


@pytest.mark.parametrize("first", range(0, SHORT_SEEDS, BATCH))
def test_no_seed_breaks_an_invariant(first: int) -> None:
    found = [seed_done(seed, SHORT_EVENTS) for seed in range(first, first + BATCH)]
    assert [(done.seed, said) for done in found for said in done.broken] == []
    assert sum(done.effects for done in found) > 0, "nothing was made: nothing was proven"


@pytest.mark.parametrize(("seed", "events"), REMEMBERED)
def test_what_once_failed_holds(seed: int, events: int) -> None:
    assert seed_done(seed, events).broken == [], REMEMBERED[seed, events]


def test_a_seed_goes_the_same_way_again_in_any_process() -> None:
    """Every call, every answer, every commit at the same moment; whatever order sets have there."""
    outputs = {
        subprocess.run(
            [sys.executable, "-m", "tests.chaos.swarms", "--seed", "0", "--events", "60"],
            env={**os.environ, "PYTHONHASHSEED": hashes},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        ).stdout
        for hashes in ("1", "2")
    }
    assert len(outputs) == 1
    (output,) = outputs
    assert output.startswith("trace ")
    assert " 0 deaths" not in output
