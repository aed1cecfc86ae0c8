"""What operators decide about a platform as a whole: pauses and maintenance windows. Built by app.py, used by operator.py.

Decisions are rows, the same for all processes. This process knows them as of its last look (`refresh`); whoever takes work from the
database looks there itself, in the same transaction (hub/mirror/controls.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from connectors.base import Connector
from connectors.recurring import Recurring, read_recurring
from hub.mirror import conditions, controls
from hub.mirror.conditions import Closure
from hub.mirror.database import Database
from hub.mirror.rows import Rows
from schema.conditions import Maintenance, MaintenanceKind, Paused
from schema.entities import MaintenanceWindow, PlatformPause
from schema.identifiers import redact
from schema.operations import Outcome
from schema.user_errors import InThePast, InvalidWindow, UnknownPlatform, UnknownWindow, UserError, WindowOverlaps

Standing = tuple[dict[str, PlatformPause], list[MaintenanceWindow], dict[str, Closure]]
LONGEST_WINDOW = timedelta(days=7)
LONGEST_ASKED = timedelta(hours=12)
"""A platform that answers 503 with Retry-After for longer than this is in trouble, not in maintenance: its alerts speak again."""


@dataclass
class Levers:
    """`wake` is called when a platform is resumed."""

    database: Database
    rows: Rows
    connectors: Mapping[str, Connector]
    clock: Callable[[], datetime]
    wake: Callable[[], None]
    _pauses: dict[str, PlatformPause] = field(default_factory=dict)
    _windows: list[MaintenanceWindow] = field(default_factory=list)
    _closures: dict[str, Closure] = field(default_factory=dict)
    _recurring: dict[str, list[Recurring]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the windows that settings name."""
        self._recurring = {
            name: [read_recurring(text) for text in one.settings.maintenance] for name, one in self.connectors.items()
        }

    async def refresh(self) -> None:
        """Look at what stands now; raise DatabaseUnavailable, then what was known stays."""
        self._pauses, self._windows, self._closures = await self.database.read(self._look, self.clock())

    def _look(self, connection: Connection, now: datetime) -> Standing:
        pauses, windows = controls.standing_pauses(connection, self.rows), controls.open_windows(connection, self.rows, now)
        return pauses, windows, conditions.closures(connection, now)

    # --- what stands

    def is_paused(self, platform: str) -> bool:
        """Return whether the platform was paused at the last look."""
        return platform in self._pauses

    def paused(self, platform: str) -> Paused | None:
        """Return the pause of a platform; None where it is not paused."""
        one = self._pauses.get(platform)
        return None if one is None else Paused(since=one.since, reason=redact(one.reason), by=one.paused_by)

    def maintenance(self, platform: str) -> Maintenance | None:
        """Return the maintenance that a platform is in; of several the one that ends last. None where there is none."""
        now = self.clock()
        found = [
            Maintenance(until=one.ends_at, reason=redact(one.reason), kind=MaintenanceKind.PLANNED)
            for one in self._windows
            if one.platform == platform and one.begins_at <= now < one.ends_at
        ]
        found += [
            Maintenance(until=until, reason="it recurs, by settings", kind=MaintenanceKind.RECURRING)
            for one in self._recurring.get(platform, ())
            if (until := one.until(now)) is not None
        ]
        asked = self._closures.get(platform)
        if asked is not None and asked.until > now and now - asked.since < LONGEST_ASKED:
            reason = "it answers 503 and says until when"
            found.append(Maintenance(until=asked.until, reason=reason, kind=MaintenanceKind.ASKED))
        return max(found, key=lambda one: one.until, default=None)

    def silenced(self, platform: str) -> bool:
        """Return whether alerts about the platform are to be silent: it is paused, or in maintenance."""
        return self.is_paused(platform) or self.maintenance(platform) is not None

    # --- what is decided

    async def pause(self, platform: str, reason: str, by: str) -> Outcome:
        """Pause a platform; done is the pause that stands. Calls under way end as they do."""
        if platform not in self.connectors:
            return self._unknown(platform)
        pause_id = await self.database.write(controls.pause, self.rows, platform, reason, by, self.clock())
        await self.refresh()
        return Outcome((pause_id,))

    async def resume(self, platform: str, reason: str, by: str) -> Outcome:
        """Resume a platform; done is the pause that ended, or its last one. One that never was paused is resumed as well."""
        if platform not in self.connectors:
            return self._unknown(platform)
        ended = await self.database.write(controls.resume, self.rows, platform, reason, by, self.clock())
        await self.refresh()
        self.wake()
        last = ended or await self.database.read(controls.last_pause_id, platform)
        return Outcome(() if last is None else (last,))

    async def plan_maintenance(self, platform: str, begins: datetime | None, ends: datetime, reason: str, by: str) -> Outcome:
        """Keep a maintenance window, from now on where `begins` is None; done is its id."""
        now = self.clock()
        begins = now if begins is None else begins
        if platform not in self.connectors:
            return self._unknown(platform)
        if (wrong := _wrong_window(begins, ends, now)) is not None:
            return Outcome(refused=(wrong,))
        kept, made = await self.database.write(controls.plan_window, self.rows, platform, begins, ends, reason, by, now)
        if not made and (kept.begins_at, kept.ends_at) != (begins, ends):
            message = (
                f"window '{kept.window_id}' of {platform} stands from {kept.begins_at.isoformat()} to {kept.ends_at.isoformat()}; "
                "call it off first, or choose another time"
            )
            return Outcome(refused=(WindowOverlaps(message=message, path=["from"], window_id=kept.window_id),))
        await self.refresh()
        return Outcome((kept.window_id,))

    async def cancel_maintenance(self, window_id: str, reason: str, by: str) -> Outcome:
        """Call a window off, also one that is open; done is its id. One that is over stays as it was."""
        now = self.clock()
        found = await self.database.read(controls.window, self.rows, window_id)
        if found is None:
            message = f"no maintenance window '{window_id}'; maintenanceWindows lists them"
            return Outcome(refused=(UnknownWindow(message=message, path=["windowId"], window_id=window_id),))
        if found.ends_at <= now and found.cancelled_at is None:
            message = f"window '{window_id}' was over at {found.ends_at.isoformat()}; there is nothing to call off"
            return Outcome(refused=(InThePast(message=message, path=["windowId"]),))
        await self.database.write(controls.cancel_window, self.rows, window_id, reason, by, now)
        await self.refresh()
        return Outcome((window_id,))

    def _unknown(self, platform: str) -> Outcome:
        known = list(self.connectors)
        message = f"no platform '{platform}'; there are {', '.join(known)}"
        return Outcome(refused=(UnknownPlatform(message=message, path=["platform"], platform=platform, known=known),))


def _wrong_window(begins: datetime, ends: datetime, now: datetime) -> UserError | None:
    """Return what is wrong with a window's times."""
    if ends <= begins:
        message = f"it ends at {ends.isoformat()}, before it begins at {begins.isoformat()}; mind the zones"
        return InvalidWindow(message=message, path=["until"])
    if ends <= now:
        return InThePast(message=f"it was over at {ends.isoformat()}; now is {now.isoformat()}", path=["until"])
    if ends - begins > LONGEST_WINDOW:
        message = (
            f"it would last {(ends - begins).total_seconds() / 86400:.1f} days, and alerts would be silent all the time; "
            f"at most {LONGEST_WINDOW.days} days: enter the next window when this one nears its end"
        )
        return InvalidWindow(message=message, path=["until"])
    return None
