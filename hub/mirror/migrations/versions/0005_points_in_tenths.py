"""Points of findings and items in tenths: they were kept as a number of halves. Who answers for a subject is named rightly."""

from collections.abc import Sequence

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

REPRESENTATIVE = {
    "representative_name": "Legal representative (法定代表人姓名 FRXM)",
    "representative_identity_no": "Legal representative's identity number, masked (法定代表人证件号 FRZJHM)",
    "representative_code": "Legal representative's RID code (法定代表人个人编码)",
}


def upgrade() -> None:
    op.execute("UPDATE finding SET points = points * 5 WHERE points IS NOT NULL")
    op.execute("UPDATE inspection_item SET points = points * 5 WHERE points IS NOT NULL")
    if op.get_context().dialect.name == "postgresql":  # SQLite keeps no comments
        for column, comment in REPRESENTATIVE.items():
            op.alter_column("approval", column, comment=comment)


def downgrade() -> None:
    op.execute("UPDATE inspection_item SET points = points / 5 WHERE points IS NOT NULL")
    op.execute("UPDATE finding SET points = points / 5 WHERE points IS NOT NULL")
