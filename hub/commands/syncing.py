"""The commands that bring mirror and ledger up to date by hand: `bihuan sync`, `reconcile`, `replay`, `backfill`."""

from typing import Annotated

import strawberry
import typer

from hub.app import Hub
from hub.commands import completion
from hub.commands.base import WRONG_SETTINGS, AsJson, app, counted, fail, message, show, show_json, with_hub
from hub.commands.completion import OnePlatform, OneStream
from hub.commands.levers import operator_name, reasoned
from hub.commands.moments import moment
from hub.commands.outcomes import as_outcome, tell_refused
from hub.mirror import measures
from schema.backfill import SHOWN, Difference, Foreseen
from schema.operations import Outcome

SKIP = Annotated[int, typer.Option(min=0, help="With --dry-run: leave out so many lines, to see the next ones.")]


@app.command()
def sync(
    platform: OnePlatform = None,
    stream: OneStream = None,
    as_json: AsJson = False,
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
        await hub.levers.refresh()
        lines, failed = [], False
        for name, each in counted(wanted, len(wanted), "reading"):
            if (paused := hub.levers.paused(name)) is not None:
                message(f"{name}/{each} is not read: {name} is paused by {paused.by}: {paused.reason}")
            result = await hub.poller.read_on(name, each)
            failed |= result is None
            applied, bad = (result.applied, result.quarantined) if result else (None, None)
            lines.append({"stream": f"{name}/{each}", "applied": applied, "quarantined": bad, "read": result is not None})
        show(lines, as_json)
        return int(failed)

    with_hub(syncing)


@app.command()
def reconcile(as_json: AsJson = False) -> None:
    """Ask every rule about everything, discharge what is due now, recount statistics. Exit code 1 when something is stuck."""

    async def reconciling(hub: Hub) -> int | None:
        while await hub.applier.apply_deliveries():
            pass
        await hub.worker.rescue()
        swept = await hub.sweep.everything()
        await hub.database.write(measures.ran, measures.FULL_SWEEP, hub.world.clock())
        names = list(hub.connectors)
        discharged = {name: await hub.worker.work_once(name, 1000) for name in counted(names, len(names), "discharging")}
        miscounted = await hub.tally.everything()
        stuck = sum(health.stuck for health in await hub.operator.platforms())
        if as_json:
            show_json({"causes": swept.causes, "discharged": discharged, "stuck": stuck, "miscounted": miscounted})
        else:
            show([{"rule": rule, "causes": count} for rule, count in swept.causes.items()], as_json)
            typer.echo(f"discharged: {', '.join(f'{name} {count}' for name, count in discharged.items())}; stuck: {stuck}")
            typer.echo(f"statistics that differed from the mirror and are right now: {miscounted}")
        return int(bool(stuck))

    with_hub(reconciling)


@app.command()
def replay(
    delivery: Annotated[list[str] | None, typer.Option(help="Delivery id; may be repeated.")] = None,
    platform: Annotated[
        str | None, typer.Option(help="All deliveries of this platform ...", autocompletion=completion.platforms)
    ] = None,
    since: Annotated[str | None, typer.Option(help="... since then (ISO 8601, local time unless a zone is given).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    skip: SKIP = 0,
    as_json: AsJson = False,
) -> None:
    """Apply kept deliveries once more, or show what that would change."""
    if bool(delivery) == bool(platform and since):
        fail(["say what to replay: --delivery ID, or --platform NAME with --since TIME"], WRONG_SETTINGS)
    start = None if since is None else moment(since, "--since")

    async def replaying(hub: Hub) -> int | None:
        if dry_run:
            foreseen = await hub.operator.backfiller.foresee_replay(delivery or [], platform, start, skip=skip)
            return told_difference(*foreseen, skip, as_json)
        outcome = (
            await hub.operator.replay(delivery, "command line")
            if delivery
            else await hub.operator.replay_since(platform or "", start or hub.world.clock(), "command line")
        )
        while await hub.applier.apply_deliveries():
            pass
        tell_refused(outcome)
        if as_json:
            show_json(as_outcome(outcome))
        else:
            typer.echo(f"applied again: {len(outcome.done)}")
        return int(bool(outcome.refused))

    with_hub(replaying)


@app.command()
def backfill(
    platform: Annotated[str, typer.Option(help="Name of the platform.", autocompletion=completion.platforms)],
    stream: Annotated[str, typer.Option(help="Name of its stream.", autocompletion=completion.streams)],
    begins: Annotated[str, typer.Option("--from", help="Changes from this time on (ISO 8601, local unless a zone is given) ...")],
    ends: Annotated[str, typer.Option("--to", help="... to before this one.")],
    reason: Annotated[str, typer.Option(help="Why, for the record; not needed with --dry-run.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    skip: SKIP = 0,
    as_json: AsJson = False,
) -> None:
    """Read what changed on a platform in a span of time again, or show what that would change."""
    start, end = moment(begins, "--from"), moment(ends, "--to")
    why = reason if dry_run else reasoned(reason)

    async def filling(hub: Hub) -> int | None:
        filled = await hub.operator.backfiller.backfill(
            platform, stream, start, end, why, operator_name(), dry_run=dry_run, skip=skip
        )
        return told_difference(*filled, skip, as_json)

    with_hub(filling)


def told_difference(outcome: Outcome, difference: Difference | None, skip: int, as_json: bool) -> int:
    """Print what reading again changes, and what was refused; return the exit code."""
    tell_refused(outcome)
    if difference is None:
        return 1
    if as_json:
        counts = {each.outcome.value: each.number for each in difference.counts}
        records = [strawberry.asdict(each) | {"outcome": each.outcome.value} for each in difference.records]
        show_json(strawberry.asdict(difference) | {"counts": counts, "records": records})
        return int(bool(outcome.refused) or not difference.complete)
    show([{each.outcome.value: each.number for each in difference.counts}], as_json=False)
    changing = [each for each in difference.records if each.outcome is not Foreseen.UNCHANGED]
    if changing:
        show([strawberry.asdict(each) | {"outcome": each.outcome.value} for each in changing], as_json=False)
    left = sum(each.number for each in difference.counts if each.outcome is not Foreseen.UNCHANGED) - skip - len(changing)
    if left > 0:
        typer.echo(f"and {left} more that change something: --skip {skip + SHOWN} shows the next")
    typer.echo(f"obligations that come of it: {difference.obligations}")
    for key in difference.obligation_keys:
        typer.echo(f"  {key}")
    if difference.dry_run:
        typer.echo("nothing was changed: a dry run")
    if not difference.exact:
        message("more changes than is applied together: obligations may be others; take a shorter span to be sure")
    if not difference.complete and not outcome.refused:
        message("there was more than is read at once; take a shorter span, or go on from where this one ended")
    return int(bool(outcome.refused) or not difference.complete)
