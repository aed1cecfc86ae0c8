"""`python -m tests.chaos.histories N`: so many random histories; the first one that fails is shrunk and printed."""

import sys
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

from hub.mirror.database import SQLiteDatabase
from hub.mirror.upgrade import upgrade
from hub.telemetry import configure_logs
from tests.chaos.history import History, histories
from tests.chaos.performance import perform
from tests.servers import elsewhere

ALWAYS = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example, HealthCheck.function_scoped_fixture)

IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  (only faster: thousands of commits to the disk)


def make_template(path: Path) -> Path:
    """Make a migrated, empty hub database to copy."""

    async def make() -> None:
        database = SQLiteDatabase(str(path), inline=True)
        await upgrade(database)
        await database.close()

    elsewhere(make())
    return path


def check(history: History, template: Path) -> None:
    """Carry a history out; raise AssertionError naming all that differs from the oracle's word."""
    with tempfile.TemporaryDirectory(prefix="history-", dir=IN_MEMORY) as folder:
        found = perform(history, Path(folder), template)
    assert not found, "\n".join(found)


def main(count: int, *, shrinking: bool) -> None:
    """Check so many histories."""
    configure_logs("critical", as_json=False)
    phases = tuple(Phase) if shrinking else (Phase.generate,)
    with tempfile.TemporaryDirectory(prefix="histories-") as folder:
        template = make_template(Path(folder) / "template.db")

        @settings(max_examples=count, deadline=None, database=None, print_blob=True, phases=phases, suppress_health_check=ALWAYS)
        @given(histories())
        def each(history: History) -> None:
            check(history, template)

        each()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100, shrinking="--no-shrinking" not in sys.argv)
