"""A quarantined record as it came, however it came, beside what the hub holds of it: `quarantineView(id:)`, scope ops:read."""

from typing import Annotated, Protocol

import strawberry
from strawberry import Info

from schema.context import Context
from schema.entities import QuarantinedRecord
from schema.resolver import resolver


@strawberry.type(description="A quarantined record as it came, beside what the hub holds of it (隔离记录对照)")
class QuarantineView:
    """Of one that a poll brought no delivery is kept: this is all there is of it."""

    record: QuarantinedRecord = strawberry.field(description="What is wrong with it (隔离记录)")
    raw: str | None = strawberry.field(
        description="The record as it came, identity and telephone numbers masked; of one that was understood and could not be "
        "applied its fields as JSON; null once it was removed (原文)"
    )
    held: str | None = strawberry.field(
        description="The good version that the hub holds, JSON, personal data masked; null where there is none (当前有效内容)"
    )
    held_version: int | None = strawberry.field(description="Its version (当前版本)")


class QuarantineViewer(Protocol):
    """Implemented by hub/delivery_traces.py."""

    async def quarantined(self, quarantine_id: str) -> QuarantineView | None:
        """Return a quarantined record beside what is held of it; None where none has this id."""
        ...


@strawberry.type
class QuarantineQuery:
    """The entry point."""

    @resolver("A quarantined record as it came, beside what the hub holds of it", "隔离记录对照")
    async def quarantine_view(
        self, info: Info[Context, None], id_: Annotated[str, strawberry.argument(name="id", description="quarantineId (隔离编号)")]
    ) -> QuarantineView | None:
        """Ask the engine."""
        seen = info.context.caller.platforms_seen()
        found = await info.context.hub.tracer.quarantined(id_)
        return None if found is None or (seen is not None and found.record.platform not in seen) else found
