"""what intake waits for by platform."""

from collections.abc import Sequence

from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.drop_index(op.f("ix_delivery_state_sequence"), table_name="delivery")
    op.create_index("ix_delivery_state_platform_sequence", "delivery", ["state", "platform", "sequence"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_delivery_state_platform_sequence", table_name="delivery")
    op.create_index(op.f("ix_delivery_state_sequence"), "delivery", ["state", "sequence"], unique=False)
