"""Points of findings and items in tenths: they were kept as a number of halves."""

from collections.abc import Sequence

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("UPDATE finding SET points = points * 5 WHERE points IS NOT NULL")
    op.execute("UPDATE inspection_item SET points = points * 5 WHERE points IS NOT NULL")


def downgrade() -> None:
    op.execute("UPDATE inspection_item SET points = points / 5 WHERE points IS NOT NULL")
    op.execute("UPDATE finding SET points = points / 5 WHERE points IS NOT NULL")
