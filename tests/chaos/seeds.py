"""Many seeds: in this process one after the other, or in several; what is done is kept, so that a long run can go on."""

import json
import multiprocessing
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from hub.telemetry import configure_logs
from tests.chaos.simulation import run
from tests.chaos.swarm import swarm

SHORT_SEEDS, SHORT_EVENTS = 200, 40
FULL_SEEDS, FULL_EVENTS = 10_000, 300


class Done(NamedTuple):
    """What became of one seed."""

    seed: int
    events: int
    broken: Sequence[str]
    digest: str
    deaths: int
    effects: int
    seconds: float
    """CPU seconds."""


def seed_done(seed: int, events: int) -> Done:
    """Run one seed; what breaks down is broken too."""
    began = time.process_time()
    try:
        outcome = run(swarm(seed, events))
    except Exception as error:  # it is named, and the other seeds go on
        return Done(seed, events, [f"the run broke down: {type(error).__name__}: {error}"], "", 0, 0, time.process_time() - began)
    spent = time.process_time() - began
    return Done(seed, events, outcome.broken, outcome.digest, outcome.deaths, outcome.effects, spent)


def run_all(seeds: Iterable[int], events: int, jobs: int = 1, kept: Path | None = None) -> Iterator[Done]:
    """Run seeds, in any order; those that `kept` holds already are taken from there, the others are added to it."""
    before = _kept(kept, events)
    wanted = list(seeds)
    yield from (before[seed] for seed in wanted if seed in before)
    left = [(seed, events) for seed in wanted if seed not in before]
    if jobs <= 1:
        found: Iterator[Done] = (seed_done(*each) for each in left)
        yield from _keeping(found, kept)
        return
    # Spawned, not forked: each process has its own disk, loop and order of hashes, as any other run would.
    with multiprocessing.get_context("spawn").Pool(jobs, _quiet) as pool:
        yield from _keeping(pool.imap_unordered(_starred, left), kept)


def _quiet() -> None:
    configure_logs("critical", as_json=False)


def _starred(each: tuple[int, int]) -> Done:
    return seed_done(*each)


def _kept(kept: Path | None, events: int) -> dict[int, Done]:
    if kept is None or not kept.exists():
        return {}
    lines = [Done(**json.loads(line)) for line in kept.read_text().splitlines()]
    return {done.seed: done for done in lines if done.events == events}


def _keeping(found: Iterator[Done], kept: Path | None) -> Iterator[Done]:
    for done in found:
        if kept is not None:
            with kept.open("a") as file:
                file.write(json.dumps(done._asdict(), ensure_ascii=False) + "\n")
        yield done
