"""All HTTP calls to platforms: deadlines, quota, circuit breaker, retries of reads, and what an unanswered write means.

One `PlatformClient` a platform and process, owned by its connector. Reads are retried here; writes are sent once and repeated
by the ledger only. A request is built and signed anew for each try, at the last moment before it is sent.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Container, Hashable
from datetime import datetime, timedelta
from functools import partial
from inspect import isawaitable
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

import httpx
import msgspec
from pydantic import Field

from connectors.base import Knocked, PlatformSettings, Surroundings
from connectors.breaker import Watched, breaker_of
from connectors.errors import ConnectorError, PermanentError, PlatformDown, TransientError, UnknownOutcome
from connectors.exchanges import Telling
from connectors.http_dates import http_date, retry_after_seconds
from connectors.knocking import answered
from connectors.lease import may_send
from connectors.read_attempts import read_attempts
from connectors.shared_reads import SharedReads
from connectors.whole_answer import AnswerTooLargeError, read_whole
from connectors.window import Window
from schema.identifiers import redact

T = TypeVar("T")
Build = Callable[[], httpx.Request | Awaitable[httpx.Request]]
"""Makes and signs a request; called once for each try, immediately before it is sent. It may raise a ConnectorError."""
Judge = Callable[[httpx.Response], T]
"""Makes the result of a usable answer. It raises a ConnectorError for a refusal in the platform's own words, and `UnusableError`
(or ValueError, KeyError, msgspec.MsgspecError) for an answer that tells nothing of the outcome."""

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class UnusableError(Exception):
    """An answer that tells nothing of the outcome: a read is tried again, a write becomes UnknownOutcome."""


class HttpSettings(PlatformSettings):
    """Settings of every platform that is called over HTTP; a connector's own class adds its keys."""

    url: str = Field(
        pattern=r"^https?://(\[[0-9a-fA-F:.]+\]|[^\s/?#:@\[\]]+)(:[0-9]{1,5})?(/[^\s?#]*)?$",
        description="Base address of the platform, http(s)://host[:port][/prefix]",
    )


