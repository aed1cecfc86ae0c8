"""How commands tell what an operator's act did, and what of it was refused."""

from typing import Any

import typer

from hub.commands.base import message, show_json
from schema.operations import Outcome


def tell_refused(outcome: Outcome) -> None:
    """Tell each refusal with its way out, on standard error."""
    for refused in outcome.refused:
        message(f"refused: {refused.message}")


def as_outcome(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON has it."""
    return {"done": list(outcome.done), "refused": [refused.message for refused in outcome.refused]}


def told(outcome: Outcome, done: str, as_json: bool) -> int:
    """Print what was done, and what was refused and why; return the exit code."""
    tell_refused(outcome)
    if as_json:
        show_json(as_outcome(outcome))
    elif not outcome.refused:
        typer.echo(done)
    return int(bool(outcome.refused))
