"""When a read that failed is tried again, and after how long. Writes are repeated by the ledger only."""

from tenacity import AsyncRetrying, RetryCallState, stop_after_attempt

from connectors.base import PlatformSettings, Surroundings
from connectors.errors import PlatformDown, TransientError
from connectors.patience import patience


def read_attempts(settings: PlatformSettings, surroundings: Surroundings) -> AsyncRetrying:
    """Return what carries out one read: tried again while it fails with TransientError, at last the error is raised.

    It is not tried again while the breaker is open (PlatformDown), or where the platform asks for more patience than settings
    allow, or than the caller has.
    """

    def worth_another_try(state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome is not None else None
        if not isinstance(error, TransientError) or isinstance(error, PlatformDown):
            return False
        needed = 0.2 * 2.0**state.attempt_number if error.retry_after is None else error.retry_after
        return (error.retry_after or 0.0) <= settings.read_patience_seconds and needed < patience()

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        asked = error.retry_after if isinstance(error, TransientError) else None
        backoff = 0.2 * 2.0**state.attempt_number * (0.5 + surroundings.rng.random() / 2)
        # A little more than was asked for, so that not everyone is back in the same instant.
        return min(backoff, settings.read_patience_seconds) if asked is None else asked + backoff / 10

    return AsyncRetrying(
        sleep=surroundings.sleep,
        stop=stop_after_attempt(settings.read_attempts),
        wait=wait,
        retry=worth_another_try,
        reraise=True,
    )
