"""An application with its decision, as the approval system keeps it (审批办件)."""

from enum import Enum
from typing import Annotated

import msgspec

from schema.declare import BelongsTo, FirstOf, Indexed, Instant, Personal, Says, Shared, to_many, to_one
from schema.entities.identity import TO_SUBJECT
from schema.entity import Mirrored, entity
from schema.identifiers import is_record_number


class Procedure(Enum):
    """How an approval is decided (审批方式, SPFS)."""

    COMMITMENT = "COMMITMENT"
    STANDARD = "STANDARD"


class ApprovalState(Enum):
    """Where an approval stands (状态, ZT and SPJG together)."""

    ACCEPTED = "ACCEPTED"
    GRANTED = "GRANTED"
    REFUSED = "REFUSED"
    REVOKED = "REVOKED"


class ApplicantKind(Enum):
    """Who applies (申请人类型, SQRLX)."""

    LEGAL_PERSON = "LEGAL_PERSON"
    NATURAL_PERSON = "NATURAL_PERSON"
    INDIVIDUAL_BUSINESS = "INDIVIDUAL_BUSINESS"


@entity(
    "An application for a permit, with its decision",
    "审批办件",
    key="approval_no",
    indexes=(("subject_code", "decided_at"), ("state", "decided_at"), ("state", "approval_no", "version")),
    live=is_record_number,
    seen=BelongsTo(department="department_code", region="region"),
)
class Approval(Mirrored, frozen=True):
    """Approval system, 办件. `subject_code` is the USCC, for a natural person the RID code, null while only an old number is known."""

    approval_no: Annotated[str, Says("Business serial number", "业务流水号 YWLSH")]
    matter_code: Annotated[str, Indexed(), Says("Code of the matter", "事项编码 SXBM")]
    matter_name: Annotated[str, Says("Name of the matter", "事项名称 SXMC")]
    procedure: Annotated[Procedure, Indexed(), Says("By commitment or by the standard procedure", "审批方式 SPFS")]
    applicant_name: Annotated[str, Says("Applicant's name", "申请人名称 SQRMC")]
    applicant_kind: Annotated[ApplicantKind, Says("What the applicant is", "申请人类型 SQRLX")]
    subject_code: Annotated[str | None, Says("Code that joins the subject: USCC or RID code", "监管对象编码")]
    old_number: Annotated[str | None, Indexed(), Says("Old 15-digit registration number", "注册号 ZCH")]
    identity_no: Annotated[
        str | None, Personal("identity", joined=True), Says("Applicant's identity number, masked", "身份证号 SFZHM")
    ]
    representative_name: Annotated[str | None, Personal("text"), Says("Legal representative", "法定代表人姓名 FRXM")]
    representative_identity_no: Annotated[
        str | None,
        Personal("identity", joined=True),
        Says("Legal representative's identity number, masked", "法定代表人证件号 FRZJHM"),
    ]
    representative_code: Annotated[str | None, Indexed(), Says("Legal representative's RID code", "法定代表人个人编码")]
    phone: Annotated[str | None, Personal("phone", joined=True), Says("Telephone, masked", "联系电话 LXDH")]
    address: Annotated[str | None, Personal("text"), Says("Business address", "经营地址 JYDZ")]
    commitment: Annotated[str | None, Personal("text"), Says("Text of the commitment", "承诺内容 CNNR")]
    accepted_at: Annotated[Instant, Indexed(), Says("When it was accepted", "受理时间 SLSJ")]
    decided_at: Annotated[Instant | None, Indexed(), Says("When it was decided; null while pending", "办结时间 BJSJ")]
    state: Annotated[ApprovalState, Says("Where it stands", "状态 ZT/SPJG")]
    department_code: Annotated[str, Indexed(), Says("Department that decides", "部门编码 BMBM")]
    department_name: Annotated[str, Says("Name of that department", "部门名称 BMMC")]
    region: Annotated[str, Indexed(), Says("Region code, six digits", "行政区划 XZQH")]
    updated_at: Annotated[Instant, Indexed(), Says("When the platform last changed it", "更新时间 GXSJ")]
    identifier: Annotated[
        str | None, FirstOf(("subject_code", "old_number")), Indexed(), Says("Identifier of the applicant", "申请人识别码")
    ] = None

    subject = to_one("Subject", "Who applied", "监管对象", ours="identifier", theirs="code", through=TO_SUBJECT)
    matter = to_one("Matter", "What was applied for", "审批事项", ours="matter_code", theirs="code")
    department = to_one("Department", "Department that decides", "部门", ours="department_code", theirs="code")
    tasks = to_many("VerificationTask", "Checks that it caused", "核查任务", ours="approval_no", theirs="origin_ref")
    obligations = to_many("Obligation", "What follows from it", "应办事项", ours="approval_no", theirs="cause")

    def __post_init__(self) -> None:
        """Name the applicant by the best identifier that was given."""
        msgspec.structs.force_setattr(self, "identifier", self.subject_code or self.old_number or None)


@entity(
    "A subject that may no longer use commitment for a matter",
    "告知承诺黑名单",
    key="entry_no",
    indexes=(("subject_code", "matter_code"),),
    seen=Shared(),
)
class BlacklistEntry(Mirrored, frozen=True):
    """Approval system, 告知承诺黑名单; open while `removed_on` is null. Dates are `yyyy-MM-dd`. Its version is 2 once removed."""

    entry_no: Annotated[str, Says("Number of the one who put it there", "唯一编号 wybh")]
    subject_code: Annotated[str, Says("USCC or RID code", "监管对象编码")]
    matter_code: Annotated[str, Indexed(), Says("Matter", "事项编码 sxbm")]
    since: Annotated[str, Says("Date since when, yyyy-MM-dd", "认定日期 rdrq")]
    removed_on: Annotated[str | None, Indexed(), Says("Date of removal, yyyy-MM-dd; null while open", "移除日期 ycrq")]

    subject = to_one("Subject", "Who is on it", "监管对象", ours="subject_code", theirs="code", through=TO_SUBJECT)
    matter = to_one("Matter", "For what", "审批事项", ours="matter_code", theirs="code")
