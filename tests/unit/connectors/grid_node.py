"""A grid node in memory for the connector's unit tests, with exactly the traps that a test sets. No mock: it knows no rules."""

import random
import re
from collections.abc import Callable

import httpx
import msgspec

from connectors.grid import GridConnector
from connectors.grid_settings import GridSettings
from tests.contract.cases import FakeTime, surroundings

Answer = Callable[[str], httpx.Response]


class Asked(msgspec.Struct, frozen=True):
    """One call as the node saw it."""

    method: str
    user: str
    time: str
    sign: str
    xml: str

    def field(self, name: str) -> str:
        """Return a field of the request, "" where it is missing or empty."""
        found = re.search(rf"<{name}>(.*?)</{name}>", self.xml, re.DOTALL)
        return found[1] if found else ""


def asked(request: httpx.Request) -> Asked:
    """Return what a request asks, read by other means than the connector's."""
    text = request.content.decode("gb18030")
    head = "".join(rf"<{name}>(.*?)</{name}>" for name in ("method", "user", "time", "sign"))
    found = re.search(head + r"<xml><!\[CDATA\[(.*?)\]\]></xml>", text, re.DOTALL)
    assert found is not None, text
    return Asked(found[1], found[2], found[3], found[4], found[5])


def soap(inner: str | bytes, status: int = 200, date: str = "Thu, 15 Aug 2019 02:00:00 GMT") -> httpx.Response:
    """Return an answer with the XML string as CDATA."""
    before = (
        '<?xml version="1.0" encoding="GB18030"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
        '<soap:Body><ns:invokeResponse xmlns:ns="http://grid.gov/ws"><return><![CDATA['
    )
    after = "]]></return></ns:invokeResponse></soap:Body></soap:Envelope>"
    content = inner if isinstance(inner, bytes) else inner.encode("gb18030")
    return httpx.Response(status, content=before.encode() + content + after.encode(), headers={"date": date})


def answer(code: int, data: str = "", message: str = "") -> httpx.Response:
    """Return an answer with a code and what stands in data."""
    return soap(f"<response><code>{code}</code><message>{message}</message><data>{data}</data></response>")


def event(number: str, ver: int = 1, *, updated: str = "20190815095900", more: str = "", **changed: str) -> str:
    """Return a sparse event."""
    fields = {
        "no": number,
        "ver": str(ver),
        "category": "JT-03",
        "town": "佛堂镇",
        "title": "杂草",
        "reportTime": "20190805090000",
        "level": "2",
        "status": "20",
        "updateTime": updated,
    }
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in {**fields, **changed}.items() if value != "-")
    return f"<event>{inside}{more}</event>"


class Events:
    """Events that can be asked for by QueryEvents, ties in another order at each page."""

    def __init__(self) -> None:
        self.versions: dict[str, tuple[int, str]] = {}
        self.rng = random.Random(7)
        self.pages = 0
        self.before_page: Callable[[int], None] = lambda page: None

    def put(self, number: str, updated: str) -> None:
        """Let an event change at a time."""
        ver, _ = self.versions.get(number, (0, ""))
        self.versions[number] = (ver + 1, updated)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a QueryEvents."""
        call = asked(request)
        self.pages += 1
        self.before_page(self.pages)
        low, high = call.field("from"), call.field("to") or "99999999999999"
        page, size = int(call.field("page")), int(call.field("size"))
        rows = [(updated, self.rng.random(), number, ver) for number, (ver, updated) in self.versions.items()]
        rows = sorted(row for row in rows if low <= row[0] < high)
        shown = rows[(page - 1) * size : page * size]
        listed = "".join(event(number, ver, updated=updated) for updated, _, number, ver in shown)
        return answer(0, f"<total>{len(rows)}</total>{listed}")


def settings(**changed: object) -> GridSettings:
    """Return settings of a hub at this node."""
    return GridSettings.model_validate(
        {
            "url": "http://grid.test",
            "user": "hub",
            "password": "grid-pw",
            "callback_user": "grid",
            "callback_passwords": ("callback-new", "callback-old"),
            **changed,
        }
    )


def connector(handler: Callable[[httpx.Request], httpx.Response], time: FakeTime, **changed: object) -> GridConnector:
    """Return a connector whose calls go to the handler."""
    return GridConnector(settings(**changed), surroundings(time, httpx.MockTransport(handler)))
