"""`python -m tests.chaos.histories N`: so many random histories; the first one that fails is shrunk and printed."""

import sys
import tempfile
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

from hub.mirror.upgrade import upgrade
from hub.simulation.disk import Disk, SimulatedDatabase
from hub.simulation.mortality import Mortality
from hub.telemetry import configure_logs
from tests.chaos.history import History, histories
from tests.chaos.performance import perform
from tests.servers import elsewhere

ALWAYS = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example, HealthCheck.function_scoped_fixture)

IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  (only faster: thousands of commits to the disk)


@cache
def disks() -> tuple[Disk, Disk]:
    """Return this process's simulated disk, and one that holds a migrated, empty hub database."""
    template = Disk()

    async def make() -> None:
        await upgrade(SimulatedDatabase(template, Mortality(), shared=False))

    elsewhere(make())
    return Disk(), template


def check(history: History) -> None:
    """Carry a history out; raise AssertionError naming all that differs from the oracle's word."""
    disk, template = disks()
    disk.copy_of(template)
    with tempfile.TemporaryDirectory(prefix="history-", dir=IN_MEMORY) as folder:
        found = perform(history, Path(folder), disk)
    assert not found, "\n".join(found)


def main(count: int, *, shrinking: bool) -> None:
    """Check so many histories."""
    configure_logs("critical", as_json=False)
    phases = tuple(Phase) if shrinking else (Phase.generate,)

    @settings(max_examples=count, deadline=None, database=None, print_blob=True, phases=phases, suppress_health_check=ALWAYS)
    @given(histories())
    def each(history: History) -> None:
        check(history)

    each()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100, shrinking="--no-shrinking" not in sys.argv)
