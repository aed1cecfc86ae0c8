"""The SMS gateway in the contract tests: signed and written as sms.md says."""

import hashlib
import random
import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

import httpx
import msgspec

from connectors.base import Answer, Connector, Delivery, PlatformSettings
from connectors.sms import SmsConnector
from connectors.sms_settings import SmsSettings
from mocks.faults import Faults
from mocks.sms import SmsPlatform
from mocks.sms import SmsSettings as MockSettings
from schema.commands import AnyCommand, SendSms
from tests.contract.cases import NOW, WIRE, Bodies, FakeTime, Golden, PlatformCases, Secret, World

SECRETS: dict[Secret, str] = {"new": "sms-new", "old": "sms-old", "wrong": "sms-wrong"}
GOOD = (WIRE / "sms" / "delivered.txt").read_bytes()
MOBILE = "13957912345"
NOTICE = SendSms(ext_no="SN0123456789", mobile=MOBILE, content="【义乌信用】您单位被扣4.0分，一年内可申请修复。䶮𬭎")


def signed(body: bytes, written: str, secret: str) -> bytes:
    """Return a form with that time, signed; one that has no taskid, time and sign stays as it is."""
    found = re.search(rb"taskid=([^&]*)&", body)
    if found is None or b"&time=" not in body:
        return body
    sign = hashlib.new("sm3", found[1] + secret.encode() + written.encode()).hexdigest()
    return re.sub(rb"&time=.*", f"&time={written}&sign={sign}".encode(), body)


class SmsWorld(World):
    """The mock SMS gateway."""

    def __init__(self, time: FakeTime) -> None:
        settings = MockSettings(secrets=(SECRETS["new"],))
        self.platform = SmsPlatform(settings, clock=time.clock, rng=random.Random(1), sleep=time.sleep)
        self.platform.faults = Faults(callbacks_off=True)
        self.transport = httpx.ASGITransport(self.platform.app)

    def make(self, count: int) -> list[str]:
        raise AssertionError("the gateway has no streams")

    def change(self, key: str) -> int:
        raise AssertionError("the gateway has no streams")

    def commands(self) -> Sequence[AnyCommand]:
        return [NOTICE]

    def made(self, command: AnyCommand) -> int:
        assert isinstance(command, SendSms)
        sent = [one for one in self.platform.outbox() if one["extno"] == command.ext_no]
        assert all((one["mobile"], one["content"]) == (command.mobile, command.content) for one in sent)
        return len(sent)


class SmsCases(PlatformCases):
    connector = SmsConnector
    stream = None
    fresh_for = None
    signature_headers = ("taskid", "time", "sign")
    bodies = Bodies(
        good=GOOD,
        unknown_field=GOOD.replace(b"&status", b"&operator=%E7%A7%BB%E5%8A%A8&x=&status"),
        missing_field=GOOD.replace(f"&mobile={MOBILE}".encode(), b""),
        malformed_field=GOOD.replace(b"DELIVRD", b"LOST"),
        wrong_encoding=GOOD.replace(MOBILE.encode(), b"%FF%FE"),
        optional_variants=(),
    )
    golden = (
        Golden("delivered.txt", ("SmsReceipt 201908150000000042@1565834400",)),
        Golden("undelivered.txt", ("SmsReceipt 201908150000000043@1565834400",)),
        Golden("unknown_status.txt", ("Quarantined BAD_VALUE",)),
    )
    personal = (MOBILE,)
    can_be_read = False

    def settings(self, *, secrets: bool = True) -> PlatformSettings:
        given = {"url": "http://sms.test", "account": "bihuan", "secrets": (SECRETS["new"], SECRETS["old"]) if secrets else ()}
        return SmsSettings.model_validate(given)

    def delivery(self, body: bytes, *, at: datetime, signed_with: Secret = "new") -> Delivery:
        form = signed(body, f"{at:%Y%m%d%H%M%S}", SECRETS[signed_with])
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return Delivery(platform="sms", path="/webhooks/sms", headers=headers, body=form, received_at=NOW)

    def with_part(self, delivery: Delivery, name: str, value: str | None) -> Delivery:
        pairs = [pair.partition(b"=") for pair in delivery.body.split(b"&")]
        assert name.encode() in {pair[0] for pair in pairs}
        kept = [b"=".join((field, given)) for field, _, given in pairs if field != name.encode()]
        changed = [] if value is None else [f"{name}={quote(value)}".encode()]
        return msgspec.structs.replace(delivery, body=b"&".join((*kept, *changed)))

    def is_acknowledged(self, answer: Answer) -> bool:
        return answer.status == 200 and answer.body == b"0"

    async def read(self, connector: Connector) -> object:
        return await connector.ensure(NOTICE, "key", unknown_since=None)

    def busy(self, seconds: int) -> httpx.Response:
        # The page knows only result 98, which says no time; what stands in front of the gateway may say one.
        return httpx.Response(429, headers={"Retry-After": str(seconds)})

    def refusal(self) -> httpx.Response:
        return httpx.Response(200, json={"result": 21})

    def world(self, time: FakeTime) -> World:
        return SmsWorld(time)


CASES = SmsCases()
