"""What cannot be made wrong on a test's machine is judged from what the system would say: mounts, room, versions, calendars."""

from datetime import date
from pathlib import Path

import pytest

from hub.doctor.file_systems import judged as judged_mount
from hub.doctor.file_systems import mount_of, room_finding
from hub.doctor.findings import State
from hub.doctor.policies import calendar_finding
from hub.doctor.servers import judged
from hub.domain.calendar import CalendarYear, state_council_calendar

MOUNTS = """\
22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p1 rw
31 22 0:45 / /srv/city rw - nfs4 10.0.0.9:/export rw,vers=4.2
32 31 0:46 / /srv/city/with\\040blank rw - xfs /dev/sdb1 rw
33 22 0:47 / /mnt/share rw - cifs //nas/share rw
"""
FACTS = {
    "server_version_num": "180001",
    "synchronous_commit": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "max_connections": "100",
    "superuser_reserved_connections": "3",
    "server_encoding": "UTF8",
    "default_transaction_read_only": "off",
}


@pytest.mark.parametrize(
    ("path", "state", "says"),
    [
        ("/var/lib/bihuan/hub.db", State.FINE, "/ (ext4)"),
        ("/srv/city/hub.db", State.PROBLEM, "(nfs4)"),
        ("/srv/city/with blank/hub.db", State.FINE, "(xfs)"),
        ("/srv/cityhall/hub.db", State.FINE, "/ (ext4)"),
        ("/mnt/share/hub.db", State.PROBLEM, "(cifs)"),
    ],
)
def test_a_database_on_a_network_file_system_is_a_problem(path: str, state: State, says: str) -> None:
    found = judged_mount(Path(path), mount_of(Path(path), MOUNTS))
    assert (found.state, says in found.found) == (state, True), found


@pytest.mark.parametrize(("free", "state"), [(5 * 10**10, State.FINE), (9 * 10**8, State.WARNING), (10**6, State.PROBLEM)])
def test_little_room_is_told_before_there_is_none(free: int, state: State, tmp_path: Path) -> None:
    assert room_finding(tmp_path, free).state is state


@pytest.mark.parametrize(
    ("change", "standby", "says"),
    [
        ({"server_version_num": "130022"}, False, "version 13"),
        ({}, True, "a standby"),
        ({"default_transaction_read_only": "on"}, False, "read-only"),
        ({"server_encoding": "SQL_ASCII"}, False, "SQL_ASCII"),
        ({"max_connections": "12"}, False, "12 connections, and the server has 9"),
        ({"synchronous_commit": "off"}, False, "synchronous_commit is off"),
    ],
)
def test_what_a_server_says_of_itself_is_judged(change: dict[str, str], standby: bool, says: str) -> None:
    (fine,) = judged(FACTS, standby=False, wanted=12)
    assert fine.state is State.FINE
    (found,) = judged(FACTS | change, standby=standby, wanted=12)
    assert (found.state, says in found.found) == (State.PROBLEM, True), found


def test_the_end_of_the_calendar_is_told_before_it_comes() -> None:
    calendar = state_council_calendar([CalendarYear(2030, frozenset(), frozenset(), "test")])
    assert calendar_finding(calendar, date(2030, 3, 1), None).state is State.FINE
    soon = calendar_finding(calendar, date(2030, 11, 27), Path("/etc/bihuan/policy"))
    assert (soon.state, "calendar.toml in /etc/bihuan/policy" in str(soon.cure)) == (State.WARNING, True)
    assert calendar_finding(calendar, date(2031, 1, 2), None).state is State.PROBLEM
