"""How the checker reads the platforms: through their own signed interfaces, slowly, and again where pages shift.

Plain httpx. Nothing here comes from the hub or its connectors, and no control route is called where there is another way. Quotas
are the hub's as well, so that the checker takes a quarter of them; a refusal for haste, or a failure that is no answer, is waited
out.
The gateway and the exchange database are in checker_outbox.py.
"""

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote

import httpx
import msgspec
from lxml import etree

from mocks.approval import ApprovalSettings
from mocks.approval_records import beijing_text
from mocks.approval_signing import make_nonce, signed_headers
from mocks.callbacks import Sleep
from mocks.credit import CreditSettings
from mocks.enforcement import EnforcementSettings
from mocks.enforcement_gateway import signed_headers as gateway_headers
from mocks.grid import GridSettings
from mocks.grid_records import stamp
from mocks.grid_soap import SERVICE, SOAP
from mocks.grid_xml import ENCODING, decoded, document, parsed, sign
from mocks.platform import Clock
from mocks.store import Document

ATTEMPTS: Final = 20
KEYS: Final = {"record": "recordId", "repair": "repairId", "subject": "code"}
"""Kinds of the credit platform, and what names one of each."""
PAUSE: Final = 0.2
"""Seconds between two calls to a platform with a quota of 20 a second."""


class Unreadable(Exception):
    """A platform did not answer, or its pages never came to rest."""


class Line:
    """What all readers share: the client, the clock, and patience."""

    def __init__(self, client: httpx.AsyncClient, *, clock: Clock, sleep: Sleep, rng: random.Random) -> None:
        self.client = client
        self.now = clock
        self.sleep = sleep
        self.rng = rng

    async def ask(self, what: str, build: Callable[[], httpx.Request], refused: Callable[[httpx.Response], float | None]) -> bytes:
        """Return the body of an answer; the request is built, and signed, anew for each attempt.

        `refused` returns None for an answer that counts, else the seconds to wait. Raise Unreadable after too many attempts.
        """
        for _ in range(ATTEMPTS):
            wait: float | None = 0.5
            try:
                answer = await self.client.send(build())
            except httpx.HTTPError:
                answer = None
            if answer is not None:
                wait = 0.5 if answer.status_code >= 500 else refused(answer)
                if wait is None:
                    return answer.content
            await self.sleep(wait or 0.0)
        raise Unreadable(f"{what}: no usable answer in {ATTEMPTS} attempts")


class ApprovalReader:
    """Reads the approval system."""

    def __init__(self, line: Line, url: str, settings: ApprovalSettings) -> None:
        self._line = line
        self._url = url
        self._settings = settings

    async def records(self, days: int) -> list[Document]:
        """Return the newest version of every record that changed in the last days; raise Unreadable where pages never rest."""
        found: dict[str, Document] = {}
        end = self._line.now() + timedelta(days=1)
        for back in range(0, days, 30):
            first = end - timedelta(days=back + 30)
            for _ in range(ATTEMPTS):
                rows, total = await self._window(first, end - timedelta(days=back))
                found |= rows
                if len(rows) == total:  # nothing was skipped
                    break
            else:
                raise Unreadable("approval: the list changes faster than it can be read")
        return list(found.values())

    async def _window(self, first: datetime, end: datetime) -> tuple[dict[str, Document], int]:
        rows: dict[str, Document] = {}
        page, total = 1, 1
        while (page - 1) * 200 < total:
            window = {"gxsjq": beijing_text(first), "gxsjz": beijing_text(end), "pageNo": page, "pageSize": 200}
            data = await self._call("/api/spsl/list", window)
            rows |= {row["YWLSH"]: row for row in data["rows"]}
            page, total = page + 1, data["total"]
        return rows, total

    async def _call(self, path: str, parameters: Document) -> Document:
        body = msgspec.json.encode(parameters)

        def build() -> httpx.Request:
            milliseconds = int(self._line.now().timestamp() * 1000)
            key, nonce = self._settings.app_key, make_nonce(self._line.rng)
            headers = signed_headers(self._settings.app_secrets[0], key, path, body, epoch_milliseconds=milliseconds, nonce=nonce)
            return self._line.client.build_request("POST", self._url + path, headers=headers, content=body)

        def refused(answer: httpx.Response) -> float | None:
            envelope = answer.json()
            if envelope["code"] == "42901":
                return float(envelope["data"]["retryAfterMs"]) / 1000 + PAUSE
            if envelope["code"] == "50000":
                return 0.5
            if envelope["code"] != "0":
                raise Unreadable(f"approval {path}: {envelope['code']} {envelope['msg']}")
            return None

        await self._line.sleep(PAUSE)
        content = await self._line.ask(f"approval {path}", build, refused)
        data: Document = msgspec.json.decode(content)["data"]
        return data


