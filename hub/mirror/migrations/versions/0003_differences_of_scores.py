"""differences of scores."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
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


def downgrade() -> None:
    op.drop_index("ix_score_difference_measure", table_name="score_difference")
    op.drop_index("ix_score_difference_explanation", table_name="score_difference")
    op.drop_index("ix_score_difference_ended_at_since", table_name="score_difference")
    op.drop_index("ix_score_difference_code", table_name="score_difference")
    op.drop_table("score_difference")
