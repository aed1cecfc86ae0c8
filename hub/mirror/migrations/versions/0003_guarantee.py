"""guarantee."""
# ruff: noqa: PLR0915  (written by regenerate.py)

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("platform", sa.String(length=40), nullable=False, comment="Empty where it is about none"),
        sa.Column("since", sa.BigInteger(), nullable=False, comment="Since when its condition has held"),
        sa.Column("seen_at", sa.BigInteger(), nullable=False, comment="When its condition last held"),
        sa.Column("raised_at", sa.BigInteger(), nullable=True, comment="When it was raised; null until it has held long enough"),
        sa.Column("cleared_at", sa.BigInteger(), nullable=True, comment="When it was over; kept only until that was told"),
        sa.Column("number", sa.Float(), nullable=False, comment="What was measured last"),
        sa.Column("raise_told_at", sa.BigInteger(), nullable=True, comment="When HUB_ALERT_WEBHOOK took that it was raised"),
        sa.Column("tries", sa.Integer(), nullable=False, comment="Failures in a row to tell of it"),
        sa.Column("next_try_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "platform", name=op.f("pk_alert")),
        comment="The hub's alerts: those that stand, and those whose end is still to be told (告警)",
    )
    op.create_table(
        "audit_block",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False, comment="From 1, without holes"),
        sa.Column("first", sa.BigInteger(), nullable=False, comment="Position of the first change that it seals"),
        sa.Column("last", sa.BigInteger(), nullable=False, comment="Position of the last one"),
        sa.Column("closed_at", sa.BigInteger(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False, comment="Hash of the block before; zeros before the first"),
        sa.Column("digests", sa.LargeBinary(), nullable=False, comment="SM3 of each change, one after the other"),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="SM3 of all of this"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_block")),
        comment="Blocks that seal the change history, each on the one before (审计区块)",
    )
    op.create_table(
        "audit_entry",
        sa.Column("entry_id", sa.Text(), nullable=False, comment="Identity (编号)"),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="When (时间)"),
        sa.Column("actor", sa.Text(), nullable=False, comment="Who: the name of the application key, or the command line (操作人)"),
        sa.Column("action", sa.Text(), nullable=False, comment="What was done: the name of the mutation or command (操作)"),
        sa.Column("target_kind", sa.Text(), nullable=False, comment="What kind of thing it was done to (对象类别)"),
        sa.Column("target", sa.Text(), nullable=False, comment="What it was done to (对象)"),
        sa.Column("reason", sa.LargeBinary(), nullable=True, comment="Why (原因)"),
        sa.Column("outcome", sa.LargeBinary(), nullable=True, comment="What came of it (结果)"),
        sa.Column("correlation_id", sa.Text(), nullable=True, comment="Stands in the log and in the answer's header (关联编号)"),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_entry")),
        comment="Something that a person did through the hub (审计记录)",
    )
    op.create_index("ix_audit_entry_action", "audit_entry", ["action"], unique=False)
    op.create_index("ix_audit_entry_actor", "audit_entry", ["actor"], unique=False)
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"], unique=False)
    op.create_index("ix_audit_entry_correlation_id", "audit_entry", ["correlation_id"], unique=False)
    op.create_index("ix_audit_entry_target", "audit_entry", ["target"], unique=False)
    op.create_table(
        "bookmark",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False, comment="The last position of the change history that was gone through"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_bookmark")),
        comment="How far the change history was gone through, by what goes through it (变更历史书签)",
    )
    op.create_table(
        "drift_finding",
        sa.Column("finding_id", sa.Text(), nullable=False, comment="Identity (编号)"),
        sa.Column("report_id", sa.Text(), nullable=False, comment="Report that it belongs to (报告编号)"),
        sa.Column("platform", sa.Text(), nullable=False, comment="Platform (平台)"),
        sa.Column("entity", sa.Text(), nullable=False, comment="Kind of record (记录类别)"),
        sa.Column(
            "record_key", sa.Text(), nullable=False, comment="Key of the record; of an unexplained bucket its name (记录编号)"
        ),
        sa.Column("kind", sa.String(length=40), nullable=False, comment="How they differed (差异类别)"),
        sa.Column("state", sa.String(length=40), nullable=False, comment="What became of it (处理状态)"),
        sa.Column("bucket", sa.Text(), nullable=True, comment="Bucket, where digests were compared (分桶)"),
        sa.Column("our_version", sa.BigInteger(), nullable=True, comment="Version here; null if it was missing (本地版本)"),
        sa.Column("their_version", sa.BigInteger(), nullable=True, comment="Version there; null if it was missing (平台版本)"),
        sa.Column("our_count", sa.BigInteger(), nullable=True, comment="Records that the bucket held here (本地数量)"),
        sa.Column("their_count", sa.BigInteger(), nullable=True, comment="Records that it held there (平台数量)"),
        sa.Column("our_digest", sa.Text(), nullable=True, comment="Digest of the bucket here (本地摘要)"),
        sa.Column("their_digest", sa.Text(), nullable=True, comment="Digest of the bucket there (平台摘要)"),
        sa.Column("found_at", sa.BigInteger(), nullable=False, comment="When it was found first (发现时间)"),
        sa.Column("seen_at", sa.BigInteger(), nullable=False, comment="When it was seen last (最近发现)"),
        sa.Column("ended_at", sa.BigInteger(), nullable=True, comment="When it was no more; null while it stands (结束时间)"),
        sa.Column("item_id", sa.Text(), nullable=True, comment="Item of the ops list that asks what to do (人工处理事项)"),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_drift_finding")),
        comment="A record in which the hub and a platform differed (差异明细)",
    )
    op.create_index("ix_drift_finding_ended_at_found_at", "drift_finding", ["ended_at", "found_at"], unique=False)
    op.create_index("ix_drift_finding_found_at", "drift_finding", ["found_at"], unique=False)
    op.create_index("ix_drift_finding_item_id", "drift_finding", ["item_id"], unique=False)
    op.create_index("ix_drift_finding_kind", "drift_finding", ["kind"], unique=False)
    op.create_index("ix_drift_finding_platform", "drift_finding", ["platform"], unique=False)
    op.create_index("ix_drift_finding_record_key", "drift_finding", ["record_key"], unique=False)
    op.create_index("ix_drift_finding_report_id_seen_at", "drift_finding", ["report_id", "seen_at"], unique=False)
    op.create_index("ix_drift_finding_state", "drift_finding", ["state"], unique=False)
    op.create_table(
        "drift_report",
        sa.Column("report_id", sa.Text(), nullable=False, comment="Platform, entity and method (报告编号)"),
        sa.Column("platform", sa.Text(), nullable=False, comment="Platform (平台)"),
        sa.Column("entity", sa.Text(), nullable=False, comment="Kind of record (记录类别)"),
        sa.Column("method", sa.String(length=40), nullable=False, comment="How they are compared (比对方式)"),
        sa.Column(
            "started_at", sa.BigInteger(), nullable=True, comment="When the last comparison began; null before the first (开始时间)"
        ),
        sa.Column(
            "ended_at", sa.BigInteger(), nullable=True, comment="When it ended; null while it runs, or if it never did (结束时间)"
        ),
        sa.Column("failure", sa.LargeBinary(), nullable=True, comment="Why it could not be made; null when it was (失败原因)"),
        sa.Column("checked", sa.BigInteger(), nullable=False, comment="Buckets, or records, that were compared (比对数量)"),
        sa.Column("differing", sa.BigInteger(), nullable=False, comment="Buckets whose digests differed for good (不一致数量)"),
        sa.Column("missing_here", sa.BigInteger(), nullable=False, comment="Records that only the platform had (本地缺失)"),
        sa.Column("missing_there", sa.BigInteger(), nullable=False, comment="Records that only the hub had (平台缺失)"),
        sa.Column(
            "outdated_here", sa.BigInteger(), nullable=False, comment="Records of which the platform had a newer version (本地过期)"
        ),
        sa.Column("newer_here", sa.BigInteger(), nullable=False, comment="Records of which the hub had a newer version (本地较新)"),
        sa.Column("unexplained", sa.BigInteger(), nullable=False, comment="Buckets that no record explains (无法解释)"),
        sa.Column("repaired", sa.BigInteger(), nullable=False, comment="Of all these, repaired or marked as gone (已修复)"),
        sa.Column("waiting", sa.BigInteger(), nullable=False, comment="Of all these, waiting for an operator (待审批)"),
        sa.Column("next_at", sa.BigInteger(), nullable=False, comment="When they are compared next (下次比对)"),
        sa.Column(
            "place",
            sa.Text(),
            nullable=True,
            comment="How far the one under way, or broken off, has come; null between them (进度)",
        ),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_drift_report")),
        comment="How the hub and a platform compared last (比对报告)",
    )
    op.create_index("ix_drift_report_platform", "drift_report", ["platform"], unique=False)
    op.create_table(
        "full_read_key",
        sa.Column("stream_id", sa.String(length=120), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False, comment="When the full read that showed it began, microseconds"),
        sa.PrimaryKeyConstraint("stream_id", "entity", "key", name=op.f("pk_full_read_key")),
        comment="What a stream that is read from its beginning has shown so far (全量读取已见)",
    )
    op.create_table(
        "maintenance_window",
        sa.Column("window_id", sa.Text(), nullable=False, comment="Platform and number of its window, from 1 (窗口编号)"),
        sa.Column("platform", sa.Text(), nullable=False, comment="Platform (平台)"),
        sa.Column("begins_at", sa.BigInteger(), nullable=False, comment="From (开始时间)"),
        sa.Column("ends_at", sa.BigInteger(), nullable=False, comment="Until (结束时间)"),
        sa.Column("reason", sa.LargeBinary(), nullable=False, comment="Why (维护原因)"),
        sa.Column("planned_at", sa.BigInteger(), nullable=False, comment="When it was entered (登记时间)"),
        sa.Column("planned_by", sa.Text(), nullable=False, comment="By whom it was entered (登记人)"),
        sa.Column("cancelled_at", sa.BigInteger(), nullable=True, comment="When it was called off; null if it was not (取消时间)"),
        sa.Column("cancelled_by", sa.Text(), nullable=True, comment="By whom it was called off (取消人)"),
        sa.Column("cancel_reason", sa.LargeBinary(), nullable=True, comment="Why it was called off (取消原因)"),
        sa.PrimaryKeyConstraint("window_id", name=op.f("pk_maintenance_window")),
        comment="A maintenance window of a platform (平台维护窗口)",
    )
    op.create_index("ix_maintenance_window_begins_at", "maintenance_window", ["begins_at"], unique=False)
    op.create_index("ix_maintenance_window_platform_ends_at", "maintenance_window", ["platform", "ends_at"], unique=False)
    op.create_table(
        "obligation_change",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False, comment="What it was after this change"),
        sa.Column("created", sa.Boolean(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger(),
            nullable=True,
            comment="Place in the order of these changes, given after the commit; null until then",
        ),
        sa.Column("placed_at", sa.BigInteger(), nullable=True, comment="When it was given, microseconds"),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_obligation_change")),
        comment="Which obligations changed, for subscribers; kept for some days (应办事项变更)",
    )
    op.create_index("ix_obligation_change_position_sequence", "obligation_change", ["position", "sequence"], unique=False)
    op.create_table(
        "platform_condition",
        sa.Column("platform", sa.String(length=40), nullable=False),
        sa.Column(
            "ahead",
            sa.BigInteger(),
            nullable=True,
            comment="By how much its clock is ahead of ours, microseconds; median of its answers",
        ),
        sa.Column(
            "within", sa.BigInteger(), nullable=True, comment="Half a round trip and half a second: the median may be off by this"
        ),
        sa.Column("samples", sa.Integer(), nullable=True, comment="Answers that the median was taken of"),
        sa.Column("measured_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "closed_until",
            sa.BigInteger(),
            nullable=True,
            comment="Until when it last asked to be left alone (503 with Retry-After)",
        ),
        sa.Column("closed_since", sa.BigInteger(), nullable=True, comment="When it first asked so in a row"),
        sa.Column(
            "broken_until", sa.BigInteger(), nullable=True, comment="A process's breaker leaves it alone until then; null: closed"
        ),
        sa.Column("told_at", sa.BigInteger(), nullable=True, comment="When it last told anything new, by whichever way"),
        sa.Column(
            "unannounced", sa.Integer(), nullable=True, comment="Records that it posts, and that polls found since its last webhook"
        ),
        sa.Column("unannounced_at", sa.BigInteger(), nullable=True, comment="When the newest of them was seen"),
        sa.PrimaryKeyConstraint("platform", name=op.f("pk_platform_condition")),
        comment="What processes notice of a platform as they call it (平台状况)",
    )
    op.create_table(
        "platform_hour",
        sa.Column("platform", sa.String(length=40), nullable=False),
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False, comment="Hours since 1970, UTC"),
        sa.Column("told", sa.BigInteger(), nullable=False, comment="New versions of records that were seen in it"),
        sa.PrimaryKeyConstraint("platform", "hour", name=op.f("pk_platform_hour")),
        comment="How much each platform tells, hour by hour, for some weeks (平台消息量)",
    )
    op.create_table(
        "platform_pause",
        sa.Column("pause_id", sa.Text(), nullable=False, comment="Platform and number of its pause, from 1 (暂停编号)"),
        sa.Column("platform", sa.Text(), nullable=False, comment="Platform (平台)"),
        sa.Column("since", sa.BigInteger(), nullable=False, comment="Since when (暂停时间)"),
        sa.Column("paused_by", sa.Text(), nullable=False, comment="By whom (暂停人)"),
        sa.Column("reason", sa.LargeBinary(), nullable=False, comment="Why (暂停原因)"),
        sa.Column("ended_at", sa.BigInteger(), nullable=True, comment="When it was resumed; null while it stands (恢复时间)"),
        sa.Column("ended_by", sa.Text(), nullable=True, comment="By whom it was resumed (恢复人)"),
        sa.Column("end_reason", sa.LargeBinary(), nullable=True, comment="Why it was resumed (恢复原因)"),
        sa.PrimaryKeyConstraint("pause_id", name=op.f("pk_platform_pause")),
        comment="A platform that an operator paused (平台暂停)",
    )
    op.create_index("ix_platform_pause_platform_ended_at", "platform_pause", ["platform", "ended_at"], unique=False)
    op.create_index("ix_platform_pause_since", "platform_pause", ["since"], unique=False)
    op.create_table(
        "refused_delivery",
        sa.Column(
            "refusal_id", sa.Text(), nullable=False, comment="Identity: platform, reason code, address, message and day (拒收编号)"
        ),
        sa.Column("platform", sa.Text(), nullable=False, comment="Platform that the address names (平台)"),
        sa.Column("code", sa.Text(), nullable=False, comment="Reason code (原因代码)"),
        sa.Column(
            "remote", sa.Text(), nullable=True, comment="Address that it came from; null where many are counted together (来源地址)"
        ),
        sa.Column(
            "message_id", sa.Text(), nullable=True, comment="The id that it claimed, unproven, personal numbers masked (消息编号)"
        ),
        sa.Column("detail", sa.LargeBinary(), nullable=False, comment="What was wrong with the last of them (说明)"),
        sa.Column("first_at", sa.BigInteger(), nullable=False, comment="When the first came (首次时间)"),
        sa.Column("last_at", sa.BigInteger(), nullable=False, comment="When the last came (最近时间)"),
        sa.Column("times", sa.BigInteger(), nullable=False, comment="How many came (次数)"),
        sa.PrimaryKeyConstraint("refusal_id", name=op.f("pk_refused_delivery")),
        comment="Deliveries that were refused, alike ones together (拒收推送)",
    )
    op.create_index("ix_refused_delivery_code", "refused_delivery", ["code"], unique=False)
    op.create_index("ix_refused_delivery_last_at", "refused_delivery", ["last_at"], unique=False)
    op.create_index("ix_refused_delivery_message_id", "refused_delivery", ["message_id"], unique=False)
    op.create_index("ix_refused_delivery_platform_last_at", "refused_delivery", ["platform", "last_at"], unique=False)
    op.create_table(
        "score_difference",
        sa.Column("difference_id", sa.Text(), nullable=False, comment="Subject's code and what was compared (差异编号)"),
        sa.Column(
            "code",
            sa.Text(),
            nullable=False,
            comment="USCC or RID code, the credit platform's present one (统一社会信用代码或个人编码)",
        ),
        sa.Column("measure", sa.String(length=40), nullable=False, comment="What was compared (对账项目)"),
        sa.Column("period", sa.Text(), nullable=False, comment="Period of points, the Beijing year (扣分周期)"),
        sa.Column("ours", sa.BigInteger(), nullable=False, comment="What the records in the mirror add up to (本系统累计)"),
        sa.Column(
            "theirs",
            sa.BigInteger(),
            nullable=True,
            comment="What the platform says; null where it knows no such subject (信用平台数值)",
        ),
        sa.Column("difference", sa.BigInteger(), nullable=False, comment="Ours less theirs (差值)"),
        sa.Column("record_ids", sa.Text(), nullable=False, comment="The records that make ours (构成记录)"),
        sa.Column(
            "others", sa.BigInteger(), nullable=False, comment="How many of these records somebody else posted (其中非本系统记录数)"
        ),
        sa.Column(
            "explanation", sa.String(length=40), nullable=True, comment="Why that may be; null where nothing explains it (差异说明)"
        ),
        sa.Column("since", sa.BigInteger(), nullable=False, comment="When figures first differed by so much (差异起始)"),
        sa.Column("compared_at", sa.BigInteger(), nullable=False, comment="When they were last compared (最近对账)"),
        sa.Column("told_at", sa.BigInteger(), nullable=True, comment="When ops was told, after a live read (列入人工处理时间)"),
        sa.Column(
            "ended_at", sa.BigInteger(), nullable=True, comment="When they agreed again; null while they differ (差异消除时间)"
        ),
        sa.PrimaryKeyConstraint("difference_id", name=op.f("pk_score_difference")),
        comment="Where our count of a subject's points and the credit platform's figure differ (扣分对账差异)",
    )
    op.create_index("ix_score_difference_code", "score_difference", ["code"], unique=False)
    op.create_index("ix_score_difference_ended_at_since", "score_difference", ["ended_at", "since"], unique=False)
    op.create_index("ix_score_difference_explanation", "score_difference", ["explanation"], unique=False)
    op.create_index("ix_score_difference_measure", "score_difference", ["measure"], unique=False)
    op.create_table(
        "secret_use",
        sa.Column("platform", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False, comment="CALLS: ours sign with it; WEBHOOKS: the platform's do"),
        sa.Column(
            "fingerprint",
            sa.String(length=16),
            nullable=False,
            comment="Keyed digest of the secret; says which, and tells nothing of it",
        ),
        sa.Column("last_used_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "purpose", "fingerprint", name=op.f("pk_secret_use")),
        comment="When each secret was last used, so that an old one can be taken away in time (密钥使用)",
    )
    op.create_index("ix_approval_state_approval_no_version", "approval", ["state", "approval_no", "version"], unique=False)
    op.add_column(
        "change",
        sa.Column(
            "position",
            sa.BigInteger(),
            nullable=True,
            comment="Place in the one public order, given after the commit, without holes; null until then",
        ),
    )
    op.add_column(
        "change",
        sa.Column(
            "created",
            sa.Boolean(),
            nullable=True,
            comment="Whether there was no such record before; null in rows of older versions of the hub",
        ),
    )
    op.create_index("ix_change_position_sequence", "change", ["position", "sequence"], unique=False)
    op.add_column(
        "delivery",
        sa.Column(
            "repeats",
            sa.BigInteger(),
            nullable=True,
            comment="How often it came again, and was acknowledged without being kept; null: never (重复次数)",
        ),
    )
    op.add_column(
        "delivery", sa.Column("repeated_at", sa.BigInteger(), nullable=True, comment="When it last came again (最近重复)")
    )
    op.add_column(
        "delivery", sa.Column("trace", sa.Text(), nullable=True, comment="Trace in which it came, as a traceparent (链路)")
    )
    op.drop_index(op.f("ix_delivery_state_sequence"), table_name="delivery")
    op.create_index("ix_delivery_state_platform_sequence", "delivery", ["state", "platform", "sequence"], unique=False)
    op.add_column(
        "obligation", sa.Column("decided_at", sa.BigInteger(), nullable=True, comment="When it was waived or settled (处理时间)")
    )
    op.add_column(
        "obligation", sa.Column("trace", sa.Text(), nullable=True, comment="Trace of what made it due, as a traceparent (链路)")
    )
    op.drop_index(op.f("ix_obligation_rule_cause"), table_name="obligation")
    op.create_index("ix_obligation_rule_cause_cause_version", "obligation", ["rule", "cause", "cause_version"], unique=False)
    op.add_column(
        "stream_health",
        sa.Column(
            "full_since",
            sa.BigInteger(),
            nullable=True,
            comment="Since when it is read from its beginning, to find what is gone; null while it is read on (全量读取开始)",
        ),
    )
    op.drop_index(op.f("ix_task_result_conclusion"), table_name="task_result")
    op.create_index("ix_task_result_conclusion_task_id_version", "task_result", ["conclusion", "task_id", "version"], unique=False)
    op.drop_index(op.f("ix_verification_task_origin_ref_origin_platform"), table_name="verification_task")
    op.create_index(
        "ix_verification_task_origin_ref_origin_platform_status_version",
        "verification_task",
        ["origin_ref", "origin_platform", "status", "version"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index("ix_verification_task_origin_ref_origin_platform_status_version", table_name="verification_task")
    op.create_index(
        op.f("ix_verification_task_origin_ref_origin_platform"),
        "verification_task",
        ["origin_ref", "origin_platform"],
        unique=False,
    )
    op.drop_index("ix_task_result_conclusion_task_id_version", table_name="task_result")
    op.create_index(op.f("ix_task_result_conclusion"), "task_result", ["conclusion"], unique=False)
    op.drop_column("stream_health", "full_since")
    op.drop_index("ix_obligation_rule_cause_cause_version", table_name="obligation")
    op.create_index(op.f("ix_obligation_rule_cause"), "obligation", ["rule", "cause"], unique=False)
    op.drop_column("obligation", "trace")
    op.drop_column("obligation", "decided_at")
    op.drop_index("ix_delivery_state_platform_sequence", table_name="delivery")
    op.create_index(op.f("ix_delivery_state_sequence"), "delivery", ["state", "sequence"], unique=False)
    op.drop_column("delivery", "trace")
    op.drop_column("delivery", "repeated_at")
    op.drop_column("delivery", "repeats")
    op.drop_index("ix_change_position_sequence", table_name="change")
    op.drop_column("change", "created")
    op.drop_column("change", "position")
    op.drop_index("ix_approval_state_approval_no_version", table_name="approval")
    op.drop_table("secret_use")
    op.drop_index("ix_score_difference_measure", table_name="score_difference")
    op.drop_index("ix_score_difference_explanation", table_name="score_difference")
    op.drop_index("ix_score_difference_ended_at_since", table_name="score_difference")
    op.drop_index("ix_score_difference_code", table_name="score_difference")
    op.drop_table("score_difference")
    op.drop_index("ix_refused_delivery_platform_last_at", table_name="refused_delivery")
    op.drop_index("ix_refused_delivery_message_id", table_name="refused_delivery")
    op.drop_index("ix_refused_delivery_last_at", table_name="refused_delivery")
    op.drop_index("ix_refused_delivery_code", table_name="refused_delivery")
    op.drop_table("refused_delivery")
    op.drop_index("ix_platform_pause_since", table_name="platform_pause")
    op.drop_index("ix_platform_pause_platform_ended_at", table_name="platform_pause")
    op.drop_table("platform_pause")
    op.drop_table("platform_hour")
    op.drop_table("platform_condition")
    op.drop_index("ix_obligation_change_position_sequence", table_name="obligation_change")
    op.drop_table("obligation_change")
    op.drop_index("ix_maintenance_window_platform_ends_at", table_name="maintenance_window")
    op.drop_index("ix_maintenance_window_begins_at", table_name="maintenance_window")
    op.drop_table("maintenance_window")
    op.drop_table("full_read_key")
    op.drop_index("ix_drift_report_platform", table_name="drift_report")
    op.drop_table("drift_report")
    op.drop_index("ix_drift_finding_state", table_name="drift_finding")
    op.drop_index("ix_drift_finding_report_id_seen_at", table_name="drift_finding")
    op.drop_index("ix_drift_finding_record_key", table_name="drift_finding")
    op.drop_index("ix_drift_finding_platform", table_name="drift_finding")
    op.drop_index("ix_drift_finding_kind", table_name="drift_finding")
    op.drop_index("ix_drift_finding_item_id", table_name="drift_finding")
    op.drop_index("ix_drift_finding_found_at", table_name="drift_finding")
    op.drop_index("ix_drift_finding_ended_at_found_at", table_name="drift_finding")
    op.drop_table("drift_finding")
    op.drop_table("bookmark")
    op.drop_index("ix_audit_entry_target", table_name="audit_entry")
    op.drop_index("ix_audit_entry_correlation_id", table_name="audit_entry")
    op.drop_index("ix_audit_entry_at", table_name="audit_entry")
    op.drop_index("ix_audit_entry_actor", table_name="audit_entry")
    op.drop_index("ix_audit_entry_action", table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_table("audit_block")
    op.drop_table("alert")
