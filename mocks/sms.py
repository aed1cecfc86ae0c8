"""Mock of the SMS gateway (短信平台), written from its interface page (sms.md): one call, receipts, and what lies in its outbox.

Each message is a document of kind `message` under its extno; `/_control/state` shows the newest of them.
"""

import hashlib
import hmac
import random
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

import httpx
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mocks.callbacks import Sending, Sleep
from mocks.platform import Action, Clock, Platform, PlatformSettings
from mocks.store import Document

SENT, UNSIGNED, INCOMPLETE, TOO_LONG, REPEATED, EMPTY, MALFORMED, BLOCKED, QUIET, BUSY = 0, 1, 2, 3, 7, 10, 17, 21, 31, 98
"""The results of the page."""
REPETITIONS: Final = (300.0,) * 3
"""Pauses before a receipt is repeated: 3 times, every 5 minutes."""
STATUSES: Final = ("DELIVRD", "UNDELIV", "EXPIRED", "REJECTD")

_FIELDS: Final = ("account", "sign", "mobile", "content", "extno")
_FAR_OFF: Final = 600.0
_CHARACTERS: Final = 350
_SHOWN: Final = 100
_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}", re.ASCII)


class SmsSettings(PlatformSettings, frozen=True, kw_only=True):
    """What the mock SMS gateway can be told beside the common settings."""

    account: str = "bihuan"
    secrets: tuple[str, ...] = ("sms-secret",)
    """Secrets of the account, the newest first: it signs the receipts, each is taken in calls."""
    quiet_from: str = "22:00"
    quiet_until: str = "07:00"
    """Beijing time; where both are the same there are no quiet hours."""
    balance: int = 100_000
    """Messages that can be sent before it is empty."""
    blocked_words: tuple[str, ...] = ("发票", "中奖")
    names_task_again: bool = True
    """Whether result 7 names the taskid of the first sending; the page does not say so."""
    undelivered_share: float = 0.0
    """Share of messages that do not reach their telephone."""


