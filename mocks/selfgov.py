"""The mock self-governance system (主体自治系统): selfgov.md to the letter. It has no API: what it says stands in its database.

Actions make what subjects do and what the system's officials decide of it; the port serves the control interface and nothing else.
"""

import asyncio
import contextlib
import random
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Final

import httpx
from sqlalchemy import Connection, Table, func, insert, select, update
from starlette.responses import Response
from starlette.routing import BaseRoute

from mocks.approval_records import beijing_moment, beijing_text
from mocks.callbacks import Sleep
from mocks.people import make_subject
from mocks.platform import Action, Clock, Platform, PlatformSettings
from mocks.selfgov_exchange import NOTICE, RESULT, SCORE, open_exchange
from mocks.store import Document

SELF_CHECK: Final = "1"
SELF_REPORT: Final = "2"
STUDY: Final = "3"
EXAM: Final = "4"
WAITING: Final = "0"
APPROVED: Final = "1"
REFUSED: Final = "2"
NEW: Final = "0"


class SelfgovSettings(PlatformSettings, frozen=True, kw_only=True):
    """What the mock self-governance system can be told beside the common settings."""

    database_url: str | None = None
    """SQLAlchemy URL of the exchange database; None: exchange.sqlite in `data_dir`, or in a folder that goes when it stops."""
    late_commit_share: float = 0.1
    """Share of rows, and of changes of rows, that are committed late."""
    late_commit_seconds: float = 60.0
    """How long after its id and gxsj such a row appears at most."""
    hole_share: float = 0.1
    """Share of ids behind which some are left out."""


