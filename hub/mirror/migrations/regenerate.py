"""`python -m hub.mirror.migrations.regenerate "what changes"`: writes the step that is missing behind the present head.

It compares what the migrations make with the declared tables. Read what it wrote: data, and changed keys, are for people.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine

from hub.mirror.upgrade import configuration, run_migrations

VERSIONS = Path(__file__).parent / "versions"


def add(message: str) -> Path:
    """Write a step from the present head to today's tables; return its path."""
    return write_step(f"{len(list(VERSIONS.glob('[0-9]*.py'))) + 1:04}", message)


def write_step(revision: str, message: str) -> Path:
    """Write the step that is missing, found by comparing an upgraded, empty database with the declared tables."""
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite+pysqlite:///{folder}/empty.db")
        with engine.begin() as connection:
            run_migrations(connection)
            command.revision(configuration(connection), message=message, autogenerate=True, rev_id=revision)
        engine.dispose()
    (made,) = VERSIONS.glob(f"{revision}_*.py")
    made.write_text("".join(line for line in made.read_text().splitlines(keepends=True) if "# ### " not in line))
    for arguments in (("format", "--quiet"), ("check", "--fix", "--quiet"), ("format", "--quiet")):
        subprocess.run([sys.executable, "-m", "ruff", *arguments, str(made)], check=True)  # noqa: S603  (our own arguments)
    return made


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit('say what changes: python -m hub.mirror.migrations.regenerate "a new column"')
    sys.stdout.write(f"{add(sys.argv[1])}\n")
