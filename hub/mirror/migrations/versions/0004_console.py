"""console."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
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


def downgrade() -> None:
    op.drop_column("quarantined_record", "entity")
    op.drop_column("attempt", "exchanges")
    op.drop_column("attempt", "command")
