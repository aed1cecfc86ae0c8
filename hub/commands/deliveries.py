"""`bihuan deliveries ID`: what became of a delivery, for the vendor's engineer who asks."""

from datetime import datetime
from typing import Annotated, Any

import typer

from hub.app import Hub
from hub.commands.base import AsJson, app, message, show, with_hub
from schema.delivery_trace import DeliveryTrace, DeliveryTraces


@app.command()
def deliveries(
    named: Annotated[str, typer.Argument(help="The platform's message id, or our delivery id.")],
    look_through: Annotated[
        int, typer.Option(min=0, help="Where no id fits: search so many of the newest kept bodies for it (an eventId, a number).")
    ] = 2000,
    as_json: AsJson = False,
) -> None:
    """Tell what became of a delivery: received, refused and why, applied. Exit code 1 when nothing is known of it."""

    async def telling(hub: Hub) -> int | None:
        known = await hub.tracer.trace(named, look_through)
        lines = [*_kept(known), *_refused(known)]
        if lines or as_json:
            show(lines, as_json)
        if not lines:
            since = known.refusals_since.astimezone().isoformat(timespec="seconds")
            way = "did it go to another address, and what was it answered?"
            message(f"nothing came with '{named}': neither kept, nor refused since {since}; {way}")
        return int(not lines)

    with_hub(telling)


def _kept(known: DeliveryTraces) -> list[dict[str, Any]]:
    """Return a line for each record of each delivery; one for a delivery without any."""
    return [line for trace in known.traces for line in _lines(trace)]


def _lines(trace: DeliveryTrace) -> list[dict[str, Any]]:
    one = trace.delivery
    head: dict[str, Any] = {
        "delivery": one.delivery_id,
        "message": one.message_id,
        "times": 1 + (one.repeats or 0),
        "first": _local(one.received_at),
        "last": _local(one.repeated_at or one.received_at),
        "from": trace.remote,
        "secret": "no longer configured" if trace.secret_position is None else f"number {trace.secret_position + 1}",
        "state": one.state.value,
    }
    records: list[dict[str, Any]] = [
        {"record": f"{each.entity} {each.key}", "version": each.version, "outcome": each.fate.value, "detail": each.detail}
        for each in trace.records
    ]
    nothing = {"record": None, "version": None, "outcome": None, "detail": one.detail}
    return [head | record for record in records or [nothing]]


def _refused(known: DeliveryTraces) -> list[dict[str, Any]]:
    return [
        {
            "delivery": None,
            "message": one.message_id,
            "times": one.times,
            "first": _local(one.first_at),
            "last": _local(one.last_at),
            "from": one.remote,
            "secret": None,
            "state": "REFUSED",
            "record": None,
            "version": None,
            "outcome": one.code,
            "detail": one.detail,
        }
        for one in known.refusals
    ]


def _local(moment: datetime) -> str:
    return moment.astimezone().isoformat(timespec="seconds")
