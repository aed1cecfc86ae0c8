"""initial."""
# ruff: noqa: PLR0915  (written by regenerate.py)

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "approval",
        sa.Column("approval_no", sa.Text(), nullable=False, comment="Business serial number (业务流水号 YWLSH)"),
        sa.Column("matter_code", sa.Text(), nullable=False, comment="Code of the matter (事项编码 SXBM)"),
        sa.Column("matter_name", sa.Text(), nullable=False, comment="Name of the matter (事项名称 SXMC)"),
        sa.Column(
            "procedure", sa.String(length=40), nullable=False, comment="By commitment or by the standard procedure (审批方式 SPFS)"
        ),
        sa.Column("applicant_name", sa.Text(), nullable=False, comment="Applicant's name (申请人名称 SQRMC)"),
        sa.Column("applicant_kind", sa.String(length=40), nullable=False, comment="What the applicant is (申请人类型 SQRLX)"),
        sa.Column("subject_code", sa.Text(), nullable=True, comment="Code that joins the subject: USCC or RID code (监管对象编码)"),
        sa.Column("old_number", sa.Text(), nullable=True, comment="Old 15-digit registration number (注册号 ZCH)"),
        sa.Column("identity_no", sa.LargeBinary(), nullable=True, comment="Applicant's identity number, masked (身份证号 SFZHM)"),
        sa.Column("representative_name", sa.LargeBinary(), nullable=True, comment="Legal representative (法人姓名 FRXM)"),
        sa.Column(
            "representative_identity_no",
            sa.LargeBinary(),
            nullable=True,
            comment="Legal representative's identity number, masked (法人证件号 FRZJHM)",
        ),
        sa.Column("phone", sa.LargeBinary(), nullable=True, comment="Telephone, masked (联系电话 LXDH)"),
        sa.Column("address", sa.LargeBinary(), nullable=True, comment="Business address (经营地址 JYDZ)"),
        sa.Column("commitment", sa.LargeBinary(), nullable=True, comment="Text of the commitment (承诺内容 CNNR)"),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False, comment="When it was accepted (受理时间 SLSJ)"),
        sa.Column("decided_at", sa.BigInteger(), nullable=True, comment="When it was decided; null while pending (办结时间 BJSJ)"),
        sa.Column("state", sa.String(length=40), nullable=False, comment="Where it stands (状态 ZT/SPJG)"),
        sa.Column("department_code", sa.Text(), nullable=False, comment="Department that decides (部门编码 BMBM)"),
        sa.Column("department_name", sa.Text(), nullable=False, comment="Name of that department (部门名称 BMMC)"),
        sa.Column("region", sa.Text(), nullable=False, comment="Region code, six digits (行政区划 XZQH)"),
        sa.Column("updated_at", sa.BigInteger(), nullable=False, comment="When the platform last changed it (更新时间 GXSJ)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("identity_no_join", sa.LargeBinary(), nullable=True, comment="Keyed HMAC of identity_no, for joins"),
        sa.Column(
            "representative_identity_no_join",
            sa.LargeBinary(),
            nullable=True,
            comment="Keyed HMAC of representative_identity_no, for joins",
        ),
        sa.Column("phone_join", sa.LargeBinary(), nullable=True, comment="Keyed HMAC of phone, for joins"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("approval_no", name=op.f("pk_approval")),
        comment="An application for a permit, with its decision (审批办件)",
    )
    op.create_index("ix_approval_accepted_at", "approval", ["accepted_at"], unique=False)
    op.create_index("ix_approval_decided_at", "approval", ["decided_at"], unique=False)
    op.create_index("ix_approval_department_code", "approval", ["department_code"], unique=False)
    op.create_index("ix_approval_identity_no_join", "approval", ["identity_no_join"], unique=False)
    op.create_index("ix_approval_matter_code", "approval", ["matter_code"], unique=False)
    op.create_index("ix_approval_old_number", "approval", ["old_number"], unique=False)
    op.create_index("ix_approval_phone_join", "approval", ["phone_join"], unique=False)
    op.create_index("ix_approval_procedure", "approval", ["procedure"], unique=False)
    op.create_index("ix_approval_region", "approval", ["region"], unique=False)
    op.create_index("ix_approval_representative_identity_no_join", "approval", ["representative_identity_no_join"], unique=False)
    op.create_index("ix_approval_state_decided_at", "approval", ["state", "decided_at"], unique=False)
    op.create_index("ix_approval_subject_code_decided_at", "approval", ["subject_code", "decided_at"], unique=False)
    op.create_index("ix_approval_updated_at", "approval", ["updated_at"], unique=False)
    op.create_table(
        "attempt",
        sa.Column("attempt_id", sa.Text(), nullable=False, comment="Obligation's key and number of the try (尝试编号)"),
        sa.Column("obligation_key", sa.Text(), nullable=False, comment="Obligation (应办编号)"),
        sa.Column("number", sa.BigInteger(), nullable=False, comment="Which try, from 1 (次数)"),
        sa.Column("started_at", sa.BigInteger(), nullable=False, comment="When it was claimed (开始时间)"),
        sa.Column("ended_at", sa.BigInteger(), nullable=True, comment="When its outcome was known (结束时间)"),
        sa.Column("outcome", sa.String(length=40), nullable=False, comment="What is known of it (结果)"),
        sa.Column("detail", sa.LargeBinary(), nullable=True, comment="What the platform said (说明)"),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_attempt")),
        comment="One call to a platform (尝试记录)",
    )
    op.create_index("ix_attempt_obligation_key", "attempt", ["obligation_key"], unique=False)
    op.create_index("ix_attempt_outcome", "attempt", ["outcome"], unique=False)
    op.create_index("ix_attempt_started_at", "attempt", ["started_at"], unique=False)
    op.create_table(
        "campaign",
        sa.Column("campaign_id", sa.Text(), nullable=False, comment="Campaign id (联合检查编号)"),
        sa.Column("external_no", sa.Text(), nullable=True, comment="Number of the one who ordered it (外部编号)"),
        sa.Column("title", sa.Text(), nullable=False, comment="Title (标题)"),
        sa.Column("departments", sa.Text(), nullable=False, comment="Departments, the first in charge (部门)"),
        sa.Column("seed", sa.Text(), nullable=False, comment="Seed of the draw (随机种子)"),
        sa.Column("drawn_subjects", sa.Text(), nullable=False, comment="Subjects drawn (抽取对象)"),
        sa.Column("task_ids", sa.Text(), nullable=False, comment="Tasks drawn (任务)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_campaign")),
        comment="A joint inspection with subjects and officers drawn at random (跨部门双随机联合检查)",
    )
    op.create_index("ix_campaign_external_no", "campaign", ["external_no"], unique=False)
    op.create_table(
        "change",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="The observation as JSON, sealed"),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_change")),
        comment="Every version that was ever applied, append-only (变更历史)",
    )
    op.create_index("ix_change_entity_key_version", "change", ["entity", "key", "version"], unique=False)
    op.create_table(
        "coordination",
        sa.Column("coordination_id", sa.Text(), nullable=False, comment="Coordination id (协管编号)"),
        sa.Column("department_code", sa.Text(), nullable=False, comment="Department that asks (部门)"),
        sa.Column("town", sa.Text(), nullable=False, comment="Town (镇街)"),
        sa.Column("category", sa.Text(), nullable=False, comment="Category (类别)"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="What is asked (内容)"),
        sa.Column("due_at", sa.BigInteger(), nullable=False, comment="To be handled by (办理期限)"),
        sa.Column("status", sa.String(length=40), nullable=False, comment="Where it stands (状态)"),
        sa.Column("updated_at", sa.BigInteger(), nullable=False, comment="When the platform last changed it (更新时间)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("coordination_id", name=op.f("pk_coordination")),
        comment="A department asks a town's grid for help (部门协管事件)",
    )
    op.create_index("ix_coordination_department_code", "coordination", ["department_code"], unique=False)
    op.create_index("ix_coordination_status", "coordination", ["status"], unique=False)
    op.create_index("ix_coordination_town", "coordination", ["town"], unique=False)
    op.create_index("ix_coordination_updated_at", "coordination", ["updated_at"], unique=False)
    op.create_table(
        "credit_profile",
        sa.Column("code", sa.Text(), nullable=False, comment="USCC or RID code (统一社会信用代码或个人编码)"),
        sa.Column("code_type", sa.String(length=40), nullable=False, comment="What the code is (编码类型)"),
        sa.Column("name", sa.Text(), nullable=False, comment="Name (名称)"),
        sa.Column("score", sa.BigInteger(), nullable=False, comment="Comprehensive credit score (综合信用分)"),
        sa.Column("grade", sa.String(length=40), nullable=False, comment="Grade, the platform's own judgement (信用等级)"),
        sa.Column(
            "regulatory_points", sa.BigInteger(), nullable=False, comment="Regulatory points in the running period (监管信用扣分)"
        ),
        sa.Column("old_codes", sa.Text(), nullable=False, comment="Earlier numbers of the subject (原注册号)"),
        sa.Column("updated_at", sa.BigInteger(), nullable=False, comment="When the platform last changed it (更新时间)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_credit_profile")),
        comment="Comprehensive score and grade of a subject (综合信用分与信用等级)",
    )
    op.create_index("ix_credit_profile_grade", "credit_profile", ["grade"], unique=False)
    op.create_index("ix_credit_profile_regulatory_points", "credit_profile", ["regulatory_points"], unique=False)
    op.create_index("ix_credit_profile_score", "credit_profile", ["score"], unique=False)
    op.create_index("ix_credit_profile_updated_at", "credit_profile", ["updated_at"], unique=False)
    op.create_table(
        "credit_record",
        sa.Column("record_id", sa.Text(), nullable=False, comment="Record id (记录编号)"),
        sa.Column("biz_no", sa.Text(), nullable=False, comment="Number of the sender (业务编号)"),
        sa.Column("subject_code", sa.Text(), nullable=False, comment="USCC or RID code (统一社会信用代码或个人编码)"),
        sa.Column("category", sa.String(length=40), nullable=False, comment="Kind of record (记录类别)"),
        sa.Column("points", sa.BigInteger(), nullable=False, comment="Points taken (扣分)"),
        sa.Column("open_points", sa.BigInteger(), nullable=False, comment="Points not yet repaired (未修复分)"),
        sa.Column("item_code", sa.Text(), nullable=False, comment="Matter, inspection item, DOZEN or SERIOUS (事项)"),
        sa.Column("item_name", sa.Text(), nullable=False, comment="Name of the item (事项名称)"),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False, comment="When the breach was found (发生时间)"),
        sa.Column("department_code", sa.Text(), nullable=False, comment="Department that found it (部门)"),
        sa.Column("region", sa.Text(), nullable=False, comment="Region code (行政区划)"),
        sa.Column("evidence_platform", sa.Text(), nullable=True, comment="Platform of the evidence (证据平台)"),
        sa.Column("evidence_ref", sa.Text(), nullable=True, comment="Task that is the evidence (核查任务编号)"),
        sa.Column("evidence_finding", sa.Text(), nullable=True, comment="Finding that is the evidence (检查结果项编号)"),
        sa.Column("caused_by", sa.Text(), nullable=True, comment="bizNo of the causing record (起因记录)"),
        sa.Column("created_at", sa.BigInteger(), nullable=False, comment="When the platform accepted it (创建时间)"),
        sa.Column("updated_at", sa.BigInteger(), nullable=False, comment="When the platform last changed it (更新时间)"),
        sa.Column("cancelled", sa.Boolean(), nullable=False, comment="Taken back by an operator (已撤销)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_credit_record")),
        comment="What a breach leaves on the credit platform (信用记录)",
    )
    op.create_index("ix_credit_record_biz_no", "credit_record", ["biz_no"], unique=False)
    op.create_index("ix_credit_record_category", "credit_record", ["category"], unique=False)
    op.create_index("ix_credit_record_created_at", "credit_record", ["created_at"], unique=False)
    op.create_index("ix_credit_record_department_code", "credit_record", ["department_code"], unique=False)
    op.create_index("ix_credit_record_evidence_finding", "credit_record", ["evidence_finding"], unique=False)
    op.create_index("ix_credit_record_evidence_ref", "credit_record", ["evidence_ref"], unique=False)
    op.create_index("ix_credit_record_item_code", "credit_record", ["item_code"], unique=False)
    op.create_index("ix_credit_record_occurred_at", "credit_record", ["occurred_at"], unique=False)
    op.create_index("ix_credit_record_subject_code_occurred_at", "credit_record", ["subject_code", "occurred_at"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("delivery_id", sa.Text(), nullable=False, comment="Identity: platform and SM3 of signature and body (投递编号)"),
        sa.Column("platform", sa.Text(), nullable=False, comment="Who posted it (平台)"),
        sa.Column("message_id", sa.Text(), nullable=True, comment="The platform's own id of it, where it has one (消息编号)"),
        sa.Column("received_at", sa.BigInteger(), nullable=False, comment="When it came (接收时间)"),
        sa.Column("state", sa.String(length=40), nullable=False, comment="What became of it (处理状态)"),
        sa.Column("applied_at", sa.BigInteger(), nullable=True, comment="When it was applied (处理时间)"),
        sa.Column("detail", sa.LargeBinary(), nullable=True, comment="What went wrong (说明)"),
        sa.Column("sequence", sa.BigInteger(), nullable=False, comment="Order of arrival (顺序号)"),
        sa.Column("repeat_key", sa.Text(), nullable=True, comment="Equal for repetitions of one message (去重键)"),
        sa.Column("headers", sa.LargeBinary(), nullable=False, comment="Headers as JSON (请求头)"),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="Body as it came (请求体)"),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_delivery")),
        comment="A webhook that a platform posted (平台推送)",
    )
    op.create_index("ix_delivery_message_id", "delivery", ["message_id"], unique=False)
    op.create_index("ix_delivery_platform_received_at", "delivery", ["platform", "received_at"], unique=False)
    op.create_index("ix_delivery_received_at", "delivery", ["received_at"], unique=False)
    op.create_index("ix_delivery_repeat_key", "delivery", ["repeat_key"], unique=False)
    op.create_index("ix_delivery_state_sequence", "delivery", ["state", "sequence"], unique=False)
    op.create_table(
        "department",
        sa.Column("code", sa.Text(), nullable=False, comment="Department code, the same on all platforms (部门编码)"),
        sa.Column("name", sa.Text(), nullable=False, comment="Name (部门名称)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_department")),
        comment="An enforcement department (部门)",
    )
    op.create_table(
        "finding",
        sa.Column("finding_id", sa.Text(), nullable=False, comment="Finding id (检查结果项编号)"),
        sa.Column("task_id", sa.Text(), nullable=False, comment="Task (任务编号)"),
        sa.Column("result_id", sa.Text(), nullable=False, comment="Result that it belongs to (结果编号)"),
        sa.Column("item_code", sa.Text(), nullable=False, comment="Inspection item (检查事项编码)"),
        sa.Column("item_name", sa.Text(), nullable=False, comment="Name of the item (检查事项名称)"),
        sa.Column("conform", sa.Boolean(), nullable=False, comment="Whether it conforms (是否合格)"),
        sa.Column("points", sa.BigInteger(), nullable=True, comment="Points, where the finding names them (扣分)"),
        sa.Column("severity", sa.String(length=40), nullable=True, comment="Severity, where the finding names it (严重程度)"),
        sa.Column("note", sa.LargeBinary(), nullable=True, comment="Note (说明)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_finding")),
        comment="One item of a check, conforming or not (检查结果项)",
    )
    op.create_index("ix_finding_conform", "finding", ["conform"], unique=False)
    op.create_index("ix_finding_item_code", "finding", ["item_code"], unique=False)
    op.create_index("ix_finding_result_id", "finding", ["result_id"], unique=False)
    op.create_index("ix_finding_task_id", "finding", ["task_id"], unique=False)
    op.create_table(
        "grid_event",
        sa.Column("event_no", sa.Text(), nullable=False, comment="Event number (事件编号)"),
        sa.Column("category", sa.Text(), nullable=False, comment="Category code (事件类别)"),
        sa.Column("category_name", sa.Text(), nullable=True, comment="Name of the category (类别名称)"),
        sa.Column("title", sa.LargeBinary(), nullable=False, comment="Title (标题)"),
        sa.Column("content", sa.LargeBinary(), nullable=True, comment="What was seen (内容)"),
        sa.Column("town", sa.Text(), nullable=False, comment="Town (镇街)"),
        sa.Column("grid_code", sa.Text(), nullable=True, comment="Grid cell (网格编码)"),
        sa.Column("address", sa.LargeBinary(), nullable=True, comment="Where (地点)"),
        sa.Column("longitude", sa.BigInteger(), nullable=True, comment="Longitude (经度)"),
        sa.Column("latitude", sa.BigInteger(), nullable=True, comment="Latitude (纬度)"),
        sa.Column("reporter", sa.LargeBinary(), nullable=True, comment="Who reported it (上报人)"),
        sa.Column("reporter_phone", sa.LargeBinary(), nullable=True, comment="Reporter's telephone, masked (上报人电话)"),
        sa.Column("reported_at", sa.BigInteger(), nullable=False, comment="When it was reported (上报时间)"),
        sa.Column("level", sa.BigInteger(), nullable=False, comment="1 most urgent to 4 (等级)"),
        sa.Column("status", sa.String(length=40), nullable=False, comment="Where it stands (状态)"),
        sa.Column("department_code", sa.Text(), nullable=True, comment="Department that the town names (指定部门)"),
        sa.Column("limit_at", sa.BigInteger(), nullable=True, comment="To be handled by (办理期限)"),
        sa.Column("attachments", sa.Text(), nullable=False, comment="Files (附件)"),
        sa.Column("related", sa.Text(), nullable=False, comment="Linked events (关联事件)"),
        sa.Column("updated_at", sa.BigInteger(), nullable=False, comment="When the platform last changed it (更新时间)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("event_no", name=op.f("pk_grid_event")),
        comment="A problem that a town's grid officer reports (网格事件)",
    )
    op.create_index("ix_grid_event_category", "grid_event", ["category"], unique=False)
    op.create_index("ix_grid_event_department_code", "grid_event", ["department_code"], unique=False)
    op.create_index("ix_grid_event_level", "grid_event", ["level"], unique=False)
    op.create_index("ix_grid_event_reported_at", "grid_event", ["reported_at"], unique=False)
    op.create_index("ix_grid_event_status_updated_at", "grid_event", ["status", "updated_at"], unique=False)
    op.create_index("ix_grid_event_town", "grid_event", ["town"], unique=False)
    op.create_index("ix_grid_event_updated_at", "grid_event", ["updated_at"], unique=False)
    op.create_table(
        "inspection_item",
        sa.Column("item_code", sa.Text(), nullable=False, comment="Item code (检查事项编码)"),
        sa.Column("item_name", sa.Text(), nullable=False, comment="Name (检查事项名称)"),
        sa.Column("points", sa.BigInteger(), nullable=True, comment="Points it costs (扣分)"),
        sa.Column("severity", sa.String(length=40), nullable=True, comment="Severity (严重程度)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("item_code", name=op.f("pk_inspection_item")),
        comment="An item that a check looks at (检查事项)",
    )
    op.create_table(
        "key_subject",
        sa.Column("code", sa.Text(), nullable=False, comment="USCC or RID code (统一社会信用代码或个人编码)"),
        sa.Column("reason", sa.Text(), nullable=False, comment="All open causes (原因)"),
        sa.Column("since", sa.Text(), nullable=False, comment="Date since when, yyyy-MM-dd (起始日期)"),
        sa.Column("ref", sa.Text(), nullable=False, comment="Number of the newest cause (依据编号)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_key_subject")),
        comment="A subject to be watched more closely (重点监管对象)",
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("last_run_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
        comment="Who runs a scheduled job now, and when it last ran (定时任务租约)",
    )
    op.create_table(
        "matter",
        sa.Column("code", sa.Text(), nullable=False, comment="Matter code (事项编码)"),
        sa.Column("name", sa.Text(), nullable=False, comment="Name (事项名称)"),
        sa.Column("department_code", sa.Text(), nullable=False, comment="Department in charge (部门)"),
        sa.Column(
            "commitment_allowed",
            sa.Boolean(),
            nullable=False,
            comment="Whether commitment may replace the check before (可告知承诺)",
        ),
        sa.Column("live", sa.Boolean(), nullable=False, comment="Whether commitment is offered today (已开通)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_matter")),
        comment="A kind of approval (审批事项)",
    )
    op.create_index("ix_matter_commitment_allowed", "matter", ["commitment_allowed"], unique=False)
    op.create_index("ix_matter_department_code", "matter", ["department_code"], unique=False)
    op.create_table(
        "obligation",
        sa.Column(
            "key", sa.Text(), nullable=False, comment="Identity: rule and cause; the same key is never discharged twice (应办编号)"
        ),
        sa.Column("number", sa.Text(), nullable=False, comment="Our number for it on the platform (对外编号)"),
        sa.Column("rule", sa.Text(), nullable=False, comment="Rule that derived it (规则)"),
        sa.Column("platform", sa.Text(), nullable=False, comment="Platform on which it must come true (目标平台)"),
        sa.Column("command", sa.Text(), nullable=False, comment="What must be made true there (指令)"),
        sa.Column("cause", sa.Text(), nullable=False, comment="Key of the record that caused it (起因)"),
        sa.Column("subject_code", sa.Text(), nullable=True, comment="Subject that it is about (监管对象编码)"),
        sa.Column("state", sa.String(length=40), nullable=False, comment="Where it stands (状态)"),
        sa.Column("needs", sa.Text(), nullable=True, comment="What it waits for, named (等待条件)"),
        sa.Column("due_at", sa.BigInteger(), nullable=False, comment="To be closed by (截止时间)"),
        sa.Column("due_provisional", sa.Boolean(), nullable=False, comment="Counted beyond the holiday calendar (截止时间暂定)"),
        sa.Column("next_at", sa.BigInteger(), nullable=False, comment="Not tried before (下次尝试)"),
        sa.Column("attempts", sa.BigInteger(), nullable=False, comment="Calls made so far (尝试次数)"),
        sa.Column("receipt", sa.Text(), nullable=True, comment="The platform's own number for what was made (回执编号)"),
        sa.Column("last_error", sa.LargeBinary(), nullable=True, comment="Why the last call failed (最近错误)"),
        sa.Column("policy_version", sa.Text(), nullable=False, comment="Policy that made it (政策版本)"),
        sa.Column("created_at", sa.BigInteger(), nullable=False, comment="When it was derived (产生时间)"),
        sa.Column("sent_at", sa.BigInteger(), nullable=True, comment="When the platform accepted it (受理时间)"),
        sa.Column("closed_at", sa.BigInteger(), nullable=True, comment="When its proof was seen (闭环时间)"),
        sa.Column("decided_by", sa.Text(), nullable=True, comment="Who waived or settled it (处理人)"),
        sa.Column("reason", sa.LargeBinary(), nullable=True, comment="Why it was waived, settled or withdrawn (处理原因)"),
        sa.Column("chain", sa.Text(), nullable=True, comment="Chain in which order is kept (顺序链)"),
        sa.Column("sequence", sa.BigInteger(), nullable=False, comment="Order of derivation (顺序号)"),
        sa.Column(
            "cause_version", sa.BigInteger(), nullable=False, comment="Version of the cause that it was derived from (起因版本)"
        ),
        sa.Column("payload", sa.LargeBinary(), nullable=False, comment="The command (指令内容)"),
        sa.Column(
            "unknown_since",
            sa.BigInteger(),
            nullable=True,
            comment="Latest moment at which a call without known outcome may have been sent (未知起始)",
        ),
        sa.Column("fence", sa.BigInteger(), nullable=False, comment="Grows with each claim; completions must name it (栅栏)"),
        sa.Column("lease_until", sa.BigInteger(), nullable=True, comment="The claim ends (租约)"),
        sa.Column("tries", sa.BigInteger(), nullable=False, comment="Failures in a row, for the backoff (连续失败)"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_obligation")),
        comment="What must follow from a record, by when (应办事项)",
    )
    op.create_index("ix_obligation_cause", "obligation", ["cause"], unique=False)
    op.create_index("ix_obligation_chain_sequence", "obligation", ["chain", "sequence"], unique=False)
    op.create_index("ix_obligation_closed_at", "obligation", ["closed_at"], unique=False)
    op.create_index("ix_obligation_created_at", "obligation", ["created_at"], unique=False)
    op.create_index("ix_obligation_due_at", "obligation", ["due_at"], unique=False)
    op.create_index("ix_obligation_number", "obligation", ["number"], unique=False)
    op.create_index("ix_obligation_platform_state_next_at", "obligation", ["platform", "state", "next_at"], unique=False)
    op.create_index("ix_obligation_receipt", "obligation", ["receipt"], unique=False)
    op.create_index("ix_obligation_rule_cause", "obligation", ["rule", "cause"], unique=False)
    op.create_index("ix_obligation_rule_state", "obligation", ["rule", "state"], unique=False)
    op.create_index("ix_obligation_state_due_at", "obligation", ["state", "due_at"], unique=False)
    op.create_index("ix_obligation_subject_code", "obligation", ["subject_code"], unique=False)
    op.create_table(
        "ops_item",
        sa.Column("item_id", sa.Text(), nullable=False, comment="Identity (编号)"),
        sa.Column("kind", sa.Text(), nullable=False, comment="What kind of trouble (类别)"),
        sa.Column("subject_code", sa.Text(), nullable=True, comment="Subject (监管对象编码)"),
        sa.Column("cause", sa.Text(), nullable=False, comment="Record or obligation it is about (起因)"),
        sa.Column("message", sa.LargeBinary(), nullable=False, comment="What is wrong, and the way out (说明)"),
        sa.Column("before", sa.LargeBinary(), nullable=True, comment="What was sent or said before, as JSON (变更前)"),
        sa.Column("after", sa.LargeBinary(), nullable=True, comment="What is said now, as JSON (变更后)"),
        sa.Column("opened_at", sa.BigInteger(), nullable=False, comment="When it was noticed (发现时间)"),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True, comment="When it was settled (处理时间)"),
        sa.Column("resolved_by", sa.Text(), nullable=True, comment="Who settled it (处理人)"),
        sa.Column("resolution", sa.LargeBinary(), nullable=True, comment="How and why (处理说明)"),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_ops_item")),
        comment="Something that a person must settle (人工处理事项)",
    )
    op.create_index("ix_ops_item_cause", "ops_item", ["cause"], unique=False)
    op.create_index("ix_ops_item_kind", "ops_item", ["kind"], unique=False)
    op.create_index("ix_ops_item_opened_at", "ops_item", ["opened_at"], unique=False)
    op.create_index("ix_ops_item_resolved_at_opened_at", "ops_item", ["resolved_at", "opened_at"], unique=False)
    op.create_index("ix_ops_item_subject_code", "ops_item", ["subject_code"], unique=False)
    op.create_table(
        "quarantined_record",
        sa.Column("quarantine_id", sa.Text(), nullable=False, comment="Identity: SM3 of platform, reason and content (隔离编号)"),
        sa.Column("platform", sa.Text(), nullable=False, comment="Who said it (平台)"),
        sa.Column("stream", sa.Text(), nullable=False, comment="Where it came from (来源)"),
        sa.Column("record_key", sa.Text(), nullable=True, comment="Key of the record, where it could be read (记录编号)"),
        sa.Column("reason", sa.Text(), nullable=False, comment="Reason code (原因代码)"),
        sa.Column("detail", sa.LargeBinary(), nullable=False, comment="What is wrong with it (说明)"),
        sa.Column("delivery_id", sa.Text(), nullable=True, comment="Delivery that held it (投递编号)"),
        sa.Column("quarantined_at", sa.BigInteger(), nullable=False, comment="When (隔离时间)"),
        sa.Column("released_at", sa.BigInteger(), nullable=True, comment="When a good version came (解除时间)"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="The record as it came (原文)"),
        sa.PrimaryKeyConstraint("quarantine_id", name=op.f("pk_quarantined_record")),
        comment="A record that could not be used (隔离记录)",
    )
    op.create_index("ix_quarantined_record_delivery_id", "quarantined_record", ["delivery_id"], unique=False)
    op.create_index(
        "ix_quarantined_record_platform_quarantined_at", "quarantined_record", ["platform", "quarantined_at"], unique=False
    )
    op.create_index("ix_quarantined_record_quarantined_at", "quarantined_record", ["quarantined_at"], unique=False)
    op.create_index("ix_quarantined_record_reason", "quarantined_record", ["reason"], unique=False)
    op.create_index("ix_quarantined_record_record_key", "quarantined_record", ["record_key"], unique=False)
    op.create_index("ix_quarantined_record_stream", "quarantined_record", ["stream"], unique=False)
    op.create_table(
        "quota",
        sa.Column("platform", sa.String(length=40), nullable=False),
        sa.Column("next_slot_at", sa.BigInteger(), nullable=False, comment="The first moment not yet given away, microseconds"),
        sa.PrimaryKeyConstraint("platform", name=op.f("pk_quota")),
        comment="Calls to each platform, given away slot by slot to all processes (调用配额)",
    )
    op.create_table(
        "repair",
        sa.Column("repair_id", sa.Text(), nullable=False, comment="Repair id (修复编号)"),
        sa.Column("biz_no", sa.Text(), nullable=False, comment="Number of the sender (业务编号)"),
        sa.Column("record_id", sa.Text(), nullable=False, comment="Record that it repairs (记录编号)"),
        sa.Column("points", sa.BigInteger(), nullable=False, comment="Points restored (修复分)"),
        sa.Column("way", sa.String(length=40), nullable=False, comment="How (修复方式)"),
        sa.Column("completed_at", sa.BigInteger(), nullable=False, comment="When it was completed (完成时间)"),
        sa.Column("created_at", sa.BigInteger(), nullable=False, comment="When the platform accepted it (创建时间)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("repair_id", name=op.f("pk_repair")),
        comment="Points restored to a subject (信用修复)",
    )
    op.create_index("ix_repair_biz_no", "repair", ["biz_no"], unique=False)
    op.create_index("ix_repair_completed_at", "repair", ["completed_at"], unique=False)
    op.create_index("ix_repair_record_id", "repair", ["record_id"], unique=False)
    op.create_index("ix_repair_way", "repair", ["way"], unique=False)
    op.create_table(
        "stream_health",
        sa.Column("stream_id", sa.Text(), nullable=False, comment="Platform and stream (数据流编号)"),
        sa.Column("platform", sa.Text(), nullable=False, comment="Platform (平台)"),
        sa.Column("stream", sa.Text(), nullable=False, comment="Stream (数据流)"),
        sa.Column("last_success_at", sa.BigInteger(), nullable=True, comment="When it was last read to its end (最近成功)"),
        sa.Column("last_record_at", sa.BigInteger(), nullable=True, comment="When a record last came by it (最近数据)"),
        sa.Column("last_failure_at", sa.BigInteger(), nullable=True, comment="When reading last failed (最近失败)"),
        sa.Column("failure", sa.LargeBinary(), nullable=True, comment="Why it last failed; null when it reads again (失败原因)"),
        sa.Column("records_seen", sa.BigInteger(), nullable=False, comment="Records read so far (累计记录)"),
        sa.Column("cursor", sa.Text(), nullable=True, comment="Where to go on (游标)"),
        sa.Column("lease_until", sa.BigInteger(), nullable=True, comment="Some process reads it until (租约)"),
        sa.Column("fence", sa.BigInteger(), nullable=False, comment="Grows with each lease (栅栏)"),
        sa.PrimaryKeyConstraint("stream_id", name=op.f("pk_stream_health")),
        comment="How far one stream of a platform has been read (数据流同步状况)",
    )
    op.create_index("ix_stream_health_platform", "stream_health", ["platform"], unique=False)
    op.create_table(
        "subject",
        sa.Column("code", sa.Text(), nullable=False, comment="USCC or RID code (统一社会信用代码或个人编码)"),
        sa.Column("code_type", sa.String(length=40), nullable=False, comment="What the code is (编码类型)"),
        sa.Column("name", sa.Text(), nullable=False, comment="Name as last heard (名称)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_subject")),
        comment="A subject under supervision (监管对象)",
    )
    op.create_index("ix_subject_name", "subject", ["name"], unique=False)
    op.create_table(
        "subject_alias",
        sa.Column("old_code", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column(
            "told_at", sa.BigInteger(), nullable=False, comment="When the profile that says so was changed; the newest one stays"
        ),
        sa.PrimaryKeyConstraint("old_code", name=op.f("pk_subject_alias")),
        comment="Earlier numbers of subjects, from the credit platform's oldCodes (原注册号)",
    )
    op.create_index("ix_subject_alias_code", "subject_alias", ["code"], unique=False)
    op.create_table(
        "task_result",
        sa.Column("result_id", sa.Text(), nullable=False, comment="Task id and index (结果编号)"),
        sa.Column("task_id", sa.Text(), nullable=False, comment="Task (任务编号)"),
        sa.Column("subject_code", sa.Text(), nullable=True, comment="USCC or RID code; null while nobody is known (监管对象编码)"),
        sa.Column("subject_name", sa.LargeBinary(), nullable=True, comment="Subject's name (监管对象名称)"),
        sa.Column("conclusion", sa.String(length=40), nullable=False, comment="Conclusion (检查结论)"),
        sa.Column("checked_at", sa.BigInteger(), nullable=True, comment="When it was checked (检查时间)"),
        sa.Column("order_no", sa.Text(), nullable=True, comment="Rectification order (责令整改编号)"),
        sa.Column("order_deadline", sa.BigInteger(), nullable=True, comment="To be mended by (整改期限)"),
        sa.Column("case_no", sa.Text(), nullable=True, comment="Penalty case (立案编号)"),
        sa.Column("transferred_to", sa.LargeBinary(), nullable=True, comment="Outside unit it went to (移送单位)"),
        sa.Column("photos", sa.Text(), nullable=False, comment="Pictures (照片)"),
        sa.Column("signed_by_subject", sa.Boolean(), nullable=False, comment="Signed by the subject (当事人签字)"),
        sa.Column("signed_by_officers", sa.Boolean(), nullable=False, comment="Signed by the officers (执法人员签字)"),
        sa.Column("remarks", sa.LargeBinary(), nullable=True, comment="Remarks (备注)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.PrimaryKeyConstraint("result_id", name=op.f("pk_task_result")),
        comment="What a check concluded about one subject (检查结果)",
    )
    op.create_index("ix_task_result_checked_at", "task_result", ["checked_at"], unique=False)
    op.create_index("ix_task_result_conclusion", "task_result", ["conclusion"], unique=False)
    op.create_index("ix_task_result_order_no", "task_result", ["order_no"], unique=False)
    op.create_index("ix_task_result_subject_code", "task_result", ["subject_code"], unique=False)
    op.create_index("ix_task_result_task_id", "task_result", ["task_id"], unique=False)
    op.create_table(
        "tombstone",
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "key", name=op.f("pk_tombstone")),
        comment="Records that their platform deleted; an older version does not bring them back (删除标记)",
    )
    op.create_table(
        "town_coordination",
        sa.Column("town_no", sa.Text(), nullable=False, comment="Grid platform's number (协管编号)"),
        sa.Column("out_no", sa.Text(), nullable=False, comment="Number of the one who asked (外部编号)"),
        sa.Column("department_code", sa.Text(), nullable=False, comment="Department that asks (部门)"),
        sa.Column("town", sa.Text(), nullable=False, comment="Town (镇街)"),
        sa.Column("category", sa.Text(), nullable=False, comment="Category (类别)"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="What is asked (内容)"),
        sa.Column("status", sa.String(length=40), nullable=False, comment="Where it stands (状态)"),
        sa.Column("opinion", sa.LargeBinary(), nullable=True, comment="What the town says (处理意见)"),
        sa.Column("limit_at", sa.BigInteger(), nullable=True, comment="To be handled by (办理期限)"),
        sa.Column("updated_at", sa.BigInteger(), nullable=False, comment="When the platform last changed it (更新时间)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("town_no", name=op.f("pk_town_coordination")),
        comment="A department's request as the town sees it (部门协管事件（镇街）)",
    )
    op.create_index("ix_town_coordination_department_code", "town_coordination", ["department_code"], unique=False)
    op.create_index("ix_town_coordination_out_no", "town_coordination", ["out_no"], unique=False)
    op.create_index("ix_town_coordination_status", "town_coordination", ["status"], unique=False)
    op.create_index("ix_town_coordination_town", "town_coordination", ["town"], unique=False)
    op.create_index("ix_town_coordination_updated_at", "town_coordination", ["updated_at"], unique=False)
    op.create_table(
        "verification_task",
        sa.Column("task_id", sa.Text(), nullable=False, comment="Task id (任务编号)"),
        sa.Column("external_no", sa.Text(), nullable=True, comment="Number of the one who ordered it (外部编号)"),
        sa.Column("type", sa.String(length=40), nullable=False, comment="Why the check is made (任务类型)"),
        sa.Column("title", sa.LargeBinary(), nullable=False, comment="Title (标题)"),
        sa.Column("origin_platform", sa.Text(), nullable=True, comment="Platform that caused it (来源平台)"),
        sa.Column("origin_ref", sa.Text(), nullable=True, comment="That platform's own number (来源编号)"),
        sa.Column("urgency", sa.BigInteger(), nullable=False, comment="1 most urgent to 4 (紧急程度)"),
        sa.Column("status", sa.String(length=40), nullable=False, comment="Where it stands (任务状态)"),
        sa.Column("department_code", sa.Text(), nullable=False, comment="Department in charge (部门)"),
        sa.Column("participants", sa.Text(), nullable=False, comment="Departments taking part (参与部门)"),
        sa.Column("officers", sa.Text(), nullable=False, comment="Who carries it out (执法人员)"),
        sa.Column("led_by_head", sa.Boolean(), nullable=False, comment="Whether a head leads it (领导带队)"),
        sa.Column("campaign_id", sa.Text(), nullable=True, comment="Joint inspection that drew it (联合检查编号)"),
        sa.Column("due_at", sa.BigInteger(), nullable=False, comment="To be done by (截止时间)"),
        sa.Column("created_at", sa.BigInteger(), nullable=False, comment="When it was made (创建时间)"),
        sa.Column("updated_at", sa.BigInteger(), nullable=False, comment="When the platform last changed it (更新时间)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_verification_task")),
        comment="An on-site check (核查任务)",
    )
    op.create_index("ix_verification_task_campaign_id", "verification_task", ["campaign_id"], unique=False)
    op.create_index("ix_verification_task_created_at", "verification_task", ["created_at"], unique=False)
    op.create_index("ix_verification_task_department_code_status", "verification_task", ["department_code", "status"], unique=False)
    op.create_index("ix_verification_task_due_at", "verification_task", ["due_at"], unique=False)
    op.create_index("ix_verification_task_external_no", "verification_task", ["external_no"], unique=False)
    op.create_index("ix_verification_task_led_by_head", "verification_task", ["led_by_head"], unique=False)
    op.create_index(
        "ix_verification_task_origin_ref_origin_platform", "verification_task", ["origin_ref", "origin_platform"], unique=False
    )
    op.create_index("ix_verification_task_status_updated_at", "verification_task", ["status", "updated_at"], unique=False)
    op.create_index("ix_verification_task_type", "verification_task", ["type"], unique=False)
    op.create_index("ix_verification_task_updated_at", "verification_task", ["updated_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_verification_task_updated_at", table_name="verification_task")
    op.drop_index("ix_verification_task_type", table_name="verification_task")
    op.drop_index("ix_verification_task_status_updated_at", table_name="verification_task")
    op.drop_index("ix_verification_task_origin_ref_origin_platform", table_name="verification_task")
    op.drop_index("ix_verification_task_led_by_head", table_name="verification_task")
    op.drop_index("ix_verification_task_external_no", table_name="verification_task")
    op.drop_index("ix_verification_task_due_at", table_name="verification_task")
    op.drop_index("ix_verification_task_department_code_status", table_name="verification_task")
    op.drop_index("ix_verification_task_created_at", table_name="verification_task")
    op.drop_index("ix_verification_task_campaign_id", table_name="verification_task")
    op.drop_table("verification_task")
    op.drop_index("ix_town_coordination_updated_at", table_name="town_coordination")
    op.drop_index("ix_town_coordination_town", table_name="town_coordination")
    op.drop_index("ix_town_coordination_status", table_name="town_coordination")
    op.drop_index("ix_town_coordination_out_no", table_name="town_coordination")
    op.drop_index("ix_town_coordination_department_code", table_name="town_coordination")
    op.drop_table("town_coordination")
    op.drop_table("tombstone")
    op.drop_index("ix_task_result_task_id", table_name="task_result")
    op.drop_index("ix_task_result_subject_code", table_name="task_result")
    op.drop_index("ix_task_result_order_no", table_name="task_result")
    op.drop_index("ix_task_result_conclusion", table_name="task_result")
    op.drop_index("ix_task_result_checked_at", table_name="task_result")
    op.drop_table("task_result")
    op.drop_index("ix_subject_alias_code", table_name="subject_alias")
    op.drop_table("subject_alias")
    op.drop_index("ix_subject_name", table_name="subject")
    op.drop_table("subject")
    op.drop_index("ix_stream_health_platform", table_name="stream_health")
    op.drop_table("stream_health")
    op.drop_index("ix_repair_way", table_name="repair")
    op.drop_index("ix_repair_record_id", table_name="repair")
    op.drop_index("ix_repair_completed_at", table_name="repair")
    op.drop_index("ix_repair_biz_no", table_name="repair")
    op.drop_table("repair")
    op.drop_table("quota")
    op.drop_index("ix_quarantined_record_stream", table_name="quarantined_record")
    op.drop_index("ix_quarantined_record_record_key", table_name="quarantined_record")
    op.drop_index("ix_quarantined_record_reason", table_name="quarantined_record")
    op.drop_index("ix_quarantined_record_quarantined_at", table_name="quarantined_record")
    op.drop_index("ix_quarantined_record_platform_quarantined_at", table_name="quarantined_record")
    op.drop_index("ix_quarantined_record_delivery_id", table_name="quarantined_record")
    op.drop_table("quarantined_record")
    op.drop_index("ix_ops_item_subject_code", table_name="ops_item")
    op.drop_index("ix_ops_item_resolved_at_opened_at", table_name="ops_item")
    op.drop_index("ix_ops_item_opened_at", table_name="ops_item")
    op.drop_index("ix_ops_item_kind", table_name="ops_item")
    op.drop_index("ix_ops_item_cause", table_name="ops_item")
    op.drop_table("ops_item")
    op.drop_index("ix_obligation_subject_code", table_name="obligation")
    op.drop_index("ix_obligation_state_due_at", table_name="obligation")
    op.drop_index("ix_obligation_rule_state", table_name="obligation")
    op.drop_index("ix_obligation_rule_cause", table_name="obligation")
    op.drop_index("ix_obligation_receipt", table_name="obligation")
    op.drop_index("ix_obligation_platform_state_next_at", table_name="obligation")
    op.drop_index("ix_obligation_number", table_name="obligation")
    op.drop_index("ix_obligation_due_at", table_name="obligation")
    op.drop_index("ix_obligation_created_at", table_name="obligation")
    op.drop_index("ix_obligation_closed_at", table_name="obligation")
    op.drop_index("ix_obligation_chain_sequence", table_name="obligation")
    op.drop_index("ix_obligation_cause", table_name="obligation")
    op.drop_table("obligation")
    op.drop_index("ix_matter_department_code", table_name="matter")
    op.drop_index("ix_matter_commitment_allowed", table_name="matter")
    op.drop_table("matter")
    op.drop_table("lease")
    op.drop_table("key_subject")
    op.drop_table("inspection_item")
    op.drop_index("ix_grid_event_updated_at", table_name="grid_event")
    op.drop_index("ix_grid_event_town", table_name="grid_event")
    op.drop_index("ix_grid_event_status_updated_at", table_name="grid_event")
    op.drop_index("ix_grid_event_reported_at", table_name="grid_event")
    op.drop_index("ix_grid_event_level", table_name="grid_event")
    op.drop_index("ix_grid_event_department_code", table_name="grid_event")
    op.drop_index("ix_grid_event_category", table_name="grid_event")
    op.drop_table("grid_event")
    op.drop_index("ix_finding_task_id", table_name="finding")
    op.drop_index("ix_finding_result_id", table_name="finding")
    op.drop_index("ix_finding_item_code", table_name="finding")
    op.drop_index("ix_finding_conform", table_name="finding")
    op.drop_table("finding")
    op.drop_table("department")
    op.drop_index("ix_delivery_state_sequence", table_name="delivery")
    op.drop_index("ix_delivery_repeat_key", table_name="delivery")
    op.drop_index("ix_delivery_received_at", table_name="delivery")
    op.drop_index("ix_delivery_platform_received_at", table_name="delivery")
    op.drop_index("ix_delivery_message_id", table_name="delivery")
    op.drop_table("delivery")
    op.drop_index("ix_credit_record_subject_code_occurred_at", table_name="credit_record")
    op.drop_index("ix_credit_record_occurred_at", table_name="credit_record")
    op.drop_index("ix_credit_record_item_code", table_name="credit_record")
    op.drop_index("ix_credit_record_evidence_ref", table_name="credit_record")
    op.drop_index("ix_credit_record_evidence_finding", table_name="credit_record")
    op.drop_index("ix_credit_record_department_code", table_name="credit_record")
    op.drop_index("ix_credit_record_created_at", table_name="credit_record")
    op.drop_index("ix_credit_record_category", table_name="credit_record")
    op.drop_index("ix_credit_record_biz_no", table_name="credit_record")
    op.drop_table("credit_record")
    op.drop_index("ix_credit_profile_updated_at", table_name="credit_profile")
    op.drop_index("ix_credit_profile_score", table_name="credit_profile")
    op.drop_index("ix_credit_profile_regulatory_points", table_name="credit_profile")
    op.drop_index("ix_credit_profile_grade", table_name="credit_profile")
    op.drop_table("credit_profile")
    op.drop_index("ix_coordination_updated_at", table_name="coordination")
    op.drop_index("ix_coordination_town", table_name="coordination")
    op.drop_index("ix_coordination_status", table_name="coordination")
    op.drop_index("ix_coordination_department_code", table_name="coordination")
    op.drop_table("coordination")
    op.drop_index("ix_change_entity_key_version", table_name="change")
    op.drop_table("change")
    op.drop_index("ix_campaign_external_no", table_name="campaign")
    op.drop_table("campaign")
    op.drop_index("ix_attempt_started_at", table_name="attempt")
    op.drop_index("ix_attempt_outcome", table_name="attempt")
    op.drop_index("ix_attempt_obligation_key", table_name="attempt")
    op.drop_table("attempt")
    op.drop_index("ix_approval_updated_at", table_name="approval")
    op.drop_index("ix_approval_subject_code_decided_at", table_name="approval")
    op.drop_index("ix_approval_state_decided_at", table_name="approval")
    op.drop_index("ix_approval_representative_identity_no_join", table_name="approval")
    op.drop_index("ix_approval_region", table_name="approval")
    op.drop_index("ix_approval_procedure", table_name="approval")
    op.drop_index("ix_approval_phone_join", table_name="approval")
    op.drop_index("ix_approval_old_number", table_name="approval")
    op.drop_index("ix_approval_matter_code", table_name="approval")
    op.drop_index("ix_approval_identity_no_join", table_name="approval")
    op.drop_index("ix_approval_department_code", table_name="approval")
    op.drop_index("ix_approval_decided_at", table_name="approval")
    op.drop_index("ix_approval_accepted_at", table_name="approval")
    op.drop_table("approval")
