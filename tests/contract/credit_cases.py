"""The credit platform in the contract tests: signed and written as credit.md and Standard Webhooks say."""

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

import httpx

from connectors.base import Answer, Connector, Delivery, PlatformSettings
from connectors.credit import CreditConnector
from connectors.credit_calls import CreditSettings
from mocks.credit import CreditPlatform
from mocks.credit import CreditSettings as MockSettings
from mocks.faults import Faults
from mocks.people import make_subject
from schema.commands import AnyCommand, PostCreditRecord, PostRepair
from schema.entities import CodeType, RecordCategory, RepairWay
from tests.contract.cases import NOW, WIRE, Bodies, FakeTime, Golden, PlatformCases, Secret, World

KEYS: dict[Secret, bytes] = {"new": b"credit-webhook-new", "old": b"credit-webhook-old", "wrong": b"credit-webhook-wrong"}
SAMPLE = json.loads((WIRE / "credit" / "record_created.json").read_text())
COMPANY = "91330782147664100G"
_numbers = count(1)


def whsec(secret: Secret) -> str:
    """Return a webhook secret as the platform shows it."""
    return "whsec_" + base64.b64encode(KEYS[secret]).decode()


def body_with(**fields: object) -> bytes:
    """Return the golden webhook with fields of its record changed; `...` leaves one out."""
    data = {name: value for name, value in {**SAMPLE["data"], **fields}.items() if value is not ...}
    return json.dumps({**SAMPLE, "data": data}, ensure_ascii=False).encode()


def record_command(**changes: object) -> PostCreditRecord:
    """Return a command for a breach of COMPANY, changed as wanted."""
    fields: dict[str, object] = {
        "biz_no": "br-0123456789abcdef",
        "code": COMPANY,
        "code_type": CodeType.USCC,
        "subject_name": "义乌市印务有限公司",
        "category": RecordCategory.REGULATORY_POINTS,
        "points": Decimal(4),
        "item_code": "SJ-001",
        "item_name": "消毒设施",
        "occurred_at": NOW - timedelta(hours=1),
        "department": "SCJG",
        "region": "330782",
        "evidence_platform": "enforcement",
        "evidence_ref": "T-1",
        "evidence_finding": "F-1",
        "caused_by": None,
    }
    return PostCreditRecord(**{**fields, **changes})  # type: ignore[arg-type]  # values fit by name


class CreditWorld(World):
    """The mock credit platform."""

    def __init__(self, time: FakeTime) -> None:
        settings = MockSettings(client_id="bihuan", client_secret="credit-secret", visible_late_share=0.2)
        self.chance = random.Random(2)
        self.platform = CreditPlatform(settings, clock=time.clock, rng=random.Random(1), sleep=time.sleep)
        self.platform.faults = Faults(callbacks_off=True)
        self.transport = httpx.ASGITransport(self.platform.app)

    def make(self, count: int) -> list[str]:
        subjects = [make_subject(self.chance, "1") for _ in range(count)]
        for subject in subjects:
            self.platform.add_subject(subject.code, subject.name)
        return [subject.code for subject in subjects]

    def change(self, key: str) -> int:
        score = float(self.platform.subject(key)["score"])
        return int(self.platform.set_score(key, score - 1)["version"])

    def commands(self) -> Sequence[AnyCommand]:
        self.platform.add_subject(COMPANY, "义乌市印务有限公司")
        entered = self.platform.add_record(
            {
                **{name: SAMPLE["data"][name] for name in ("code", "category", "points", "itemCode", "itemName", "occurredAt")},
                **{name: SAMPLE["data"][name] for name in ("department", "region", "evidence", "causedBy")},
                "bizNo": "other-0123456789",
            }
        )
        repair = PostRepair(
            biz_no="rp-0123456789abcdef",
            record_id=str(entered["recordId"]),
            points=Decimal("2.0"),
            way=RepairWay.STUDY,
            completed_at=NOW,
        )
        return [record_command(), repair]

    def made(self, command: AnyCommand) -> int:
        kind = "record" if isinstance(command, PostCreditRecord) else "repair"
        biz_no = command.biz_no if isinstance(command, PostCreditRecord | PostRepair) else ""
        return sum(1 for document in self.platform.store.all(kind).values() if document["bizNo"] == biz_no)


class CreditCases(PlatformCases):
    connector = CreditConnector
    stream = "changes"
    fresh_for = timedelta(seconds=300)
    signature_headers = ("webhook-id", "webhook-timestamp", "webhook-signature")
    bodies = Bodies(
        good=body_with(),
        unknown_field=json.dumps({**SAMPLE, "x": 1, "data": {**SAMPLE["data"], "extra": [{}]}}, ensure_ascii=False).encode(),
        missing_field=body_with(itemCode=...),
        malformed_field=body_with(occurredAt="2019-08-15 09:00:00"),
        wrong_encoding=json.dumps(SAMPLE, ensure_ascii=False).encode("gb18030"),
        optional_variants=(body_with(causedBy=...), body_with(causedBy=None), body_with(causedBy="")),
    )
    golden = (
        Golden("subject_updated.json", (f"CreditProfile {COMPANY}@7",)),
        Golden(
            "person_updated.json",
            ("CreditProfile RID-d4afdc602213f24df3ac411854668ebcff794e3d4b162bea0b580a6c8623d03c@7",),
        ),
        Golden("record_created.json", ("CreditRecord R201908150001@1",)),
        Golden("record_repaired.json", ("CreditRecord R201908150001@2",)),
        Golden("bad_check_digit.json", ("Quarantined BAD_CHECK_DIGIT",)),
        Golden("unknown_type.json", ("Quarantined UNKNOWN_TYPE",)),
    )
    overlap_seconds = 5.0

    def settings(self, *, secrets: bool = True) -> PlatformSettings:
        given = {
            "url": "http://credit.test",
            "client_id": "bihuan",
            "client_secret": "credit-secret",
            "exchange_key": "an-exchange-key",
            "webhook_secrets": (whsec("new"), whsec("old")) if secrets else (),
        }
        return CreditSettings.model_validate(given)

    def delivery(self, body: bytes, *, at: datetime, signed_with: Secret = "new") -> Delivery:
        message_id, timestamp = f"msg_{next(_numbers)}", str(int(at.timestamp()))
        digest = hmac.new(KEYS[signed_with], f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": "v1," + base64.b64encode(digest).decode(),
        }
        return Delivery(platform="credit", path="/webhooks/credit", headers=headers, body=body, received_at=NOW)

    def is_acknowledged(self, answer: Answer) -> bool:
        return 200 <= answer.status < 300

    async def read(self, connector: Connector) -> object:
        return await connector.fetch("CreditProfile", [COMPANY])

    def busy(self, seconds: int) -> httpx.Response:
        return httpx.Response(429, headers={"Retry-After": str(seconds)}, json={"title": "too many requests"})

    def refusal(self) -> httpx.Response:
        return httpx.Response(422, json={"title": "invalid", "errors": [{"field": "codes", "reason": "TOO_MANY"}]})

    def world(self, time: FakeTime) -> World:
        return CreditWorld(time)


CASES = CreditCases()
