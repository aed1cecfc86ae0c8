"""`bihuan drift`: compare with the platforms now, and decide about what they do not show any more."""

from typing import Annotated

import typer

from hub.app import Hub
from hub.commands.base import WRONG_SETTINGS, AsJson, app, fail, message, show, show_json, with_hub
from hub.commands.completion import OnePlatform
from hub.commands.outcomes import as_outcome, tell_refused
from hub.intake.tombstones import CarriedOut
from hub.mirror import drift as reports


@app.command()
def drift(
    platform: OnePlatform = None,
    full: Annotated[bool, typer.Option("--full", help="Read every stream from its beginning too, also where digests do.")] = False,
    approve: Annotated[
        str | None, typer.Option(metavar="ITEM", help="Mark as gone what this item of the ops list names, and compare nothing.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the record; with --approve.")] = "",
    as_json: AsJson = False,
) -> None:
    """Compare the hub with the platforms: by digests, or by reading all again. Exit code 1 when it failed or something is left."""
    if approve is not None and not reason.strip():
        fail(["--approve: say why, for the record, with --reason"], WRONG_SETTINGS)

    async def approving(hub: Hub) -> int | None:
        outcome = await hub.operator.approve_tombstones(str(approve), reason, "command line")
        tell_refused(outcome)
        carried = await hub.drift.carry_out() if outcome.done else CarriedOut(0, ())
        for error in carried.waiting:
            message(f"waits, and goes on by itself: {error.code}: {error}")
        if as_json:
            waiting = [f"{error.code}: {error}" for error in carried.waiting]
            show_json(as_outcome(outcome) | {"settled": carried.settled, "waiting": waiting})
        else:
            typer.echo(f"settled: {carried.settled}")
        return int(bool(outcome.refused or carried.waiting))

    async def comparing(hub: Hub) -> int | None:
        if platform is not None and platform not in hub.connectors:
            fail([f"no platform '{platform}'; there are {', '.join(hub.connectors)}"], WRONG_SETTINGS)
        done = await hub.drift.everything(platform, full=full)
        found = await hub.database.read(reports.reports, hub.rows, platform)
        show(
            [
                {
                    "report": one.report_id,
                    "ended": one.ended_at.astimezone().isoformat(timespec="seconds") if one.ended_at else None,
                    "checked": one.checked,
                    "differing": one.differing,
                    "missing here": one.missing_here,
                    "missing there": one.missing_there,
                    "outdated here": one.outdated_here,
                    "newer here": one.newer_here,
                    "unexplained": one.unexplained,
                    "repaired": one.repaired,
                    "waiting": one.waiting,
                    "failure": one.failure,
                }
                for one in found
            ],
            as_json,
        )
        standing = await hub.database.read(reports.standing)
        return int(not done or any(standing.get(name) for name in hub.connectors if platform in {None, name}))

    with_hub(approving if approve is not None else comparing)
