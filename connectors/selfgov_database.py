"""All calls to the exchange database: deadline, quota, breaker, repetition of reads, and what a lost commit means.

What connectors/http.py is to other platforms. Every call is one transaction of a plain function; see selfgov_sessions.py.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from connectors.base import Receipt, Surroundings
from connectors.breaker import Watched, breaker_of
from connectors.errors import ConnectorError, PermanentError, PlatformDown, TransientError, UnknownOutcome
from connectors.exchanges import Statements, Telling
from connectors.read_attempts import read_attempts
from connectors.selfgov_sessions import Commitment, sessions_of
from connectors.selfgov_settings import SelfgovSettings
from connectors.selfgov_tables import PLATFORM, Tables
from connectors.selfgov_troubles import ADDRESS, Kind, Trouble, trouble_of
from schema.entities import Exchange
from schema.entity import Observation

T = TypeVar("T")
Work = Callable[[Connection, Tables], T]
"""What is done in one transaction. It may raise a ConnectorError, which ends the transaction with nothing written."""

REPEAT_SOON = 1.0
"""Seconds before a write is repeated. Sooner than other platforms allow: a commit that is still on its way holds its row, and who
writes that row next waits for it."""


class ExchangeDatabase:
    """The one way of this process to the exchange database."""

    def __init__(self, settings: SelfgovSettings, surroundings: Surroundings) -> None:
        self.settings, self.surroundings = settings, surroundings
        self.breaker = breaker_of(settings, surroundings.clock, partial(surroundings.notices.broken, PLATFORM))
        self.sessions = sessions_of(
            settings.database,
            at_once=settings.max_in_flight,
            deadline_seconds=settings.deadline_seconds,
            inline=surroundings.inline,
        )
        self._tables = Tables()
        self._telling = Telling(settings)
        self._slots = asyncio.Semaphore(settings.max_in_flight)

    @property
    def open_until(self) -> datetime | None:
        """Return until when the circuit breaker refuses calls; None while calls are let through."""
        return self.breaker.open_until

    async def read(self, operation: str, work: Work[T]) -> T:
        """Return what `work` reads; try again while the database is away or locked.

        Raises TransientError when the tries are used up, PlatformDown while the breaker is open, PermanentError where address,
        password or tables are not as they must be: that is not tried again at once.
        """
        return await read_attempts(self.settings, self.surroundings)(self._call, operation, work, None)

    async def write(self, operation: str, work: Work[T]) -> T:
        """Return what `work` returned, committed; never tried again here.

        Raises TransientError when nothing was carried out and it may work later, also where somebody has to mend address, password
        or tables first: nothing need be retried by hand then. Raises UnknownOutcome when the answer to the commit was lost,
        PermanentError when the database refuses the row, and what `work` raises.
        """
        return await self._call(operation, work, Commitment())

    async def close(self) -> None:
        """Close connections."""
        await self.sessions.close()

    async def _call(self, operation: str, work: Work[T], commitment: Commitment | None) -> T:
        self._refuse_while_open(operation)
        async with self._slots:
            await self.surroundings.quota.acquire(PLATFORM, self.settings.quota_per_second)
            self._refuse_while_open(operation)  # it may have opened while we waited
            started, outcome, statements = self.surroundings.clock(), "CANCELLED", Statements(self._telling)
            answer: str | None = None
            try:
                with self.breaker.watching() as watched:
                    result = await self._transact(operation, self._watched(work, statements), commitment, watched)
                outcome, answer = "OK", _said(statements, result)
            except ConnectorError as error:
                outcome, answer = error.code, str(error) if isinstance(error, PermanentError) else None
                raise
            finally:
                seconds = (self.surroundings.clock() - started).total_seconds()
                self.surroundings.observe(PLATFORM, operation, outcome, seconds)
                self._keep(operation, statements, started, outcome, answer)
        return result

    def _keep(self, operation: str, statements: Statements, started: datetime, outcome: str, answer: str | None) -> None:
        if (keep := self.surroundings.keeper()) is None:
            return
        keep(
            Exchange(
                operation=operation,
                sent_at=started,
                answered_at=None if answer is None else self.surroundings.clock(),
                outcome=outcome,
                request="\n\n".join(statements.lines),
                answer=answer,
            )
        )

    def _watched(self, work: Work[T], statements: Statements) -> Work[T]:
        """Return the work, with what it does noted where somebody keeps it."""
        if self.surroundings.keeper() is None:
            return work
        return lambda connection, tables: work(statements.watch(connection), tables)

    def _refuse_while_open(self, operation: str) -> None:
        if (rest := self.breaker.refuses_for()) is not None:
            raise PlatformDown(PLATFORM, "PLATFORM_DOWN", f"{operation}: left alone after failures in a row", rest)

    async def _transact(self, operation: str, work: Work[T], commitment: Commitment | None, watched: Watched) -> T:
        deadline = asyncio.timeout(self.settings.deadline_seconds)
        try:
            async with deadline:
                result = await self.sessions.run(lambda connection: work(connection, self._tables), commitment)
        except ConnectorError:
            watched.answered()
            raise
        except Exception as error:
            trouble = trouble_of(error)
            if deadline.expired():
                seconds = self.settings.deadline_seconds
                trouble = Trouble(Kind.DOWN, "TIMEOUT", f"no answer of the exchange database in {seconds:g} s; {ADDRESS}")
            if trouble is None:
                raise
            raise self._failed(operation, trouble, commitment, watched) from error
        watched.answered()
        return result

    def _failed(self, operation: str, trouble: Trouble, commitment: Commitment | None, watched: Watched) -> ConnectorError:
        """Return the error to raise; tell the breaker what it says of the platform."""
        message = f"{operation}: {trouble.says}"
        if trouble.kind is Kind.DOWN or trouble.code in {"ACCESS_DENIED", "NO_SUCH_DATABASE"}:
            watched.failed()  # no connection can be had: asking on and on could lock the account
        else:
            watched.answered()
        match trouble.kind:
            case Kind.REFUSED:
                return PermanentError(PLATFORM, trouble.code, message)
            case Kind.MISFIT:
                self._tables.forget()
                return (PermanentError if commitment is None else TransientError)(PLATFORM, trouble.code, message)
            case Kind.HELD:
                return TransientError(PLATFORM, trouble.code, message, REPEAT_SOON)
        if commitment is None or commitment.give_up():
            return TransientError(PLATFORM, trouble.code, message)
        lost = f"{message}; whether it was committed is not known"
        return UnknownOutcome(PLATFORM, trouble.code, lost, self.surroundings.clock(), REPEAT_SOON)


def _said(statements: Statements, result: object) -> str:
    """Return what a committed transaction came to: how many rows its writes met, and the row as it stands, as it was understood."""
    shows = result.shows if isinstance(result, Receipt) else ()
    rows = [msgspec.json.encode(item.record).decode() for item in shows if isinstance(item, Observation)]
    return "\n".join((*(statements.met or ("nothing to write",)), "committed", *rows))
