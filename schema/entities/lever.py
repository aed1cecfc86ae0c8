"""What operators decide about a platform as a whole, and what was refused of its deliveries (平台操作与拒收)."""

from typing import Annotated

from schema.declare import BelongsTo, Indexed, Instant, Personal, Says
from schema.entity import Entity, entity


@entity(
    "A platform that an operator paused",
    "平台暂停",
    key="pause_id",
    indexes=(("platform", "ended_at"),),
    scope="ops:read",
    seen=BelongsTo(platform="platform"),
)
class PlatformPause(Entity, frozen=True):
    """While it stands the hub neither reads the platform nor sends anything there; what the platform posts is kept and applied."""

    pause_id: Annotated[str, Says("Platform and number of its pause, from 1", "暂停编号")]
    platform: Annotated[str, Says("Platform", "平台")]
    since: Annotated[Instant, Indexed(), Says("Since when", "暂停时间")]
    paused_by: Annotated[str, Says("By whom", "暂停人")]
    reason: Annotated[str, Personal("text"), Says("Why", "暂停原因")]
    ended_at: Annotated[Instant | None, Says("When it was resumed; null while it stands", "恢复时间")]
    ended_by: Annotated[str | None, Says("By whom it was resumed", "恢复人")]
    end_reason: Annotated[str | None, Personal("text"), Says("Why it was resumed", "恢复原因")]


@entity(
    "A maintenance window of a platform",
    "平台维护窗口",
    key="window_id",
    indexes=(("platform", "ends_at"),),
    scope="ops:read",
    seen=BelongsTo(platform="platform"),
)
class MaintenanceWindow(Entity, frozen=True):
    """Within it the platform's alerts are silent; work goes on as it is. One that has ended is history."""

    window_id: Annotated[str, Says("Platform and number of its window, from 1", "窗口编号")]
    platform: Annotated[str, Says("Platform", "平台")]
    begins_at: Annotated[Instant, Indexed(), Says("From", "开始时间")]
    ends_at: Annotated[Instant, Says("Until", "结束时间")]
    reason: Annotated[str, Personal("text"), Says("Why", "维护原因")]
    planned_at: Annotated[Instant, Says("When it was entered", "登记时间")]
    planned_by: Annotated[str, Says("By whom it was entered", "登记人")]
    cancelled_at: Annotated[Instant | None, Says("When it was called off; null if it was not", "取消时间")]
    cancelled_by: Annotated[str | None, Says("By whom it was called off", "取消人")]
    cancel_reason: Annotated[str | None, Personal("text"), Says("Why it was called off", "取消原因")]


@entity(
    "Deliveries that were refused, alike ones together",
    "拒收推送",
    key="refusal_id",
    indexes=(("platform", "last_at"),),
    scope="ops:read",
    seen=BelongsTo(platform="platform"),
)
class RefusedDelivery(Entity, frozen=True):
    """Nothing of their content is kept. Past a bound for each platform and address they are only counted, without their ids."""

    refusal_id: Annotated[str, Says("Identity: platform, reason code, address, message and day", "拒收编号")]
    platform: Annotated[str, Says("Platform that the address names", "平台")]
    code: Annotated[str, Indexed(), Says("Reason code", "原因代码")]
    remote: Annotated[str | None, Says("Address that it came from; null where many are counted together", "来源地址")]
    message_id: Annotated[str | None, Indexed(), Says("The id that it claimed, unproven, personal numbers masked", "消息编号")]
    detail: Annotated[str, Personal("text"), Says("What was wrong with the last of them", "说明")]
    first_at: Annotated[Instant, Says("When the first came", "首次时间")]
    last_at: Annotated[Instant, Indexed(), Says("When the last came", "最近时间")]
    times: Annotated[int, Says("How many came", "次数")]
