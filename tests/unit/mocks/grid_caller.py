"""Calls the mock grid platform as the page says: its own envelope, its own signature, its own reading of the answer."""

import hashlib
import random
from collections.abc import Callable
from typing import Any

import httpx
from lxml import etree

from mocks.grid import GridPlatform, GridSettings
from tests.unit.mocks.city_clock import CityClock

PASSWORD = "p@ss"
CALLBACK_PASSWORD = "c@ll"
_ENVELOPE = (
    '<?xml version="1.0" encoding="{charset}"?>'
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><ns:invoke xmlns:ns="http://grid.gov/ws">'
    "<method>{method}</method><user>{user}</user><time>{time}</time><sign>{sign}</sign>"
    "<xml><![CDATA[{xml}]]></xml></ns:invoke></soap:Body></soap:Envelope>"
)


def md5(password: str, time: str, content: bytes) -> str:
    return hashlib.md5((password + time).encode() + content, usedforsecurity=False).hexdigest().upper()


def returned(body: bytes) -> str:
    """Return the XML string in the answer, read with the standard library's eyes: names without prefixes."""
    text = body.decode("gb18030")
    root = etree.fromstring(text[text.index("?>") + 2 :])
    inner = root.find(".//return")  # unqualified, whatever the default namespace around it
    assert inner is not None, text
    return "".join(str(part) for part in inner.itertext())


class Reply:
    """One answer: its code, and its data."""

    def __init__(self, response: httpx.Response) -> None:
        assert response.status_code == 200, response.content
        self.text = returned(response.content)
        self.root = etree.fromstring(self.text)
        self.code = int(self.root.findtext("code") or "-1")
        self.message = self.root.findtext("message") or ""

    def value(self, path: str) -> str | None:
        return self.root.findtext(f"data/{path}")

    def values(self, path: str) -> list[str]:
        return [element.text or "" for element in self.root.findall(f"data/{path}")]


class GridCaller:
    """A client of one platform."""

    def __init__(
        self,
        clock: CityClock,
        hub: Callable[[httpx.Request], httpx.Response] | None = None,
        seed: int = 7,
        **settings: Any,
    ) -> None:
        self.clock = clock
        whole = {"user": "hub", "password": PASSWORD, "callback_user": "grid", "callback_password": CALLBACK_PASSWORD, **settings}
        self.platform = GridPlatform(
            GridSettings(hub_url="http://hub", **whole),
            clock=clock,
            rng=random.Random(seed),
            sleep=clock.sleep,
            transport=httpx.MockTransport(hub or (lambda _: httpx.Response(503))),
        )
        if hub is None:
            self.platform.faults = self.platform.faults.changed({"callbacks_off": True})
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.platform.app), base_url="http://grid")

    async def post(self, content: bytes) -> httpx.Response:
        headers = {"Content-Type": "text/xml; charset=GB18030", "SOAPAction": '""'}
        return await self.client.post("/services/EventService", headers=headers, content=content)

    async def raw(
        self,
        method: str,
        xml: str,
        *,
        user: str = "hub",
        password: str = PASSWORD,
        time: str | None = None,
        charset: str = "GB18030",
    ) -> httpx.Response:
        time = time or self.clock().strftime("%Y%m%d%H%M%S")
        sign = md5(password, time, xml.encode("gb18030"))
        text = _ENVELOPE.format(charset=charset, method=method, user=user, time=time, sign=sign, xml=xml)
        return await self.post(text.encode("gb18030"))

    async def __call__(self, method: str, **fields: object) -> Reply:
        request = etree.Element("request")
        for name, value in fields.items():
            etree.SubElement(request, name.rstrip("_")).text = str(value)
        return Reply(await self.raw(method, etree.tostring(request, encoding="unicode")))

    def reported(self, *, send: bool = True, **fields: Any) -> str:
        whole = {"category": "JT-03", "title": "杂草遮挡视线", "town": "佛堂镇", **fields}
        return str(self.platform.report(send=send, **whole)["no"])

    async def accept(self, no: str, task_no: str = "RW1") -> Reply:
        return await self("AcceptEvent", no=no, taskNo=task_no, deptCode="JT", time="20190815090000")

    async def feed_back(self, no: str, task_no: str = "RW1", result: str = "handled") -> Reply:
        return await self(
            "FeedbackEvent", no=no, taskNo=task_no, result=result, opinion="已清理", handler="吴䶮", time="20190815090000"
        )

    async def close(self) -> None:
        await self.client.aclose()
        await self.platform.stop()
