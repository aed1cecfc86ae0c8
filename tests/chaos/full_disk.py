"""The disk under the database fills up: nobody is acknowledged any more, and when there is room again all goes on by itself.

A real disk, small and full: a tmpfs of its own, which only root may mount. Where nobody may, SQLite is given a most number of
pages instead, and PostgreSQL is left out, as the test says.
"""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import event

from hub.mirror.database import SQLiteDatabase
from tests.chaos.door import Door, knock, not_refused_well, open_door
from tests.chaos.shown import Form, Shown
from tests.servers import postgresql_server

MEGABYTE = 1_000_000
PADDING = 60_000
TIMES = {Form.SHORT: 1, Form.FULL: 5}
"""How many disks are filled up."""
AT_MOST = 600
"""Webhooks after which a disk that is still not full is a fault of this test."""


def show(form: Form) -> Shown:
    """Run on both databases, where a disk can be made."""
    if not _may_mount():
        losses = asyncio.run(_with_few_pages())
        return Shown("SQLite with a most number of pages; PostgreSQL left out", "nobody may mount a small disk here", losses)
    losses = [loss for _ in range(TIMES[form]) for loss in asyncio.run(_on_sqlite()) + asyncio.run(_on_postgresql())]
    said = "0 acknowledged while full, 0 acknowledged lost, taken again without a restart"
    return Shown(f"a disk that fills up {TIMES[form]} times, SQLite and PostgreSQL", said, losses)


async def _on_sqlite() -> list[str]:
    with _small_disk(24 * MEGABYTE) as disk, tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        async with open_door(Path(folder), DATABASE_URL=f"sqlite:///{disk / 'hub.db'}") as door:
            losses = await _filled(door, lambda: _ballast(disk, 8 * MEGABYTE))
        with contextlib.closing(sqlite3.connect(disk / "hub.db")) as database:
            if (found := database.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
                losses.append(f"the file is damaged: {found}")
    return [f"SQLite: {loss}" for loss in losses]


async def _on_postgresql() -> list[str]:
    with postgresql_server() as server, _small_disk(60 * MEGABYTE) as disk, tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        (disk / "tables").mkdir()
        async with (
            server.tablespace(disk / "tables") as tablespace,
            server.fresh(tablespace=tablespace) as url,
            open_door(Path(folder), DATABASE_URL=url) as door,
        ):
            losses = await _filled(door, lambda: _ballast(disk, 12 * MEGABYTE))
    return [f"PostgreSQL: {loss}" for loss in losses]


async def _with_few_pages() -> list[str]:
    """Let SQLite itself say that it is full; a connection that is opened later may have more pages."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        async with open_door(Path(folder)) as door:
            assert isinstance(door.hub.database, SQLiteDatabase)
            engine, most = door.hub.database.engine, [1_000_000]
            event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count={most[0]}"))

            @contextlib.contextmanager
            def few() -> Iterator[None]:
                most[0] = 2000
                yield
                most[0] = 1_000_000

            return await _filled(door, few)


async def _filled(door: Door, ballast: Callable[[], contextlib.AbstractContextManager[None]]) -> list[str]:
    """Fill the disk beside the ballast, see how webhooks are answered, throw the ballast off and see that all goes on."""
    acknowledged, number, losses = set[int](), 0, list[str]()
    with ballast():
        refused = False
        while not refused and number < AT_MOST:
            taken, others = await knock(door, range(number, number + 20), padding=PADDING)
            number += 20
            acknowledged |= taken
            refused = bool(others)
            losses += not_refused_well(others)
        if not refused:
            return [*losses, f"{number} webhooks of {PADDING} bytes did not fill the disk"]
        if (alive := await door.client.get("/livez")).status_code != 200:
            losses.append(f"/livez: {alive.status_code} while the disk is full")

    async def healed() -> bool:
        return (await door.post(door.profile(number))).is_success

    await door.again("a webhook after there was room again", healed)
    await door.all_applied()
    lost = (acknowledged | {number}) - await door.profiles()
    return losses + [f"profile {each} was acknowledged and is lost" for each in sorted(lost)[:5]]


def _may_mount() -> bool:
    if os.geteuid() or shutil.which("mount") is None:
        return False
    with contextlib.suppress(subprocess.CalledProcessError), _small_disk(MEGABYTE):
        return True
    return False


@contextlib.contextmanager
def _small_disk(size: int) -> Iterator[Path]:
    """Lend a disk of so many bytes that anybody may look into."""
    folder = Path(tempfile.mkdtemp(prefix="small-disk-"))
    folder.chmod(0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


@contextlib.contextmanager
def _ballast(disk: Path, size: int) -> Iterator[None]:
    """Take up room on a disk."""
    (disk / "ballast").write_bytes(bytes(size))
    yield
    (disk / "ballast").unlink()
