"""Score reconciliation (扣分对账): regularly compares our count of points with the credit platform's figures, subject by subject.

Set-based, a page of subjects at a time. What differs is on a list (`ScoreDifference`) as long as it does. What stays longer than
the platform's visibility allows, and nothing explains, is read live first, so that a stale mirror is not blamed on the platform;
if it still differs, ops is told, once. Started by app.py as a schedule; twice at the same time does no harm.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection

from connectors.base import Connector, Sleep
from connectors.errors import ConnectorError, PlatformDown
from hub.domain.points import period_of
from hub.domain.policy import Policy
from hub.mirror import controls, ops_list
from hub.mirror import score_difference_queries as queries
from hub.mirror.database import Database
from hub.mirror.ops_list import Trouble
from hub.mirror.ports import Apply
from hub.mirror.rows import Rows
from hub.mirror.score_difference_queries import Evidence
from hub.reconcile.score_comparison import Mismatch, explained, in_words, mismatches
from schema.entities import Explanation, ScoreDifference

KIND = "score-difference"
PAGE = 500
PAUSE = 0.05
"""Seconds between two pages, so that others get their turn."""
LIVE = 100
"""The most subjects that are read live in one run: about ten seconds of the platform's quota."""
log = structlog.get_logger()


class Compared(NamedTuple):
    """What comparing some subjects changes."""

    kept: Sequence[ScoreDifference]
    over: Sequence[ScoreDifference]
    """As they were told, those that ended or became others."""
    troubles: Sequence[Trouble] = ()


class Scores:
    """Keeps the list of differences."""

    def __init__(
        self,
        database: Database,
        rows: Rows,
        credit: Connector,
        policy: Callable[[], Policy],
        apply: Apply,
        *,
        clock: Callable[[], datetime],
        sleep: Sleep,
        patience: timedelta,
    ) -> None:
        """`patience` is how long figures may differ by themselves: visibility of the platform, and the pace of polling."""
        self._database = database
        self._rows = rows
        self._credit = credit
        self._policy = policy
        self._apply = apply
        self._clock = clock
        self._sleep = sleep
        self._patience = patience
        self._confirmed = ""
        """The subject up to which the last run read live: the next one goes on there, whatever could not be read."""

    async def reconcile(self) -> None:
        """Compare all subjects, then read live and tell of what stays. Raises DatabaseUnavailable; then it goes on next time."""
        for page in (queries.codes_after, queries.open_codes):  # a subject that is gone altogether is on the list only
            after = ""
            while codes := await self._database.read(page, after, PAGE):
                await self._compare(codes)
                after = codes[-1]
                await self._sleep(PAUSE)
        await self._confirm()

    async def _compare(self, codes: Sequence[str], *, confirmed: bool = False) -> None:
        now = self._clock()
        compared = await self._database.read(self._compared, codes, now, confirmed)
        if any(compared):
            await self._database.write(self._write, compared, now)

    async def _confirm(self) -> None:
        """Read subjects live whose figures have differed for too long; tell ops of those that still do."""
        codes = await self._database.read(queries.to_confirm, self._clock() - self._patience, self._confirmed, LIVE)
        self._confirmed = codes[-1] if len(codes) == LIVE else ""
        if not codes or await self._database.read(controls.is_paused, self._credit.platform):
            return
        read: list[str] = []
        for code in codes:
            try:
                items = await self._credit.fetch("CreditProfile", [code])
                items += await self._credit.fetch_for("CreditRecord", code)
            except ConnectorError as error:
                log.info("a difference of scores is read live later", subject=code, code=error.code, error=str(error))
                if isinstance(error, PlatformDown):
                    break
                continue
            await self._apply(self._credit.platform, "answer", items)
            read.append(code)
        if read:
            await self._compare(read, confirmed=True)

    def _compared(self, connection: Connection, codes: Sequence[str], now: datetime, confirmed: bool) -> Compared:
        year, policy = int(period_of(now)), self._policy().points
        figures = queries.figures_of(connection, codes, year)
        differing = {code: found for code, one in figures.items() if (found := mismatches(code, one, policy))}
        evidence = queries.evidence_of(connection, self._rows, differing, year) if differing else {}
        held = queries.held(connection, self._rows, codes)
        posted = {record.biz_no for one in evidence.values() for record in one.records}
        ours = queries.numbers_known(connection, posted)
        kept, over, troubles = list[ScoreDifference](), list[ScoreDifference](), list[Trouble]()
        for code, found in differing.items():
            for one in found:
                why = explained(one, figures[code], evidence[code], year, policy)
                before = held.pop(f"{code}:{one.measure.value}", None)
                new = _difference(code, one, why, evidence[code], ours, before, now)
                late = new.since <= now - self._patience
                if confirmed and why is None and new.told_at is None and late:
                    new = msgspec.structs.replace(new, told_at=now)
                    troubles.append(_trouble(new, in_words(one, code, year, evidence[code].records)))
                kept.append(new)
                over += [before] if before is not None and before.told_at and new.told_at != before.told_at else []
        ended = [one for one in held.values() if one.ended_at is None]
        kept += [msgspec.structs.replace(one, ended_at=now, compared_at=now) for one in ended]
        return Compared(kept, [*over, *(one for one in ended if one.told_at)], troubles)

    def _write(self, connection: Connection, compared: Compared, now: datetime) -> None:
        queries.keep(connection, self._rows, compared.kept)
        for one in compared.over:
            why = "the figures agree again, or differ otherwise now"
            ops_list.resolve(connection, self._rows, _trouble(one, "").item_id, ops_list.BY_ITSELF, why, now)
        ops_list.open_items(connection, self._rows, compared.troubles, now)


def _difference(
    code: str,
    one: Mismatch,
    why: Explanation | None,
    evidence: Evidence,
    ours: set[str],
    before: ScoreDifference | None,
    now: datetime,
) -> ScoreDifference:
    """Return the row of a difference; one that is as large as before goes on."""
    same = before is not None and before.ended_at is None and before.difference == one.difference
    return ScoreDifference(
        difference_id=f"{code}:{one.measure.value}",
        code=code,
        measure=one.measure,
        period=period_of(now),
        ours=one.ours,
        theirs=one.theirs,
        difference=one.difference,
        record_ids=tuple(record.record_id for record in evidence.records),
        others=sum(record.biz_no not in ours for record in evidence.records),
        explanation=why,
        since=before.since if before is not None and same else now,
        compared_at=now,
        told_at=before.told_at if before is not None and same else None,
        ended_at=None,
    )


def _trouble(one: ScoreDifference, message: str) -> Trouble:
    return Trouble(kind=KIND, cause=one.difference_id, subject_code=one.code, message=message, distinct=one.since.isoformat())
