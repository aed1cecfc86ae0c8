"""`bihuan doctor`: looks at everything around the hub, and names each problem with its cure."""

import os
from dataclasses import asdict
from typing import Final

import typer
from rich.console import Console
from rich.text import Text

from hub.commands.base import WRONG_SETTINGS, AsJson, app, run, show_json
from hub.doctor.examination import examination, settings_read
from hub.doctor.findings import Finding, State
from hub.parts import system_clock

STYLES: Final = {State.FINE: "green", State.WARNING: "yellow", State.PROBLEM: "bold red", State.SKIPPED: "dim"}


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look for what is wrong around the hub, and name each problem with its cure. Changes nothing.

    Exit code 0: fine, warnings perhaps. 1: there are problems. 2: settings are missing or wrong, and nothing else was looked at.
    """
    found, settings = settings_read(os.environ)
    if settings is None:
        _tell(found, as_json)
        raise typer.Exit(WRONG_SETTINGS)

    async def looking() -> int:
        found.extend(await examination(settings, system_clock))
        _tell(found, as_json)
        return int(any(each.state is State.PROBLEM for each in found))

    run(looking())


def _tell(found: list[Finding], as_json: bool) -> None:
    if as_json:
        healthy = not any(each.state is State.PROBLEM for each in found)
        show_json({"healthy": healthy, "findings": [asdict(each) for each in found]})
        return
    console = Console(highlight=False, soft_wrap=True)
    for each in found:
        console.print(
            Text.assemble((f"{each.state:8}", STYLES[each.state]), f"{each.check}: ", (each.about, "bold"), f": {each.found}")
        )
        if each.cure is not None:
            console.print(Text.assemble("        cure: ", each.cure))
    counted = [_counted(found, state) for state in (State.PROBLEM, State.WARNING)]
    console.print(", ".join(counted), style="bold")


def _counted(found: list[Finding], state: State) -> str:
    count = sum(each.state is state for each in found)
    return f"{count} {state}{'' if count == 1 else 's'}"
