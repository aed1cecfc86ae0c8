"""sweeps over what changed, and indexes that sweeps read alone."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "bookmark",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False, comment="The last sequence of the change history that was gone through"),
        sa.Column("horizon", sa.BigInteger(), nullable=False, comment="A sequence below which nothing new appears once ..."),
        sa.Column(
            "transaction", sa.BigInteger(), nullable=False, comment="... all transactions below this number are over; 0 on SQLite"
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_bookmark")),
        comment="How far the change history was gone through, by what goes through it (变更历史书签)",
    )
    op.create_index("ix_approval_state_approval_no_version", "approval", ["state", "approval_no", "version"], unique=False)
    op.drop_index(op.f("ix_obligation_rule_cause"), table_name="obligation")
    op.create_index("ix_obligation_rule_cause_cause_version", "obligation", ["rule", "cause", "cause_version"], unique=False)
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
    op.drop_index("ix_obligation_rule_cause_cause_version", table_name="obligation")
    op.create_index(op.f("ix_obligation_rule_cause"), "obligation", ["rule", "cause"], unique=False)
    op.drop_index("ix_approval_state_approval_no_version", table_name="approval")
    op.drop_table("bookmark")
