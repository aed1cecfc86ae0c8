"""The simulated disk of this process, used by one run after the other."""

from functools import cache

from hub.mirror.upgrade import upgrade
from hub.simulation.disk import Disk, SimulatedDatabase
from hub.simulation.mortality import Mortality
from tests.servers import elsewhere


@cache
def _disks() -> tuple[Disk, Disk]:
    """Return a disk, and one that holds a migrated, empty hub database."""
    template = Disk()

    async def make() -> None:
        await upgrade(SimulatedDatabase(template, Mortality(), shared=False))

    elsewhere(make())
    return Disk(), template


def empty_disk() -> Disk:
    """Return the disk with nothing on it but the tables of the hub; whoever used it before is through with it."""
    disk, template = _disks()
    disk.copy_of(template)
    return disk
