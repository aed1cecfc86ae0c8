"""Calls to the grid platform: signed SOAP requests, and what the codes of its answers mean (platforms/grid.md, Transport)."""

import hashlib
import re
from collections.abc import Awaitable, Callable, Container, Hashable, Mapping
from datetime import datetime
from typing import Final, TypeVar

import httpx
import msgspec
from lxml import etree

from connectors.base import Surroundings
from connectors.errors import PermanentError, TransientError
from connectors.grid_records import PLATFORM, compact
from connectors.grid_settings import GridSettings
from connectors.http import PlatformClient, UnusableError
from connectors.http_dates import http_date
from connectors.signing_secrets import SecretRefused, SigningSecrets
from connectors.soap import CONTENT_TYPE, ENCODING, SoapFaultError, XmlError, build, child, envelope, parse, returned, text_of
from schema.identifiers import redact

T = TypeVar("T")

DONE: Final = "0"
IMPOSSIBLE: Final = "1"
UNSIGNED: Final = "2"
CLOCK_OFF: Final = "3"
UNKNOWN: Final = "5"
REPEATED: Final = "8"
BUSY: Final = "9"

_REFUSALS: Final = {
    IMPOSSIBLE: ("BAD_REQUEST", "bad request, or not possible in this state"),
    UNSIGNED: ("BAD_SIGN", "bad sign or unknown user; check HUB_GRID_USER and HUB_GRID_PASSWORD"),
    UNKNOWN: ("NO_SUCH_RECORD", "no such record"),
    REPEATED: ("REPEATED", "repeated submission"),
}
_NAMESPACE: Final = "http://grid.gov/ws"
_PATH: Final = "/services/EventService"
_RECORD = re.compile(r"<(event|coordination)\b[^>]*>.*?</\1\s*>", re.DOTALL)


def sign(password: str, time: str, content: bytes) -> str:
    """Return the platform's signature: upper-case hex MD5 of password, time and content, in GB18030."""
    return hashlib.md5(password.encode(ENCODING) + time.encode(ENCODING) + content, usedforsecurity=False).hexdigest().upper()


class Said(msgspec.Struct, frozen=True):
    """An answer of the platform: its code, its message with personal numbers masked, its data."""

    code: str
    message: str
    data: etree._Element
    broken: tuple[str, ...] = ()
    """Records that are not well-formed, as text; `data` is without them, and its other records are whole."""
    answered: datetime | None = None
    """The platform's own time of the answer (its Date header), where it says one."""

    def data_text(self, name: str) -> str:
        """Return a field of data, "" where it is missing."""
        return text_of(child(self.data, name)).strip()


