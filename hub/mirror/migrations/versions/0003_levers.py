"""levers."""


from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
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
        sa.PrimaryKeyConstraint("platform", name=op.f("pk_platform_condition")),
        comment="What processes notice of a platform as they call it (平台状况)",
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
    op.drop_index(op.f("ix_delivery_state_sequence"), table_name="delivery")
    op.create_index("ix_delivery_state_platform_sequence", "delivery", ["state", "platform", "sequence"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_delivery_state_platform_sequence", table_name="delivery")
    op.create_index(op.f("ix_delivery_state_sequence"), "delivery", ["state", "sequence"], unique=False)
    op.drop_column("delivery", "repeated_at")
    op.drop_column("delivery", "repeats")
    op.drop_table("secret_use")
    op.drop_index("ix_refused_delivery_platform_last_at", table_name="refused_delivery")
    op.drop_index("ix_refused_delivery_message_id", table_name="refused_delivery")
    op.drop_index("ix_refused_delivery_last_at", table_name="refused_delivery")
    op.drop_index("ix_refused_delivery_code", table_name="refused_delivery")
    op.drop_table("refused_delivery")
    op.drop_index("ix_platform_pause_since", table_name="platform_pause")
    op.drop_index("ix_platform_pause_platform_ended_at", table_name="platform_pause")
    op.drop_table("platform_pause")
    op.drop_table("platform_condition")
    op.drop_index("ix_maintenance_window_platform_ends_at", table_name="maintenance_window")
    op.drop_index("ix_maintenance_window_begins_at", table_name="maintenance_window")
    op.drop_table("maintenance_window")
    op.drop_index("ix_audit_entry_target", table_name="audit_entry")
    op.drop_index("ix_audit_entry_correlation_id", table_name="audit_entry")
    op.drop_index("ix_audit_entry_at", table_name="audit_entry")
    op.drop_index("ix_audit_entry_actor", table_name="audit_entry")
    op.drop_index("ix_audit_entry_action", table_name="audit_entry")
    op.drop_table("audit_entry")
