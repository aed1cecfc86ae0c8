"""On what kind of file system a file lies, and how much room is left there."""

import shutil
from pathlib import Path
from typing import NamedTuple

from hub.doctor.findings import Finding, fine, problem, skipped, warning

MOUNTS = Path("/proc/self/mountinfo")
NETWORK = {
    "9p", "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "glusterfs", "gpfs", "lustre",
    "ncpfs", "nfs", "nfs4", "ocfs2", "smb3", "smbfs", "virtiofs",
}  # fmt: skip
LITTLE, SCARCE = 1_000_000_000, 200_000_000
"""Bytes: below the first it is time to make room, below the second webhooks may soon be refused."""


class Mount(NamedTuple):
    """A file system, and where it is mounted."""

    place: Path
    kind: str


def mount_of(path: Path, table: str) -> Mount | None:
    """Return the mount that a path is on, by the text of Linux's mountinfo; None where none fits."""
    found: Mount | None = None
    for line in table.splitlines():
        before, _, behind = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not behind:
            continue
        place = Path(fields[4].encode().decode("unicode_escape"))  # a blank stands there as \040
        if path.is_relative_to(place) and (found is None or len(place.parts) >= len(found.place.parts)):
            found = Mount(place, behind.split()[0])
    return found


def file_system_finding(path: Path) -> Finding:
    """Return whether SQLite's locks can be trusted where a file lies."""
    if not MOUNTS.exists():
        return skipped("database", str(path), "on which kind of file system it lies is known on Linux only")
    return judged(path, mount_of(path.resolve(), MOUNTS.read_text()))


def judged(path: Path, mount: Mount | None) -> Finding:
    """Return what a mount means for a file of SQLite."""
    if mount is not None and mount.kind in NETWORK:
        told = f"lies on {mount.place}, a file system of the network ({mount.kind}), where SQLite's locks and WAL do not hold"
        cure = "move the file to a disk of this machine (docs/backup.md), or use PostgreSQL (docs/many-processes.md)"
        return problem("database", str(path), told, cure)
    return fine("database", str(path), f"lies on {'an unknown file system' if mount is None else f'{mount.place} ({mount.kind})'}")


def room_finding(folder: Path, free: int | None = None) -> Finding:
    """Return how much room is left in a folder; `free` bytes, asked of the system where they are not given."""
    left = shutil.disk_usage(folder).free if free is None else free
    told = f"{left / 1e9:.1f} GB are free"
    cure = "make room, or have the hub keep less: HUB_KEEP_*_DAYS and `bihuan db prune` (docs/audit.md)"
    if left < SCARCE:
        return problem("disk", str(folder), f"{told}: soon no webhook can be stored", cure)
    if left < LITTLE:
        return warning("disk", str(folder), told, cure)
    return fine("disk", str(folder), told)
