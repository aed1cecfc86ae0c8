"""The mock credit-information platform (信用信息核查平台): credit.md to the letter.

Here is what happens in the city and what the hub is told; the calls that it makes are in credit_calls.py, tokens in
credit_tokens.py, what is known and judged in credit_register.py, checks in credit_records.py, the feed in credit_feed.py.
"""

import random
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import httpx
import msgspec

from mocks.callbacks import Sending, Sleep
from mocks.credit_calls import CreditCalls
from mocks.credit_feed import Feed
from mocks.credit_records import check_record, check_subject
from mocks.credit_register import CreditRegister
from mocks.credit_signing import resident_code, webhook_headers
from mocks.credit_tokens import Tokens
from mocks.platform import Action, Clock, PlatformSettings
from mocks.quota import Quota
from mocks.store import Document

REPETITIONS: Final = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0)
"""Pauses before a webhook is repeated: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h."""


class CreditSettings(PlatformSettings, frozen=True, kw_only=True):
    """What the mock credit platform can be told beside the common settings."""

    client_id: str = "bihuan"
    client_secret: str = "credit-secret"
    exchange_key: str = "exchange-key"
    """The key of RID- codes, which the hub holds too."""
    webhook_secrets: tuple[str, ...] = ("whsec_Y3JlZGl0LXdlYmhvb2stc2VjcmV0",)
    """Secrets in use, the newest first: each adds its signature."""
    calls_per_second: int = 20
    tokens_per_minute: int = 10
    token_seconds: int = 600
    visible_late_seconds: float = 5.0
    """How much later than a higher seq a change becomes visible at most."""
    visible_late_share: float = 0.2
    """Share of changes that become visible late."""
    person_deduction: float = 5.0
    """What a RESPONSIBLE_PERSON record takes from the person's score."""


class CreditPlatform(CreditCalls):
    """The credit platform, with what its operators and the city can do as methods."""

    name: ClassVar[str] = "credit"
    settings: CreditSettings

    def __init__(
        self,
        settings: CreditSettings,
        *,
        clock: Clock,
        rng: random.Random,
        sleep: Sleep,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(settings, clock=clock, rng=rng, sleep=sleep, transport=transport)
        self.tokens = Tokens(
            settings.client_id,
            settings.client_secret,
            seconds=settings.token_seconds,
            a_minute=settings.tokens_per_minute,
            rng=rng,
        )
        self.quota = Quota(settings.calls_per_second)
        self.feed = Feed(self.store, rng=rng, late_seconds=settings.visible_late_seconds, late_share=settings.visible_late_share)
        self.register = CreditRegister(self.store, now=self.now, changed=self._changed, person_deduction=settings.person_deduction)
        self._webhook_secrets = list(settings.webhook_secrets)

    # --- what happens in the city and at the platform

    def add_subject(self, code: str, name: str, *, score: float | None = None, old_codes: list[str] | None = None) -> Document:
        """Make a subject known with a score before any record, or rename a known one; return it as the interface shows it."""
        kind = "RESIDENT_ID" if code.startswith("RID-") else "USCC"
        content = check_subject({"code": code, "codeType": kind, "name": name}, code)
        self.register.know(content, base_score=score, old_codes=old_codes)
        return self.subject(code)

    def resident_code(self, identity_number: str) -> str:
        """Return the RID- code of an identity number under this platform's exchange key."""
        return resident_code(identity_number, self.settings.exchange_key)

    def set_score(self, code: str, score: float) -> Document:
        """Set the score that the subject has before its records count; return the subject judged anew."""
        self.subject(code)
        self.register.set_base(code, score)
        return self.subject(code)

    def add_record(self, content: Document) -> Document:
        """Enter a record as if posted; return the answer of the call. Raise Problem or Unprocessable like the call."""
        return self.enter_record(check_record(content))[1]

    def cancel(self, record_id: str) -> Document:
        """Cancel a record, as an operator's settlement; raise LookupError for an unknown one."""
        if self.register.get("record", record_id) is None:
            raise LookupError(f"no credit record {record_id!r}")
        return self.register.cancel(record_id)

    def delete(self, kind: str, key: str) -> None:
        """Delete a subject, record or repair: the feed says so with its id alone."""
        self.register.delete(kind, key)

    def contradict(self, kind: str, key: str, fields: Mapping[str, Any]) -> None:
        """Platform fault for tests: other content under the same version, told by feed and webhook."""
        self.register.contradict(kind, key, dict(fields))

    def judge_all(self) -> None:
        """Judge every subject anew, as at the turn of a period."""
        self.register.judge_all()

    def revoke_tokens(self) -> int:
        """Revoke every token before its time; return how many."""
        return self.tokens.revoke_all()

    def rotate_webhook_secret(self, secret: str) -> None:
        """Begin a key change: deliveries are signed with the new secret and with the one before it."""
        self._webhook_secrets = [secret, *self._webhook_secrets[:1]]

    def end_key_change(self) -> None:
        """Sign with the newest secret only."""
        self._webhook_secrets = self._webhook_secrets[:1]

    def resume_webhooks(self) -> None:
        """Deliver again after a 410 ended all deliveries."""
        self.store.delete("webhooks", "ended")

    def subject(self, code: str) -> Document:
        """Return a subject as the interface shows it; raise LookupError for an unknown code."""
        subject = self.register.get("subject", code)
        if subject is None:
            raise LookupError(f"no subject {code!r} on the credit platform")
        return subject

    def actions(self) -> Mapping[str, Action]:
        """Return the actions by name."""
        names = "add_subject resident_code set_score add_record cancel delete contradict judge_all revoke_tokens"
        names += " rotate_webhook_secret end_key_change resume_webhooks subject"
        return {name: getattr(self, name) for name in names.split()}

    # --- what the hub is told

    def _changed(self, kind: str, op: str, data: Document) -> None:
        self.feed.append(kind, op, data, self.now())
        if op == "upsert" and kind == "subject":
            self.tell("subject.updated", data)
        elif op == "upsert" and kind == "record" and data["version"] == 1:
            self.tell("record.created", data)

    def tell(self, event: str, data: Document) -> None:
        """Send a webhook, unless a 410 ended all deliveries."""
        if self.store.get("webhooks", "ended") is not None:
            self.count("callbacks.ended")
            return
        message_id = f"msg_{self.store.next_number('message'):012d}"
        body = msgspec.json.encode({"type": event, "timestamp": self.now().isoformat(timespec="milliseconds"), "data": data})

        def prepare(_attempt: int) -> Sending:
            headers = webhook_headers(self._webhook_secrets, message_id, int(self.now().timestamp()), body)
            return Sending(f"{self.hub_url}/webhooks/credit", headers, body)

        self.callbacks.deliver(prepare, schedule=REPETITIONS, acknowledged=_acknowledged, within=10.0, last=self._ended_by)

    def _ended_by(self, answered: httpx.Response) -> bool:
        """Tell whether the hub's answer ends all deliveries; if so, begin none from now on and drop those under way."""
        if answered.status_code != 410:
            return False
        self.store.put("webhooks", "ended", {"at": self.now().isoformat()})
        self.callbacks.drop()
        return True


def _acknowledged(answered: httpx.Response) -> bool:
    return 200 <= answered.status_code < 300