class GridCalls:
    """One signed call after another; which codes a caller understands itself, it says in `codes`."""

    def __init__(self, client: PlatformClient, settings: GridSettings, surroundings: Surroundings) -> None:
        self._client, self._settings, self._clock = client, settings, surroundings.clock
        self._secrets = SigningSecrets(PLATFORM, settings.passwords, surroundings)

    async def read(
        self,
        method: str,
        fields: Mapping[str, str],
        judge: Callable[[Said], T],
        *,
        codes: Container[str] = (DONE,),
        same: Hashable | None = None,
    ) -> T:
        """Return what `judge` makes of the answer; raise TransientError or PermanentError."""
        xml = _request(fields)
        judged = self._judged(method, judge, codes)
        return await self._signed(
            lambda password: self._client.read(
                method,
                lambda: self._build(password, method, xml),
                judged,
                same=None if same is None else (password, same),
            )
        )

    async def write(
        self,
        method: str,
        fields: Mapping[str, str | etree._Element],
        *,
        codes: Container[str] = (DONE, REPEATED),
        settled: bool = False,
    ) -> Said:
        """Return the answer; raise TransientError (nothing was done), UnknownOutcome or PermanentError.

        Unanswered, it is to be repeated soon, or where it must be `settled` first, once it was carried out or dropped.
        """
        xml = _request(fields)
        judge = self._judged(method, lambda said: said, codes)
        repeat_after = None if settled else self._settings.repeat_seconds
        return await self._signed(
            lambda password: self._client.write(
                method, lambda: self._build(password, method, xml), judge, repeat_after=repeat_after
            )
        )

    async def _signed(self, send: Callable[[str], Awaitable[T]]) -> T:
        try:
            return await self._secrets.signed(send)
        except SecretRefused as refused:
            raise PermanentError(PLATFORM, refused.code, str(refused).removeprefix(f"{PLATFORM}: ")) from refused

    def wait_out(self, what: str, unknown_since: datetime | None) -> None:
        """Raise TransientError while an earlier call, sent by then, may still be carried out."""
        if unknown_since is None:
            return
        rest = (unknown_since - self._clock()).total_seconds() + self._settings.dropped_after_seconds
        if rest > 0:
            raise TransientError(PLATFORM, "UNSETTLED", f"{what}: an earlier call may still be carried out", rest)

    def _build(self, password: str, method: str, xml: str) -> httpx.Request:
        settings, time = self._settings, compact(self._clock())
        signature = sign(password, time, xml.encode(ENCODING))
        parts = {"method": method, "user": settings.user, "time": time, "sign": signature}
        content = envelope(_NAMESPACE, "invoke", parts, ("xml", xml))
        headers = {"Content-Type": CONTENT_TYPE, "SOAPAction": '""'}
        return self._client.request("POST", _PATH, content=content, headers=headers)

    def _judged(self, method: str, judge: Callable[[Said], T], codes: Container[str]) -> Callable[[httpx.Response], T]:
        def judged(response: httpx.Response) -> T:
            said = _said(response)
            if said.code not in codes:
                self._refuse(method, said)
            return judge(said)

        return judged

    def _refuse(self, method: str, said: Said) -> None:
        if said.code == BUSY:
            raise TransientError(PLATFORM, "BUSY", f"{method}: busy, nothing was done", self._settings.busy_seconds)
        if said.code == CLOCK_OFF:
            message = f"{method}: our time is more than 10 minutes off{self._clock_difference(said)}; set the clock"
            raise TransientError(PLATFORM, "CLOCK_SKEW", message, self._settings.clock_skew_seconds)
        if not said.code.isascii() or not said.code.isdigit():
            raise UnusableError("the answer has no code")
        code, meaning = _REFUSALS.get(said.code, (f"CODE_{said.code[:8]}", "unknown code"))
        refusal = SecretRefused if said.code == UNSIGNED else PermanentError
        raise refusal(PLATFORM, code, f"{method}: code {said.code[:8]}, {meaning}: {said.message}")

    def _clock_difference(self, said: Said) -> str:
        if said.answered is None:
            return ""
        return f" (ours is {(self._clock() - said.answered).total_seconds():+.0f} s from its Date header)"


def _request(fields: Mapping[str, str | etree._Element]) -> str:
    return etree.tostring(build("request", dict(fields)), encoding="unicode")


def _said(response: httpx.Response) -> Said:
    try:
        inner = returned(response.content)
        root, chunks = _parsed(inner)
    except SoapFaultError as fault:
        raise UnusableError(str(fault)) from fault
    except XmlError as error:
        raise UnusableError(f"{error.reason}: {error}") from error
    data = child(root, "data")
    if data is None:
        data = etree.SubElement(root, "data")
    broken = []
    for chunk in chunks:
        try:
            data.append(parse(chunk))
        except XmlError:
            broken.append(chunk)
    message = redact(text_of(child(root, "message")).strip()[:200])
    code = text_of(child(root, "code")).strip()
    return Said(code, message, data, tuple(broken), http_date(response.headers.get("date", "")))


def _parsed(inner: str) -> tuple[etree._Element, tuple[str, ...]]:
    """Return the answer's root; where it is not well-formed, the root without records, and each record as text."""
    try:
        return parse(inner), ()
    except XmlError as error:
        if error.reason != "NOT_XML":
            raise
        return parse(_RECORD.sub("", inner)), tuple(match[0] for match in _RECORD.finditer(inner))
