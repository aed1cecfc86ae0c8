"""Asks every rule about everything: what a lost event, a crash or a restored backup left out is found here.

Candidates come from set-based SQL (hub/mirror/queries.py), the decision from the same pure `derive` that apply asks. Called
by the worker on its schedule, and by `bihuan reconcile`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import structlog

from hub.mirror import ledger, merges
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.rows import Rows
from hub.reconcile.derive import Derivation
from hub.reconcile.rule import AnyRule, Candidates
from hub.reconcile.settle import settle

BATCH = 200

log = structlog.get_logger()


class Swept(NamedTuple):
    """What a sweep looked at: causes by rule; and those that no rule could be asked about, the log says why."""

    causes: dict[str, int]
    failed: tuple[str, ...] = ()


class Sweep:
    """Goes over all causes, a batch a transaction, so that nobody waits long for the writer."""

    def __init__(self, database: Database, rows: Rows, derivation: Derivation, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._rows = rows
        self._derivation = derivation
        self._clock = clock

    async def everything(self) -> Swept:
        """Ask all rules about what was never settled, what time has changed, and everything that is open."""
        while await self._database.write(merges.complete, self._rows):
            pass  # what is owed to a subject is found by its identifiers
        counted: dict[str, int] = {}
        failed: list[str] = []
        for rule in self._derivation.rules:
            kinds = (rule.candidates(self._derivation.book, self._clock()), _in(rule, ledger.OPEN))
            counted[rule.name] = sum([await self._walk(rule, candidates, failed) for candidates in kinds])
        return Swept(counted, tuple(dict.fromkeys(failed)))

    async def waiting(self) -> int:
        """Ask all rules about what waits: what it needs may have come, by a new policy, say. Return how many causes."""
        return sum([await self._walk(rule, _in(rule, ["WAITING"]), []) for rule in self._derivation.rules])

    async def _walk(self, rule: AnyRule, candidates: Candidates, failed: list[str]) -> int:
        after, counted = "", 0
        while found := await self._database.read(candidates, after, BATCH):
            failed += await self._settle(rule, found)
            after, counted = found[-1], counted + len(found)
        return counted

    async def _settle(self, rule: AnyRule, causes: Sequence[str]) -> list[str]:
        """Settle causes in one transaction; where that fails, one by one, so that a bad one holds no other. Return the bad."""
        try:
            await self._database.write(settle, self._rows, rule, causes, self._derivation.book, self._clock())
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
