"""indexes that sweeps read alone."""


from collections.abc import Sequence

from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index("ix_approval_state_approval_no_version", "approval", ["state", "approval_no", "version"], unique=False)
    op.drop_index(op.f("ix_obligation_rule_cause"), table_name="obligation")
    op.create_index("ix_obligation_rule_cause_cause_version", "obligation", ["rule", "cause", "cause_version"], unique=False)
    op.drop_index(op.f("ix_task_result_conclusion"), table_name="task_result")
    op.create_index("ix_task_result_conclusion_task_id_version", "task_result", ["conclusion", "task_id", "version"], unique=False)
    op.create_index(
        "ix_verification_task_status_origin_platform_origin_ref_version",
        "verification_task",
        ["status", "origin_platform", "origin_ref", "version"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index("ix_verification_task_status_origin_platform_origin_ref_version", table_name="verification_task")
    op.drop_index("ix_task_result_conclusion_task_id_version", table_name="task_result")
    op.create_index(op.f("ix_task_result_conclusion"), "task_result", ["conclusion"], unique=False)
    op.drop_index("ix_obligation_rule_cause_cause_version", table_name="obligation")
    op.create_index(op.f("ix_obligation_rule_cause"), "obligation", ["rule", "cause"], unique=False)
    op.drop_index("ix_approval_state_approval_no_version", table_name="approval")
