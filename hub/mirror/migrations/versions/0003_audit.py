"""audit."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
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
    op.add_column(
        "change",
        sa.Column(
            "position",
            sa.BigInteger(),
            nullable=True,
            comment="Place in the one public order, given after the commit, without holes; null until then",
        ),
    )
    op.create_index("ix_change_position_sequence", "change", ["position", "sequence"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_change_position_sequence", table_name="change")
    op.drop_column("change", "position")
    op.drop_index("ix_audit_entry_target", table_name="audit_entry")
    op.drop_index("ix_audit_entry_correlation_id", table_name="audit_entry")
    op.drop_index("ix_audit_entry_at", table_name="audit_entry")
    op.drop_index("ix_audit_entry_actor", table_name="audit_entry")
    op.drop_index("ix_audit_entry_action", table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_table("audit_block")
