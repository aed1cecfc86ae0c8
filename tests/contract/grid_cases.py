"""The grid platform in the contract tests: signed and written as grid.md says."""

import hashlib
import random
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import httpx

from connectors.base import Answer, Connector, Delivery, PlatformSettings
from connectors.grid import GridConnector
from connectors.grid_settings import GridSettings
from mocks.faults import Faults
from mocks.grid import GridPlatform
from mocks.grid import GridSettings as MockSettings
from schema.commands import AcceptEvent, AnyCommand, FeedbackEvent, FileLink, IssueCoordination
from tests.contract.cases import NOW, WIRE, Bodies, FakeTime, Golden, PlatformCases, Secret, World

PASSWORDS: dict[Secret, str] = {"new": "callback-new", "old": "callback-old", "wrong": "callback-wrong"}
BEIJING = timezone(timedelta(hours=8))
GOOD = (WIRE / "grid" / "event_callback.xml").read_bytes()


def changed(before: str, after: str) -> bytes:
    """Return the golden callback with one place changed."""
    text = GOOD.decode("gb18030")
    assert before in text
    return text.replace(before, after, 1).encode("gb18030")


class GridWorld(World):
    """The mock grid platform."""

    def __init__(self, time: FakeTime) -> None:
        settings = MockSettings(user="hub", password="grid-pw", callback_user="grid", callback_password=PASSWORDS["new"])
        self.platform = GridPlatform(settings, clock=time.clock, rng=random.Random(1), sleep=time.sleep)
        self.platform.faults = Faults(callbacks_off=True)
        self.transport = httpx.ASGITransport(self.platform.app)

    def make(self, count: int) -> list[str]:
        return [self._event(send=False) for _ in range(count)]

    def change(self, key: str) -> int:
        return int(self.platform.edit(key, content="补充说明䶮")["ver"])

    def commands(self) -> Sequence[AnyCommand]:
        accept = AcceptEvent(event_no=self._event(send=True), task_id="RW0000000042", department="JT", accepted_at=NOW)
        accepted = self._event(send=True)
        self.platform.change_event(accepted, status="30")
        self.platform.store.put("handling", accepted, {"taskNo": "RW0000000043", "feedback": None})
        feedback = FeedbackEvent(
            event_no=accepted,
            task_id="RW0000000043",
            result="handled",
            opinion="𬭎宇路口杂草已清除",
            handler="楼䶮",
            handled_at=NOW,
            files=(FileLink(name="清除后.jpg", url="http://10.33.1.8/f/3.jpg"),),
        )
        issue = IssueCoordination(
            out_no="gc-0f1e2d",
            department="ZFJ",
            town="佛堂镇",
            category="JT-03",
            content="协助核实占道经营情况",
            limit_at=NOW + timedelta(days=1),
        )
        return [accept, feedback, issue]

    def made(self, command: AnyCommand) -> int:
        if isinstance(command, IssueCoordination):
            issued = self.platform.store.all("coordination").values()
            return sum(one["outNo"] == command.out_no for one in issued)
        assert isinstance(command, AcceptEvent | FeedbackEvent)
        wanted = "30" if isinstance(command, AcceptEvent) else "40"
        return int(self.platform.event(command.event_no)["status"] == wanted)

    def _event(self, *, send: bool) -> str:
        return str(self.platform.report(category="JT-03", title="杂草遮挡视线", town="佛堂镇", send=send)["no"])


class GridCases(PlatformCases):
    connector = GridConnector
    stream = "events"
    fresh_for = timedelta(minutes=10)
    signature_headers = ("x-grid-user", "x-grid-time", "x-grid-sign")
    bodies = Bodies(
        good=GOOD,
        unknown_field=changed("<ver>3</ver>", "<ver>3</ver><xx>1</xx><future><inner a='b'/>䶮</future>"),
        missing_field=changed("<town>佛堂镇</town>", "<town/>"),
        malformed_field=changed("<reportTime>20190805090000<", "<reportTime>2019-08-05 09:00<"),
        wrong_encoding=GOOD.replace("佛堂镇".encode("gb18030"), b"\xb7\xf0\xff\xff", 1),
        optional_variants=(changed("<deptCode>JTJ</deptCode>", ""), changed("<deptCode>JTJ</deptCode>", "<deptCode/>")),
        with_dtd=changed("<notify>", '<!DOCTYPE notify [<!ENTITY x "y">]><notify>'),
    )
    golden = (
        Golden("event_callback.xml", ("GridEvent YW20190805000123@3",)),
        Golden("coordination_callback.xml", ("TownCoordination XG2019000037@2",)),
    )
    personal = ("13857912345",)
    overlap_seconds = 30.0

    def settings(self, *, secrets: bool = True) -> PlatformSettings:
        return GridSettings.model_validate(
            {
                "url": "http://grid.test",
                "user": "hub",
                "password": "grid-pw" if secrets else "",
                "callback_user": "grid",
                "callback_passwords": (PASSWORDS["new"], PASSWORDS["old"]) if secrets else (),
            }
        )

    def delivery(self, body: bytes, *, at: datetime, signed_with: Secret = "new") -> Delivery:
        body = re.sub(rb"<id>.*?</id>", b"<id>" + f"{random.getrandbits(64):x}".encode() + b"</id>", body, count=1)
        time = f"{at.astimezone(BEIJING):%Y%m%d%H%M%S}"
        sign = hashlib.md5(PASSWORDS[signed_with].encode() + time.encode() + body).hexdigest().upper()  # noqa: S324  (the page's)
        headers = {"x-grid-user": "grid", "x-grid-time": time, "x-grid-sign": sign, "content-type": "text/xml; charset=GBK"}
        return Delivery(platform="grid", path="/webhooks/grid", headers=headers, body=body, received_at=NOW)

    def is_acknowledged(self, answer: Answer) -> bool:
        return answer.status == 200 and b"<response><code>0</code>" in answer.body

    async def read(self, connector: Connector) -> object:
        return await connector.fetch("GridEvent", ["YW20190805000123"])

    def busy(self, seconds: int) -> httpx.Response:
        # The page knows only code 9, which says no time; what stands in front of the node may say one.
        return httpx.Response(429, headers={"Retry-After": str(seconds)})

    def refusal(self) -> httpx.Response:
        inner = "<response><code>2</code><message>签名错误</message></response>"
        answer = (
            '<?xml version="1.0" encoding="GB18030"?><S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>'
            f'<x:invokeResponse xmlns:x="http://grid.gov/ws"><return><![CDATA[{inner}]]></return></x:invokeResponse>'
            "</S:Body></S:Envelope>"
        )
        return httpx.Response(200, content=answer.encode("gb18030"))

    def world(self, time: FakeTime) -> World:
        return GridWorld(time)


CASES = GridCases()
