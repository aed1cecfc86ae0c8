"""`bihuan schema`: prints the graph's SDL, and says what a change of it does to front ends."""

from pathlib import Path
from typing import Annotated

import typer

from hub.commands.base import app, fail, show

schema_commands = typer.Typer(help="The graph's schema; alone, prints its SDL.", invoke_without_command=True)
app.add_typer(schema_commands, name="schema")


@schema_commands.callback()
def schema(context: typer.Context) -> None:
    """Print the graph's SDL."""
    from hub.graph.schema import sdl  # noqa: PLC0415  (the schema is built only when it is asked for)

    if context.invoked_subcommand is None:
        typer.echo(sdl().rstrip())


@schema_commands.command()
def check(
    old: Annotated[Path, typer.Argument(help="SDL to compare with: of the last release, or what a front end was built on.")],
    everything: Annotated[bool, typer.Option("--all", help="Name safe changes too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, safe changes too.")] = False,
) -> None:
    """Say what changed since an older schema: breaking, dangerous, safe. Ends with 1 where anything breaks."""
    from hub.graph.schema import sdl  # noqa: PLC0415  (as above)
    from hub.graph.schema_changes import Severity, UnreadableSchema, changes  # noqa: PLC0415

    try:
        found = changes(old.read_text(), sdl())
    except OSError as error:
        fail([f"{old}: {error.strerror}"], 2)
    except UnicodeDecodeError:
        fail([f"{old}: is no text in UTF-8"], 2)
    except UnreadableSchema as error:
        fail([f"{old}: {error}"], 2)
    told = [each for each in found if everything or as_json or each.severity is not Severity.SAFE]
    if told or as_json:
        show([{"severity": each.severity.value, "change": each.kind, "what": each.what} for each in told], as_json)
    if not as_json:
        counted = ", ".join(f"{sum(each.severity is one for each in found)} {one.value}" for one in Severity)
        typer.echo(f"since {old}: {counted}")
    if any(each.severity is Severity.BREAKING for each in found):
        raise typer.Exit(1)
