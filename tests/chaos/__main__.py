"""`uv run python -m tests.chaos [NAME ...] [--short]`: every chaos test in its full form, as a table; exit code 1 on any loss."""

import argparse
import importlib
import sys
import time

from rich.console import Console
from rich.table import Table

from hub.telemetry import configure_logs
from tests.chaos.shown import Form, Run

TESTS: dict[str, str] = {
    "shuffled": "shuffled",
    "fuzz": "fuzz",
    "poison": "poison",
    "locked": "locked",
    "full-disk": "full_disk",
    "overload": "overload",
    "pause": "levers",
    "restore": "restore",
    "kills": "kills",
    "failover": "failover",
    "paging": "paging",
    "dropped": "dropped",
    "resnapshot": "resnapshot",
    "unknown-outcomes": "unknown_outcomes",
    "down": "down",
    "simulation": "swarms",
}
"""Name on the command line -> module of tests/chaos with a function `show`."""


def main(names: list[str], form: Form) -> int:
    """Run tests one after the other and print what each shows; return the exit code."""
    configure_logs("critical", as_json=False)
    console = Console()
    table = Table("test", "form", "shown", "losses", "seconds", header_style="bold")
    losses: list[str] = []
    for name in names:
        run: Run = importlib.import_module(f"tests.chaos.{TESTS[name]}").show
        console.print(f"{name} ...", style="dim")
        began = time.monotonic()
        shown = run(form)
        table.add_row(name, shown.scale, shown.said, str(len(shown.losses)), f"{time.monotonic() - began:.0f}")
        losses += [f"{name}: {loss}" for loss in shown.losses]
    console.print(table)
    for loss in losses:
        console.print(loss, style="red", markup=False)
    return int(bool(losses))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which tests; all without a name")
    parser.add_argument("--short", action="store_true", help="the short form, as in uv run pytest")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(TESTS):
        parser.error(f"no test {', '.join(sorted(unknown))}; there are {', '.join(TESTS)}")
    sys.exit(main(chosen.names or list(TESTS), Form.SHORT if chosen.short else Form.FULL))
