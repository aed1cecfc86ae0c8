"""Asks every rule about everything: what a lost event, a crash or a restored backup left out is found here.

Candidates come from set-based SQL (hub/mirror/queries.py), the decision from the same pure `derive` that apply asks. Called
by the worker on its schedule, and by `bihuan reconcile`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from hub.mirror import ledger
from hub.mirror.database import Database
from hub.mirror.rows import Rows
from hub.reconcile.derive import Derivation
from hub.reconcile.rule import AnyRule
from hub.reconcile.settle import settle

BATCH = 200


class Swept(NamedTuple):
    """What a sweep looked at: causes by rule."""

    causes: dict[str, int]


class Sweep:
    """Goes over all causes, a batch a transaction, so that nobody waits long for the writer."""

    def __init__(self, database: Database, rows: Rows, derivation: Derivation, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._rows = rows
        self._derivation = derivation
        self._clock = clock

    async def everything(self) -> Swept:
        """Ask all rules about what was never settled and about everything that is open."""
        counted = {}
        for rule in self._derivation.rules:
            unsettled = await self._walk(rule, rule.unsettled)
            counted[rule.name] = unsettled + await self.open_causes(rule)
        return Swept(counted)

    async def open_causes(self, rule: AnyRule) -> int:
        """Ask one rule about the causes of its open obligations: what waits may go on, what was sent may be proven."""
        return await self._walk(rule, lambda connection, after, limit: ledger.causes_of_open(connection, rule.name, after, limit))

    async def _walk(self, rule: AnyRule, candidates: Callable[[Connection, str, int], list[str]]) -> int:
        after, counted = "", 0
        while found := await self._database.read(candidates, after, BATCH):
            await self._database.write(settle, self._rows, rule, found, self._derivation.book, self._clock())
            after, counted = found[-1], counted + len(found)
        return counted