class SelfgovPlatform(Platform):
    """The system, with what happens in it (self_check, self_report, study, exam, approve, refuse, ...) as methods."""

    name: ClassVar[str] = "selfgov"
    settings: SelfgovSettings

    def __init__(
        self,
        settings: SelfgovSettings,
        *,
        clock: Clock,
        rng: random.Random,
        sleep: Sleep,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(settings, clock=clock, rng=rng, sleep=sleep, transport=transport)
        self._gone: Callable[[], object] = lambda: None
        self.database_url = settings.database_url or self._file_url()
        self.exchange = open_exchange(self.database_url)
        self._last_id: int = self.exchange.run(lambda connection: connection.execute(select(func.max(RESULT.c.id))).scalar()) or 0
        self._uncommitted: list[tuple[datetime, int, Callable[[Connection], object]]] = []
        self._arrived = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()

    def _file_url(self) -> str:
        folder = self.settings.data_dir or tempfile.mkdtemp(prefix="selfgov-")
        if self.settings.data_dir is None:
            self._gone = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)  # also where nobody stops it
        return f"sqlite:///{Path(folder) / 'exchange.sqlite'}"

    def routes(self) -> Sequence[BaseRoute]:
        """Return no routes: the system has no API."""
        return []

    def broken(self) -> Response:
        """Return what a caller gets who takes it for a system with an API."""
        return Response(status_code=503)

    # --- what subjects do

    def self_check(self, **row: Any) -> int:
        """Enter a self-check (自检自查); return its id. Arguments as for `enter`."""
        return self.enter(SELF_CHECK, **row)

    def self_report(self, **row: Any) -> int:
        """Enter a self-report (自主申报), as a rule with `figures`; return its id. Arguments as for `enter`."""
        return self.enter(SELF_REPORT, **row)

    def study(self, **row: Any) -> int:
        """Enter a course of study (自治学习); return its id. Arguments as for `enter`."""
        return self.enter(STUDY, **row)

    def exam(self, **row: Any) -> int:
        """Enter an online exam (在线考试); return its id. Arguments as for `enter`."""
        return self.enter(EXAM, **row)

    def enter(
        self,
        way: str,
        *,
        code: str | None = None,
        name: str | None = None,
        repairs: str | None = None,
        points: float | None = None,
        item: str | None = None,
        item_name: str | None = None,
        figures: str | None = None,
        state: str = WAITING,
        completed_at: str | None = None,
        late: float | None = None,
    ) -> int:
        """Enter what a subject did, waiting to be approved unless `state` says otherwise; return its id.

        Without a code a company is made up. `late` seconds pass until the row appears; without it chance decides.
        """
        subject = make_subject(self.rng, "1")
        number, now = self._next_id(), beijing_text(self.now())
        row = {
            "id": number,
            "lx": way,
            "tyshxydm": code or subject.uscc,
            "ztmc": name or (subject.name if code is None else None),
            "jf_bizno": repairs,
            "xffs": points,
            "sxbm": item,
            "sxmc": item_name,
            "sbnr": figures,
            "wcsj": completed_at or now,
            "shzt": state,
            "gxsj": now,
            "clbz": NEW,
            "clsm": None,
        }
        self.count("creations.result")
        self._commit(number, lambda connection: connection.execute(insert(RESULT).values(row)), late)
        return number

    # --- what officials do

    def approve(self, id: int, **fields: Any) -> None:  # noqa: A002  (the column's name)
        """Approve a result; `fields` as for `change`."""
        self.change(id, shzt=APPROVED, **fields)

    def refuse(self, id: int, **fields: Any) -> None:  # noqa: A002
        """Refuse a result, also one that was approved and taken before; `fields` as for `change`."""
        self.change(id, shzt=REFUSED, **fields)

    def change(self, id: int, *, late: float | None = None, **fields: Any) -> None:  # noqa: A002
        """Change columns of a row: its gxsj grows, and it is new to the hub again. Raise LookupError for an unknown id."""
        self._settle(id)  # what is under way holds the row's lock: it is committed first
        row = self.result(id)
        before = beijing_moment(row["gxsj"])
        now = self.now()
        gxsj = now if before is None else max(now, before + timedelta(seconds=1))
        values = {**fields, "gxsj": beijing_text(gxsj), "clbz": NEW, "clsm": None}
        changed = update(RESULT).where(RESULT.c.id == id).values(values)
        self._commit(id, lambda connection: connection.execute(changed), late)

    def result(self, id: int) -> Document:  # noqa: A002
        """Return a row of zz_result as it is committed; raise LookupError for an unknown id."""
        return self._row(RESULT, "id", id)

    def score(self, bizno: str) -> Document:
        """Return a line of zz_score; raise LookupError for an unknown bizno."""
        return self._row(SCORE, "bizno", bizno)

    def notice(self, notice_no: str) -> Document:
        """Return a row of zz_notice; raise LookupError for an unknown notice_no."""
        return self._row(NOTICE, "notice_no", notice_no)

    def rows(self, table: str) -> list[Document]:
        """Return the whole of zz_result, zz_score or zz_notice as it is committed, by key."""
        known = {each.name: each for each in (RESULT, SCORE, NOTICE)}
        if table not in known:
            raise LookupError(f"no table {table!r}; there are {', '.join(known)}")
        chosen = select(known[table]).order_by(*known[table].primary_key)
        return self.exchange.run(lambda connection: [dict(row) for row in connection.execute(chosen).mappings()])

    # --- what goes wrong

    async def lock(self, seconds: float) -> None:
        """Lock the database against everybody, the hub included, for so long."""
        self._for_a_while(self.exchange.lock(), seconds)

    async def away(self, seconds: float) -> None:
        """Take the database away for so long (SQLite only)."""
        self._for_a_while(self.exchange.put_away(), seconds)

    def _for_a_while(self, end: Callable[[], None], seconds: float) -> None:
        async def wait() -> None:
            try:
                await self.sleep(seconds)
            finally:
                end()

        task = asyncio.create_task(wait())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def commit_due(self) -> int:
        """Commit the late rows whose time has come; return how many still wait."""
        now = self.now()
        due = [each for each in self._uncommitted if each[0] <= now]
        for each in due:
            self._carry_out(each)
        return len(self._uncommitted)

    def actions(self) -> Mapping[str, Action]:
        """Return what can happen, by name."""
        names = "self_check self_report study exam enter approve refuse change result score notice rows lock away commit_due"
        return {name: getattr(self, name) for name in names.split()}

    def extra_state(self) -> dict[str, object]:
        """Return where the database is and how many rows are not committed yet."""
        return {"databaseUrl": self.database_url, "uncommitted": self.uncommitted}

    @property
    def uncommitted(self) -> int:
        """Return how many rows, and changes of rows, are not committed yet."""
        return len(self._uncommitted)

    # --- life

    async def start(self) -> None:
        """Begin to commit late rows when their time has come."""
        await super().start()
        self._arrived = asyncio.Event()
        task = asyncio.create_task(self._commit_late_rows())
        self._running.add(task)

    async def stop(self) -> None:
        """End what runs; late rows are rolled back, as by a system that is killed."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await super().stop()
        self.exchange.close()
        self._gone()

    async def _commit_late_rows(self) -> None:
        while True:
            self._arrived.clear()
            if not self._uncommitted:
                await self._arrived.wait()
            first = min((due for due, _, _ in self._uncommitted), default=self.now())
            await self.sleep(max(0.1, (first - self.now()).total_seconds()))
            with contextlib.suppress(ValueError):  # it is away: later
                self.commit_due()

    # --- rows

    def _next_id(self) -> int:
        self._last_id += 1 + (self.rng.randrange(1, 6) if self.rng.random() < self.settings.hole_share else 0)
        return self._last_id

    def _commit(self, id: int, work: Callable[[Connection], object], late: float | None) -> None:  # noqa: A002
        if late is None and self.rng.random() < self.settings.late_commit_share:
            late = self.rng.uniform(0, self.settings.late_commit_seconds)
        if not late:
            self.exchange.run(work)
            return
        self.count("late commits")
        self._uncommitted.append((self.now() + timedelta(seconds=late), id, work))
        self._arrived.set()

    def _settle(self, id: int) -> None:  # noqa: A002
        for each in [each for each in self._uncommitted if each[1] == id]:
            self._carry_out(each)

    def _carry_out(self, late: tuple[datetime, int, Callable[[Connection], object]]) -> None:
        self.exchange.run(late[2])
        self._uncommitted.remove(late)

    def _row(self, table: Table, key: str, value: object) -> Document:
        chosen = select(table).where(table.c[key] == value)
        found = self.exchange.run(lambda connection: connection.execute(chosen).mappings().first())
        if found is None:
            raise LookupError(f"{table.name} has no row with {key} {value!r}")
        return dict(found)
