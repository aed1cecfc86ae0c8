"""What platforms posted to us, kept raw, and what of it could not be used (投递与隔离)."""

from enum import Enum
from typing import Annotated

from schema.declare import BelongsTo, Indexed, Instant, Internal, Personal, Says, Sealed, to_many, to_one
from schema.entity import Entity, entity


class DeliveryState(Enum):
    """What became of a delivery (处理状态). EMPTIED: applied, and its content was removed since; it still refuses a repetition."""

    STORED = "STORED"
    APPLIED = "APPLIED"
    PARTLY = "PARTLY"
    FAILED = "FAILED"
    EMPTIED = "EMPTIED"


@entity(
    "A webhook that a platform posted",
    "平台推送",
    key="delivery_id",
    indexes=(("platform", "received_at"), ("state", "platform", "sequence")),
    scope="ops:read",
    seen=BelongsTo(platform="platform"),
)
class Delivery(Entity, frozen=True):
    """Raw bytes and headers are kept sealed; the graph shows what became of them."""

    delivery_id: Annotated[str, Says("Identity: platform and SM3 of signature and body", "投递编号")]
    platform: Annotated[str, Says("Who posted it", "平台")]
    message_id: Annotated[str | None, Indexed(), Says("The platform's own id of it, where it has one", "消息编号")]
    received_at: Annotated[Instant, Indexed(), Says("When it came", "接收时间")]
    state: Annotated[DeliveryState, Says("What became of it", "处理状态")]
    applied_at: Annotated[Instant | None, Says("When it was applied", "处理时间")]
    detail: Annotated[str | None, Personal("text"), Says("What went wrong", "说明")]
    repeats: Annotated[
        int | None, Says("How often it came again, and was acknowledged without being kept; null: never", "重复次数")
    ]
    repeated_at: Annotated[Instant | None, Says("When it last came again", "最近重复")]
    sequence: Annotated[int, Internal(), Says("Order of arrival", "顺序号")]
    repeat_key: Annotated[str | None, Indexed(), Internal(), Says("Equal for repetitions of one message", "去重键")]
    headers: Annotated[bytes, Sealed(), Says("Headers as JSON", "请求头")]
    body: Annotated[bytes, Sealed(), Says("Body as it came", "请求体")]
    trace: Annotated[str | None, Internal(), Says("Trace in which it came, as a traceparent", "链路")] = None

    quarantined = to_many(
        "QuarantinedRecord", "Records of it that could not be used", "隔离记录", ours="delivery_id", theirs="delivery_id"
    )


@entity(
    "A record that could not be used",
    "隔离记录",
    key="quarantine_id",
    indexes=(("platform", "quarantined_at"),),
    scope="ops:read",
    seen=BelongsTo(platform="platform"),
)
class QuarantinedRecord(Entity, frozen=True):
    """Named, kept and shown; its neighbours went on."""

    quarantine_id: Annotated[str, Says("Identity: SM3 of platform, reason and content", "隔离编号")]
    platform: Annotated[str, Says("Who said it", "平台")]
    stream: Annotated[str, Indexed(), Says("Where it came from", "来源")]
    record_key: Annotated[str | None, Indexed(), Says("Key of the record, where it could be read", "记录编号")]
    reason: Annotated[str, Indexed(), Says("Reason code", "原因代码")]
    detail: Annotated[str, Personal("text"), Says("What is wrong with it", "说明")]
    delivery_id: Annotated[str | None, Indexed(), Says("Delivery that held it", "投递编号")]
    quarantined_at: Annotated[Instant, Indexed(), Says("When", "隔离时间")]
    released_at: Annotated[Instant | None, Says("When a good version came", "解除时间")]
    content: Annotated[bytes, Sealed(), Says("The record as it came", "原文")]
    entity: Annotated[str | None, Says("Kind of record, where it is known", "实体")] = None

    delivery = to_one("Delivery", "Delivery that held it", "平台推送", ours="delivery_id", theirs="delivery_id")
