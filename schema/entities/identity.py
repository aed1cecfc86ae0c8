"""Which identifiers name one subject, who said so, and what was merged by hand (主体识别码与合并).

`SubjectIdentifier` is an index that the engine makes from words of platforms (`SubjectAlias`) and from decisions of people
(`SubjectMerge`): see hub/mirror/identities.py. Mirrored records keep the identifier that their platform gave.
"""

from enum import Enum
from typing import Annotated

from schema.declare import Indexed, Instant, Personal, Says, Shared, Through, to_many, to_one
from schema.entity import Entity, entity

TO_SUBJECT = Through("SubjectIdentifier", ours="identifier", theirs="code")
"""From any identifier to the subject that it belongs to now."""
FROM_SUBJECT = Through("SubjectIdentifier", ours="code", theirs="identifier")
"""From a subject to what stands under any of its identifiers."""


class IdentifierKind(Enum):
    """What an identifier is; OTHER is an earlier number of no known shape (识别码类型)."""

    USCC = "USCC"
    RESIDENT_ID = "RESIDENT_ID"
    REGISTRATION_NUMBER = "REGISTRATION_NUMBER"
    OTHER = "OTHER"


@entity("An identifier of a subject", "主体识别码", key="identifier", seen=Shared())
class SubjectIdentifier(Entity, frozen=True):
    """Any that a record or a platform names. A merge by hand outranks the credit platform's word, that one the identifier itself."""

    identifier: Annotated[str, Says("USCC, RID code or old number", "识别码")]
    kind: Annotated[IdentifierKind, Indexed(), Says("What it is", "识别码类型")]
    code: Annotated[str, Indexed(), Says("Code of the subject that it belongs to now", "所属监管对象编码")]
    credit_code: Annotated[
        str | None,
        Indexed(),
        Says("Code that the credit platform has for it; null for an old number nobody resolves", "信用平台现用编码"),
    ]
    told_by: Annotated[str | None, Says("Platform whose word on it is the newest", "来源平台")]
    told_code: Annotated[str | None, Indexed(), Says("Code that it belongs to by that word", "平台所述编码")]
    told_at: Annotated[Instant | None, Says("When that was said", "告知时间")]
    merge_id: Annotated[str | None, Indexed(), Says("Merge by hand that outranks the word, where one stands", "人工合并编号")]

    subject = to_one("Subject", "Whose it is now", "监管对象", ours="code", theirs="code")
    profile = to_one("CreditProfile", "Score and grade under this very identifier", "综合信用", ours="identifier", theirs="code")
    aliases = to_many("SubjectAlias", "All that platforms said of it", "平台告知", ours="identifier", theirs="identifier")
    merges = to_many("SubjectMerge", "Merges of it, also undone ones", "人工合并", ours="identifier", theirs="from_identifier")


@entity("A platform's word that an identifier is an earlier one of a code", "原识别码告知", key="alias_id", seen=Shared())
class SubjectAlias(Entity, frozen=True):
    """Credit platform, oldCodes. Of several words on one identifier the newest is in force; the others stay on record."""

    alias_id: Annotated[str, Says("Identifier and code", "编号")]
    identifier: Annotated[str, Indexed(), Says("Earlier identifier", "原识别码")]
    code: Annotated[str, Indexed(), Says("Code that it belongs to by this word", "所属编码")]
    told_by: Annotated[str, Says("Platform that said so", "来源平台")]
    told_at: Annotated[Instant, Says("When it last said so", "告知时间")]

    subject = to_one("Subject", "Whom it leads to", "监管对象", ours="code", theirs="code", through=TO_SUBJECT)


@entity("An identifier that was merged into a subject by hand", "人工合并", key="merge_id", scope="ops:read")
class SubjectMerge(Entity, frozen=True):
    """Stands until it is undone; the identifier takes along whatever belongs to it. Nothing of it reaches the platforms."""

    merge_id: Annotated[str, Says("Identifier and number of its merge, from 1", "合并编号")]
    from_identifier: Annotated[str, Indexed(), Says("What was merged", "被合并识别码")]
    into_code: Annotated[str, Indexed(), Says("Code that it was merged into", "并入编码")]
    merged_at: Annotated[Instant, Indexed(), Says("When", "合并时间")]
    merged_by: Annotated[str, Says("By whom", "合并人")]
    reason: Annotated[str, Personal("text"), Says("Why", "合并原因")]
    undone_at: Annotated[Instant | None, Indexed(), Says("When it was undone; null while it stands", "撤销时间")]
    undone_by: Annotated[str | None, Says("By whom it was undone", "撤销人")]
    undone_reason: Annotated[str | None, Personal("text"), Says("Why it was undone", "撤销原因")]

    merged = to_one("SubjectIdentifier", "What was merged", "被合并识别码", ours="from_identifier", theirs="identifier")
    subject = to_one("Subject", "What it was merged into", "并入对象", ours="into_code", theirs="code", through=TO_SUBJECT)
