"""`bihuan demo --city`: a city whose platforms hold records that add up to the published figures, replayed day by day.

Hub and platforms run in this process on a simulated clock; the hub makes of the records what must follow from them, and in the
end its own statistics must arrive at each published figure. With `left_out` one record is missing, and the comparison fails.
"""

import tempfile
import time as wall
from collections.abc import Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table

from hub.cases.play import BEIJING
from hub.mirror import ledger
from hub.published_figures import PUBLISHED, Published, question
from hub.simulation.clock import in_simulated_time
from hub.simulation.stage import NeverHappened, Stage, staged
from hub.telemetry import configure_logs
from mocks.enforcement_tasks import FINAL
from mocks.published_city import PublishedCity
from mocks.published_plan import FIRST, LEAVE_OUT, UNROUTED, Draw, PublishedPlan, days, left_out, make_plan

KINDS = LEAVE_OUT
"""Of what one record can be left out."""


class LeftOpen(NamedTuple):
    """What is open in the end, exactly: on the platforms, and in the ledger events that wait for a route."""

    events: int
    checks: int
    coordinations: int


LEFT_OPEN = LeftOpen(events=20, checks=126, coordinations=3)
"""What the published figures leave open: of 630 events, of 688 checks, of 37 coordinations."""


class Compared(msgspec.Struct, frozen=True):
    """One figure: what was published, and what the hub counted."""

    told: str
    name: str
    wanted: int | str
    found: int | str

    @property
    def agrees(self) -> bool:
        """Return whether both are the same."""
        return self.wanted == self.found


def replay_city(*, check: bool, seed: int, leave_out: str | None, json_file: Path | None) -> int:
    """Replay the city and compare; with `check` return 1 on any difference. 3: something never happened."""
    configure_logs("error", as_json=False)
    console = Console(highlight=False)
    plan = make_plan(seed)
    if leave_out is not None:
        plan = left_out(plan, leave_out)
        console.print(f"one {leave_out} is left out: the figures must not agree", style="yellow")
    begun = wall.monotonic()
    try:
        compared = in_simulated_time(
            compared_city(plan, PUBLISHED, LEFT_OPEN, seed, console), datetime.combine(FIRST, time(8), BEIJING)
        )
    except NeverHappened as error:
        console.print(f"bihuan demo --city: {error}", style="red")
        return 3
    console.print(_shown(compared))
    agree = sum(each.agrees for each in compared)
    every = agree == len(compared)
    seconds = wall.monotonic() - begun
    console.print(f"{agree} of {len(compared)} figures agree, {seconds:.0f} s", style="green" if every else "red")
    if json_file:
        _write(json_file, compared)
    return 0 if every or not check else 1


async def compared_city(
    plan: PublishedPlan, published: Sequence[Published], left_open: LeftOpen, seed: int, console: Console
) -> list[Compared]:
    """Replay a plan in the running simulated loop; return each figure with what the hub counted. Raises NeverHappened."""
    with tempfile.TemporaryDirectory(prefix="bihuan-city-", dir=_in_memory()) as folder:
        async with staged(Path(folder), seed, poll_seconds=1800.0) as stage:
            await _live(stage, PublishedCity(stage.platforms, plan, lambda draw, due: _order(stage, draw, due)), console)
            counted = [each for some in published for each in await _compare(stage, some)]
            return counted + await _compare_open(stage, left_open)


def _in_memory() -> str | None:
    """Return a folder that costs no disk, where the system has one: a simulated city need not outlive its process."""
    memory = Path("/dev/shm")  # noqa: S108  (the folder in it is made by tempfile)
    return str(memory) if memory.is_dir() else None


async def _live(stage: Stage, city: PublishedCity, console: Console) -> None:
    for day in days():
        await stage.until(datetime.combine(day, time(9), BEIJING))
        await city.live(day)
        await stage.settled(within=2 * 86400.0, expected=lambda key: _waits_for_route(stage, key))
        console.print(f"{day}  {_progress(stage)}", style="dim")


def _waits_for_route(stage: Stage, key: str) -> bool:
    rule, _, rest = key.partition(":")
    event = stage.platforms.grid.store.get("event", rest.partition(":")[0])
    return rule == "grid-dispatch" and event is not None and event["category"] == UNROUTED


def _progress(stage: Stage) -> str:
    whole = stage.platforms
    counts = {
        "审批": len(whole.approval.store.all("record")),
        "检查任务": len(whole.enforcement.store.all("task")),
        "信用记录": len(whole.credit.store.all("record")),
        "修复": len(whole.credit.store.all("repair")),
        "网格事件": len(whole.grid.store.all("event")),
        "短信": len(whole.sms.store.all("message")),
    }
    return "  ".join(f"{name} {count}" for name, count in counts.items())


async def _order(stage: Stage, draw: Draw, due: datetime) -> None:
    wanted = {
        "requestNo": f"SSJ-{draw.day:%Y%m%d}",
        "title": "锅炉跨部门“双随机”联合检查",
        "departments": list(draw.departments),
        "industry": draw.industry,
        "grades": [],
        "subjects": draw.subjects,
        "officersPerTask": 2,
        "dueAt": due.isoformat(),
    }
    query = "mutation ($input: RequestCampaignInput!) { requestCampaign(input: $input) { userErrors { message } } }"
    answer = await stage.ask(query, input=wanted)
    if refused := answer["requestCampaign"]["userErrors"]:
        raise NeverHappened(f"requestCampaign was refused: {refused[0]['message']}")


async def _compare(stage: Stage, published: Published) -> list[Compared]:
    total: dict[str, Any] = (await stage.counted(question(published)))["statistics"]["total"]
    return [Compared(published.told, name, wanted, total[name]) for name, wanted in published.figures.items()]


async def _compare_open(stage: Stage, left_open: LeftOpen) -> list[Compared]:
    whole = stage.platforms
    tasks = [one for one in whole.enforcement.store.all("task").values() if (one["origin"] or {}).get("platform") == "approval"]
    unchecked = sum(one["status"] not in FINAL for one in tasks)
    unhandled = sum(one["status"] == "ISSUED" for one in whole.enforcement.store.all("coordination").values())
    waiting = {key.rpartition("/")[0] for key, _, _ in await stage.hub.database.read(ledger.open_keys, 10_000)}
    found = LeftOpen(len(waiting), unchecked, unhandled)
    return [Compared("未办结", name, wanted, got) for name, wanted, got in zip(LeftOpen._fields, left_open, found, strict=True)]


def _shown(compared: list[Compared]) -> Table:
    table = Table("案例", "指标", "公布", "统计", "", title="公布数据与统计 published and counted", title_justify="left")
    before = ""
    for each in compared:
        told = each.told if each.told != before else ""
        style = None if each.agrees else "red"
        table.add_row(told, each.name, str(each.wanted), str(each.found), "" if each.agrees else "✗", style=style)
        before = each.told
    return table


def _write(file: Path, compared: list[Compared]) -> None:
    told = [msgspec.structs.asdict(each) | {"agrees": each.agrees} for each in compared]
    file.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")
