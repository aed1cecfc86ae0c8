"""Asks credit and approval live whether a subject may use commitment, and decides in time whatever they do. Built by app.py.

Within the budget all three are asked side by side: both platforms and the mirror. What has not come by then is done without.
Callers of the graph ask as often as live reads may; the approval system, which has to be answered, is held up by none of them.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TypeVar

import structlog

from connectors.base import Connector, Item, Quarantined
from hub.domain.eligibility import Facts, decide
from hub.domain.policy import Policy
from hub.intake.room import Room
from hub.live_calls import LiveCalls, NotLive
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.ports import Apply
from hub.mirror.rows import Rows
from hub.mirror.standing import Standing, standing_of
from schema.decision import Decision
from schema.entities import BlacklistEntry, CreditProfile
from schema.entity import Mirrored, Observation

log = structlog.get_logger()
T = TypeVar("T")
M = TypeVar("M", bound=Mirrored)
Shown = Sequence[Item] | None
"""What a platform showed just now; None where it could not be asked."""
Place = Callable[[str, float], AbstractAsyncContextManager[None]]
"""Holds one of the calls that live reads may make of a platform; raises NotLive where there is none within so many seconds."""


class Asker:
    """Answers questions of eligibility. Equal questions at the same time share their live reads."""

    def __init__(
        self,
        database: Database,
        rows: Rows,
        connectors: Mapping[str, Connector],
        policy: Policy,
        apply: Apply,
        *,
        clock: Callable[[], datetime],
        budget_seconds: float,
        place: Place,
        under_way: int,
        is_paused: Callable[[str], bool] = lambda platform: False,
    ) -> None:
        """`place` bounds the calls for callers of the graph, `under_way` their questions at once."""
        self._database, self._rows = database, rows
        self._calls, self._policy, self._apply = LiveCalls(connectors, is_paused), policy, apply
        self._clock, self._budget = clock, budget_seconds
        self._place, self._room = place, Room(under_way)
        self._reading: dict[tuple[str, str, bool], asyncio.Task[Shown]] = {}
        self._keeping: set[asyncio.Task[None]] = set()

    async def ask(self, subject: str, matter: str, holder: str | None = None) -> Decision:
        """Return the decision within the budget; raise DatabaseUnavailable where the mirror does not answer in that time.

        `subject` is a USCC or RID code; `holder` is what the approval system knows the subject by: for a person the identity
        number, taken from the newest approval where it is not given. It goes to no other platform.
        """
        return await self._ask(subject, matter, holder, shared=False)

    async def ask_in_share(self, subject: str, matter: str) -> Decision:
        """Return the decision as `ask` does, platforms being asked only as far as live reads may; raise NoRoom as well.

        Where their share is used up the platform counts as one that cannot be asked.
        """
        with self._room.inside():
            return await self._ask(subject, matter, None, shared=True)

    async def _ask(self, subject: str, matter: str, holder: str | None, *, shared: bool) -> Decision:
        standing = _seen(asyncio.create_task(self._database.read(standing_of, self._rows, subject)))
        credit = _seen(asyncio.create_task(self._credit(subject, shared)))
        blacklist = _seen(asyncio.create_task(self._blacklist(subject, holder, standing, shared)))
        try:
            await asyncio.wait((standing, credit, blacklist), timeout=self._budget)
            if not standing.done():
                raise DatabaseUnavailable(f"the mirror did not answer within {self._budget:g} s")
            decision = self._decide(subject, matter, standing.result(), _result(credit), _result(blacklist))
        finally:
            for task in (standing, credit, blacklist):
                task.cancel()
        reasons = [reason.code for reason in decision.reasons]
        log.info("eligibility", subject=subject, matter=matter, eligible=decision.eligible, reasons=reasons)
        return decision

    async def close(self) -> None:
        """Let what was shown reach the mirror; live reads under way are given up."""
        for task in self._reading.values():
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)

    def _decide(self, subject: str, matter: str, standing: Standing, credit: Shown, blacklist: Shown) -> Decision:
        now = self._clock()
        profiles = _records(credit, CreditProfile)
        entries = _records(_of_matter(blacklist, matter), BlacklistEntry)
        live = None if profiles is None else next((one for one in profiles if one.code == subject), None)
        profile, as_of = live, None if profiles is None else now
        if credit is None:  # not where something unusable came, which the mirror's profile may be older than
            profile, as_of = standing.profile, standing.profile_as_of
        elif live and standing.profile and standing.profile.version > live.version:
            profile = standing.profile
        facts = Facts(
            profile=profile,
            credit_as_of=as_of,
            credit_live=profiles is not None,
            records=standing.records,
            blacklist=standing.blacklist if entries is None else entries,
            blacklist_live=entries is not None,
        )
        return decide(subject, matter, facts, self._policy, now)

    async def _credit(self, subject: str, shared: bool) -> Shown:
        return await asyncio.shield(self._read("credit", "CreditProfile", subject, shared))

    async def _blacklist(self, subject: str, holder: str | None, standing: asyncio.Task[Standing], shared: bool) -> Shown:
        if holder is None:
            holder = (await asyncio.shield(standing)).identity_no if subject.startswith("RID-") else subject
        return None if holder is None else await asyncio.shield(self._read("approval", "BlacklistEntry", holder, shared))

    def _read(self, platform: str, entity: str, key: str, shared: bool) -> "asyncio.Task[Shown]":
        """Return the live read that is under way for this key, or begin one.

        The approval system joins no read that waits for the share of others.
        """
        if (task := self._reading.get((platform, key, False)) or self._reading.get((platform, key, shared))) is None:
            task = self._reading[platform, key, shared] = _seen(asyncio.create_task(self._fetch(platform, entity, key, shared)))
            task.add_done_callback(lambda _done: self._reading.pop((platform, key, shared), None))
        return task

    async def _fetch(self, platform: str, entity: str, key: str, shared: bool) -> Shown:
        until = asyncio.get_running_loop().time() + self._budget
        try:
            self._calls.check(platform)
            async with self._place(platform, self._budget) if shared else contextlib.nullcontext():
                items = await self._calls.fetch(platform, entity, [key], until - asyncio.get_running_loop().time())
        except NotLive as refused:
            told = refused.trouble
            log.warning("eligibility: not answered live", platform=platform, code=told.code, reason=told.reason)
            return None
        if items:
            keeping = asyncio.create_task(self._keep(platform, items))
            self._keeping.add(keeping)
            keeping.add_done_callback(self._keeping.discard)
        return items

    async def _keep(self, platform: str, items: Sequence[Item]) -> None:
        """Hand what was shown to the mirror; nobody waits for that."""
        try:
            await self._apply(platform, "live", items)
        except DatabaseUnavailable as error:
            log.warning("cannot apply what was read live", platform=platform, error=str(error))
        except Exception:  # outermost of a task: the streams tell the mirror of it as well
            log.exception("cannot apply what was read live", platform=platform)


def _seen(task: "asyncio.Task[T]") -> "asyncio.Task[T]":
    """Return the task; that it failed after everybody who waited had gone is no news."""
    task.add_done_callback(lambda done: None if done.cancelled() else done.exception())
    return task


def _result(task: "asyncio.Task[Shown]") -> Shown:
    return task.result() if task.done() else None


def _of_matter(shown: Shown, matter: str) -> Shown:
    """Leave out what cannot be used and is surely of another matter."""
    if shown is None:
        return None
    return [one for one in shown if not isinstance(one, Quarantined) or one.matter_code in {None, matter}]


def _records(shown: Shown, kind: type[M]) -> list[M] | None:
    """Return the records that were shown; None where nothing was, or one of them cannot be used: then nobody knows what it says."""
    if shown is None or not all(isinstance(item, Observation) for item in shown):
        return None
    return [item.record for item in shown if isinstance(item, Observation) and isinstance(item.record, kind)]
