"""What became of a delivery, for the vendor's engineer who asks (投递追踪): `deliveryTraces(id:)`, scope ops:read."""

from collections.abc import Container
from datetime import datetime
from enum import Enum
from typing import Annotated, Protocol

import strawberry
from strawberry import Info

from schema.context import Context
from schema.entities import Delivery, RefusedDelivery
from schema.enums import graph_enum
from schema.quarantine import QuarantineViewer
from schema.resolver import resolver


class RecordFate(Enum):
    """What became of one record of a delivery (记录处理结果).

    APPLIED: it was new, and this delivery brought it. UNCHANGED: the same version had come before, by another way.
    OUTDATED: a newer version was there. CONFLICT: the same version had come with other content; that stays.
    QUARANTINED: it could not be used. PENDING: it waits to be applied. FAILED: applying the delivery failed.
    FORGOTTEN: the history does not reach back so far.
    """

    APPLIED = "APPLIED"
    UNCHANGED = "UNCHANGED"
    OUTDATED = "OUTDATED"
    CONFLICT = "CONFLICT"
    QUARANTINED = "QUARANTINED"
    PENDING = "PENDING"
    FAILED = "FAILED"
    FORGOTTEN = "FORGOTTEN"


graph_enum(RecordFate)


@strawberry.type(description="A record that a delivery held, and what became of it (投递中的记录)")
class TracedRecord:
    """Told by the change history."""

    entity: str | None = strawberry.field(description="Kind of record; null where it could not be read (实体)")
    key: str | None = strawberry.field(description="Its key; null where it could not be read (编号)")
    version: int | None = strawberry.field(description="Its version in the delivery (版本)")
    fate: RecordFate = strawberry.field(description="What became of it (结果)")
    detail: str | None = strawberry.field(description="More of it, in words (说明)")
    content: str | None = strawberry.field(
        default=None,
        description="The record as it was understood, JSON, personal data masked; null where it could not be read (解析内容)",
    )


@strawberry.type(description="What became of a delivery (投递追踪)")
class DeliveryTrace:
    """Made from what is kept of it: nothing beside the delivery itself is stored for this."""

    delivery: Delivery = strawberry.field(description="The delivery (平台推送)")
    remote: str | None = strawberry.field(description="Address that it came from (来源地址)")
    secret_position: int | None = strawberry.field(
        description="Which of the configured secrets verifies it, 0 is the newest; null where it is no longer configured (密钥次序)"
    )
    records: list[TracedRecord] = strawberry.field(description="What it held (记录)")
    body: str | None = strawberry.field(
        default=None,
        description="Its body as it came, identity and telephone numbers masked; null once it was removed (原文)",
    )


@strawberry.type(description="All that is known of deliveries with an id (投递追踪结果)")
class DeliveryTraces:
    """Kept deliveries and refused ones."""

    traces: list[DeliveryTrace] = strawberry.field(description="Deliveries that were kept, the newest first (已接收)")
    refusals: list[RefusedDelivery] = strawberry.field(
        description="Refusals of deliveries that claimed this id, unproven, the newest first (已拒收)"
    )
    refusals_since: datetime = strawberry.field(description="Refusals from before this are forgotten (拒收记录起始)")

    def of(self, platforms: Container[str]) -> "DeliveryTraces":
        """Return what of it belongs to these platforms."""
        traces = [each for each in self.traces if each.delivery.platform in platforms]
        refusals = [each for each in self.refusals if each.platform in platforms]
        return DeliveryTraces(traces=traces, refusals=refusals, refusals_since=self.refusals_since)


class Tracer(QuarantineViewer, Protocol):
    """Implemented by hub/delivery_traces.py."""

    async def trace(self, named: str) -> DeliveryTraces:
        """Return what is known of deliveries with this delivery id or message id."""
        ...


@strawberry.type
class DeliveryTraceQuery:
    """The entry point."""

    @resolver("What became of a delivery, by its id or by the platform's own id of the message", "按消息编号追踪投递")
    async def delivery_traces(
        self,
        info: Info[Context, None],
        id_: Annotated[str, strawberry.argument(name="id", description="Delivery id, or the platform's message id (编号)")],
    ) -> DeliveryTraces | None:
        """Ask the engine."""
        seen = info.context.caller.platforms_seen()
        found = await info.context.hub.tracer.trace(id_)
        return found if seen is None else found.of(seen)
