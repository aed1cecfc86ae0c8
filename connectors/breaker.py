"""The circuit breaker: stops calling a platform that fails, and lets a single probe find out when it is back.

One a platform and process, owned by what makes its calls (`connectors.http.PlatformClient`, as a rule). It knows no network: it
is told how calls ended.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from connectors.base import Clock, PlatformSettings


class Watched:
    """One call that was let through. Say `answered` or `failed` once; a call that ends without a word decides nothing."""

    answered_well: bool | None = None
    retry_after: float | None = None

    def answered(self) -> None:
        """Note that the platform answered, be it with a refusal."""
        self.answered_well = True

    def failed(self, retry_after: float | None = None) -> None:
        """Note a transport failure or 5xx; `retry_after` is the wait in seconds that the platform asked for."""
        self.answered_well, self.retry_after = False, retry_after


class Breaker:
    """Opens after `failures` failures in a row; after the cool-down one probe is let through, and its outcome decides.

    A failure may name a longer wait (Retry-After of a maintenance window); up to `longest` it is respected.
    """

    def __init__(
        self,
        failures: int,
        cool_down: timedelta,
        longest: timedelta,
        clock: Clock,
        tell: Callable[[datetime | None], None] = lambda until: None,
    ) -> None:
        """`tell` hears until when it is open, each time that it opens, and None when it is closed again."""
        self._tell = tell
        self._allowed, self._cool_down, self._longest, self._clock = failures, cool_down, longest, clock
        self._in_a_row = 0
        self._open_until: datetime | None = None
        self._probing = False

    @property
    def open_until(self) -> datetime | None:
        """Return until when calls are refused; None while a call (be it the probe) would be let through."""
        return self._open_until if self._open_until is not None and self._clock() < self._open_until else None

    def refuses_for(self) -> float | None:
        """Return for how many seconds a call would be refused now, None if it would be let through; changes nothing."""
        if self._open_until is None:
            return None
        if (rest := (self._open_until - self._clock()).total_seconds()) > 0:
            return rest
        return min(1.0, self._cool_down.total_seconds()) if self._probing else None

    @contextmanager
    def watching(self) -> Iterator[Watched]:
        """Let one call through that `refuses_for` did not refuse; how it ended is read from what it was told."""
        probe = self._open_until is not None
        if probe:
            self._probing = True
        call = Watched()
        try:
            yield call
        finally:
            if probe:
                self._probing = False
            # While it is open only the probe decides: answers of calls from before tell of the past.
            if probe or self._open_until is None:
                self._note(call, probe=probe)

    def _note(self, call: Watched, *, probe: bool) -> None:
        if call.answered_well is None:
            return
        if call.answered_well:
            was_open = self._open_until is not None
            self._in_a_row, self._open_until = 0, None
            if was_open:
                self._tell(None)
            return
        self._in_a_row += 1
        if probe or self._in_a_row >= self._allowed:
            asked = timedelta(seconds=min(call.retry_after or 0.0, self._longest.total_seconds()))
            self._open_until = self._clock() + max(self._cool_down, asked)
            self._tell(self._open_until)


def breaker_of(settings: PlatformSettings, clock: Clock, tell: Callable[[datetime | None], None] = lambda until: None) -> Breaker:
    """Return the breaker that a platform's settings describe."""
    cool_down, longest = settings.breaker_cool_down_seconds, settings.breaker_longest_seconds
    return Breaker(settings.breaker_failures, timedelta(seconds=cool_down), timedelta(seconds=longest), clock, tell)
