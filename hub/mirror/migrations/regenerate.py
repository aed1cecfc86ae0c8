"""`python -m hub.mirror.migrations.regenerate`: writes the first migration anew from the declared tables.

Only for as long as nothing is released: there is one migration, and no database to keep. After the first release a change of
an entity gets a step of its own: `... regenerate "what changes"` writes what is missing behind the present head.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine

from hub.mirror.upgrade import configuration, run_migrations

VERSIONS = Path(__file__).parent / "versions"


def regenerate() -> Path:
    """Replace all migrations by one that makes today's tables; return its path."""
    for old in VERSIONS.glob("*.py"):
        old.unlink()
    return write_step("0001", "initial")


def add(message: str) -> Path:
    """Write a step from the present head to today's tables; return its path."""
    return write_step(f"{len(list(VERSIONS.glob('[0-9]*.py'))) + 1:04}", message)


def write_step(revision: str, message: str) -> Path:
    """Write the step that is missing, found by comparing an upgraded, empty database with the declared tables."""
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite+pysqlite:///{folder}/empty.db")
        with engine.begin() as connection:
            if any(VERSIONS.glob("*.py")):
                run_migrations(connection)
            command.revision(configuration(connection), message=message, autogenerate=True, rev_id=revision)
        engine.dispose()
    (made,) = VERSIONS.glob(f"{revision}_*.py")
    made.write_text("".join(line for line in made.read_text().splitlines(keepends=True) if "# ### " not in line))
    for arguments in (("format", "--quiet"), ("check", "--fix", "--quiet")):
        subprocess.run([sys.executable, "-m", "ruff", *arguments, str(made)], check=True)  # noqa: S603  (our own arguments)
    return made


if __name__ == "__main__":
    written = add(sys.argv[1]) if len(sys.argv) > 1 else regenerate()
    sys.stdout.write(f"{written}\n")
