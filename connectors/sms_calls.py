"""Signed calls to the SMS gateway and what its results mean (sms.md, `/send`). Used by connectors/sms.py only.

One place for the difference between its clock and ours, for its quiet hours, and for which secret it takes at present.
"""

from datetime import datetime, timedelta
from typing import Final

import httpx
import msgspec

from connectors.base import Receipt, Surroundings
from connectors.errors import PermanentError, TransientError
from connectors.http import PlatformClient
from connectors.http_dates import http_date
from connectors.json_text import mended
from connectors.signing import sm3_hex
from connectors.signing_secrets import SecretRefused, SigningSecrets
from connectors.sms_hours import quiet_until
from connectors.sms_receipts import PLATFORM
from connectors.sms_settings import SmsSettings
from schema.commands import SendSms

SEND: Final = "/send"
SENT, UNSIGNED, SENT_BEFORE, EMPTY, QUIET, BUSY = 0, 1, 7, 10, 31, 98
REFUSALS: Final = {
    2: ("MISSING_FIELD", "a field is missing"),
    3: ("TOO_LONG", "the text is too long"),
    17: ("BAD_MOBILE", "the telephone number is malformed, as the gateway sees it; correct it where it came from"),
    21: ("BLOCKED_WORD", "the text has a word that the gateway blocks; change the text"),
}
IN_THE_MORNING: Final = 1.0
"""Seconds beyond the end of quiet hours: the gateway's seconds are not ours."""


class _Said(msgspec.Struct, frozen=True):
    """What every answer of the gateway has; `taskid` may be a number."""

    result: int
    taskid: str | int | None = None


class _NotSigned(SecretRefused):
    """The gateway took neither signature nor time, and therefore did nothing; `off` is its clock against the time we gave."""

    def __init__(self, message: str, off: timedelta | None) -> None:
        super().__init__(PLATFORM, "SIGNATURE_REFUSED", message)
        self.off = off


class SmsCalls:
    """Makes the calls; `ahead` is how far the gateway's clock was ahead of ours at its last answer."""

    def __init__(self, settings: SmsSettings, surroundings: Surroundings) -> None:
        self.client = PlatformClient(PLATFORM, settings, surroundings)
        self.ahead = timedelta(0)
        self._settings, self._clock = settings, surroundings.clock
        self._correction = timedelta(0)
        self._secrets = SigningSecrets(PLATFORM, settings.secrets, surroundings)

    async def send(self, command: SendSms) -> Receipt:
        """Send a message, or find that it was sent; raise TransientError in quiet hours, without a call, and as results say."""
        self._refuse_in_quiet_hours(command)
        try:
            return await self._secrets.signed(lambda secret: self._sent(secret, command))
        except SecretRefused as refused:
            self._correction = timedelta(0)  # what was tried in vain is not kept
            raise PermanentError(PLATFORM, refused.code, str(refused)) from refused

    async def _sent(self, secret: str, command: SendSms) -> Receipt:
        """Send, and once more with the gateway's time where ours is far from it: result 1 may mean either."""
        corrected = False
        while True:
            try:
                return await self.client.write(
                    SEND,
                    lambda: self._signed(secret, command),
                    lambda response: self._judge(command, response),
                    repeat_after=self._settings.repeat_seconds,
                )
            except _NotSigned as refused:
                if corrected or not self._is_far(refused.off):
                    raise
                corrected, self._correction = True, self.ahead

    def _is_far(self, off: timedelta | None) -> bool:
        # The Date header leaves out what has passed of its second.
        return off is not None and abs(off) > timedelta(seconds=self._settings.clock_tolerance_seconds - 1)

    def _refuse_in_quiet_hours(self, command: SendSms) -> None:
        now = self._clock() + self.ahead
        if (over := self._quiet_until(now)) is not None:
            raise self._quiet(command, "no call is made", over - now)

    def _quiet_until(self, now: datetime) -> datetime | None:
        return quiet_until(now, self._settings.quiet_from, self._settings.quiet_until)

    def _quiet(self, command: SendSms, what: str, rest: timedelta) -> TransientError:
        hours = f"{self._settings.quiet_from:%H:%M} to {self._settings.quiet_until:%H:%M} Beijing"
        message = f"{command.ext_no}: {what} in quiet hours, {hours}"
        return TransientError(PLATFORM, "QUIET_HOURS", message, rest.total_seconds() + IN_THE_MORNING)

    def _signed(self, secret: str, command: SendSms) -> httpx.Request:
        settings = self._settings
        ts = int((self._clock() + self._correction).timestamp())
        asked = {
            "account": settings.account,
            "ts": ts,
            "sign": sm3_hex(f"{settings.account}{secret}{ts}".encode()),
            "mobile": command.mobile,
            "content": command.content,
            "extno": command.ext_no,
        }
        headers = {"Content-Type": "application/json; charset=utf-8"}
        request = self.client.request("POST", SEND, content=msgspec.json.encode(asked), headers=headers)
        request.extensions["ts"] = ts
        return request

    def _judge(self, command: SendSms, response: httpx.Response) -> Receipt:
        date = http_date(response.headers.get("date", ""))
        if date is not None:
            self.ahead = date - self._clock()
        said = msgspec.json.decode(mended(response.content), type=_Said, strict=False)
        if said.result in {SENT, SENT_BEFORE}:
            # Only 0 uses an extno up: 7 is the proof that an earlier call of this number was a 0.
            return Receipt(reference=_number(said) or command.ext_no, repeated=said.result == SENT_BEFORE, proof=True)
        if said.result == UNSIGNED:
            raise _not_signed(command, date, response.request.extensions["ts"])
        if said.result == EMPTY:
            message = f"{command.ext_no}: the gateway's balance is empty; top it up, the message goes out by itself then"
            raise TransientError(PLATFORM, "BALANCE_EMPTY", message, self._settings.balance_seconds)
        if said.result == QUIET:
            raise self._quiet_there(command, date)
        if said.result == BUSY:
            raise TransientError(PLATFORM, "BUSY", f"{command.ext_no}: the gateway is busy, nothing was sent")
        code, meaning = REFUSALS.get(said.result, (f"RESULT_{said.result}", "a result that the page does not know"))
        raise PermanentError(PLATFORM, code, f"{command.ext_no}: result {said.result}, {meaning}")

    def _quiet_there(self, command: SendSms, date: datetime | None) -> TransientError:
        """Return what result 31 means: the gateway's clock rules, where it shows one."""
        now = date or self._clock()
        over = self._quiet_until(now)
        rest = timedelta(seconds=self._settings.quiet_again_seconds) if over is None else over - now
        return self._quiet(command, "the gateway sends nothing", rest)


def _not_signed(command: SendSms, date: datetime | None, ts: int) -> _NotSigned:
    off = None if date is None else timedelta(seconds=date.timestamp() - ts)
    shown = "it shows no clock" if off is None else f"its clock is {off.total_seconds():+.0f} s from the time of the call"
    cure = "compare HUB_SMS_ACCOUNT and HUB_SMS_SECRETS with the gateway's, and set this machine's clock"
    return _NotSigned(f"{command.ext_no}: result 1, sign wrong or time more than 600 s off ({shown}); {cure}", off)


def _number(said: _Said) -> str:
    return "" if said.taskid is None else str(said.taskid).strip()
