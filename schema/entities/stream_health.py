"""How far each platform's streams have been read, and whether they can be trusted (同步状况)."""

from typing import Annotated

from schema.declare import BelongsTo, Indexed, Instant, Internal, Personal, Says
from schema.entity import Entity, entity


@entity(
    "How far one stream of a platform has been read",
    "数据流同步状况",
    key="stream_id",
    scope="ops:read",
    seen=BelongsTo(platform="platform"),
)
class StreamHealth(Entity, frozen=True):
    """The cursor stands in the same row and is committed with its page."""

    stream_id: Annotated[str, Says("Platform and stream", "数据流编号")]
    platform: Annotated[str, Indexed(), Says("Platform", "平台")]
    stream: Annotated[str, Says("Stream", "数据流")]
    last_success_at: Annotated[Instant | None, Says("When it was last read to its end", "最近成功")]
    last_record_at: Annotated[Instant | None, Says("When a record last came by it", "最近数据")]
    last_failure_at: Annotated[Instant | None, Says("When reading last failed", "最近失败")]
    failure: Annotated[str | None, Personal("text"), Says("Why it last failed; null when it reads again", "失败原因")]
    records_seen: Annotated[int, Says("Records read so far", "累计记录")]
    cursor: Annotated[str | None, Internal(), Says("Where to go on", "游标")]
    lease_until: Annotated[Instant | None, Internal(), Says("Some process reads it until", "租约")]
    fence: Annotated[int, Internal(), Says("Grows with each lease", "栅栏")]
    full_since: Annotated[
        Instant | None,
        Says("Since when it is read from its beginning, to find what is gone; null while it is read on", "全量读取开始"),
    ]