class PlatformClient:
    """The one HTTP client of a platform; `wait_header` is where the platform says how many seconds to wait."""

    def __init__(
        self, platform: str, settings: HttpSettings, surroundings: Surroundings, *, wait_header: str = "retry-after"
    ) -> None:
        self.platform, self.settings, self.surroundings = platform, settings, surroundings
        self._wait_header = wait_header
        self.breaker = breaker_of(settings, surroundings.clock, partial(surroundings.notices.broken, platform))
        self._http = httpx.AsyncClient(
            base_url=settings.url,
            transport=surroundings.transport,
            verify=_trusted(settings.url),
            # Connecting ends well before the deadline of the whole call, so that "surely not sent" stays known.
            timeout=httpx.Timeout(settings.deadline_seconds, connect=settings.deadline_seconds / 2),
            limits=httpx.Limits(max_connections=settings.max_in_flight + 2, max_keepalive_connections=settings.max_in_flight),
            follow_redirects=False,
            trust_env=False,
        )
        self._telling = Telling(settings)
        self._slots = asyncio.Semaphore(settings.max_in_flight)
        self._window = Window(settings.quota_per_second, surroundings.clock, surroundings.sleep)
        self._shared = SharedReads()
        self._closed = False  # it asked to be left alone, and has not answered since
        self._held_until: datetime | None = None  # after a 429, that one refused call is not followed by the next

    @property
    def open_until(self) -> datetime | None:
        """Return until when the circuit breaker refuses calls; None while calls are let through."""
        return self.breaker.open_until

    def request(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        params: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Request:
        """Return a request for a path below the platform's base address; a signature covers `request.url.path` as it stands.

        Parameters are percent-encoded by RFC 3986; httpx would send a blank as `+`, which a strict platform reads as a plus.
        """
        if params:
            path = f"{path}?{urlencode(params, quote_via=quote, safe='')}"
        return self._http.build_request(method, path, content=content, headers=headers)

    async def read(
        self, operation: str, build: Build, judge: Judge[T], *, accept: Container[int] = (), same: Hashable | None = None
    ) -> T:
        """Return what `judge` makes of the answer; try again on transport errors, 5xx, 429, UnusableError and TransientError.

        `accept` are the statuses beyond 2xx that `judge` takes itself. Reads under way with an equal `same` share one call.
        Raises TransientError when the tries are used up or the platform asks for more patience than settings allow,
        PlatformDown while the breaker is open, PermanentError for any other refusal, and what `judge` raises.
        """
        call = _Call(operation, build, judge, accept, None)
        if same is None:
            return await self._read(call)
        return await self._shared.result((operation, same), lambda: self._read(call))

    async def write(
        self,
        operation: str,
        build: Build,
        judge: Judge[T],
        *,
        accept: Container[int] = (),
        repeat_after: float | None = None,
    ) -> T:
        """Send once and return what `judge` makes of the answer; never tried again here.

        Raises TransientError when it was surely not carried out (never sent, its claim being over too (`lease.py`), 429, 503 with
        Retry-After, or so judged),
        UnknownOutcome with `retry_after=repeat_after` seconds (as a rule `dropped_after_seconds`) when it was sent and no
        usable answer came, PermanentError for any other refusal, and what `judge` raises.
        """
        after = self.settings.dropped_after_seconds if repeat_after is None else repeat_after
        return await self._call(_Call(operation, build, judge, accept, after))

    async def exempt(self, operation: str, build: Build, judge: Judge[T], *, accept: Container[int] = ()) -> T:
        """Send once, outside quota and in-flight limit: for calls that the platform does not count (OAuth tokens).

        It is made within the building of another call, so that an open breaker does not refuse it; how it ends counts.
        """
        with self.breaker.watching() as watched:
            return await self._send(_Call(operation, build, judge, accept, None, secret=True), watched)

    async def knock(self) -> Knocked:
        """Return a sign of life, unsigned and outside quota and breaker; raise TransientError where there is none."""
        begun = self.surroundings.clock()
        response, told = await answered(self.platform, self._http, self.settings.deadline_seconds)
        self._look_at_clock(response, begun)
        return told

    async def close(self) -> None:
        """Close the connections; shared reads under way are cancelled."""
        self._shared.cancel()
        await self._http.aclose()

    async def _read(self, call: "_Call[T]") -> T:
        return await read_attempts(self.settings, self.surroundings)(self._call, call)

    async def _call(self, call: "_Call[T]") -> T:
        self._refuse_while_shut(call)
        async with self._slots:
            await self.surroundings.quota.acquire(self.platform, self.settings.quota_per_second)
            self._refuse_while_shut(call)  # it may have been shut while we waited
            async with self._window.place():
                self._refuse_while_held(call)
                with self.breaker.watching() as watched:
                    try:
                        return await self._send(call, watched)
                    except TransientError as error:
                        if error.code == "RATE_LIMITED":
                            self._hold(error.retry_after or 0.0)
                        raise

    def _refuse_while_shut(self, call: "_Call[T]") -> None:
        self._refuse_while_open(call)
        self._refuse_while_held(call)

    def _refuse_while_held(self, call: "_Call[T]") -> None:
        rest = (self._held_until - self.surroundings.clock()).total_seconds() if self._held_until else 0.0
        if rest > 0:
            raise TransientError(self.platform, "RATE_LIMITED", f"{call.operation}: not sent, there were too many calls", rest)

    def _hold(self, seconds: float) -> None:
        until = self.surroundings.clock() + timedelta(seconds=min(seconds, self.settings.breaker_longest_seconds))
        self._held_until = max(until, self._held_until or until)

    def _refuse_while_open(self, call: "_Call[T]") -> None:
        if (rest := self.breaker.refuses_for()) is not None:
            raise PlatformDown(self.platform, "PLATFORM_DOWN", f"{call.operation}: left alone after failures in a row", rest)

    async def _send(self, call: "_Call[T]", watched: Watched) -> T:
        built = call.build()
        request = await built if isawaitable(built) else built
        if call.repeat_after is not None and not may_send(self.surroundings.clock()):
            raise TransientError(self.platform, "CLAIM_OVER", f"{call.operation}: not sent, its claim ended while it waited")
        if self.settings.traceparent:
            request.headers.update(self.surroundings.trace_headers())
        sending, started, outcome = _Sending(self.surroundings), self.surroundings.clock(), "CANCELLED"
        try:
            result = await self._exchange(call, request, watched, sending)
            outcome = "OK"
        except ConnectorError as error:
            outcome = error.code
            raise
        finally:
            seconds = (self.surroundings.clock() - started).total_seconds()
            self.surroundings.observe(self.platform, call.operation, outcome, seconds)
            if not call.secret and (keep := self.surroundings.keeper()) is not None:
                sent_at, answered_at = sending.left or started, sending.answered_at
                keep(
                    self._telling.exchange(
                        call.operation, request, sending.answer, sent_at=sent_at, answered_at=answered_at, outcome=outcome
                    )
                )
        return result

    async def _exchange(self, call: "_Call[T]", request: httpx.Request, watched: Watched, sending: "_Sending") -> T:
        begun = self.surroundings.clock()
        request.extensions["trace"] = sending.trace
        try:
            async with asyncio.timeout(self.settings.deadline_seconds):
                sending.answer = response = await read_whole(await self._http.send(request, stream=True))
                sending.answered_at = self.surroundings.clock()
        except NEVER_SENT as error:
            watched.failed()
            raise TransientError(
                self.platform, "UNREACHABLE", f"{call.operation}: not sent, no connection ({type(error).__name__})"
            ) from error
        except (httpx.RequestError, TimeoutError) as error:
            watched.failed()
            timed_out = isinstance(error, httpx.TimeoutException | TimeoutError)
            code = "TIMEOUT" if timed_out else "CONNECTION_LOST"
            raise self._unanswered(call, code, f"no answer ({type(error).__name__})", sending) from error
        except AnswerTooLargeError as error:
            watched.answered()
            raise self._unanswered(call, "BAD_ANSWER", f"unusable answer, {error}", sending) from error
        self._look_at_clock(response, sending.left or begun)
        if response.is_success or response.status_code in call.accept:
            watched.answered()
            self._open_again()
        else:
            self._refuse(call, response, watched, sending)
        try:
            return call.judge(response)
        except (UnusableError, ValueError, KeyError, RecursionError, msgspec.MsgspecError) as error:
            # The reason is not quoted: answers carry personal data.
            reason = str(error) if isinstance(error, UnusableError) else type(error).__name__
            raise self._unanswered(
                call, "BAD_ANSWER", f"unusable answer, HTTP {response.status_code} ({reason})", sending
            ) from error

    def _refuse(self, call: "_Call[T]", response: httpx.Response, watched: Watched, sending: "_Sending") -> None:
        status, retry_after = response.status_code, retry_after_seconds(response, self.surroundings.clock(), self._wait_header)
        if status >= 500:
            watched.failed(retry_after)
        else:
            watched.answered()
            self._open_again()
        if status == 503 and retry_after:
            self._closed = True
            self.surroundings.notices.closed(self.platform, self.surroundings.clock() + timedelta(seconds=retry_after))
        if status == 429:
            raise TransientError(self.platform, "RATE_LIMITED", f"{call.operation}: too many calls", retry_after or 1.0)
        if status in {408, 425} or (status == 503 and retry_after is not None):
            raise TransientError(self.platform, f"HTTP_{status}", f"{call.operation}: not now, HTTP {status}", retry_after)
        if status >= 500:
            raise self._unanswered(call, f"HTTP_{status}", f"failed, HTTP {status}", sending, retry_after)
        said = redact(response.text[:200])
        raise PermanentError(self.platform, f"HTTP_{status}", f"{call.operation}: refused, HTTP {status}: {said}")

    def _open_again(self) -> None:
        if self._closed:
            self._closed = False
            self.surroundings.notices.closed(self.platform, None)

    def _look_at_clock(self, response: httpx.Response, left: datetime) -> None:
        """Compare the answer's Date with our clock: it was written between our sending and our reading, its second cut off."""
        date = http_date(response.headers.get("date", ""))
        if date is None or "age" in response.headers:  # a cache's answer tells of another time
            return
        half = (self.surroundings.clock() - left) / 2
        if half >= timedelta(0):  # else our own clock was set back meanwhile
            ahead = date + timedelta(seconds=0.5) - (left + half)
            self.surroundings.notices.clock(self.platform, ahead, half + timedelta(seconds=0.5))

    def _unanswered(
        self, call: "_Call[T]", code: str, what: str, sending: "_Sending", retry_after: float | None = None
    ) -> TransientError:
        message = f"{call.operation}: {what}"
        if call.repeat_after is None:
            return TransientError(self.platform, code, message, retry_after)
        return UnknownOutcome(self.platform, code, message, sending.sent_at, max(call.repeat_after, retry_after or 0.0))


class _Call(msgspec.Struct, Generic[T], frozen=True):
    """One call as its connector describes it; `repeat_after` is None for reads."""

    operation: str
    build: Build
    judge: Judge[T]
    accept: Container[int]
    repeat_after: float | None
    secret: bool = False
    """Whether all of it is secret, as of OAuth tokens: its exchange is not kept."""


class _Sending:
    """Notes when a request had left the house, which can be seconds after it was handed over (connecting), and its answer."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._clock = surroundings.clock
        self.left: datetime | None = None
        """When it had left; None where the transport did not say."""
        self.answer: httpx.Response | None = None
        self.answered_at: datetime | None = None

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith("send_request_body.complete"):
            self.left = self._clock()

    @property
    def sent_at(self) -> datetime:
        """Return the latest moment at which it may have been sent: now, where the transport did not say."""
        return self.left or self._clock()


def _trusted(url: str) -> ssl.SSLContext:
    """Return whose certificates are taken: for https those that httpx trusts, for plain http nobody's, which is quick to set up."""
    return httpx.create_ssl_context(trust_env=False) if url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
