"""`bihuan alerts`: what stands now, and what is written from the conditions; `bihuan metrics`."""

import typer

from hub.alerts.writing import prometheus_rules, table
from hub.app import Hub
from hub.commands.base import AsJson, app, show, with_hub
from hub.metrics import reference

alert_commands = typer.Typer(help="Alerts; alone, those that stand now.", invoke_without_command=True)
app.add_typer(alert_commands, name="alerts")


@alert_commands.callback()
def alerts(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the alerts that stand now, as the running hub last judged them; ends with 1 where there are any."""

    async def showing(hub: Hub) -> int | None:
        standing = await hub.operator.alerts()
        lines = [
            {
                "alert": one.name,
                "severity": one.severity,
                "platform": one.platform,
                "since": one.since.astimezone().isoformat(timespec="seconds"),
                "what": one.text,
                "runbook": one.runbook,
            }
            for one in standing
        ]
        show(lines, as_json)
        return 1 if standing else None

    if context.invoked_subcommand is None:
        with_hub(showing)


@alert_commands.command()
def rules() -> None:
    """Print the alert rules for Prometheus: deploy/alerts/bihuan.rules.yml."""
    typer.echo(prometheus_rules().rstrip())


@alert_commands.command(name="table")
def print_table() -> None:
    """Print the table of all alerts, as Markdown: docs/alerts.md."""
    typer.echo(table().rstrip())


@app.command()
def metrics() -> None:
    """Print the reference of all metrics, as Markdown."""
    typer.echo(reference().rstrip())
