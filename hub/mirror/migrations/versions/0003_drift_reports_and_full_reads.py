"""drift reports and full reads."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
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
    op.add_column(
        "stream_health",
        sa.Column(
            "full_since",
            sa.BigInteger(),
            nullable=True,
            comment="Since when it is read from its beginning, to find what is gone; null while it is read on (全量读取开始)",
        ),
    )


def downgrade() -> None:
    op.drop_column("stream_health", "full_since")
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
