"""`uv run python -m tests.bench [--rounds N]`: prints each figure beside its floor, as a ratio."""

import argparse
import asyncio

import uvloop
from rich.console import Console
from rich.table import Table

from tests.bench import applying, nested_query, obligations, smallest_query, webhooks
from tests.bench.rounds import Measured

BENCHES = (
    ("durable webhook acknowledgements", "ack/s", webhooks.measure),
    ("durable acknowledgements at 500/s, p99", "ms", webhooks.measure_latency),
    ("deliveries applied, SQLite", "records/s", applying.measure_sqlite),
    ("deliveries applied, PostgreSQL", "records/s", applying.measure_postgresql),
    ("obligations through the ledger", "obligations/s", obligations.measure),
    ("nested query, 50 approvals", "queries/s", nested_query.measure),
    ("nested query, compiled and interpreted", "queries/s", nested_query.measure_interpreted),
    ("{ __typename } over HTTP", "requests/s", smallest_query.measure),
)


async def main(rounds: int, wanted: str) -> None:
    """Run the benches whose names hold a word, and print the table."""
    console = Console()
    table = Table("what", "unit", "ours", "floor", "floor is", "ratio", "spread of ours", header_style="bold")
    for name, unit, measure in BENCHES:
        if wanted not in name:
            continue
        console.print(f"{name} ...", style="dim")
        ours, floor = await measure(rounds)
        console.print(f"  {ours.median:,.0f} {unit}, {floor.name} {floor.median:,.0f}", style="dim")
        table.add_row(
            name,
            unit,
            f"{ours.median:,.0f}",
            f"{floor.median:,.0f}",
            floor.name,
            f"{ours.median / floor.median:.2f}",
            _spread(ours),
        )
    console.print(table)
    console.print("Median of interleaved rounds; the load generator shares the machine's cores with what it measures.", style="dim")


def _spread(measured: Measured) -> str:
    return f"{min(measured.rates):,.0f} - {max(measured.rates):,.0f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds of each bench")
    parser.add_argument("--only", default="", metavar="WORD", help="only benches whose names hold this")
    chosen = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(chosen.rounds, chosen.only))
