"""The self-governance system in the contract tests: a shared database instead of calls, filled as selfgov.md says."""

import json
import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, event

from connectors.base import Answer, Connector, Delivery, PlatformSettings
from connectors.selfgov import SelfgovConnector
from connectors.selfgov_sessions import ServerSessions, SQLiteSessions
from connectors.selfgov_settings import SelfgovSettings
from mocks.selfgov import SelfgovPlatform
from mocks.selfgov import SelfgovSettings as MockSettings
from schema.commands import AnyCommand, MarkReport, PutNotice, PutScore
from schema.entities import ScoreState
from tests.contract.cases import NOW, WIRE, Bodies, FakeTime, Golden, PlatformCases, Secret, Wire, World, surroundings

COMPANY = "91330782147664100G"
SAMPLE: dict[str, Any] = json.loads((WIRE / "selfgov" / "study.json").read_text(encoding="utf-8"))["zz_result"][0]
NOWHERE = "postgresql://hub:geheim@exchange.test/zizhi"
SCORED = PutScore(
    biz_no="BR0123456789abcdef0123456789abcdef01234567",
    code=COMPANY,
    points=Decimal("4.0"),
    item_code="SCJG-001",
    item_name="餐饮具消毒设施未正常使用",
    occurred_at=NOW - timedelta(days=1),
    repair_until=NOW + timedelta(days=364),
    state=ScoreState.OPEN,
)
NOTICED = PutNotice(
    notice_no="NO0123456789abcdef0123456789abcdef01234567",
    code=None,
    industry="典当",
    title="关于报送月度经营数据的通知",
    content="请于每月5日前申报典当余额。䶮",
    issued_at=NOW,
    department="JR",
)


def rows(*changed: dict[str, object], **beside: object) -> bytes:
    """Return the golden row once for each of these changes; `...` leaves a column out."""
    made = [{name: value for name, value in {**SAMPLE, **each}.items() if value is not ...} for each in changed]
    return json.dumps({"zz_result": made, **beside}, ensure_ascii=False).encode()


def engine_of(connector: Connector) -> Engine:
    """Return the engine below a connector, where a test can get between it and the database."""
    assert isinstance(connector, SelfgovConnector)
    sessions = connector.database.sessions
    if isinstance(sessions, SQLiteSessions):
        return sessions.engine
    assert isinstance(sessions, ServerSessions)
    return sessions.engine.sync_engine


