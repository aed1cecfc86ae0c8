"""What an alert says, in words. Used by the graph, `bihuan status` and the webhook."""

from hub.alerts.rules import Alert

MINUTE, HOUR, DAY = 60, 3600, 86_400


def text_of(alert: Alert, platform: str, number: float) -> str:
    """Return what is wrong, with its number."""
    return alert.summary.format(of=platform, number=shown(number, alert.measure))


def shown(number: float, measure: str) -> str:
    """Return a number as people read it: seconds as minutes, hours or days where there are many, bytes as MB."""
    if measure == "bytes":
        return f"{number / 1_000_000:,.0f} MB"
    if measure != "s":
        return f"{number:g}"
    for length, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if number >= 2 * length:
            return f"{number / length:.0f} {name}"
    return f"{number:.0f} s"
