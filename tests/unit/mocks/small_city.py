"""The mock platforms in one process, reached without a network, and a hub that does by hand what the real one must do."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
from sqlalchemy import Executable, delete, insert, update

from mocks.breaches import breaches
from mocks.checker import Checker, CheckResult
from mocks.checker_repairs import WAYS
from mocks.city import City
from mocks.config import Config, Platforms, built_platforms, complete_settings
from mocks.selfgov_exchange import RESULT, SCORE
from tests.unit.mocks.city_clock import CityClock

URLS = {name: f"http://{name}" for name in ("approval", "credit", "grid", "enforcement", "sms")}


class ByHost(httpx.AsyncBaseTransport):
    """Sends each request to the platform that its host names."""

    def __init__(self, platforms: Platforms) -> None:
        self._ways = {platform.name: httpx.ASGITransport(platform.app) for platform in platforms}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._ways[request.url.host].handle_async_request(request)


class SmallCity:
    """Platforms, a city on them, and a faultless hub made of direct calls (`answer_everything`)."""

    def __init__(self, *, approvals: int = 40, seed: int = 5, breaches: int = 0) -> None:
        self.clock = CityClock()
        self.settings = complete_settings(Config(selfgov={"late_commit_share": 0.0}))
        self.platforms = built_platforms(self.settings, clock=self.clock, sleep=self.clock.sleep, seed=seed)
        for platform in self.platforms:
            platform.faults = platform.faults.changed({"callbacks_off": True})
        self._rng = random.Random(1)
        self._told: dict[str, str] = {}
        self.city = City(self.platforms, seed=seed, approvals=approvals, breaches=breaches, sleep=self.clock.sleep)

    # --- a hub that never errs

    def answer_everything(self) -> bool:
        """Do what the hub owes at this moment; return whether anything was owed."""
        return any([self.make_tasks(), self.answer_events(), self.record_breaches(), self.tell_subjects()]) or self.mark_reports()

    def make_tasks(self) -> bool:
        made = False
        known = {task["origin"]["ref"] for task in self.tasks() if task["origin"]}
        for record in list(self.platforms.approval.store.all("record").values()):
            if record.get("SPJG") == "1" and record["YWLSH"] not in known:
                kind = "COMMITMENT" if record["SPFS"] == "1" else "APPROVAL"
                self.make_task(kind, "approval", record["YWLSH"], record["BMBM"], self.code_of(record), record["SQRMC"])
                made = True
        return made

    def answer_events(self) -> bool:
        grid, changed = self.platforms.grid, False
        for event in list(grid.store.all("event").values()):
            tasks = [task for task in self.tasks() if task["origin"] and task["origin"]["ref"] == event["no"]]
            if event["status"] == "20":
                self.make_task("GRID", "grid", event["no"], event["deptCode"] or event["category"][:2], None, event["title"])
                grid.change_event(event["no"], status="30")
                changed = True
            elif event["status"] == "30" and tasks[-1]["status"] in {"DONE", "TRANSFERRED"}:
                reached = all(result["conclusion"] != "UNREACHABLE" for result in tasks[-1]["results"])
                status = "70" if tasks[-1]["status"] == "TRANSFERRED" else "40" if reached else "60"
                grid.change_event(event["no"], status=status)
                changed = True
        return changed

    def record_breaches(self) -> bool:
        credit, made = self.platforms.credit, False
        for key, breach in breaches(self.tasks(), self.platforms.enforcement.items).items():
            biz_no = hashlib.sha256(key.encode()).hexdigest()[:40]
            if credit.register.by_biz_no("record", biz_no) is None:
                assert breach.code is not None
                self.post_record(biz_no, breach.code, breach.category, breach.points, breach.ref, breach.finding)
                made = True
        return made

    def tell_subjects(self) -> bool:
        records = list(self.platforms.credit.store.all("record").values())
        owed = {record["bizNo"]: "open" if float(record["openPoints"]) else "repaired" for record in records}
        told = [record for record in records if self._told.get(record["bizNo"]) != owed[record["bizNo"]]]
        for record in told:
            self.put_line(record, owed[record["bizNo"]])
            if record["bizNo"] not in self._told and (mobile := self.telephone(record["code"])) is not None:
                self.send_message(f"SN{record['bizNo']}"[:40], mobile, record)
        self._told = owed
        return bool(told)

    def mark_reports(self) -> bool:
        rows = [row for row in self.platforms.selfgov.rows("zz_result") if row["shzt"] != "0" and row["clbz"] == "0"]
        for row in rows:
            record = self.platforms.credit.register.by_biz_no("record", row["jf_bizno"] or "")
            good = (
                record is not None and record["code"] == row["tyshxydm"] and 0 < (row["xffs"] or 0) <= float(record["openPoints"])
            )
            if row["shzt"] == "1" and row["jf_bizno"] and not good:
                self.mark(row["id"], "9", "不能修复")
                continue
            if row["shzt"] == "1" and record is not None:
                self.repair(record["recordId"], row["id"], f"{row['xffs']:.1f}", WAYS[row["lx"]])
            self.mark(row["id"], "1", None)
        return bool(rows)

    # --- single steps, for tests that let something go wrong

    def tasks(self) -> list[dict[str, Any]]:
        return list(self.platforms.enforcement.store.all("task").values())

    def code_of(self, record: dict[str, Any]) -> str | None:
        if record["SQRLX"] == "2":
            return self.platforms.credit.resident_code(str(record["SFZHM"]))
        if record.get("TYSHXYDM"):
            return str(record["TYSHXYDM"])
        subjects = self.platforms.credit.store.all("subject").values()
        return next(str(subject["code"]) for subject in subjects if record["ZCH"] in subject["oldCodes"])

    def make_task(self, kind: str, platform: str, ref: str, department: str, code: str | None, name: str) -> None:
        enforcement = self.platforms.enforcement
        enforcement.tasks.make(
            external_no=f"{ref}-{len(self.tasks())}",
            type_=kind,
            title="核查",
            subjects=[{"code": code, "name": name, "address": None}],
            department=department if department in enforcement.departments else "SCJG",
            participants=(),
            due_at="2019-09-12T18:00:00+08:00",
            origin={"platform": platform, "ref": ref},
            urgency=3,
        )

    def telephone(self, code: str) -> str | None:
        approvals = self.platforms.approval.store.all("record").values()
        return next((str(record["LXDH"]) for record in approvals if record.get("LXDH") and self.code_of(record) == code), None)

    def put_line(self, record: dict[str, Any], state: str) -> None:
        line = {
            "bizno": record["bizNo"],
            "tyshxydm": record["code"],
            "points": float(record["points"]),
            "itemcode": record["itemCode"],
            "itemname": record["itemName"],
            "occurred": "2019-08-15 09:00:00",
            "repair_until": "2020-08-15 23:59:59",
            "state": state,
            "updated": "2019-08-15 09:00:00",
        }
        self.take_line(record)
        self._exchange(insert(SCORE).values(line))

    def take_line(self, record: dict[str, Any]) -> None:
        self._exchange(delete(SCORE).where(SCORE.c.bizno == record["bizNo"]))

    def _exchange(self, statement: Executable) -> None:
        self.platforms.selfgov.exchange.run(lambda connection: connection.execute(statement))

    def send_message(self, extno: str, mobile: str, record: dict[str, Any]) -> None:
        content = f"因“{record['itemName']}”被扣{float(record['points']):g}分"
        self.platforms.sms.store.put("message", extno, {"extno": extno, "mobile": mobile, "content": content})

    def repair(self, record_id: str, number: int, points: str, way: str) -> None:
        content = {"bizNo": f"RE{number:06}", "recordId": record_id, "points": points, "way": way}
        self.platforms.credit.register.add_repair({**content, "completedAt": self.clock().isoformat()})

    def mark(self, number: int, flag: str, why: str | None) -> None:
        self._exchange(update(RESULT).where(RESULT.c.id == number).values(clbz=flag, clsm=why))

    def post_record(self, biz_no: str, code: str, category: str, points: str, ref: str, finding: str | None) -> str:
        credit = self.platforms.credit
        if credit.register.get("subject", code) is None:
            credit.add_subject(code, "新主体")
        record = {
            "bizNo": biz_no,
            "code": code,
            "category": category,
            "points": points,
            "itemCode": "X",
            "itemName": "项",
            "occurredAt": self.clock().isoformat(),
            "department": "SCJG",
            "region": "330782",
            "evidence": {"platform": "enforcement", "ref": ref, "finding": finding},
            "causedBy": None,
        }
        return str(credit.add_record(record)["recordId"])

    # --- looking

    async def check(self) -> CheckResult:
        exchange = msgspec.structs.replace(self.settings.selfgov, database_url=self.platforms.selfgov.database_url)
        checker = Checker(
            msgspec.structs.replace(self.settings, selfgov=exchange),
            URLS,
            clock=self.clock,
            sleep=self.clock.sleep,
            rng=self._rng,
            transport=ByHost(self.platforms),
        )
        return await checker.run()

    async def stop(self) -> None:
        for platform in self.platforms:
            await platform.stop()


@asynccontextmanager
async def living(small: SmallCity) -> AsyncIterator[SmallCity]:
    """Let the city live while the test goes on."""
    running = asyncio.create_task(small.city.run())
    try:
        yield small
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await small.stop()


async def until(condition: Callable[[], bool], turns: int = 20_000) -> None:
    """Let everybody else have their turns until the condition holds."""
    for _ in range(turns):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("never happened")


async def completed(small: SmallCity) -> None:
    """Let city and hub work until neither has anything to do."""

    def idle() -> bool:
        owed = small.answer_everything()
        return not owed and bool(small.city.progress()["finished"])

    await until(idle)
