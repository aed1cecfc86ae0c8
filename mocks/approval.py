"""The mock approval system (审批系统): approval.md to the letter. Actions make the city's approvals, handlers answer the hub.

Signatures are in approval_signing.py, the shape of a record in approval_records.py, parameter checks in approval_calls.py.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Final

import httpx
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mocks.approval_calls import Parameters, Refused, Sentry, envelope
from mocks.approval_records import ACCEPTED, COMMITMENT, DECIDED, REVOKED, accepted_record, beijing_text
from mocks.approval_signing import make_nonce, signed_headers, sm3_hex
from mocks.callbacks import Sending, Sleep
from mocks.people import Subject, make_subject
from mocks.platform import Action, Clock, Platform, PlatformSettings
from mocks.reference import DEPARTMENTS, MATTERS
from mocks.store import Document

REPETITIONS: Final = (60.0, 300.0, 900.0, 3600.0, 21600.0)
"""Pauses before a callback is repeated: 1, 5, 15, 60 and 360 minutes."""

_DEPARTMENT_NAMES: Final = {department["code"]: department["name"] for department in DEPARTMENTS}
_MATTERS: Final = {str(matter["code"]): matter for matter in MATTERS}


class ApprovalSettings(PlatformSettings, frozen=True, kw_only=True):
    """What the mock approval system can be told beside the common settings."""

    app_key: str = "bihuan"
    app_secrets: tuple[str, ...] = ("approval-secret",)
    """Valid secrets, the newest first: it signs the callbacks."""
    calls_per_second: int = 20
    late_commit_seconds: float = 120.0
    """How far in the past the GXSJ of a late commit lies at most."""
    late_commit_share: float = 0.1
    """Share of changes that are late commits."""


class ApprovalPlatform(Platform):
    """The approval system, with the city's actions (accept, decide, revoke, ...) as methods."""

    name: ClassVar[str] = "approval"
    settings: ApprovalSettings

    def __init__(
        self,
        settings: ApprovalSettings,
        *,
        clock: Clock,
        rng: random.Random,
        sleep: Sleep,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(settings, clock=clock, rng=rng, sleep=sleep, transport=transport)
        self._sentry = Sentry(settings.app_key, settings.app_secrets, settings.calls_per_second)
        self._by_update = self.store.index("record", lambda record: record["GXSJ"])
        self._by_day = self.store.index("record", lambda record: record["SLSJ"][:10])

    # --- what happens in the city

    def accept(
        self,
        subject: Subject | Mapping[str, Any] | None = None,
        *,
        matter: str = "WH-SX01",
        procedure: str = COMMITMENT,
        serial: str | None = None,
        fields: Mapping[str, str | None] | None = None,
    ) -> str:
        """Accept an application and return its YWLSH; without a subject a company is made up; `fields` overrides what is stored.

        Raise LookupError for a matter that reference.py does not have, ValueError for a serial number in use.
        """
        if matter not in _MATTERS:
            raise LookupError(f"no matter {matter!r} in mocks/reference.py; there are {', '.join(_MATTERS)}")
        if subject is None:
            subject = make_subject(self.rng, "1")
        elif not isinstance(subject, Subject):
            subject = msgspec.convert(subject, Subject)
        now, department = self.now(), str(_MATTERS[matter]["department"])
        serial = serial or f"YW{now:%Y%m%d}{self.store.next_number('serial'):08d}"
        if self.store.get("record", serial) is not None:
            raise ValueError(f"YWLSH {serial} is in use: choose another, or none")
        record = accepted_record(
            serial,
            subject,
            matter=(matter, str(_MATTERS[matter]["name"])),
            department=(department, _DEPARTMENT_NAMES[department]),
            procedure=procedure,
            accepted_at=now,
        )
        self._commit({**record, **(fields or {})}, "SL")
        return serial

    def decide(self, serial: str, *, granted: bool = True) -> None:
        """Grant or refuse an accepted application; raise LookupError where there is none, ValueError where it is not open."""
        record = self.record(serial)
        if record["ZT"] != ACCEPTED:
            raise ValueError(f"YWLSH {serial} has ZT {record['ZT']}: only an accepted one (01) can be decided")
        decision = {"BJSJ": beijing_text(self.now()), "SPJG": "1" if granted else "2", "ZT": DECIDED}
        self._commit({**record, **decision}, "BJ")

    def grant(self, subject: Subject | Mapping[str, Any] | None = None, **arguments: Any) -> str:
        """Accept and grant at once; arguments and answer as for `accept`."""
        serial = self.accept(subject, **arguments)
        self.decide(serial)
        return serial

    def revoke(self, serial: str) -> None:
        """Revoke a record, decided or not."""
        self._commit({**self.record(serial), "ZT": REVOKED}, "ZX")

    def change(self, serial: str, fields: Mapping[str, str | None]) -> None:
        """Change fields of a record, as an official at the counter would: a new version, and a callback."""
        record = self.record(serial)
        self._commit({**record, **fields}, "SL" if record["ZT"] == ACCEPTED else "BJ")

    def contradict(self, serial: str, fields: Mapping[str, str | None]) -> None:
        """Platform fault for tests: other content under the same version, told by a callback."""
        record = {**self.record(serial), **fields}
        self.store.put("record", serial, record)
        self._tell("BJ", record)

    def unblacklist(self, wybh: str) -> None:
        """Take a subject off the blacklist today (ycrq); raise LookupError for an unknown wybh."""
        entry = self.store.get("hmd", wybh)
        if entry is None:
            raise LookupError(f"no blacklist entry with wybh {wybh!r}")
        self.store.put("hmd", wybh, {**entry, "ycrq": f"{self.now():%Y-%m-%d}"})

    def rotate_secret(self, secret: str) -> None:
        """Begin a key change: the new secret signs callbacks at once, the one before it stays valid for 24 hours."""
        self._sentry.rotate(secret, self.now())

    async def ask_eligibility(self, dxbs: str, sxbm: str) -> Document | None:
        """Ask the hub whether the subject may use commitment; return its `data`, or None for what means the standard procedure."""
        body = msgspec.json.encode({"dxbs": dxbs, "sxbm": sxbm})
        answer = await self.callbacks.post(lambda: self._signed("/approval/eligibility", body), within=3.0)
        data = _data_of(answer)
        self.count("eligibility.unanswered" if data is None else f"eligibility.{str(data['sycn']).lower()}")
        return data

    def record(self, serial: str) -> Document:
        """Return the record as it stands; raise LookupError for an unknown serial number."""
        record = self.store.get("record", serial)
        if record is None:
            raise LookupError(f"no approval with YWLSH {serial!r}")
        return record

    def actions(self) -> Mapping[str, Action]:
        """Return the city's actions by name."""
        names = "accept decide grant revoke change contradict unblacklist rotate_secret ask_eligibility record"
        return {name: getattr(self, name) for name in names.split()}

    def _commit(self, record: Document, event: str | None) -> Document:
        """Store record as the next version, GXSJ now or, for a late commit, a little in the past; tell the hub of the event."""
        before = self.store.get("record", record["YWLSH"])
        late = self.settings.late_commit_seconds if self.rng.random() < self.settings.late_commit_share else 0.0
        updated = beijing_text(self.now() - timedelta(seconds=self.rng.uniform(0, late)))
        version = 1 if before is None else int(before["BBH"]) + 1
        record = {**record, "GXSJ": max(updated, "" if before is None else before["GXSJ"]), "BBH": str(version)}
        self.store.put("record", record["YWLSH"], record)
        if event is not None:
            self._tell(event, record)
        return record

    # --- what the hub is told

    def _tell(self, event: str, record: Document) -> None:
        number = self.store.next_number("message")
        message = {"msgId": f"MSG{number:012d}", "ywlx": event, "sj": beijing_text(self.now()), "data": record}
        body = msgspec.json.encode(message)
        self.callbacks.deliver(
            lambda _attempt: self._signed("/webhooks/approval", body), schedule=REPETITIONS, acknowledged=_acknowledged, within=5.0
        )

    def _signed(self, path: str, body: bytes) -> Sending:
        milliseconds = int(self.now().timestamp() * 1000)
        headers = signed_headers(
            self._sentry.newest, self.settings.app_key, path, body, epoch_milliseconds=milliseconds, nonce=make_nonce(self.rng)
        )
        return Sending(self.hub_url + path, headers, body)

    # --- what the hub can call

    def routes(self) -> Sequence[BaseRoute]:
        """Return one route a call of the page, and one for every other path."""
        return [
            Route("/api/spsl/list", self._call("list", self._list), methods=["POST"]),
            Route("/api/spsl/detail", self._call("detail", self._detail), methods=["POST"]),
            Route("/api/spsl/digest", self._call("digest", self._digest), methods=["POST"]),
            Route("/api/hmd/add", self._call("hmd_add", self._hmd_add, creates=True), methods=["POST"]),
            Route("/api/hmd/query", self._call("hmd_query", self._hmd_query), methods=["POST"]),
            Route("/api/hcjg/push", self._call("hcjg_push", self._hcjg_push, creates=True), methods=["POST"]),
            Route("/{path:path}", self._call("unknown", _unknown), methods=["POST"]),
        ]

    def _call(self, operation: str, handler: Callable[[Parameters], Document], *, creates: bool = False) -> Any:
        async def endpoint(request: Request) -> Response:
            self.count(f"calls.{operation}")
            body = await request.body()
            try:
                self._sentry.check(request.headers, request.url.path, body, self.now())
                data = handler(Parameters.parse(body, request.headers.get("content-type", "")))
            except Refused as refusal:
                self.count(f"refused.{refusal.code}")
                return envelope(refusal.code, str(refusal), refusal.data)
            answer = envelope("0", "success", data)
            return self.after_work(answer) if creates else answer

        return endpoint

    def broken(self) -> Response:
        """Return one of the two ways of being down: a plain 5xx, or an answered call with code 50000."""
        if self.faults.outage or self.rng.random() < 0.5:
            return Response("<html><body>503 Service Unavailable</body></html>", 503, media_type="text/html")
        return envelope("50000", "system busy", None)

    def _list(self, parameters: Parameters) -> Document:
        first, end = parameters.moment("gxsjq"), parameters.moment("gxsjz")
        page, size = parameters.integer("pageNo", 1, None), parameters.integer("pageSize", 1, 200)
        if end < first or end - first > timedelta(days=31):
            raise Refused("40001", "gxsjz: from gxsjq on, at most 31 days after it")
        found = self._by_update.between(beijing_text(first), beijing_text(end))
        rows = [self.record(serial) for _, serial in found[(page - 1) * size : page * size]]
        return {"total": len(found), "pageNo": page, "pageSize": size, "rows": rows}

    def _detail(self, parameters: Parameters) -> Document:
        found = (self.store.get("record", serial) for serial in parameters.texts("ywlsh", 50))
        return {"rows": [record for record in found if record is not None]}

    def _digest(self, parameters: Parameters) -> Document:
        day = parameters.day("rq")
        serials = [serial for _, serial in self._by_day.between(day, f"{day}~")]
        lines = "".join(f"{serial}:{self.record(serial)['BBH']}\n" for serial in serials)
        return {"rq": day, "count": len(serials), "digest": sm3_hex(lines.encode())}

    def _hmd_add(self, parameters: Parameters) -> Document:
        entry: Document = {field: parameters.text(field) for field in ("wybh", "dxmc", "sxbm", "yy")}
        entry |= {"dxbs": parameters.subject_number("dxbs"), "rdrq": parameters.day("rdrq")}
        before = self.store.get("hmd", entry["wybh"])
        if before is None:
            self.count("creations.hmd")
            self.store.put("hmd", entry["wybh"], {**entry, "ycrq": None})
        elif any(before[field] != value for field, value in entry.items()):
            raise Refused("40901", f"wybh {entry['wybh']} was submitted before with other content")
        return {"wybh": entry["wybh"], "repeated": before is not None}

    def _hmd_query(self, parameters: Parameters) -> Document:
        number, matter = parameters.subject_number("dxbs"), parameters.optional_text("sxbm")
        shown = ("wybh", "dxbs", "sxbm", "rdrq", "ycrq")
        entries = (entry for entry in self.store.all("hmd").values() if entry["dxbs"] == number and matter in {None, entry["sxbm"]})
        return {"rows": [{field: entry[field] for field in shown} for entry in entries]}

    def _hcjg_push(self, parameters: Parameters) -> Document:
        serial, result = parameters.text("ywlsh"), parameters.text("hcjg")
        checked, task = parameters.moment("hcsj"), parameters.text("hcrwbh")
        if result not in {"1", "2"}:
            raise Refused("40001", 'hcjg: "1" kept or "2" not kept')
        record = self.store.get("record", serial)
        if record is None:
            raise Refused("40400", f"ywlsh: no record {serial}")
        pushed = {"HCJG": result, "HCSJ": beijing_text(checked), "HCRWBH": task}
        self.count("creations.hcjg")
        after = self._commit({**record, **pushed}, None)
        return {"ywlsh": serial, "bbh": after["BBH"]}


def _unknown(_parameters: Parameters) -> Document:
    raise Refused("40400", "no such call")


def _acknowledged(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and _json_object(answer).get("code") == "0"


def _data_of(answer: httpx.Response | None) -> Document | None:
    """Return the data of an eligibility answer, or None where it is missing, late, refused or not in the page's shape."""
    if answer is None or not _acknowledged(answer):
        return None
    data = _json_object(answer).get("data")
    return data if isinstance(data, dict) and isinstance(data.get("sycn"), bool) else None


def _json_object(answer: httpx.Response) -> Document:
    try:
        return msgspec.json.decode(answer.content, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}
