"""Reading on, against an oracle: whatever happens while a stream is paged, in the end nothing was missed.

Hundreds of records of one second, changes and inserts between two pages, late commits, holes in sequences, readings that break
off, cursors that expire and cursors of a clock that ran ahead, for every stream that pages. The oracle is the platform's store.
"""

import asyncio
import contextlib
import importlib
import random
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

from connectors.base import Page
from connectors.errors import CursorExpired, TransientError
from mocks.people import make_uscc
from schema.entity import Observation, Tombstone, key_of
from tests.chaos.shown import Form, Shown
from tests.contract.cases import FakeTime, PlatformCases, World

A_DAY = 86_400
DUE = "2019-09-30T18:00:00+08:00"
SHORT, FULL = 1, 126
"""Histories of each stream: a thousand of all eight."""


@dataclass
class Rig:
    """One stream of one platform, and what can happen to its records."""

    platform: str
    stream: str
    make: Callable[[Any, random.Random], str]
    change: Callable[[Any, str], object]
    truth: Callable[[Any], dict[str, int]]
    """Key -> version on the platform, a lower bound where a version is made of a time."""
    late: float = 0.0
    """How many seconds in the past a commit may appear (the page's own word)."""
    remove: Callable[[Any, str], object] | None = None
    keeps: float = 0.0
    """Days after which a cursor of ours may have expired for good; 0: never."""


def _store(kind: str, version: str) -> Callable[[Any], dict[str, int]]:
    return lambda platform: {key: int(one[version]) for key, one in platform.store.all(kind).items()}


def _subject(platform: Any, rng: random.Random) -> str:
    code = make_uscc(rng)
    platform.add_subject(code, "义乌市某公司")
    return code


def _task(platform: Any, _rng: random.Random) -> str:
    return str(platform.make_task(subjects=[{"code": "91330782147664100G", "name": "x"}], department="SCJG", due_at=DUE)["taskId"])


def _next_status(platform: Any, key: str) -> None:
    status = platform.tasks.current(key)["status"]
    {"PENDING": platform.dispatch, "DISPATCHED": platform.finish}.get(status, lambda _: None)(key)


def _issued(platform: Any, _rng: random.Random) -> str:
    issued = platform.issue_coordination(department="ZFJ", town="佛堂镇", category="JT-03", content="核实", due_at=DUE)
    return str(issued["coordinationId"])


def _change_issued(platform: Any, key: str) -> None:
    one = platform.store.get("coordination", key)
    changed = {**one, "version": one["version"] + 1, "updatedAt": platform.now().isoformat(timespec="milliseconds")}
    platform.store.put("coordination", key, changed)


def _key_subject(platform: Any, rng: random.Random) -> str:
    code = make_uscc(rng)
    _put_key_subject(platform, code)
    return code


def _put_key_subject(platform: Any, code: str) -> None:
    version = platform.store.next_number(f"key subject {code}")
    entry = {"code": code, "reason": f"r{version}", "since": "2019-08-01", "ref": "r", "version": version}
    platform.store.put("key subject", code, entry)


def _town(platform: Any, rng: random.Random) -> str:
    fields = {"deptCode": "JTJ", "town": "佛堂镇", "category": "JT-03", "content": "x", "limitTime": "20190930180000"}
    return str(platform.make_coordination(outNo=f"o{rng.randrange(10**12)}", **fields)["no"])


def _study(platform: Any, rng: random.Random) -> str:
    return str(platform.study(code="91330782147664100G"))


def _results(platform: Any) -> dict[str, int]:
    return {str(row["id"]): 0 for row in platform.rows("zz_result")}


RIGS = [
    Rig(
        "approval",
        "approvals",
        lambda platform, _: str(platform.accept()),
        lambda platform, key: platform.change(key, {"LXDH": "13957900000"}),
        _store("record", "BBH"),
        late=115.0,
    ),
    Rig(
        "credit",
        "changes",
        _subject,
        lambda platform, key: platform.set_score(key, float(platform.subject(key)["score"]) - 1),
        _store("subject", "version"),
        remove=lambda platform, key: platform.delete("subject", key),
        keeps=91.0,
    ),
    Rig(
        "grid",
        "events",
        lambda platform, _: str(platform.report(category="JT-03", title="x", town="佛堂镇")["no"]),
        lambda platform, key: platform.edit(key, content="补充䶮"),
        _store("event", "ver"),
    ),
    Rig(
        "grid",
        "coordinations",
        _town,
        lambda platform, key: platform._change_coordination(key, ["10", "30", "40"], content="y"),
        _store("coordination", "ver"),
    ),
    Rig("enforcement", "tasks", _task, _next_status, _store("task", "version")),
    Rig("enforcement", "coordinations", _issued, _change_issued, _store("coordination", "version")),
    Rig(
        "enforcement",
        "key_subjects",
        _key_subject,
        _put_key_subject,
        _store("key subject", "version"),
        remove=lambda platform, key: platform.store.delete("key subject", key),
    ),
    Rig("selfgov", "results", _study, lambda platform, key: platform.change(int(key), sxmc="补充"), _results, late=55.0),
]


