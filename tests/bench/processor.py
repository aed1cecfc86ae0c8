"""Seconds of the processor that processes used: on a machine that others use too, that is what can be compared."""

import os
from pathlib import Path


def seconds_of(pid: int) -> float:
    """Return the processor seconds of a process, of all its children that live, and of those that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has just ended, and counts as ended then
        return 0.0
    return sum(int(each) for each in fields[11:15]) / os.sysconf("SC_CLK_TCK") + sum(seconds_of(int(child)) for child in children)
