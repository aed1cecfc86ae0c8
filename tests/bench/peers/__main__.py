"""`uv run python -m tests.bench.peers [--rounds N] [--growth APPROVALS,...]`: the table of docs/bench-peers.md."""

import argparse
import asyncio
import logging
import os
import sys

import structlog
import uvloop
from rich.console import Console
from rich.table import Table

from tests.bench.peers import npm, ours
from tests.bench.peers.contest import Entrant, contest
from tests.bench.peers.growth import grown
from tests.bench.peers.wrk import Force, NoWrk, program

PEERS = (ours.OURS, ours.OURS_TWICE, ours.OURS_SQLITE, npm.POSTGRAPHILE, npm.MERCURIUS, npm.YOGA, npm.HIVE)
COLUMNS = (
    *("server", "reads", "queries/s", "p50 ms", "p99 ms", "spread", "hub / it"),
    *("CPU ms/query", "it / hub", "bytes", "__typename/s", "CPU µs"),
)
"""`hub / it` compares rates, `it / hub` the processor's time for an answer: above 1 the hub is the quicker one in both."""


async def main(rounds: int, force: Force, sizes: list[int], wanted: str) -> None:
    """Run all, and print what came of it."""
    console = Console(width=160)
    if rounds:
        entrants, missing = await contest([each for each in PEERS if wanted in each.name or each is ours.OURS], rounds, force)
        console.print(_table(entrants, missing))
    if sizes:
        console.print(await _growth(sizes, rounds or 3, force))
    busy = f"load of the machine meanwhile: {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores"
    with_it = f"wrk with {force.connections} connections on the same cores"
    console.print(f"{with_it}; medians of {rounds or 3} interleaved rounds of {force.seconds} s", style="dim")
    console.print(busy, style="dim")


def _table(entrants: list[Entrant], missing: dict[str, str]) -> Table:
    hub = entrants[0]
    table = Table(*COLUMNS, header_style="bold")
    for one in entrants:
        rates = [each.rate for each in one.nested_rounds]
        table.add_row(
            one.peer.name,
            one.peer.given,
            f"{one.nested_rate():,.0f}",
            f"{one.milliseconds(lambda each: each.p50):,.1f}",
            f"{one.milliseconds(lambda each: each.p99):,.1f}",
            f"{min(rates):,.0f} - {max(rates):,.0f}",
            f"{hub.nested_rate() / one.nested_rate():.2f}",
            f"{one.cost():,.2f}",
            f"{one.cost() / hub.cost():.2f}",
            f"{len(one.nested):,}",
            f"{one.typename_rate():,.0f}",
            f"{one.typename_cost() * 1000:,.0f}",
        )
    for name, reason in missing.items():
        table.add_row(name, f"left out: {reason}")
    return table


async def _growth(sizes: list[int], rounds: int, force: Force) -> Table:
    table = Table("approvals", "mirrored rows", "queries/s", "p50 ms", "p99 ms", "p99 / first", "CPU ms/query", header_style="bold")
    first: float | None = None
    async for size, rows, one in grown(sizes, rounds, force):
        p99 = one.milliseconds(lambda each: each.p99)
        first = first or p99
        table.add_row(
            f"{size:,}",
            f"{rows:,}",
            f"{one.nested_rate():,.0f}",
            f"{one.milliseconds(lambda each: each.p50):,.1f}",
            f"{p99:,.1f}",
            f"{p99 / first:.2f}",
            f"{one.cost():,.2f}",
        )
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds; 0: no peers, and 3 rounds of growth")
    parser.add_argument("--seconds", type=int, default=3, help="length of a round")
    parser.add_argument("--connections", type=int, default=8, help="connections that ask at once")
    parser.add_argument("--only", default="", metavar="WORD", help="only the hub, and servers whose names hold this")
    parser.add_argument("--growth", default="", metavar="APPROVALS,...", help="measure the hub over mirrors with so many approvals")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        program()
    except NoWrk as error:
        sys.exit(str(error))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        force = Force(given.seconds, given.connections)
        runner.run(main(given.rounds, force, [int(each) for each in given.growth.split(",") if each], given.only))
