"""Pauses and maintenance windows of platforms, durable and the same for all processes (平台暂停与维护窗口).

Written by hub/levers.py; asked by whoever is about to call a platform (`is_paused`), in the transaction in which it takes its work.
"""

from datetime import datetime

from sqlalchemy import Connection, Table, bindparam, func, select, update

from hub.mirror import audit
from hub.mirror.audit import Entry
from hub.mirror.database import lock_names
from hub.mirror.rows import Rows, micros
from hub.mirror.tables import TABLES
from schema.declare import declared
from schema.entities import MaintenanceWindow, PlatformPause

PAUSE, WINDOW = TABLES["PlatformPause"], TABLES["MaintenanceWindow"]
PAUSE_COLUMNS = [PAUSE.c[name] for name in declared(PlatformPause).fields]
WINDOW_COLUMNS = [WINDOW.c[name] for name in declared(MaintenanceWindow).fields]
STANDING = select(1).where(PAUSE.c.platform == bindparam("platform"), PAUSE.c.ended_at.is_(None))


def is_paused(connection: Connection, platform: str) -> bool:
    """Return whether the platform is paused, as of this transaction."""
    return connection.execute(STANDING, {"platform": platform}).first() is not None


def standing_pauses(connection: Connection, rows: Rows) -> dict[str, PlatformPause]:
    """Return the pause of each platform that is paused now."""
    read = rows.reader(PlatformPause)
    found = [read(row) for row in connection.execute(select(*PAUSE_COLUMNS).where(PAUSE.c.ended_at.is_(None)))]
    return {one.platform: one for one in found}


def pause(connection: Connection, rows: Rows, platform: str, reason: str, by: str, now: datetime) -> str:
    """Return the id of the pause that stands; the first one stays as it is."""
    lock_names(connection, [f"pause:{platform}"])
    if (standing := standing_pauses(connection, rows).get(platform)) is not None:
        return standing.pause_id
    made = PlatformPause(
        pause_id=_next_id(connection, PAUSE, platform),
        platform=platform,
        since=now,
        paused_by=by,
        reason=reason,
        ended_at=None,
        ended_by=None,
        end_reason=None,
    )
    connection.execute(PAUSE.insert(), [rows.as_row(made)])
    _audit(connection, rows, now, by, "pausePlatform", "PlatformPause", made.pause_id, reason)
    return made.pause_id


def resume(connection: Connection, rows: Rows, platform: str, reason: str, by: str, now: datetime) -> str | None:
    """End the platform's pause and return its id; None where it is not paused."""
    lock_names(connection, [f"pause:{platform}"])
    standing = standing_pauses(connection, rows).get(platform)
    if standing is None:
        return None
    values = rows.values(PlatformPause, ended_at=now, ended_by=by, end_reason=reason)
    connection.execute(update(PAUSE).where(PAUSE.c.pause_id == standing.pause_id).values(values))
    _audit(connection, rows, now, by, "resumePlatform", "PlatformPause", standing.pause_id, reason)
    return standing.pause_id


def last_pause_id(connection: Connection, platform: str) -> str | None:
    """Return the id of the platform's last pause, whether it stands or not; None if it never was."""
    here = select(PAUSE.c.pause_id).where(PAUSE.c.platform == platform).order_by(PAUSE.c.since.desc()).limit(1)
    return connection.execute(here).scalar()


def open_windows(connection: Connection, rows: Rows, now: datetime) -> list[MaintenanceWindow]:
    """Return the windows that are neither over nor called off, the earliest first."""
    here = select(*WINDOW_COLUMNS).where(WINDOW.c.ends_at > micros(now), WINDOW.c.cancelled_at.is_(None))
    read = rows.reader(MaintenanceWindow)
    return [read(row) for row in connection.execute(here.order_by(WINDOW.c.begins_at, WINDOW.c.window_id))]


def window(connection: Connection, rows: Rows, window_id: str) -> MaintenanceWindow | None:
    """Return a window by its id."""
    row = connection.execute(select(*WINDOW_COLUMNS).where(WINDOW.c.window_id == window_id)).first()
    return None if row is None else rows.reader(MaintenanceWindow)(row)


def plan_window(
    connection: Connection, rows: Rows, platform: str, begins: datetime, ends: datetime, reason: str, by: str, now: datetime
) -> tuple[MaintenanceWindow, bool]:
    """Return the window that is kept, and whether it is this one: where another of the platform overlaps it, that one stays."""
    lock_names(connection, [f"maintenance:{platform}"])
    for one in open_windows(connection, rows, now):
        if one.platform == platform and one.begins_at < ends and begins < one.ends_at:
            return one, False
    made = MaintenanceWindow(
        window_id=_next_id(connection, WINDOW, platform),
        platform=platform,
        begins_at=begins,
        ends_at=ends,
        reason=reason,
        planned_at=now,
        planned_by=by,
        cancelled_at=None,
        cancelled_by=None,
        cancel_reason=None,
    )
    connection.execute(WINDOW.insert(), [rows.as_row(made)])
    _audit(connection, rows, now, by, "planMaintenance", "MaintenanceWindow", made.window_id, reason)
    return made, True


def cancel_window(connection: Connection, rows: Rows, window_id: str, reason: str, by: str, now: datetime) -> bool:
    """Call a window off; False where it was called off before."""
    values = rows.values(MaintenanceWindow, cancelled_at=now, cancelled_by=by, cancel_reason=reason)
    here = (WINDOW.c.window_id == window_id) & WINDOW.c.cancelled_at.is_(None)
    cancelled = bool(connection.execute(update(WINDOW).where(here).values(values)).rowcount)
    if cancelled:
        _audit(connection, rows, now, by, "cancelMaintenance", "MaintenanceWindow", window_id, reason)
    return cancelled


def _audit(connection: Connection, rows: Rows, now: datetime, by: str, action: str, kind: str, target: str, reason: str) -> None:
    audit.note(connection, rows, Entry(at=now, by=by, action=action, kind=kind, target=target, reason=reason))


def _next_id(connection: Connection, table: Table, platform: str) -> str:
    count = connection.execute(select(func.count()).where(table.c.platform == platform)).scalar_one()
    return f"{platform}/{count + 1}"