class DatabaseWire(Wire):
    """The way to an exchange database; a call is a transaction."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._is_lost: Callable[[], bool] = lambda: False
        self._is_silent = False

    def lead(self, engine: Engine) -> None:
        """Let the transactions of an engine pass here."""
        commit = engine.dialect.do_commit

        def commit_and_lose(connection: Any) -> None:
            commit(connection)
            if self._is_lost():
                raise ConnectionResetError("the answer to the commit was lost")

        engine.dialect.do_commit = commit_and_lose  # type: ignore[assignment,method-assign]  # between SQLAlchemy and the driver
        event.listen(engine, "begin", self._begin)

    def _begin(self, _connection: object) -> None:
        self.calls += 1
        if self._is_silent:
            raise TimeoutError("no answer")

    def lose_answers_when(self, done: Callable[[], bool]) -> None:
        self._is_lost = done

    def keep_silent(self) -> None:
        self._is_silent = True

    def refuse(self) -> None:
        """It does already: nobody has made the tables."""

    def ask_to_wait(self, seconds: int) -> None:
        pytest.skip("a database does not say how long to wait")

    def close_for(self, seconds: int) -> None:
        pytest.skip("a database does not say how long it is away")


class SelfgovWorld(World):
    """The mock self-governance system on a database of its own; where a row is not late, it appears at once."""

    def __init__(self, url: str, time: FakeTime) -> None:
        settings = MockSettings(database_url=url, late_commit_share=0.0, hole_share=0.3)
        self.platform = SelfgovPlatform(settings, clock=time.clock, rng=random.Random(1), sleep=time.sleep)
        self.url = url

    @property
    def way(self) -> object:
        return DatabaseWire(self.url)

    def make(self, count: int) -> list[str]:
        return [str(self.platform.study(code=COMPANY)) for _ in range(count)]

    def change(self, key: str) -> int:
        self.platform.change(int(key), sxmc="补充")
        changed = datetime.fromisoformat(f"{self.platform.result(int(key))['gxsj']}+08:00")
        return int(changed.timestamp()) * 10

    def commands(self) -> Sequence[AnyCommand]:
        taken, refused = self.make(2)
        return [
            SCORED,
            NOTICED,
            MarkReport(report_no=taken, updated_at=NOW, taken=True),
            MarkReport(report_no=refused, updated_at=NOW, taken=False, reason="超过信用记录未修复分值"),
        ]

    def made(self, command: AnyCommand) -> int:
        match command:
            case PutScore():
                return sum(row["bizno"] == command.biz_no for row in self.platform.rows("zz_score"))
            case PutNotice():
                return sum(row["notice_no"] == command.notice_no for row in self.platform.rows("zz_notice"))
            case MarkReport():
                row = self.platform.result(int(command.report_no))
                return int((row["clbz"], row["clsm"]) == ("1" if command.taken else "9", command.reason))
        raise AssertionError(f"not ours: {command}")


class SelfgovCases(PlatformCases):
    connector = SelfgovConnector
    stream = "results"
    posts = False
    fresh_for = None
    signature_headers = ()
    bodies = Bodies(
        good=rows({}),
        unknown_field=rows({"xx": {"a": [1]}}, zz_other=[1]),
        missing_field=rows({"wcsj": ...}),
        malformed_field=rows({"gxsj": "2019-08-15T09:30:00"}),
        wrong_encoding=rows({}).decode().encode("gb18030"),
        optional_variants=(rows({"sxmc": ...}), rows({"sxmc": None}), rows({"sxmc": ""})),
        one_bad_of_two=rows({"lx": "13857912345"}, {"id": 4712}),
    )
    golden = (
        Golden("study.json", ("SelfReport 4711@15658326000",)),
        Golden("figures.json", ("SelfReport 4713@15665475101",)),
        Golden("bad_check_digit.json", ("Quarantined BAD_CHECK_DIGIT", "SelfReport 4712@15658326009")),
        Golden(
            "written_by_the_hub.json",
            (
                "ScoreEntry BR0123456789abcdef0123456789abcdef01234567@1568185201",
                "Notice NO0123456789abcdef0123456789abcdef01234567@1566522000",
            ),
        ),
    )
    personal = ("13857912345",)
    hidden = ("geheim",)
    overlap_seconds = 300.0

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._connectors: list[Connector] = []
        self._worlds: list[SelfgovWorld] = []
        self._made = 0

    def fresh(self) -> str:
        """Return the address of a database without tables: here a file."""
        self._folder = self._folder or Path(tempfile.mkdtemp(prefix="selfgov-"))
        self._made += 1
        file = self._folder / f"exchange{self._made}.sqlite"
        file.touch()
        return f"sqlite:///{file}"

    def connected(self, time: FakeTime, way: object = None) -> Connector:
        assert way is None or isinstance(way, DatabaseWire)
        url = NOWHERE if way is None else way.url
        made = SelfgovConnector(SelfgovSettings.model_validate({"url": url}), surroundings(time))
        if way is not None:
            way.lead(engine_of(made))
        self._connectors.append(made)
        return made

    def wire(self, way: object = None) -> Wire:
        assert way is None or isinstance(way, DatabaseWire)
        return DatabaseWire(self.fresh()) if way is None else way

    def world(self, time: FakeTime) -> World:
        self._worlds.append(SelfgovWorld(self.fresh(), time))
        return self._worlds[-1]

    async def close(self) -> None:
        await self.let_go()
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder = None

    async def let_go(self) -> None:
        """Close all connections."""
        for connector in self._connectors:
            await connector.close()
        for world in self._worlds:
            world.platform.exchange.close()
        self._connectors, self._worlds = [], []

    def settings(self, *, secrets: bool = True) -> PlatformSettings:
        return SelfgovSettings.model_validate({"url": NOWHERE if secrets else ""})

    def delivery(self, body: bytes, *, at: datetime, signed_with: Secret = "new") -> Delivery:
        return Delivery(platform="selfgov", path="/webhooks/selfgov", headers={}, body=body, received_at=NOW)

    def is_acknowledged(self, answer: Answer) -> bool:
        return answer.status == 200

    async def read(self, connector: Connector) -> object:
        return await connector.fetch("SelfReport", ["4711"])

    def busy(self, seconds: int) -> httpx.Response:
        raise AssertionError("not called over HTTP")

    def refusal(self) -> httpx.Response:
        raise AssertionError("not called over HTTP")


CASES = SelfgovCases()
