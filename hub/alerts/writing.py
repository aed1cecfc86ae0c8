"""Writes what follows from rules.py: the rules for Prometheus, and the table of docs/alerts.md. Printed by `bihuan alerts`."""

import json

from hub.alerts.rules import ALERTS, KEEP_SECONDS, SILENCED, Alert, Figure
from hub.alerts.words import shown

TEMPLATES = {"s": "{{ $value | humanizeDuration }}", "bytes": "{{ $value | humanize }}B", "": "{{ $value }}"}


def expression(alert: Alert) -> str:
    """Return an alert's condition in PromQL."""
    of, is_limit = ("min" if alert.is_ == "<" else "max"), isinstance(alert.limit, str)
    limit = _grouped("max", Figure(str(alert.limit)), alert.by) if is_limit else f"{alert.limit}"
    condition = f"{_grouped(of, alert.figure, alert.by)} {alert.is_} {limit}"
    if alert.silenced and alert.by == "platform":
        condition += f" unless on (platform) {_grouped('max', Figure(SILENCED), 'platform')} == 1"
    return condition


def _grouped(of: str, figure: Figure, by: str) -> str:
    chosen = f'{{{figure.label}="{figure.value}"}}' if figure.label else ""
    return f"{of} {f'by ({by}) ' if by else ''}({figure.metric}{chosen})"


def prometheus_rules() -> str:
    """Return deploy/alerts/bihuan.rules.yml."""
    lines = [
        "# Alert rules for Prometheus 2.42 or newer. Written by `bihuan alerts rules` from hub/alerts/rules.py; do not edit.",
        "groups:",
        "  - name: bihuan",
        "    rules:",
    ]
    for alert in ALERTS:
        of = f"{{{{ $labels.{alert.by} }}}}" if alert.by else "the hub"
        lines += [
            f"      - alert: {alert.name}",
            f"        expr: {json.dumps(expression(alert))}",
            f"        for: {alert.for_seconds}s",
            f"        keep_firing_for: {KEEP_SECONDS}s",
            "        labels:",
            f"          severity: {alert.severity.value}",
            "        annotations:",
            f"          summary: {json.dumps(alert.summary.format(of=of, number=TEMPLATES[alert.measure]))}",
            f"          runbook_url: {alert.runbook}",
        ]
    return "\n".join(lines) + "\n"


def table() -> str:
    """Return the table of all alerts, as Markdown."""
    lines = ["| alert | severity | when | for | about |", "| --- | --- | --- | --- | --- |"]
    for alert in ALERTS:
        chosen = f"{{{alert.figure.label}={alert.figure.value}}}" if alert.figure.label else ""
        limit = f"`{alert.limit}`" if isinstance(alert.limit, str) else _limit(alert)
        of = {"platform": "each platform", "instance": "each process", "": "the hub"}[alert.by]
        of += "" if alert.silenced or alert.by != "platform" else ", in maintenance too"
        held = f"{alert.for_seconds} s" if alert.for_seconds else "at once"
        lines.append(
            f"| [{alert.name}](runbooks/{alert.name}.md) | {alert.severity.value} "
            f"| `{alert.figure.metric}{chosen}` {alert.is_} {limit} | {held} | {of} |"
        )
    return "\n".join(lines) + "\n"


def _limit(alert: Alert) -> str:
    return shown(float(alert.limit), alert.measure)
