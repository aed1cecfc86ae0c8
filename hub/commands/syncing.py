"""The commands that bring mirror and ledger up to date by hand: `bihuan sync`, `reconcile`, `replay`."""

from datetime import datetime
from typing import Annotated

import typer

from hub.app import Hub
from hub.commands.base import WRONG_SETTINGS, app, fail, show, with_hub


@app.command()
def sync(
    platform: Annotated[str | None, typer.Option(help="Only this platform.")] = None,
    stream: Annotated[str | None, typer.Option(help="Only this stream of it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read every stream to its present end, once. Exit code 1 when one could not be read."""

    async def syncing(hub: Hub) -> int | None:
        wanted = [
            (name, each.name)
            for name, connector in hub.connectors.items()
            for each in connector.streams
            if platform in {None, name} and stream in {None, each.name}
        ]
        if not wanted:
            known = ", ".join(f"{name}/{each.name}" for name, connector in hub.connectors.items() for each in connector.streams)
            fail([f"no stream '{platform or '*'}/{stream or '*'}'; there are {known}"], WRONG_SETTINGS)
        lines, failed = [], False
        for name, each in wanted:
            result = await hub.poller.read_on(name, each)
            failed |= result is None
            applied, bad = (result.applied, result.quarantined) if result else (None, None)
            lines.append({"stream": f"{name}/{each}", "applied": applied, "quarantined": bad, "read": result is not None})
        show(lines, as_json)
        return int(failed)

    with_hub(syncing)


@app.command()
def reconcile(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Ask every rule about everything, discharge what is due now, recount statistics. Exit code 1 when something is stuck."""

    async def reconciling(hub: Hub) -> int | None:
        while await hub.applier.apply_deliveries():
            pass
        await hub.worker.rescue()
        swept = await hub.sweep.everything()
        discharged = {name: await hub.worker.work_once(name, 1000) for name in hub.connectors}
        miscounted = await hub.tally.everything()
        show([{"rule": rule, "causes": count} for rule, count in swept.causes.items()], as_json)
        stuck = [health.stuck for health in await hub.operator.platforms()]
        if not as_json:
            typer.echo(f"discharged: {', '.join(f'{name} {count}' for name, count in discharged.items())}; stuck: {sum(stuck)}")
            typer.echo(f"statistics that differed from the mirror and are right now: {miscounted}")
        return int(any(stuck))

    with_hub(reconciling)


@app.command()
def replay(
    delivery: Annotated[list[str] | None, typer.Option(help="Delivery id; may be repeated.")] = None,
    platform: Annotated[str | None, typer.Option(help="All deliveries of this platform ...")] = None,
    since: Annotated[datetime | None, typer.Option(help="... since then (local time unless a zone is given).")] = None,
) -> None:
    """Apply kept deliveries once more."""
    if not delivery and not (platform and since):
        fail(["say what to replay: --delivery ID, or --platform NAME with --since TIME"], WRONG_SETTINGS)

    async def replaying(hub: Hub) -> int | None:
        outcome = (
            await hub.operator.replay(delivery, "command line")
            if delivery
            else await hub.operator.replay_since(platform or "", since.astimezone() if since else hub.world.clock(), "command line")
        )
        while await hub.applier.apply_deliveries():
            pass
        typer.echo(f"applied again: {len(outcome.done)}")
        for refused in outcome.refused:
            typer.echo(f"refused: {refused.message}", err=True)
        return int(bool(outcome.refused))

    with_hub(replaying)
