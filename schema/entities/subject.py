"""A subject under supervision: an enterprise, an individual business or a person (监管对象)."""

from enum import Enum
from typing import Annotated

from schema.declare import Indexed, Says, Shared, to_many, to_one
from schema.entities.identity import FROM_SUBJECT, TO_SUBJECT
from schema.entity import Mirrored, entity


class CodeType(Enum):
    """What a subject's code is: a unified social credit code, or the keyed code of a person, RID- (编码类型)."""

    USCC = "USCC"
    RESIDENT_ID = "RESIDENT_ID"


@entity("A subject under supervision", "监管对象", key="code", found_through=TO_SUBJECT, seen=Shared())
class Subject(Mirrored, frozen=True):
    """Known from any platform that names it, found by any of its identifiers, and listed once, under the code that stands.

    Its version is the time of the newest record that named that code, in microseconds.
    """

    code: Annotated[str, Says("USCC or RID code", "统一社会信用代码或个人编码")]
    code_type: Annotated[CodeType, Says("What the code is", "编码类型")]
    name: Annotated[str, Indexed(), Says("Name as last heard", "名称")]

    profile = to_one("CreditProfile", "Its credit score and grade", "综合信用", ours="code", theirs="code", through=FROM_SUBJECT)
    approvals = to_many("Approval", "Approvals it applied for", "审批办件", ours="code", theirs="identifier", through=FROM_SUBJECT)
    credit_records = to_many(
        "CreditRecord", "Its credit records", "信用记录", ours="code", theirs="subject_code", through=FROM_SUBJECT
    )
    results = to_many("TaskResult", "What checks found at it", "检查结果", ours="code", theirs="subject_code", through=FROM_SUBJECT)
    obligations = to_many(
        "Obligation", "What is owed because of it", "应办事项", ours="code", theirs="subject_code", through=FROM_SUBJECT
    )
    identifiers = to_many("SubjectIdentifier", "All that names it", "识别码", ours="code", theirs="code")
    merges = to_many(
        "SubjectMerge", "What was merged into it by hand", "人工合并", ours="code", theirs="into_code", through=FROM_SUBJECT
    )
