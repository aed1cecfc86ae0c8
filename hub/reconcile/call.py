"""One claimed obligation, carried out: a call of `ensure`, and what became of it. Called by worker.py."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import structlog

from connectors.base import Connector
from connectors.errors import ConnectorError, PermanentError, PlatformDown, UnknownOutcome
from hub.mirror import ledger
from hub.mirror.ledger import Completion
from hub.reconcile.pace import Pace
from hub.reconcile.transcript import Transcript
from schema.commands import AnyCommand, decode_command
from schema.entities import AttemptOutcome, Obligation, ObligationState
from schema.identifiers import redact

log = structlog.get_logger()


class Call:
    """Carries out obligations of one platform."""

    def __init__(self, connector: Connector, pace: Pace, *, clock: Callable[[], datetime], rng: random.Random) -> None:
        self._connector = connector
        self._pace = pace
        self._clock = clock
        self._rng = rng

    async def __call__(self, one: Obligation, transcript: Transcript) -> Completion:
        """Carry one obligation out; return what became of it, whatever happens. What is said meanwhile goes to the transcript."""
        with transcript:
            return msgspec.structs.replace(await self._carried_out(one), exchanges=transcript.exchanges)

    async def _carried_out(self, one: Obligation) -> Completion:
        try:
            return await self._ensure(one)
        except ConnectorError as error:
            return self._failed(one, error)
        except Exception as error:  # outermost: one obligation's trouble must not stop the others
            log.exception("a connector failed unexpectedly", key=one.key, error=type(error).__name__)
            text = f"unexpected {type(error).__name__} in the connector; the log has it"
            return self._failed(one, UnknownOutcome(self._connector.platform, "UNEXPECTED", text, self._clock()))

    def cut_off(self, one: Obligation, transcript: Transcript) -> Completion:
        """Return what is known of a call that this process ends in its middle: what was sent."""
        cut_off = UnknownOutcome(self._connector.platform, "CUT_OFF", "the process ended during the call", self._clock())
        return msgspec.structs.replace(self._failed(one, cut_off), exchanges=transcript.exchanges)

    async def _ensure(self, one: Obligation) -> Completion:
        command = self._command(one)
        receipt = await self._connector.ensure(command, one.key, unknown_since=one.unknown_since)
        now = self._clock()
        return Completion(
            key=one.key,
            fence=one.fence,
            attempt_id=ledger.attempt_id(one),
            at=now,
            outcome=AttemptOutcome.ACCEPTED,
            state=ObligationState.CLOSED if receipt.proof else ObligationState.SENT,
            next_at=now + timedelta(seconds=self._pace.echo_seconds),
            detail="it was there already" if receipt.repeated else None,
            receipt=receipt.reference,
            shows=receipt.shows,
        )

    def _command(self, one: Obligation) -> AnyCommand:
        try:
            return decode_command(one.payload)
        except msgspec.MsgspecError as error:
            text = f"{one.key}: what is kept is no command of this version of the hub ({error})"
            raise PermanentError(self._connector.platform, "BAD_COMMAND", text) from error

    def _failed(self, one: Obligation, error: ConnectorError) -> Completion:
        now = self._clock()
        # That the platform as a whole is down says nothing of this obligation.
        tries = one.tries + (not isinstance(error, PlatformDown))
        permanent = isinstance(error, PermanentError)
        wait = self._pace.backoff(tries, getattr(error, "retry_after", None), self._rng)
        log.info(
            "not discharged", key=one.key, platform=error.platform, code=error.code, again_in=None if permanent else round(wait, 1)
        )
        unknown_since, outcome = one.unknown_since, AttemptOutcome.REFUSED if permanent else AttemptOutcome.FAILED
        if isinstance(error, UnknownOutcome):
            outcome = AttemptOutcome.UNKNOWN
            unknown_since = max(filter(None, (one.unknown_since, error.sent_at)))
        return Completion(
            key=one.key,
            fence=one.fence,
            attempt_id=ledger.attempt_id(one),
            at=now,
            outcome=outcome,
            state=ObligationState.STUCK if permanent else ObligationState.DUE,
            next_at=now + timedelta(seconds=wait),
            detail=redact(f"{error.code}: {error}"),
            unknown_since=unknown_since,
            tries=tries,
        )
