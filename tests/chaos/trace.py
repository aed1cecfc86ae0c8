"""The trace of a simulated run: every call, answer and commit, each with its moment. Two runs of a seed have one digest."""

import hashlib
from pathlib import Path

from hub.simulation.clock import simulated_now
from hub.simulation.disk import Disk


class Trace:
    """Notes lines and digests them; keeps them where a file is named."""

    def __init__(self, disk: Disk, kept: Path | None = None) -> None:
        self._disk = disk
        self._digest = hashlib.blake2b(digest_size=16)
        self._kept = kept.open("w") if kept else None
        self.lines = 0

    def note(self, line: str) -> None:
        """Note what happens now."""
        text = f"{simulated_now():%d %H:%M:%S.%f} {line}\n"
        self._digest.update(text.encode())
        self.lines += 1
        if self._kept is not None:
            self._kept.write(text)

    def wrote(self, work: str) -> None:
        """Note a commit of the hub: what was done, and how many rows were ever written by then."""
        self.note(f"commit {work} {self._disk.written()}")

    def digest(self) -> str:
        """Return what tells this run from every other."""
        if self._kept is not None:
            self._kept.flush()
        return self._digest.hexdigest()


def short(content: bytes) -> str:
    """Return a word that stands for a body."""
    return hashlib.blake2b(content, digest_size=6).hexdigest()