class CreditReader:
    """Reads the credit platform, with one token for all."""

    def __init__(self, line: Line, url: str, settings: CreditSettings) -> None:
        self._line = line
        self._url = url
        self._settings = settings
        self._token = ""

    async def everything(self) -> dict[str, list[Document]]:
        """Return all records, repairs and subjects: snapshots, and the feed from the smallest asOfSeq of their pages on."""
        found: dict[str, dict[str, Document]] = {kind: {} for kind in KEYS}
        as_of: list[int] = []
        for kind, key in KEYS.items():
            cursor: str | None = ""
            while cursor is not None:
                page = await self._get("/v2/snapshot", {"type": kind, **({"cursor": cursor} if cursor else {})})
                found[kind] |= {each[key]: each for each in page["items"]}
                as_of.append(page["asOfSeq"])
                cursor = page["nextCursor"]
        since, more = min(as_of), True
        while more:
            page = await self._get("/v2/changes", {"since": str(since), "limit": "500"})
            for item in page["items"]:
                _apply(found[item["type"]], KEYS[item["type"]], item)
            since, more = page["nextSeq"], page["hasMore"]
        return {kind: list(each.values()) for kind, each in found.items()}

    async def _get(self, path: str, query: Mapping[str, str]) -> Document:
        if not self._token:
            await self._ask_token()

        def build() -> httpx.Request:
            return self._line.client.build_request(
                "GET", self._url + path, params=dict(query), headers={"Authorization": f"Bearer {self._token}"}
            )

        while True:
            await self._line.sleep(PAUSE)
            content = await self._line.ask(f"credit {path}", build, self._refused)
            page: Document = msgspec.json.decode(content)
            if page.get("status") != 401:
                return page
            await self._ask_token()

    async def _ask_token(self) -> None:
        form = {"grant_type": "client_credentials", "client_id": self._settings.client_id}
        form["client_secret"] = self._settings.client_secret

        def build() -> httpx.Request:
            return self._line.client.build_request("POST", f"{self._url}/oauth/token", data=form)

        content = await self._line.ask("credit /oauth/token", build, self._refused)
        token = msgspec.json.decode(content).get("access_token")
        if token is None:
            raise Unreadable("credit /oauth/token: the client's id or secret is refused")
        self._token = token

    def _refused(self, answer: httpx.Response) -> float | None:
        if answer.status_code not in {200, 401, 429}:
            raise Unreadable(f"credit {answer.request.url.path}: {answer.status_code} {answer.text}")
        if answer.status_code != 429:
            return None
        text = answer.headers["Retry-After"]
        return float(text) if text.isdigit() else max(1.0, (parsedate_to_datetime(text) - self._line.now()).total_seconds())


def _apply(found: dict[str, Document], name: str, item: Document) -> None:
    """Carry one change of the feed over to what was found; a change may be older than what the snapshot showed."""
    key = item["data"][name]
    if item["op"] == "delete":
        found.pop(key, None)
    elif key not in found or found[key]["version"] <= item["data"]["version"]:
        found[key] = item["data"]


