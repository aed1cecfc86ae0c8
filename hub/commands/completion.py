"""What a shell offers when TAB is pressed: names of platforms, streams, kinds. No settings and no database are read for it."""

from collections.abc import Iterator
from typing import Annotated

import typer

from connectors.registry import CONNECTORS


def platforms(incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield the platforms that there are, with what they offer."""
    for name, connector in CONNECTORS.items():
        if name.startswith(incomplete):
            yield name, ", ".join(each.name for each in connector.streams) or "nothing to read"


def streams(context: typer.Context, incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield the streams of the platform that was named before; of all where none was."""
    wanted = context.params.get("platform")
    for name, connector in CONNECTORS.items():
        for each in connector.streams:
            if wanted in {None, name} and each.name.startswith(incomplete):
                yield each.name, name


OnePlatform = Annotated[str | None, typer.Option("--platform", help="Only this platform.", autocompletion=platforms)]
OneStream = Annotated[str | None, typer.Option("--stream", help="Only this stream of it.", autocompletion=streams)]
