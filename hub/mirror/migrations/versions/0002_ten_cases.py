"""ten cases."""
# ruff: noqa: PLR0915  (written by regenerate.py)

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "blacklist_entry",
        sa.Column("entry_no", sa.Text(), nullable=False, comment="Number of the one who put it there (唯一编号 wybh)"),
        sa.Column("subject_code", sa.Text(), nullable=False, comment="USCC or RID code (监管对象编码)"),
        sa.Column("matter_code", sa.Text(), nullable=False, comment="Matter (事项编码 sxbm)"),
        sa.Column("since", sa.Text(), nullable=False, comment="Date since when, yyyy-MM-dd (认定日期 rdrq)"),
        sa.Column("removed_on", sa.Text(), nullable=True, comment="Date of removal, yyyy-MM-dd; null while open (移除日期 ycrq)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("entry_no", name=op.f("pk_blacklist_entry")),
        comment="A subject that may no longer use commitment for a matter (告知承诺黑名单)",
    )
    op.create_index("ix_blacklist_entry_matter_code", "blacklist_entry", ["matter_code"], unique=False)
    op.create_index("ix_blacklist_entry_removed_on", "blacklist_entry", ["removed_on"], unique=False)
    op.create_index("ix_blacklist_entry_subject_code_matter_code", "blacklist_entry", ["subject_code", "matter_code"], unique=False)
    op.create_table(
        "campaign_request",
        sa.Column("request_no", sa.Text(), nullable=False, comment="Number that its sender gave it (下达编号)"),
        sa.Column("title", sa.Text(), nullable=False, comment="Title (标题)"),
        sa.Column("departments", sa.Text(), nullable=False, comment="Departments, the first in charge (部门)"),
        sa.Column("industry", sa.Text(), nullable=True, comment="Industry of the pool (行业)"),
        sa.Column("town", sa.Text(), nullable=True, comment="Town of the pool (镇街)"),
        sa.Column("grades", sa.Text(), nullable=False, comment="Credit grades of the pool; none: all (信用等级)"),
        sa.Column("subjects", sa.BigInteger(), nullable=False, comment="How many subjects are drawn (抽取数)"),
        sa.Column("officers_per_task", sa.BigInteger(), nullable=False, comment="Officers drawn for each (每组人数)"),
        sa.Column("due_at", sa.BigInteger(), nullable=False, comment="To be done by (截止时间)"),
        sa.Column("requested_by", sa.Text(), nullable=False, comment="Who asked for it (下达人)"),
        sa.Column("requested_at", sa.BigInteger(), nullable=False, comment="When (下达时间)"),
        sa.Column("external_no", sa.Text(), nullable=False, comment="Our number of the campaign there (外部编号)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("request_no", name=op.f("pk_campaign_request")),
        comment="A joint random inspection that was asked for (双随机联合检查下达)",
    )
    op.create_index("ix_campaign_request_due_at", "campaign_request", ["due_at"], unique=False)
    op.create_index("ix_campaign_request_external_no", "campaign_request", ["external_no"], unique=False)
    op.create_index("ix_campaign_request_industry", "campaign_request", ["industry"], unique=False)
    op.create_index("ix_campaign_request_requested_at", "campaign_request", ["requested_at"], unique=False)
    op.create_index("ix_campaign_request_town", "campaign_request", ["town"], unique=False)
    op.create_table(
        "figures_check",
        sa.Column("check_no", sa.Text(), nullable=False, comment="Report and its time of updating (核查编号)"),
        sa.Column("report_no", sa.Text(), nullable=False, comment="Report (自治结果编号)"),
        sa.Column("subject_code", sa.Text(), nullable=False, comment="USCC of the subject (统一社会信用代码)"),
        sa.Column("conclusion", sa.String(length=40), nullable=False, comment="Whether the figures hold (核查结论)"),
        sa.Column("remarks", sa.LargeBinary(), nullable=True, comment="Remarks (备注)"),
        sa.Column("department_code", sa.Text(), nullable=False, comment="Department that checked (部门)"),
        sa.Column("inspect", sa.Boolean(), nullable=False, comment="Whether a check on site is wanted (是否现场检查)"),
        sa.Column("checked_by", sa.Text(), nullable=False, comment="Who checked (核查人)"),
        sa.Column("checked_at", sa.BigInteger(), nullable=False, comment="When (核查时间)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("check_no", name=op.f("pk_figures_check")),
        comment="An on-line check of figures that a subject reported (申报数据在线核查)",
    )
    op.create_index("ix_figures_check_checked_at", "figures_check", ["checked_at"], unique=False)
    op.create_index("ix_figures_check_conclusion", "figures_check", ["conclusion"], unique=False)
    op.create_index("ix_figures_check_department_code", "figures_check", ["department_code"], unique=False)
    op.create_index("ix_figures_check_report_no", "figures_check", ["report_no"], unique=False)
    op.create_index("ix_figures_check_subject_code", "figures_check", ["subject_code"], unique=False)
    op.create_table(
        "notice",
        sa.Column("notice_no", sa.Text(), nullable=False, comment="Our number of it (编号 notice_no)"),
        sa.Column("subject_code", sa.Text(), nullable=True, comment="To whom; null for all of an industry (监管对象编码 tyshxydm)"),
        sa.Column("industry", sa.Text(), nullable=True, comment="Industry (行业 industry)"),
        sa.Column("title", sa.Text(), nullable=False, comment="Title (标题 title)"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="Text (内容 content)"),
        sa.Column("issued_at", sa.BigInteger(), nullable=False, comment="When it was issued (发布时间 issued)"),
        sa.Column("department_code", sa.Text(), nullable=False, comment="Department that issued it (部门 department)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("notice_no", name=op.f("pk_notice")),
        comment="A notice, law or rule pushed to subjects (推送的通知与法规)",
    )
    op.create_index("ix_notice_department_code", "notice", ["department_code"], unique=False)
    op.create_index("ix_notice_industry", "notice", ["industry"], unique=False)
    op.create_index("ix_notice_issued_at", "notice", ["issued_at"], unique=False)
    op.create_index("ix_notice_subject_code", "notice", ["subject_code"], unique=False)
    op.create_table(
        "notice_request",
        sa.Column("request_no", sa.Text(), nullable=False, comment="Number that its sender gave it (下达编号)"),
        sa.Column("subject_codes", sa.Text(), nullable=False, comment="Chosen subjects; none: all of the industry (监管对象编码)"),
        sa.Column("industry", sa.Text(), nullable=True, comment="Industry (行业)"),
        sa.Column("title", sa.Text(), nullable=False, comment="Title (标题)"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="Text (内容)"),
        sa.Column("department_code", sa.Text(), nullable=False, comment="Department that issues it (部门)"),
        sa.Column("requested_by", sa.Text(), nullable=False, comment="Who asked for it (下达人)"),
        sa.Column("requested_at", sa.BigInteger(), nullable=False, comment="When (下达时间)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("request_no", name=op.f("pk_notice_request")),
        comment="A notice or law that was to be pushed (通知推送下达)",
    )
    op.create_index("ix_notice_request_department_code", "notice_request", ["department_code"], unique=False)
    op.create_index("ix_notice_request_industry", "notice_request", ["industry"], unique=False)
    op.create_index("ix_notice_request_requested_at", "notice_request", ["requested_at"], unique=False)
    op.create_table(
        "score_entry",
        sa.Column("biz_no", sa.Text(), nullable=False, comment="bizNo of the credit record (信用记录业务编号 bizno)"),
        sa.Column("subject_code", sa.Text(), nullable=False, comment="USCC or RID code (统一社会信用代码或个人编码 tyshxydm)"),
        sa.Column("points", sa.BigInteger(), nullable=False, comment="Points as taken at first (扣分 points)"),
        sa.Column("item_code", sa.Text(), nullable=False, comment="Item (事项编码 itemcode)"),
        sa.Column("item_name", sa.Text(), nullable=False, comment="Name of the item (事项名称 itemname)"),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False, comment="When the breach was found (发生时间 occurred)"),
        sa.Column("repair_until", sa.BigInteger(), nullable=False, comment="Until when it can be repaired (修复期限 repair_until)"),
        sa.Column("state", sa.String(length=40), nullable=False, comment="Whether it can be repaired still (状态 state)"),
        sa.Column("updated_at", sa.BigInteger(), nullable=False, comment="When the hub last wrote it (更新时间 updated)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("biz_no", name=op.f("pk_score_entry")),
        comment="Points on the list that a subject sees of itself (自治系统扣分清单)",
    )
    op.create_index("ix_score_entry_repair_until", "score_entry", ["repair_until"], unique=False)
    op.create_index("ix_score_entry_state_repair_until", "score_entry", ["state", "repair_until"], unique=False)
    op.create_index("ix_score_entry_subject_code", "score_entry", ["subject_code"], unique=False)
    op.create_index("ix_score_entry_updated_at", "score_entry", ["updated_at"], unique=False)
    op.create_table(
        "self_report",
        sa.Column("report_no", sa.Text(), nullable=False, comment="Number of the row (编号 id)"),
        sa.Column("way", sa.String(length=40), nullable=False, comment="What was done (类型 lx)"),
        sa.Column("subject_code", sa.Text(), nullable=False, comment="USCC of the subject (统一社会信用代码 tyshxydm)"),
        sa.Column("subject_name", sa.Text(), nullable=True, comment="Subject's name (名称 ztmc)"),
        sa.Column(
            "repairs_biz_no",
            sa.Text(),
            nullable=True,
            comment="bizNo of the credit record that it repairs (修复的信用记录 jf_bizno)",
        ),
        sa.Column("points", sa.BigInteger(), nullable=True, comment="Points to restore (修复分 xffs)"),
        sa.Column("item_code", sa.Text(), nullable=True, comment="Item (事项编码 sxbm)"),
        sa.Column("item_name", sa.Text(), nullable=True, comment="Name of the item (事项名称 sxmc)"),
        sa.Column("figures", sa.LargeBinary(), nullable=True, comment="Reported figures, JSON text as it came (申报内容 sbnr)"),
        sa.Column("completed_at", sa.BigInteger(), nullable=False, comment="When it was completed (完成时间 wcsj)"),
        sa.Column("state", sa.String(length=40), nullable=False, comment="Whether it was approved (审核状态 shzt)"),
        sa.Column("mark", sa.String(length=40), nullable=False, comment="What the hub made of it (处理标志 clbz)"),
        sa.Column("mark_reason", sa.Text(), nullable=True, comment="Why the hub refused it (处理说明 clsm)"),
        sa.Column("updated_at", sa.BigInteger(), nullable=False, comment="When the platform last changed it (更新时间 gxsj)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("report_no", name=op.f("pk_self_report")),
        comment="A self-check, self-report, study or exam of a subject (自治结果)",
    )
    op.create_index("ix_self_report_completed_at", "self_report", ["completed_at"], unique=False)
    op.create_index("ix_self_report_item_code", "self_report", ["item_code"], unique=False)
    op.create_index("ix_self_report_repairs_biz_no", "self_report", ["repairs_biz_no"], unique=False)
    op.create_index("ix_self_report_state_mark", "self_report", ["state", "mark"], unique=False)
    op.create_index("ix_self_report_subject_code_completed_at", "self_report", ["subject_code", "completed_at"], unique=False)
    op.create_index("ix_self_report_updated_at", "self_report", ["updated_at"], unique=False)
    op.create_index("ix_self_report_way", "self_report", ["way"], unique=False)
    op.create_table(
        "sms_receipt",
        sa.Column("message_no", sa.Text(), nullable=False, comment="The gateway's number of the message (短信编号 taskid)"),
        sa.Column("phone", sa.LargeBinary(), nullable=False, comment="Telephone, masked (手机号 mobile)"),
        sa.Column("status", sa.String(length=40), nullable=False, comment="What became of it (回执状态 status)"),
        sa.Column("reported_at", sa.BigInteger(), nullable=False, comment="When the gateway knew (回执时间 time)"),
        sa.Column("source", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("observed_at", sa.BigInteger(), nullable=False, comment="When the hub saw it (采集时间)"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="Version the platform gave it; it only grows (版本)"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False, comment="Digest of the content at this version"),
        sa.PrimaryKeyConstraint("message_no", name=op.f("pk_sms_receipt")),
        comment="Whether a short message reached its telephone (短信回执)",
    )
    op.create_index("ix_sms_receipt_reported_at", "sms_receipt", ["reported_at"], unique=False)
    op.create_index("ix_sms_receipt_status", "sms_receipt", ["status"], unique=False)
    op.create_table(
        "statistic_cell",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("grain", sa.String(length=1), nullable=False, comment="D: of one day; M: of the month that begins on this day"),
        sa.Column("day", sa.Integer(), nullable=False, comment="Beijing day as yyyymmdd"),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("town", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("grade", sa.String(length=8), nullable=False),
        sa.Column("watched", sa.Boolean(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "kind",
            "grain",
            "day",
            "department",
            "matter",
            "town",
            "item",
            "way",
            "grade",
            "watched",
            name=op.f("pk_statistic_cell"),
        ),
        comment="Sums of statistic_fact, by day and by month (统计汇总)",
    )
    op.create_table(
        "statistic_due",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statistic_due")),
        comment="Records that changed and are not yet counted, written with the change (待统计记录)",
    )
    op.create_table(
        "statistic_fact",
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False, comment="Beijing day as yyyymmdd"),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("town", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("grade", sa.String(length=8), nullable=False),
        sa.Column("watched", sa.Boolean(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column(
            "member", sa.Text(), nullable=False, comment="What is counted once however often it comes: a case, an order, a campaign"
        ),
        sa.Column("link", sa.Text(), nullable=False, comment="The number by which facts of another record depend on this one"),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "key", "place", name=op.f("pk_statistic_fact")),
        comment="What each mirrored record contributes to statistics (统计明细)",
    )
    op.create_index("ix_statistic_fact_kind_day", "statistic_fact", ["kind", "day"], unique=False)
    op.create_index("ix_statistic_fact_subject", "statistic_fact", ["subject"], unique=False)
    op.create_table(
        "subject_identifier",
        sa.Column("identifier", sa.Text(), nullable=False, comment="USCC, RID code or old number (识别码)"),
        sa.Column("kind", sa.String(length=40), nullable=False, comment="What it is (识别码类型)"),
        sa.Column("code", sa.Text(), nullable=False, comment="Code of the subject that it belongs to now (所属监管对象编码)"),
        sa.Column(
            "credit_code",
            sa.Text(),
            nullable=True,
            comment="Code that the credit platform has for it; null for an old number nobody resolves (信用平台现用编码)",
        ),
        sa.Column("told_by", sa.Text(), nullable=True, comment="Platform whose word on it is the newest (来源平台)"),
        sa.Column("told_code", sa.Text(), nullable=True, comment="Code that it belongs to by that word (平台所述编码)"),
        sa.Column("told_at", sa.BigInteger(), nullable=True, comment="When that was said (告知时间)"),
        sa.Column(
            "merge_id", sa.Text(), nullable=True, comment="Merge by hand that outranks the word, where one stands (人工合并编号)"
        ),
        sa.PrimaryKeyConstraint("identifier", name=op.f("pk_subject_identifier")),
        comment="An identifier of a subject (主体识别码)",
    )
    op.create_index("ix_subject_identifier_code", "subject_identifier", ["code"], unique=False)
    op.create_index("ix_subject_identifier_credit_code", "subject_identifier", ["credit_code"], unique=False)
    op.create_index("ix_subject_identifier_kind", "subject_identifier", ["kind"], unique=False)
    op.create_index("ix_subject_identifier_merge_id", "subject_identifier", ["merge_id"], unique=False)
    op.create_index("ix_subject_identifier_told_code", "subject_identifier", ["told_code"], unique=False)
    op.create_table(
        "subject_merge",
        sa.Column("merge_id", sa.Text(), nullable=False, comment="Identifier and number of its merge, from 1 (合并编号)"),
        sa.Column("from_identifier", sa.Text(), nullable=False, comment="What was merged (被合并识别码)"),
        sa.Column("into_code", sa.Text(), nullable=False, comment="Code that it was merged into (并入编码)"),
        sa.Column("merged_at", sa.BigInteger(), nullable=False, comment="When (合并时间)"),
        sa.Column("merged_by", sa.Text(), nullable=False, comment="By whom (合并人)"),
        sa.Column("reason", sa.LargeBinary(), nullable=False, comment="Why (合并原因)"),
        sa.Column("undone_at", sa.BigInteger(), nullable=True, comment="When it was undone; null while it stands (撤销时间)"),
        sa.Column("undone_by", sa.Text(), nullable=True, comment="By whom it was undone (撤销人)"),
        sa.Column("undone_reason", sa.LargeBinary(), nullable=True, comment="Why it was undone (撤销原因)"),
        sa.PrimaryKeyConstraint("merge_id", name=op.f("pk_subject_merge")),
        comment="An identifier that was merged into a subject by hand (人工合并)",
    )
    op.create_index("ix_subject_merge_from_identifier", "subject_merge", ["from_identifier"], unique=False)
    op.create_index("ix_subject_merge_into_code", "subject_merge", ["into_code"], unique=False)
    op.create_index("ix_subject_merge_merged_at", "subject_merge", ["merged_at"], unique=False)
    op.create_index("ix_subject_merge_undone_at", "subject_merge", ["undone_at"], unique=False)
    op.add_column(
        "approval",
        sa.Column("representative_code", sa.Text(), nullable=True, comment="Legal representative's RID code (法人个人编码)"),
    )
    op.add_column(
        "approval", sa.Column("identifier", sa.Text(), nullable=True, comment="Identifier of the applicant (申请人识别码)")
    )
    op.create_index("ix_approval_identifier", "approval", ["identifier"], unique=False)
    op.create_index("ix_approval_representative_code", "approval", ["representative_code"], unique=False)
    op.add_column("campaign", sa.Column("industry", sa.Text(), nullable=True, comment="Industry of the pool (行业)"))
    op.add_column("campaign", sa.Column("town", sa.Text(), nullable=True, comment="Town of the pool (镇街)"))
    op.add_column(
        "campaign",
        sa.Column(
            "grades",
            sa.Text(),
            nullable=False,
            server_default="[]",
            comment="Credit grades of the pool; none: all, or not told (信用等级)",
        ),
    )
    op.create_index("ix_credit_record_caused_by", "credit_record", ["caused_by"], unique=False)
    op.create_index(
        "ix_grid_event_linked",
        "grid_event",
        ["event_no"],
        unique=False,
        sqlite_where=sa.text("related <> '[]'"),
        postgresql_where=sa.text("related <> '[]'"),
    )
    # The key changes, and the credit platform's words are heard again from its profiles (hub/mirror/merges.py, complete).
    op.drop_table("subject_alias")
    op.create_table(
        "subject_alias",
        sa.Column("alias_id", sa.Text(), nullable=False, comment="Identifier and code (编号)"),
        sa.Column("identifier", sa.Text(), nullable=False, comment="Earlier identifier (原识别码)"),
        sa.Column("code", sa.Text(), nullable=False, comment="Code that it belongs to by this word (所属编码)"),
        sa.Column("told_by", sa.Text(), nullable=False, comment="Platform that said so (来源平台)"),
        sa.Column("told_at", sa.BigInteger(), nullable=False, comment="When it last said so (告知时间)"),
        sa.PrimaryKeyConstraint("alias_id", name=op.f("pk_subject_alias")),
        comment="A platform's word that an identifier is an earlier one of a code (原识别码告知)",
    )
    op.create_index("ix_subject_alias_code", "subject_alias", ["code"], unique=False)
    op.create_index("ix_subject_alias_identifier", "subject_alias", ["identifier"], unique=False)
    # What platforms said of these now has more in it: both are read again, and what is owed because of them stands meanwhile.
    op.execute("DELETE FROM approval")
    op.execute("DELETE FROM campaign")
    op.execute("UPDATE stream_health SET cursor = NULL WHERE platform IN ('approval', 'enforcement')")


def downgrade() -> None:
    op.drop_table("subject_alias")
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
    op.drop_index(
        "ix_grid_event_linked",
        table_name="grid_event",
        sqlite_where=sa.text("related <> '[]'"),
        postgresql_where=sa.text("related <> '[]'"),
    )
    op.drop_index("ix_credit_record_caused_by", table_name="credit_record")
    op.drop_column("campaign", "grades")
    op.drop_column("campaign", "town")
    op.drop_column("campaign", "industry")
    op.drop_index("ix_approval_representative_code", table_name="approval")
    op.drop_index("ix_approval_identifier", table_name="approval")
    op.drop_column("approval", "identifier")
    op.drop_column("approval", "representative_code")
    op.drop_index("ix_subject_merge_undone_at", table_name="subject_merge")
    op.drop_index("ix_subject_merge_merged_at", table_name="subject_merge")
    op.drop_index("ix_subject_merge_into_code", table_name="subject_merge")
    op.drop_index("ix_subject_merge_from_identifier", table_name="subject_merge")
    op.drop_table("subject_merge")
    op.drop_index("ix_subject_identifier_told_code", table_name="subject_identifier")
    op.drop_index("ix_subject_identifier_merge_id", table_name="subject_identifier")
    op.drop_index("ix_subject_identifier_kind", table_name="subject_identifier")
    op.drop_index("ix_subject_identifier_credit_code", table_name="subject_identifier")
    op.drop_index("ix_subject_identifier_code", table_name="subject_identifier")
    op.drop_table("subject_identifier")
    op.drop_index("ix_statistic_fact_subject", table_name="statistic_fact")
    op.drop_index("ix_statistic_fact_kind_day", table_name="statistic_fact")
    op.drop_table("statistic_fact")
    op.drop_table("statistic_due")
    op.drop_table("statistic_cell")
    op.drop_index("ix_sms_receipt_status", table_name="sms_receipt")
    op.drop_index("ix_sms_receipt_reported_at", table_name="sms_receipt")
    op.drop_table("sms_receipt")
    op.drop_index("ix_self_report_way", table_name="self_report")
    op.drop_index("ix_self_report_updated_at", table_name="self_report")
    op.drop_index("ix_self_report_subject_code_completed_at", table_name="self_report")
    op.drop_index("ix_self_report_state_mark", table_name="self_report")
    op.drop_index("ix_self_report_repairs_biz_no", table_name="self_report")
    op.drop_index("ix_self_report_item_code", table_name="self_report")
    op.drop_index("ix_self_report_completed_at", table_name="self_report")
    op.drop_table("self_report")
    op.drop_index("ix_score_entry_updated_at", table_name="score_entry")
    op.drop_index("ix_score_entry_subject_code", table_name="score_entry")
    op.drop_index("ix_score_entry_state_repair_until", table_name="score_entry")
    op.drop_index("ix_score_entry_repair_until", table_name="score_entry")
    op.drop_table("score_entry")
    op.drop_index("ix_notice_request_requested_at", table_name="notice_request")
    op.drop_index("ix_notice_request_industry", table_name="notice_request")
    op.drop_index("ix_notice_request_department_code", table_name="notice_request")
    op.drop_table("notice_request")
    op.drop_index("ix_notice_subject_code", table_name="notice")
    op.drop_index("ix_notice_issued_at", table_name="notice")
    op.drop_index("ix_notice_industry", table_name="notice")
    op.drop_index("ix_notice_department_code", table_name="notice")
    op.drop_table("notice")
    op.drop_index("ix_figures_check_subject_code", table_name="figures_check")
    op.drop_index("ix_figures_check_report_no", table_name="figures_check")
    op.drop_index("ix_figures_check_department_code", table_name="figures_check")
    op.drop_index("ix_figures_check_conclusion", table_name="figures_check")
    op.drop_index("ix_figures_check_checked_at", table_name="figures_check")
    op.drop_table("figures_check")
    op.drop_index("ix_campaign_request_town", table_name="campaign_request")
    op.drop_index("ix_campaign_request_requested_at", table_name="campaign_request")
    op.drop_index("ix_campaign_request_industry", table_name="campaign_request")
    op.drop_index("ix_campaign_request_external_no", table_name="campaign_request")
    op.drop_index("ix_campaign_request_due_at", table_name="campaign_request")
    op.drop_table("campaign_request")
    op.drop_index("ix_blacklist_entry_subject_code_matter_code", table_name="blacklist_entry")
    op.drop_index("ix_blacklist_entry_removed_on", table_name="blacklist_entry")
    op.drop_index("ix_blacklist_entry_matter_code", table_name="blacklist_entry")
    op.drop_table("blacklist_entry")
