"""The grid platform's methods, each as its page says."""

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from lxml import etree

from mocks.grid_records import coordination_element, event_element, moment, page_of, updated_between
from mocks.grid_xml import child_text, element
from mocks.store import Document, Index

if TYPE_CHECKING:
    from mocks.grid import GridPlatform

DONE, BAD, REFUSED, STALE, UNKNOWN, REPEATED, BUSY = 0, 1, 2, 3, 5, 8, 9
"""The codes of the page."""

_RESULTS: Final = {"handled": "40", "returned": "60", "transferred": "70"}
_PAGE_SIZE: Final = 100


class GridAnswer(Exception):
    """Ends a method early with a code, a message and data."""

    def __init__(self, code: int, message: str, *data: etree._Element) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class GridCalls:
    """Handlers of one platform: each takes the `<request>` and returns what stands in `<data>`."""

    def __init__(self, platform: "GridPlatform") -> None:
        self._platform = platform
        self.methods: Mapping[str, Callable[[etree._Element], list[etree._Element]]] = {
            "QueryEvents": self.query_events,
            "GetEvent": self.get_event,
            "AcceptEvent": self.accept_event,
            "FeedbackEvent": self.feed_back,
            "CreateCoordination": self.create_coordination,
            "QueryCoordinations": self.query_coordinations,
            "CountEvents": self.count_events,
        }

    # --- reading

    def query_events(self, request: etree._Element) -> list[etree._Element]:
        """Return the total and one page of events by updateTime."""
        platform = self._platform
        total, page = self._page(request, "event", platform.events)
        return [_plain("total", total), *(event_element(event, platform.rng) for event in page)]

    def query_coordinations(self, request: etree._Element) -> list[etree._Element]:
        """Return the total and one page of coordinations by updateTime."""
        platform = self._platform
        total, page = self._page(request, "coordination", platform.coordinations)
        return [_plain("total", total), *(coordination_element(one, platform.rng) for one in page)]

    def _page(self, request: etree._Element, kind: str, index: Index) -> tuple[int, list[Document]]:
        low, high, status = (child_text(request, name) for name in ("from", "to", "status"))
        for name, text in (("from", low), ("to", high)):
            if text and moment(text) is None:
                raise GridAnswer(BAD, f"<{name}> {text!r} is not yyyyMMddHHmmss")
        number, size = _number(request, "page"), _number(request, "size")
        if size > _PAGE_SIZE:
            raise GridAnswer(BAD, f"<size> {size} is more than {_PAGE_SIZE}")
        documents = self._platform.store.all(kind)
        entries = updated_between(index, low, high)
        if status:
            entries = [entry for entry in entries if documents[entry[1]]["status"] == status]
        return len(entries), [documents[key] for key in page_of(entries, number=number, size=size, rng=self._platform.rng)]

    def get_event(self, request: etree._Element) -> list[etree._Element]:
        """Return one event."""
        return [event_element(self._event(request), self._platform.rng)]

    def count_events(self, request: etree._Element) -> list[etree._Element]:
        """Return how many events were reported on a day, and the digest of their numbers and versions."""
        day = child_text(request, "day")
        if moment(day + "000000") is None:
            raise GridAnswer(BAD, f"<day> {day!r} is not yyyyMMdd")
        events = self._platform.store.all("event").values()
        versions = sorted((event["no"], event["ver"]) for event in events if event["reportTime"].startswith(day))
        lines = "".join(f"{no}:{ver}\n" for no, ver in versions)
        return [_plain("count", len(versions)), _plain("sum", hashlib.md5(lines.encode()).hexdigest().upper())]

    # --- writing

    def accept_event(self, request: etree._Element) -> list[etree._Element]:
        """20 -> 30. While accepted, any further one is a repetition of the first."""
        platform, event = self._platform, self._event(request)
        task_no, department, time = _required(request, "taskNo"), _required(request, "deptCode"), _time_of(request)
        if event["status"] == "30":
            raise self._repeated(event["no"])
        if event["status"] != "20":
            raise GridAnswer(BAD, f"event {event['no']} has status {event['status']}, not 20")
        platform.store.put("handling", event["no"], {"taskNo": task_no, "deptCode": department, "time": time, "feedback": None})
        platform.change_event(event["no"], status="30")
        platform.count("creations.acceptance")
        return _numbers(event["no"], task_no)

    def feed_back(self, request: etree._Element) -> list[etree._Element]:
        """30 -> 40, 60 or 70; it can be given once."""
        platform, event = self._platform, self._event(request)
        task_no, result, time = _required(request, "taskNo"), child_text(request, "result"), _time_of(request)
        if result not in _RESULTS:
            raise GridAnswer(BAD, f"<result> {result!r} is none of {', '.join(_RESULTS)}")
        handling = platform.store.get("handling", event["no"])
        if handling is None:
            raise GridAnswer(BAD, f"event {event['no']} is not accepted")
        if handling["taskNo"] != task_no:
            raise GridAnswer(BAD, f"event {event['no']} was accepted with task {handling['taskNo']}, not {task_no}")
        if handling["feedback"] is not None:
            raise self._repeated(event["no"])
        files = [dict(file.attrib) for file in request.iterfind("files/file")]
        feedback = {"result": result, "time": time, "files": files, **{n: child_text(request, n) for n in ("opinion", "handler")}}
        platform.store.put("handling", event["no"], {**handling, "feedback": feedback})
        platform.change_event(event["no"], status=_RESULTS[result])
        platform.count("creations.feedback")
        return _numbers(event["no"], task_no)

    def create_coordination(self, request: etree._Element) -> list[etree._Element]:
        """Make a coordination event, once for each outNo."""
        platform = self._platform
        fields = {name: _required(request, name) for name in ("outNo", "deptCode", "town", "category", "content")}
        limit = child_text(request, "limitTime")
        if limit and moment(limit) is None:
            raise GridAnswer(BAD, f"<limitTime> {limit!r} is not yyyyMMddHHmmss")
        first = platform.store.get("out number", fields["outNo"])
        if first is not None:
            raise GridAnswer(REPEATED, "repeated submission", _plain("no", first["no"]))
        coordination = platform.make_coordination(**fields, limitTime=limit)
        platform.store.put("out number", fields["outNo"], {"no": coordination["no"]})
        platform.count("creations.coordination")
        return [_plain("no", coordination["no"])]

    # --- inside

    def _event(self, request: etree._Element) -> Document:
        number = _required(request, "no")
        event = self._platform.store.get("event", number)
        if event is None:
            raise GridAnswer(UNKNOWN, f"no event {number}")
        return event

    def _repeated(self, number: str) -> GridAnswer:
        handling = self._platform.store.get("handling", number) or {}
        return GridAnswer(REPEATED, "repeated submission", *_numbers(number, str(handling.get("taskNo", ""))))


def _plain(tag: str, text: object) -> etree._Element:
    root = etree.Element(tag)
    root.text = str(text)
    return root


def _numbers(number: str, task_no: str) -> list[etree._Element]:
    return list(element("data", {"no": number, "taskNo": task_no}))


def _required(request: etree._Element, name: str) -> str:
    text = child_text(request, name)
    if not text:
        raise GridAnswer(BAD, f"<{name}> is missing")
    return text


def _time_of(request: etree._Element) -> str:
    text = _required(request, "time")
    if moment(text) is None:
        raise GridAnswer(BAD, f"<time> {text!r} is not yyyyMMddHHmmss")
    return text


def _number(request: etree._Element, name: str) -> int:
    text = _required(request, name)
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise GridAnswer(BAD, f"<{name}> {text!r} is not a number from 1")
    return int(text)
