"""console."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "platform_calls",
        sa.Column("platform", sa.String(length=40), nullable=False),
        sa.Column("span", sa.BigInteger(), autoincrement=False, nullable=False, comment="Five minutes, counted from 1970, UTC"),
        sa.Column("made", sa.BigInteger(), nullable=False, comment="Calls to it that ended in them"),
        sa.Column("failed", sa.BigInteger(), nullable=False, comment="Of these, how many brought no usable answer"),
        sa.PrimaryKeyConstraint("platform", "span", name=op.f("pk_platform_calls")),
        comment="How often processes called each platform, for two days (平台调用次数)",
    )
    op.add_column(
        "attempt",
        sa.Column(
            "command",
            sa.LargeBinary(),
            nullable=True,
            comment="What was to be made true, JSON: known also where the process ended in the call (指令内容)",
        ),
    )
    op.add_column(
        "attempt",
        sa.Column(
            "exchanges",
            sa.LargeBinary(),
            nullable=True,
            comment="What was said, the last 8; none: no call was made; null: it still runs, or its process ended (往来报文)",
        ),
    )
    op.add_column(
        "quarantined_record", sa.Column("entity", sa.Text(), nullable=True, comment="Kind of record, where it is known (实体)")
    )
    op.add_column(
        "quota",
        sa.Column(
            "minute", sa.BigInteger(), nullable=True, comment="Minute, counted from 1970, in which slots were last given away"
        ),
    )
    op.add_column("quota", sa.Column("given", sa.Integer(), nullable=True, comment="Slots that were given away in it"))
    op.add_column(
        "quota",
        sa.Column("given_before", sa.Integer(), nullable=True, comment="Slots that were given away in the minute before it"),
    )


def downgrade() -> None:
    op.drop_column("quota", "given_before")
    op.drop_column("quota", "given")
    op.drop_column("quota", "minute")
    op.drop_column("quarantined_record", "entity")
    op.drop_column("attempt", "exchanges")
    op.drop_column("attempt", "command")
    op.drop_table("platform_calls")