class SmsPlatform(Platform):
    """The gateway."""

    name: ClassVar[str] = "sms"
    settings: SmsSettings

    def __init__(
        self,
        settings: SmsSettings,
        *,
        clock: Clock,
        rng: random.Random,
        sleep: Sleep,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(settings, clock=clock, rng=rng, sleep=sleep, transport=transport)
        self._secrets = list(settings.secrets)
        self._quiet = (time.fromisoformat(settings.quiet_from), time.fromisoformat(settings.quiet_until))
        if self.store.get("account", "balance") is None:
            self.store.put("account", "balance", {"messages": settings.balance})

    # --- the one call

    def routes(self) -> Sequence[BaseRoute]:
        """Return the one route of the page."""
        return [Route("/send", self._send, methods=["POST"])]

    async def _send(self, request: Request) -> Response:
        self.count("calls.send")
        try:
            asked = msgspec.json.decode(await request.body(), type=dict[str, Any])
        except msgspec.DecodeError:
            asked = {}
        result = self._judge(asked)
        self.count(f"result.{result}")
        if result == REPEATED:
            before = self._message(asked["extno"])
            return _answer(REPEATED, before["taskid"] if self.settings.names_task_again else None)
        if result != SENT:
            return _answer(result)
        message = self._accept(asked)
        return self.after_work(_answer(SENT, message["taskid"]))

    def _judge(self, asked: Mapping[str, Any]) -> int:  # noqa: PLR0911  (one line a result of the page)
        now, ts = self.now(), asked.get("ts")
        if any(not isinstance(asked.get(name), str) or not asked[name] for name in _FIELDS) or type(ts) is not int:
            return INCOMPLETE
        if not self._is_signed(asked) or abs(now.timestamp() - ts) > _FAR_OFF:
            return UNSIGNED
        if not _MOBILE.fullmatch(asked["mobile"]):
            return MALFORMED
        if len(asked["content"]) > _CHARACTERS:
            return TOO_LONG
        if any(word in asked["content"] for word in self.settings.blocked_words):
            return BLOCKED
        if self.store.get("message", asked["extno"]) is not None:
            return REPEATED
        if self.is_quiet(now):
            return QUIET
        return SENT if self.balance > 0 else EMPTY

    def _is_signed(self, asked: Mapping[str, Any]) -> bool:
        expected = [_sm3(f"{asked['account']}{secret}{asked['ts']}") for secret in self._secrets]
        known = asked["account"] == self.settings.account
        return known and any(hmac.compare_digest(asked["sign"].encode(), each.encode()) for each in expected)

    def _accept(self, asked: Mapping[str, Any]) -> Document:
        now = self.now()
        message: Document = {
            "taskid": f"{now:%Y%m%d}{self.store.next_number('task'):010d}",
            **{name: asked[name] for name in ("extno", "mobile", "content")},
            "sentAt": now.isoformat(),
            "status": None,
        }
        self.count("creations.message")
        self.store.put("message", message["extno"], message)
        self.store.put("account", "balance", {"messages": self.balance - 1})
        lost = self.settings.undelivered_share and self.rng.random() < self.settings.undelivered_share
        self.report(message["extno"], "UNDELIV" if lost else "DELIVRD")
        return self._message(message["extno"])

    def broken(self) -> Response:
        """Return result 98, or the page of a gateway that is down: nothing was sent."""
        if self.faults.outage or self.rng.random() < 0.5:
            return Response("<html><body>503 Service Unavailable</body></html>", 503, media_type="text/html")
        return _answer(BUSY)

    # --- what happens at the gateway

    @property
    def balance(self) -> int:
        """Return how many messages can still be sent."""
        return int((self.store.get("account", "balance") or {})["messages"])

    def is_quiet(self, now: datetime) -> bool:
        """Return whether nothing is sent at this Beijing time."""
        begin, end = self._quiet
        clock = now.time()
        return begin <= clock < end if begin <= end else clock >= begin or clock < end

    def set_balance(self, messages: int) -> None:
        """Let so many messages be sent from now on."""
        self.store.put("account", "balance", {"messages": messages})

    def rotate_secret(self, secret: str) -> None:
        """Begin a key change: the new secret signs receipts at once, the one before it is still taken in calls."""
        self._secrets = [secret, *self._secrets[:1]]

    def report(self, extno: str, status: str) -> None:
        """Find out what became of a message, and tell the hub by a receipt; raise LookupError for an unknown extno."""
        if status not in STATUSES:
            raise ValueError(f"no status {status!r}; there are {', '.join(STATUSES)}")
        message = {**self._message(extno), "status": status}
        self.store.put("message", extno, message)

        def prepare(_attempt: int) -> Sending:
            return self.receipt(extno, at=self.now())

        self.callbacks.deliver(prepare, schedule=REPETITIONS, acknowledged=_acknowledged, within=10.0)

    def receipt(self, extno: str, *, at: datetime, status: str | None = None) -> Sending:
        """Return the receipt of a message as it is posted at that time; `status` says another than the true one."""
        message, written = self._message(extno), f"{at:%Y%m%d%H%M%S}"
        form = {
            "taskid": message["taskid"],
            "mobile": message["mobile"],
            "status": status or message["status"],
            "time": written,
            "sign": _sm3(f"{message['taskid']}{self._secrets[0]}{written}"),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return Sending(f"{self.hub_url}/webhooks/sms", headers, urlencode(form).encode())

    def outbox(self) -> list[Document]:
        """Return all messages, the oldest first."""
        return list(self.store.all("message").values())

    def extra_state(self) -> dict[str, object]:
        """Return the balance and the newest messages."""
        return {"balance": self.balance, "outbox": self.outbox()[-_SHOWN:]}

    def actions(self) -> Mapping[str, Action]:
        """Return the actions by name."""
        return {name: getattr(self, name) for name in ("set_balance", "rotate_secret", "report", "outbox")}

    def _message(self, extno: str) -> Document:
        message = self.store.get("message", extno)
        if message is None:
            raise LookupError(f"no message with extno {extno!r}")
        return message


def _answer(result: int, taskid: str | None = None) -> Response:
    content = {"result": result} | ({"taskid": taskid} if taskid is not None else {})
    return Response(msgspec.json.encode(content), media_type="application/json; charset=utf-8")


def _acknowledged(answered: httpx.Response) -> bool:
    return answered.status_code == 200 and answered.text.strip() == "0"


def _sm3(text: str) -> str:
    return hashlib.new("sm3", text.encode()).hexdigest()
