"""What only a person can settle (人工处理清单). It never replaces an obligation."""

from typing import Annotated

from schema.declare import Indexed, Instant, Personal, Says, to_many, to_one
from schema.entities.identity import TO_SUBJECT
from schema.entity import Entity, entity


@entity(
    "Something that a person must settle", "人工处理事项", key="item_id", indexes=(("resolved_at", "opened_at"),), scope="ops:read"
)
class OpsItem(Entity, frozen=True):
    """`item_id` is a pure function of kind, cause and what is wrong, so that it is opened once."""

    item_id: Annotated[str, Says("Identity", "编号")]
    kind: Annotated[str, Indexed(), Says("What kind of trouble", "类别")]
    subject_code: Annotated[str | None, Indexed(), Says("Subject", "监管对象编码")]
    cause: Annotated[str, Indexed(), Says("Record or obligation it is about", "起因")]
    message: Annotated[str, Personal("text"), Says("What is wrong, and the way out", "说明")]
    before: Annotated[str | None, Personal("text"), Says("What was sent or said before, as JSON", "变更前")]
    after: Annotated[str | None, Personal("text"), Says("What is said now, as JSON", "变更后")]
    opened_at: Annotated[Instant, Indexed(), Says("When it was noticed", "发现时间")]
    resolved_at: Annotated[Instant | None, Says("When it was settled", "处理时间")]
    resolved_by: Annotated[str | None, Says("Who settled it", "处理人")]
    resolution: Annotated[str | None, Personal("text"), Says("How and why", "处理说明")]

    subject = to_one("Subject", "Subject", "监管对象", ours="subject_code", theirs="code", through=TO_SUBJECT)
    audit = to_many("AuditEntry", "What people did to it", "审计记录", ours="item_id", theirs="target")
    obligation = to_one("Obligation", "Obligation it is about", "应办事项", ours="cause", theirs="key")
