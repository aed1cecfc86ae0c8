"""The commands that only look: `bihuan status`, `settings`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import typer

from hub.app import Hub
from hub.commands.base import AsJson, app, message, show, with_hub
from hub.platform_health import PlatformStatus
from hub.settings_page import reference
from schema.alerts import ActiveAlert
from schema.conditions import SecretInUse


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show each platform: whether it is in sync, what is owed to it, whether it is paused, its clock, its old secrets."""

    async def showing(hub: Hub) -> int | None:
        alerts = await hub.operator.alerts()
        lines = [_line(status, alerts) for status in await hub.operator.status()]
        show(lines if as_json else _without_empty(lines), as_json)
        for health in await hub.operator.platforms():
            if health.clock is not None and health.clock.warning is not None:
                message(health.clock.warning)
        for alert in alerts:
            message(f"{alert.name} since {_local(alert.since)}: {alert.text}; {alert.runbook}")
        return None

    with_hub(showing)


def _line(status: PlatformStatus, alerts: Sequence[ActiveAlert]) -> dict[str, Any]:
    """Return a platform as one row."""
    health = status.health
    return {
        "platform": health.name,
        "last success": _local(health.last_success),
        "lag (s)": None if health.lag_seconds is None else round(health.lag_seconds, 1),
        "backlog": health.backlog,
        "stuck": health.stuck,
        "drift": status.drift_open,
        "gone?": status.drift_waiting,
        "differences": status.differences,
        "failure": status.failure,
        "paused": health.paused and f"since {_local(health.paused.since)} by {health.paused.by}: {health.paused.reason}",
        "maintenance": health.maintenance and f"until {_local(health.maintenance.until)}: {health.maintenance.reason}",
        "clock (s)": health.clock and f"{health.clock.ahead_seconds:+.1f}{'' if health.clock.warning is None else ' !'}",
        "old secret last used": _old_secrets(health.secrets),
        "alerts": ", ".join(one.name for one in alerts if one.platform == health.name) or None,
    }


def _without_empty(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the columns of what is seldom so, where it is so nowhere."""
    seldom = ("paused", "maintenance", "clock (s)", "old secret last used", "alerts")
    empty = {name for name in seldom if all(line[name] is None for line in lines)}
    return [{name: value for name, value in line.items() if name not in empty} for line in lines]


def _old_secrets(secrets: Sequence[SecretInUse]) -> str | None:
    """Return when each secret that is not the newest was last used; None where none is configured."""
    old = [f"{one.purpose.value.lower()}: {_local(one.last_used_at) or 'never'}" for one in secrets if one.position]
    return "; ".join(old) or None


def _local(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone().isoformat(timespec="seconds")


@app.command(name="settings")
def print_settings() -> None:
    """Print the reference of all settings, as Markdown."""
    typer.echo(reference().rstrip())
