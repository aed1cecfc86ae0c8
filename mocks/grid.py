"""Mock of the grass-roots grid platform (基层治理四平台), written from its interface page (grid.md).

`GridPlatform` answers the page's SOAP methods; its Python methods make things happen in the towns: a grid officer reports an
event, the town sends it to a department, edits it, closes it, handles a coordination. Each change is told by a callback.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, Final

import httpx
from lxml import etree
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mocks.callbacks import Sending, Sleep
from mocks.grid_calls import BAD, BUSY, DONE, REFUSED, STALE, GridAnswer, GridCalls
from mocks.grid_records import coordination_element, event_element, moment, stamp
from mocks.grid_soap import Invocation, answer, fault, invocation
from mocks.grid_xml import ENCODING, BadXmlError, decoded, document, element, parsed, sign, written
from mocks.platform import Action, Clock, Platform, PlatformSettings
from mocks.reference import GRID_CATEGORIES
from mocks.store import Document

_TOLERANCE: Final = timedelta(minutes=10)
_REPEATS: Final = (600.0,) * 6  # grid.md: every 10 minutes, 7 deliveries in all


class GridSettings(PlatformSettings, frozen=True, kw_only=True):
    """Settings of the mock grid platform."""

    user: str
    password: str
    callback_user: str
    callback_password: str
    gbk_share: float = 0.3
    """Share of answers and callbacks that declare GBK although their bytes are GB18030."""
    categories: tuple[Mapping[str, str], ...] = GRID_CATEGORIES


class GridPlatform(Platform):
    """The platform: one SOAP operation, events, coordinations and callbacks."""

    name: ClassVar[str] = "grid"
    settings: GridSettings

    def __init__(
        self,
        settings: GridSettings,
        *,
        clock: Clock,
        rng: random.Random,
        sleep: Sleep,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(settings, clock=clock, rng=rng, sleep=sleep, transport=transport)
        self.categories = {category["category"]: category for category in settings.categories}
        self.events = self.store.index("event", lambda event: event["updateTime"])
        self.coordinations = self.store.index("coordination", lambda coordination: coordination["updateTime"])
        self._calls = GridCalls(self)

    # --- the one operation

    def routes(self) -> Sequence[BaseRoute]:
        """Return the one route of the page."""
        return [Route("/services/EventService", self._service, methods=["POST"])]

    async def _service(self, request: Request) -> Response:
        body = await request.body()
        try:
            invoke = invocation(decoded(body))
        except BadXmlError as bad:
            self.count("calls.unreadable")
            return self._response(BAD, str(bad))
        self.count(f"calls.{invoke.method}")
        try:
            data = self._carried_out(invoke)
        except GridAnswer as early:
            self.count(f"code.{early.code}")
            return self._response(early.code, early.message, *early.data)
        done = self._response(DONE, "ok", *data)
        return done if invoke.method.startswith(("Query", "Get", "Count")) else self.after_work(done)

    def _carried_out(self, invoke: Invocation) -> list[etree._Element]:
        expected = sign(self.settings.password, invoke.time, invoke.xml.encode(ENCODING))
        if invoke.user != self.settings.user or invoke.sign != expected:
            raise GridAnswer(REFUSED, "bad sign or unknown user")
        sent = moment(invoke.time)
        if sent is None or abs(sent - self.now()) > _TOLERANCE:
            raise GridAnswer(STALE, f"time {invoke.time!r} is more than 10 minutes off")
        method = self._calls.methods.get(invoke.method)
        if method is None:
            raise GridAnswer(BAD, f"no method {invoke.method!r}; there are {', '.join(self._calls.methods)}")
        try:
            request = parsed(invoke.xml)
        except BadXmlError as bad:
            raise GridAnswer(BAD, str(bad)) from bad
        if request.tag != "request":
            raise GridAnswer(BAD, f"<request> expected, not <{request.tag}>")
        return method(request)

    def _response(self, code: int, message: str, *data: etree._Element) -> Response:
        root = element("response", {"code": code, "message": message})
        if data or code == DONE:
            etree.SubElement(root, "data").extend(data)
        return answer(written(root), rng=self.rng, gbk_share=self.settings.gbk_share)

    def broken(self) -> Response:
        """Return a SOAP Fault, or, from a node that is merely overrun, code 9: nothing was done."""
        if not self.faults.outage and self.rng.random() < 0.5:
            return self._response(BUSY, "busy")
        return fault("node is down", rng=self.rng, gbk_share=self.settings.gbk_share)

    def unanswered(self) -> Response:
        """Return a Fault or drop the connection: the caller cannot tell that the work was done."""
        if self.rng.random() < 0.5:
            return fault("node went down", rng=self.rng, gbk_share=self.settings.gbk_share)
        return super().unanswered()

    # --- what happens in the towns

    def actions(self) -> Mapping[str, Action]:
        """Return the towns' actions for `/_control/do`."""
        return {
            "report": self.report,
            "send": self.send,
            "edit": self.edit,
            "close": self.close,
            "accept_coordination": self.accept_coordination,
            "handle_coordination": self.handle_coordination,
            "correct_coordination": self.correct_coordination,
            "event": self.event,
            "events": lambda: list(self.store.all("event").values()),
            "handling": lambda no: self.store.get("handling", no),
            "coordinations": lambda: list(self.store.all("coordination").values()),
        }

    def report(
        self,
        *,
        category: str,
        title: str,
        town: str,
        level: int = 3,
        send: bool = False,
        dept_code: str = "",
        report_time: str | None = None,
        **more: object,
    ) -> Document:
        """A grid officer reports an event (status 10); with `send` the town sends it to a department at once (20).

        `more` are further fields of the page (content, address, reporter, attach as a list of files ...);
        `report_time` is yyyyMMddHHmmss, now where it is not given.
        """
        now = stamp(self.now())
        day = (report_time or now)[:8]
        event: Document = {
            "no": f"YW{day}{self.store.next_number(f'event {day}'):06d}",
            "ver": 1,
            "category": category,
            "categoryName": self.categories.get(category, {}).get("name", ""),
            "title": title,
            "content": "",
            "town": town,
            "gridCode": "",
            "address": "",
            "lng": "",
            "lat": "",
            "reporter": "",
            "reporterTel": "",
            "reportTime": report_time or now,
            "level": level,
            "status": "20" if send else "10",
            "deptCode": dept_code,
            "limitTime": "",
            "attach": [],
            "related": "",
            "updateTime": now,
        }
        if unknown := set(more) - set(event):
            raise ValueError(f"an event has no field {', '.join(sorted(unknown))}")
        event.update(more)
        self.store.put("event", event["no"], event)
        self.count("creations.event")
        self._notify("EVENT", event)
        return event

    def send(self, no: str, *, dept_code: str = "") -> Document:
        """The town sends an event to a department, for the first time or once more after a return."""
        self._expect(no, "10", "60")
        self.store.delete("handling", no)
        return self.change_event(no, status="20", **({"deptCode": dept_code} if dept_code else {}))

    def edit(self, no: str, **fields: object) -> Document:
        """The town changes fields of an event; its status stays."""
        if unknown := set(fields) - (set(self.event(no)) - {"no", "ver", "status", "updateTime"}):
            raise ValueError(f"cannot be edited: {', '.join(sorted(unknown))}")
        return self.change_event(no, **fields)

    def close(self, no: str) -> Document:
        """The town closes an event that was handled or transferred."""
        self._expect(no, "40", "70")
        return self.change_event(no, status="50")

    def event(self, no: str) -> Document:
        """Return an event as the platform knows it; raise LookupError for an unknown number."""
        event = self.store.get("event", no)
        if event is None:
            raise LookupError(f"no event {no}")
        return event

    def accept_coordination(self, no: str) -> Document:
        """The town takes a coordination on."""
        return self._change_coordination(no, ("10",), status="30")

    def handle_coordination(self, no: str, *, opinion: str = "已处置") -> Document:
        """The town has handled a coordination."""
        return self._change_coordination(no, ("10", "30"), status="40", opinion=opinion)

    def correct_coordination(self, no: str, *, opinion: str) -> Document:
        """The town thinks otherwise of a coordination that it has handled."""
        return self._change_coordination(no, ("40",), opinion=opinion)

    # --- changes, also used by the methods of the page

    def change_event(self, no: str, **fields: object) -> Document:
        """Give an event new fields and its next version, and tell it."""
        before = self.event(no)
        event = {**before, **fields, "ver": before["ver"] + 1, "updateTime": max(stamp(self.now()), before["updateTime"])}
        self.store.put("event", no, event)
        self._notify("EVENT", event)
        return event

    def make_coordination(self, **fields: str) -> Document:
        """Issue a coordination (status 10) and tell it."""
        now = stamp(self.now())
        number = f"XT{now[:8]}{self.store.next_number('coordination'):06d}"
        names = ("deptCode", "town", "category", "content")
        coordination: Document = {
            "no": number,
            "outNo": fields["outNo"],
            "ver": 1,
            **{name: fields[name] for name in names},
            "status": "10",
            "opinion": "",
            "limitTime": fields["limitTime"],
            "updateTime": now,
        }
        self.store.put("coordination", number, coordination)
        self._notify("COORDINATION", coordination)
        return coordination

    def _change_coordination(self, no: str, allowed: Sequence[str], **fields: str) -> Document:
        before = self.store.get("coordination", no)
        if before is None:
            raise LookupError(f"no coordination {no}")
        if before["status"] not in allowed:
            raise ValueError(f"coordination {no} has status {before['status']}, not {' or '.join(allowed)}")
        changed = {**before, **fields, "ver": before["ver"] + 1, "updateTime": max(stamp(self.now()), before["updateTime"])}
        self.store.put("coordination", no, changed)
        self._notify("COORDINATION", changed)
        return changed

    def _expect(self, no: str, *statuses: str) -> None:
        status = self.event(no)["status"]
        if status not in statuses:
            raise ValueError(f"event {no} has status {status}, not {' or '.join(statuses)}")

    # --- callbacks

    def _notify(self, kind: str, record: Document) -> None:
        def prepare(_attempt: int) -> Sending:
            return self._notification(kind, record)

        self.callbacks.deliver(prepare, schedule=_REPEATS, acknowledged=_acknowledged, within=10.0)

    def _notification(self, kind: str, record: Document) -> Sending:
        # the id is new at each repetition: it cannot be used against doubles
        root = element("notify", {"id": f"N{self.store.next_number('notify'):012d}", "type": kind})
        write = event_element if kind == "EVENT" else coordination_element
        root.append(write(record, self.rng))
        charset = "GBK" if self.rng.random() < self.settings.gbk_share else "GB18030"
        body, time = document(written(root), charset), stamp(self.now())
        headers = {
            "Content-Type": f"text/xml; charset={charset}",
            "X-Grid-User": self.settings.callback_user,
            "X-Grid-Time": time,
            "X-Grid-Sign": sign(self.settings.callback_password, time, body),
        }
        return Sending(f"{self.hub_url}/webhooks/grid", headers, body)


def _acknowledged(response: httpx.Response) -> bool:
    if response.status_code != 200:
        return False
    try:
        root = parsed(response.content.decode(ENCODING, errors="replace"))
    except BadXmlError:
        return False
    return root.tag == "response" and (root.findtext("code") or "").strip() == "0"
