"""`python -m tests.chaos.swarms`: the deterministic simulation, as a chaos test and as a tool.

--seeds N [--first S] [--events E] [--jobs J] [--kept FILE]    so many seeds; FILE lets a run that was ended go on
--seed S [--events E] [--trace FILE] [--shrink]                one seed, as often as you like: it goes the same way each time
"""

import argparse
import os
import pprint
import sys
from collections.abc import Iterable
from pathlib import Path

from hub.telemetry import configure_logs
from tests.chaos.seeds import FULL_EVENTS, FULL_SEEDS, SHORT_EVENTS, SHORT_SEEDS, Done, run_all
from tests.chaos.shown import Form, Shown
from tests.chaos.simulation import run, shrunk
from tests.chaos.swarm import swarm


def show(form: Form) -> Shown:
    """Run the seeds of a form, in as many processes as there are cores."""
    count, events = (SHORT_SEEDS, SHORT_EVENTS) if form is Form.SHORT else (FULL_SEEDS, FULL_EVENTS)
    return told(run_all(range(count), events, os.cpu_count() or 1), count, events)


def told(found: Iterable[Done], count: int, events: int) -> Shown:
    """Return what runs showed, and print each failing seed and every hundredth as they come."""
    losses, deaths, effects, seconds = list[str](), 0, 0, 0.0
    for number, done in enumerate(found, 1):
        deaths, effects, seconds = deaths + done.deaths, effects + done.effects, seconds + done.seconds
        losses += [f"seed {done.seed} ({events} events): {said}" for said in done.broken]
        if done.broken or number % 100 == 0:
            say(f"{number}/{count}: seed {done.seed}, {len(losses)} broken so far", *done.broken[:3])
    said = f"{len(losses)} invariants broken; {effects} effects, {deaths} deaths, {seconds / max(count, 1):.1f} CPU s a seed"
    return Shown(f"{count} seeds of {events} events", said, losses)


def say(*lines: str) -> None:
    """Print lines at once."""
    sys.stdout.write("\n".join([*lines, ""]))
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Run what is asked for; return 1 where anything is broken."""
    configure_logs("critical", as_json=False)
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.swarms", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--events", type=int, default=FULL_EVENTS)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--kept", type=Path)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--trace", type=Path)
    parser.add_argument("--shrink", action="store_true")
    asked = parser.parse_args(arguments)
    if asked.seed is None:
        shown = told(
            run_all(range(asked.first, asked.first + asked.seeds), asked.events, asked.jobs, asked.kept), asked.seeds, asked.events
        )
        say(shown.scale, shown.said, *shown.losses)
        return int(bool(shown.losses))
    wanted = swarm(asked.seed, asked.events)
    if asked.shrink:
        wanted = shrunk(wanted)
        say(pprint.pformat(wanted, width=130))
    outcome = run(wanted, asked.trace)
    say(f"trace {outcome.digest}, {outcome.calls} lines, {outcome.deaths} deaths", *outcome.broken)
    return int(bool(outcome.broken))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