class EnforcementReader:
    """Reads the enforcement platform through its gateway."""

    def __init__(self, line: Line, url: str, settings: EnforcementSettings) -> None:
        self._line = line
        self._url = url
        self._settings = settings

    async def tasks(self) -> list[Document]:
        """Return the newest visible version of every task."""
        found: dict[str, Document] = {}
        query: Mapping[str, str] | None = {"updatedAfter": "2000-01-01T00:00:00+08:00", "limit": "100"}
        while query is not None:
            page = await self._get("/irs/v1/tasks", query)
            for task in page["items"]:
                if task["taskId"] not in found or found[task["taskId"]]["version"] < task["version"]:
                    found[task["taskId"]] = task
            query = {"cursor": page["nextCursor"]} if page["nextCursor"] is not None else None
        return list(found.values())

    async def items(self) -> dict[str, Document]:
        """Return the inspection items by code."""
        return {item["itemCode"]: item for item in (await self._get("/irs/v1/items", {}))["items"]}

    async def _get(self, path: str, query: Mapping[str, str]) -> Document:
        text = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())

        def build() -> httpx.Request:
            headers = gateway_headers(
                self._settings.secrets[0],
                access_key=self._settings.access_key,
                method="GET",
                path=path,
                query=text,
                body=b"",
                now=self._line.now(),
            )
            return self._line.client.build_request("GET", f"{self._url}{path}{'?' + text if text else ''}", headers=headers)

        def refused(answer: httpx.Response) -> float | None:
            if answer.status_code == 429:
                return float(answer.headers["X-RateLimit-Reset"])
            if answer.status_code != 200:
                raise Unreadable(f"enforcement {path}: {answer.status_code} {answer.text}")
            return None

        page: Document = msgspec.json.decode(await self._line.ask(f"enforcement {path}", build, refused))
        return page


class GridReader:
    """Reads the grid platform through its one operation."""

    def __init__(self, line: Line, url: str, settings: GridSettings) -> None:
        self._line = line
        self._url = url
        self._settings = settings

    async def events(self) -> list[dict[str, str]]:
        """Return the newest version of every event; raise Unreadable where its pages never come to rest."""
        found: dict[str, dict[str, str]] = {}
        for _ in range(ATTEMPTS):
            page, total = 1, 1
            while (page - 1) * 100 < total:
                data = await self._query(f"<request><from/><to/><status/><page>{page}</page><size>100</size></request>")
                total, page = int(data.findtext("total") or "0"), page + 1
                for event in data.iterfind("event"):
                    fields = {str(child.tag): (child.text or "").strip() for child in event}
                    if fields["no"] not in found or int(found[fields["no"]]["ver"]) < int(fields["ver"]):
                        found[fields["no"]] = fields
            if len(found) == total:  # events of one second come in any order: one may have slipped between two pages
                return list(found.values())
        raise Unreadable("grid: some events stay between the pages")

    async def _query(self, xml: str) -> etree._Element:
        def build() -> httpx.Request:
            time = stamp(self._line.now())
            signature = sign(self._settings.password, time, xml.encode(ENCODING))
            text = (
                f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body><ns:invoke xmlns:ns="{SERVICE}"><method>QueryEvents</method>'
                f"<user>{self._settings.user}</user><time>{time}</time><sign>{signature}</sign>"
                f"<xml><![CDATA[{xml}]]></xml></ns:invoke></soap:Body></soap:Envelope>"
            )
            headers = {"Content-Type": "text/xml; charset=GB18030", "SOAPAction": '""'}
            content = document(text, "GB18030")
            return self._line.client.build_request("POST", f"{self._url}/services/EventService", headers=headers, content=content)

        def refused(answer: httpx.Response) -> float | None:
            root = _response(answer.content)
            if root.findtext("code") == "9":
                return 0.5
            if root.findtext("code") != "0":
                raise Unreadable(f"grid QueryEvents: {root.findtext('code')} {root.findtext('message')}")
            return None

        data = _response(await self._line.ask("grid QueryEvents", build, refused)).find("data")
        if data is None:
            raise Unreadable("grid QueryEvents: code 0 without data")
        return data


def _response(body: bytes) -> etree._Element:
    returned = parsed(decoded(body)).find(".//return")
    if returned is None:
        raise Unreadable("grid: an answer without return")
    return parsed("".join(str(part) for part in returned.itertext()))
