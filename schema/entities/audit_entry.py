"""What people did through the hub: who, when, what, on what, why, and what came of it (审计记录)."""

from typing import Annotated

from schema.declare import Indexed, Instant, Personal, Says, to_one
from schema.entity import Entity, entity


@entity("Something that a person did through the hub", "审计记录", key="entry_id", scope="ops:read")
class AuditEntry(Entity, frozen=True):
    """Written with what was done, in one transaction, and never changed; sealed in the chain of blocks (hub/mirror/audit.py)."""

    entry_id: Annotated[str, Says("Identity", "编号")]
    at: Annotated[Instant, Indexed(), Says("When", "时间")]
    actor: Annotated[str, Indexed(), Says("Who: the name of the application key, or the command line", "操作人")]
    action: Annotated[str, Indexed(), Says("What was done: the name of the mutation or command", "操作")]
    target_kind: Annotated[str, Says("What kind of thing it was done to", "对象类别")]
    target: Annotated[str, Indexed(), Says("What it was done to", "对象")]
    reason: Annotated[str | None, Personal("text"), Says("Why", "原因")]
    outcome: Annotated[str | None, Personal("text"), Says("What came of it", "结果")]
    correlation_id: Annotated[str | None, Indexed(), Says("Stands in the log and in the answer's header", "关联编号")]

    obligation = to_one("Obligation", "Obligation that it was done to", "应办事项", ours="target", theirs="key")
    ops_item = to_one("OpsItem", "Item of the ops list that it was done to", "人工处理事项", ours="target", theirs="item_id")
    delivery = to_one("Delivery", "Delivery that it was done to", "平台推送", ours="target", theirs="delivery_id")
