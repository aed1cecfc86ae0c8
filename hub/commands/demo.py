"""The command `bihuan demo`: a whole city on mock platforms. What it shows is in hub/demo.py, demo_case.py and demo_city.py."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from hub.commands.base import WRONG_SETTINGS, app, fail, run


def _cases() -> Iterator[tuple[str, str]]:
    """Yield the numbers of the cases, for the shell."""
    from hub.cases import CASES  # noqa: PLC0415  (mocks are imported only when the demo is called)

    yield from ((str(number), case.title) for number, case in CASES.items())


def _kinds() -> Iterator[str]:
    """Yield the kinds of which one record can be left out, for the shell."""
    from hub.demo_city import KINDS  # noqa: PLC0415  (as above)

    yield from KINDS


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the hub, 0 picks a free one.")] = 8000,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder that keeps the demo's data between starts; .bihuan/demo, with --check a temporary one."),
    ] = None,
    approvals: Annotated[int, typer.Option(help="Approvals that the city grants.")] = 60,
    seed: Annotated[int, typer.Option(help="What the city is made from.")] = 7,
    check: Annotated[
        bool, typer.Option("--check", help="Run under faults until every obligation is closed, then ask the platforms.")
    ] = False,
    timeout: Annotated[float, typer.Option(help="Seconds after which --check gives up with exit code 2.")] = 600.0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the result of --check there.")] = None,
    breaches: Annotated[int, typer.Option(help="Extra breaches that wait from the beginning.")] = 0,
    faults: Annotated[bool, typer.Option(help="Whether the platforms misbehave under --check.")] = True,
    case: Annotated[
        int | None, typer.Option(help="Play one of the ten cases of 2019 on a simulated clock: 1 to 10.", autocompletion=_cases)
    ] = None,
    city: Annotated[bool, typer.Option("--city", help="Replay the city of 2019 and compare with its published figures.")] = False,
    leave_out: Annotated[
        str | None,
        typer.Option(help="With --city: leave one record of a kind out, and see the comparison fail.", autocompletion=_kinds),
    ] = None,
) -> None:
    """Run a whole city: mock platforms, the hub and its worker, and watch the loops close.

    With --case or --city hub and platforms run in this process on a simulated clock; with --check any difference ends with 1.
    """
    if case is not None or city or leave_out is not None:
        code = _simulated(case, city=city, leave_out=leave_out, check=check, seed=seed, json_file=json_file)
        raise typer.Exit(code)
    from hub.demo import Demo  # noqa: PLC0415  (mocks are imported only when the demo is called)

    if approvals < 1:
        fail([f"--approvals {approvals}: a city without approvals proves nothing; give 1 or more"], WRONG_SETTINGS)
    running = Demo(
        port=port,
        data=data,
        approvals=approvals,
        seed=seed,
        check=check,
        timeout=timeout,
        json_file=json_file,
        breaches=breaches,
        faults=faults,
    )
    run(running.run(), interrupted=130 if check else 0)


def _simulated(case: int | None, *, city: bool, leave_out: str | None, check: bool, seed: int, json_file: Path | None) -> int:
    """Play a case, or replay the city; return the exit code."""
    from hub.cases import CASES  # noqa: PLC0415  (as above)
    from hub.demo_case import play_case  # noqa: PLC0415
    from hub.demo_city import KINDS, replay_city  # noqa: PLC0415

    if case is not None and (city or leave_out is not None):
        fail(["--case and --city are two demos; give one of them"], WRONG_SETTINGS)
    if case is not None and case not in CASES:
        fail([f"--case {case}: there are cases 1 to {max(CASES)}"], WRONG_SETTINGS)
    if leave_out is not None and (not city or leave_out not in KINDS):
        fail([f"--leave-out {leave_out}: goes with --city, and takes one of {', '.join(KINDS)}"], WRONG_SETTINGS)
    try:
        if case is not None:
            return play_case(case, check=check, seed=seed, json_file=json_file)
        return replay_city(check=check, seed=seed, leave_out=leave_out, json_file=json_file)
    except KeyboardInterrupt:
        return 130