@dataclass
class Reader:
    """Reads a stream on as the poller does, and holds what a mirror would."""

    rig: Rig
    cases: PlatformCases
    world: World
    time: FakeTime
    rng: random.Random
    cursor: str | None = None
    held: dict[str, int] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    did: list[str] = field(default_factory=list)

    def happen(self) -> None:
        """Let something happen on the platform now."""
        platform, rng = self.world.platform, self.rng  # type: ignore[attr-defined]
        back = rng.uniform(0, self.rig.late) if rng.random() < 0.3 else 0.0
        self.time.advance(-back)  # a commit that bears an earlier time
        for _ in range(rng.choice([0, 1, 1, 3, 40, 130])):
            self.keys.append(self.rig.make(platform, rng))
        for key in rng.sample(self.keys, min(len(self.keys), rng.choice([0, 1, 2, 20]))):
            self.rig.change(platform, key)
        self.time.advance(back)
        if self.rig.remove is not None and self.keys and rng.random() < 0.3:
            self.rig.remove(platform, self.keys.pop(rng.randrange(len(self.keys))))

    async def read(self, *, quietly: bool = False) -> bool:
        """Read to the present end; return whether it was reached. What happens meanwhile happens between two pages."""
        connector = self.cases.connected(self.time, self.world.way)
        pages = connector.changes(self.rig.stream, self.cursor)
        try:
            async with contextlib.aclosing(_closing(pages)) as each:
                async for page in each:
                    self._take(page)
                    if quietly:
                        continue
                    if self.rng.random() < 0.4:
                        self.happen()
                        self.time.advance(self.rng.choice([0, 0, 1, 4, 700]))
                    if self.rng.random() < 0.1:
                        self.did.append("broke off")
                        return False  # the process dies behind a committed page
        except CursorExpired:
            self.did.append("expired")
            self.cursor = None
            return False
        except TransientError:
            self.did.append("transient")
            return False
        finally:
            await connector.close()
        return True

    def _take(self, page: Page) -> None:
        for item in page.items:
            if isinstance(item, Observation):
                key = key_of(item.record)
                self.held[key] = max(item.record.version, self.held.get(key, 0))
            else:
                assert isinstance(item, Tombstone), item
                self.held.pop(item.key, None)
        self.cursor = page.cursor

    def lacks(self) -> list[str]:
        """Return what the platform has and was not shown, in any or in the present version; and what is there no more."""
        truth = self.rig.truth(self.world.platform)  # type: ignore[attr-defined]
        missed = [f"{key}@{version}" for key, version in truth.items() if self.held.get(key, -1) < version]
        kept = [f"{key} is gone" for key in self.held if key not in truth] if self.rig.remove and "expired" not in self.did else []
        return missed + kept


async def _closing(pages: Any) -> AsyncGenerator[Page, None]:
    try:
        async for page in pages:
            yield page
    finally:
        await pages.aclose()


async def history(rig: Rig, seed: int) -> tuple[list[str], list[str]]:
    """Play one history; return what was missed and what happened."""
    rng, time = random.Random(f"{rig.platform} {rig.stream} {seed}"), FakeTime()
    cases: PlatformCases = importlib.import_module(f"tests.contract.{rig.platform}_cases").CASES
    world = cases.world(time)
    reader = Reader(rig, cases, world, time, rng)
    for _ in range(rng.randint(4, 9)):
        reader.happen()
        time.advance(rng.choice([0, 0, 1, 1, 10, 60, 400, A_DAY]))
        if rng.random() < 0.15:
            reader.did.append("future")
            time.advance(A_DAY)
            await reader.read(quietly=True)
            time.advance(-A_DAY)  # the clocks are put right; the cursor is that of the time before
        if rig.keeps and rng.random() < 0.1:
            time.advance(rig.keeps * A_DAY)
        await reader.read()
    for _ in range(6):
        time.advance(cases.overlap_seconds / 2 + 10)
        await reader.read(quietly=True)
    return reader.lacks(), reader.did


def show(form: Form) -> Shown:
    """Play histories of every stream that pages."""
    number = SHORT if form is Form.SHORT else FULL

    async def play() -> Shown:
        losses: list[str] = []
        did: dict[str, int] = {}
        for rig in RIGS:
            for seed in range(number):
                missed, happened = await history(rig, seed)
                losses += [f"{rig.platform}/{rig.stream}, seed {seed}: {each}" for each in missed[:3]]
                for each in happened:
                    did[each] = did.get(each, 0) + 1
        told = ", ".join(f"{count} {what}" for what, count in sorted(did.items()))
        return Shown(f"{number * len(RIGS)} histories of {len(RIGS)} streams ({told})", f"{len(losses)} missed", losses)

    return asyncio.run(play())
