"""Asks rules again: what a lost event, a crash or a restored backup left out is found here.

Lately changed records are looked at often, everything rarely (docs/decisions/two-sweeps.md). Candidates come from set-based SQL
(hub/mirror/queries.py), the decision from the same pure `derive` that apply asks. Called on schedules (app.py), and by
`bihuan reconcile`.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from hub.mirror import audit_sealing, bookmarks, changes, ledger, merges
from hub.mirror.changes import Changed
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.records import Outcome, Upserted
from hub.mirror.rows import Rows
from hub.reconcile.derive import Derivation
from hub.reconcile.rule import AnyRule, Candidates
from hub.reconcile.settle import settle

BATCH = 200
"""Causes, or changes, that are settled in one transaction."""
AT_ONCE = 50_000
"""Causes that one question finds at most: each goes over all there is, so that it must not be asked for every batch."""
SIDE_BY_SIDE = 2
"""Questions over all there is that are asked at a time: each is one statement, and the database has more than one core."""
REMEMBERED = 5_000
"""Causes of one question that are kept until its turn comes."""
BOOKMARK = "sweep"

log = structlog.get_logger()


class Swept(NamedTuple):
    """What a sweep looked at: causes by rule; and those that no rule could be asked about, the log says why."""

    causes: dict[str, int]
    failed: tuple[str, ...] = ()


class Sweep:
    """Goes over causes, a batch a transaction, so that nobody waits long for the writer."""

    def __init__(self, database: Database, rows: Rows, derivation: Derivation, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._rows = rows
        self._derivation = derivation
        self._clock = clock
        self._completed = False
        self._changed = 0
        """Obligations that sweeps have written or changed."""

    async def everything(self) -> Swept:
        """Ask all rules about what was never settled, what time has changed, and everything that is open."""
        await self._complete_identifiers()
        rules, failed = self._derivation.rules, list[str]()
        questions = [
            (rule, candidates)
            for rule in rules
            for candidates in (rule.candidates(self._derivation.book, self._clock()), _in(rule, ledger.OPEN))
        ]
        known = await self._asked([candidates for _, candidates in questions])
        counted, before = {rule.name: 0 for rule in rules}, self._changed
        for (rule, candidates), found in zip(questions, known, strict=True):
            # What a rule has just written may be what the next one asks for.
            counted[rule.name] += await self._walk(rule, candidates, failed, found if self._changed == before else None)
        return Swept(counted, tuple(dict.fromkeys(failed)))

    async def _asked(self, questions: Sequence[Candidates]) -> list[list[str] | None]:
        """Return what each question finds, as a rule nothing or little; None where it is much, and is asked in its turn.

        Raises what one of them raises.
        """
        turn = asyncio.Semaphore(SIDE_BY_SIDE)

        async def ask(candidates: Candidates) -> list[str] | None:
            async with turn:
                found = await self._database.read(candidates, "", AT_ONCE)
            return found if len(found) < min(REMEMBERED, AT_ONCE) else None

        asked = [asyncio.create_task(ask(each)) for each in questions]
        try:
            return await asyncio.gather(*asked)
        finally:
            for each in asked:
                each.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    async def _complete_identifiers(self) -> None:
        """Let subjects be found by all their identifiers, by which what is owed to them is found.

        The first time whatever is missing is looked for, in all there is: an older version may have written beside us. Later
        that is done only where there is nothing at all, since every record brings its own.
        """
        if self._completed and await self._database.read(merges.is_complete):
            return
        while await self._database.write(merges.complete, self._rows):
            pass
        self._completed = True

    async def recent(self) -> int:
        """Ask all rules about records that changed since the last time, and about what time alone has changed.

        Returns how many records and causes those were. What changed is asked about once more when all who wrote beside it are
        done: two transactions that each knew of half a cause are set right here.
        """
        looked = 0
        while await self._database.write(audit_sealing.seal, self._clock()):
            pass  # what has no position yet is in no order
        after, last = await self._database.write(bookmarks.stretch, BOOKMARK)
        while found := await self._database.read(changes.changed_between, after, last, BATCH):
            await self._look_at(found)
            after, looked = found[-1].position, looked + len(found)
        for rule in self._derivation.rules:
            if (elapsed := rule.elapsed(self._derivation.book, self._clock())) is not None:
                looked += await self._walk(rule, elapsed, [])
        return looked

    async def waiting(self) -> int:
        """Ask all rules about what waits: what it needs may have come, by a new policy, say. Return how many causes."""
        return sum([await self._walk(rule, _in(rule, ["WAITING"]), []) for rule in self._derivation.rules])

    async def _look_at(self, found: Sequence[Changed]) -> None:
        """Derive what follows from records as they are now, and move the bookmark behind them; a bad one holds no other."""
        try:
            await self._database.write(self._derive, found)
        except DatabaseUnavailable:
            raise
        except Exception:  # outermost, as below; the sweep over everything names it again
            log.exception("cannot derive", records=len(found), first=f"{found[0].entity}:{found[0].key}")
            for one in found if len(found) > 1 else ():
                await self._look_at([one])
            await self._database.write(bookmarks.go_on, BOOKMARK, found[-1].position)

    def _derive(self, connection: Connection, found: Sequence[Changed]) -> None:
        now = self._clock()
        there = changes.as_they_are(connection, self._rows, found, now)
        self._derivation(connection, [Upserted(one, Outcome.APPLIED) for one in there], now)
        bookmarks.go_on(connection, BOOKMARK, found[-1].position)

    async def _walk(self, rule: AnyRule, candidates: Candidates, failed: list[str], found: list[str] | None = None) -> int:
        """Settle all that a question finds; `found` is its whole answer, where that is known."""
        after, counted = "", 0
        while True:
            if found is None:
                found = await self._database.read(candidates, after, AT_ONCE)
            for start in range(0, len(found), BATCH):
                failed += await self._settle(rule, found[start : start + BATCH])
            counted += len(found)
            if len(found) < AT_ONCE:
                return counted
            after, found = found[-1], None

    async def _settle(self, rule: AnyRule, causes: Sequence[str]) -> list[str]:
        """Settle causes in one transaction; where that fails, one by one, so that a bad one holds no other. Return the bad."""
        try:
            self._changed += await self._database.write(settle, self._rows, rule, causes, self._derivation.book, self._clock())
        except DatabaseUnavailable:
            raise
        except Exception:  # outermost: what cannot be settled is named, everything else goes on
            log.exception("cannot settle", rule=rule.name, causes=len(causes), first=causes[0])
            if len(causes) == 1:
                return [f"{rule.name}:{causes[0]}"]
            return [each for cause in causes for each in await self._settle(rule, [cause])]
        return []


def _in(rule: AnyRule, states: Sequence[str]) -> Candidates:
    return lambda connection, after, limit: ledger.causes_in(connection, rule.name, states, after, limit)
