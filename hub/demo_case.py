"""`bihuan demo --case N`: one of the ten cases, played on a simulated clock, and its loop as the graph tells it.

Hub and platforms run in this process and speak to each other as they would over a network; nothing listens on any port.
"""

import json
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.cases import CASES
from hub.cases.play import BEIJING, SYSTEMS, Case, Play, Told
from hub.simulation.clock import in_simulated_time
from hub.simulation.stage import NeverHappened, staged
from hub.telemetry import configure_logs

LOOP = """query ($id: ID!) { loop(of: $id) { complete owed awaited overdue steps {
  at kind platform title { zh en } key dueAt lateSeconds obligation { rule state needs } } } }"""
COLOURS = {"approval": "cyan", "credit": "magenta", "grid": "green", "enforcement": "blue", "selfgov": "yellow", "sms": "white"}


def play_case(number: int, *, check: bool, seed: int, json_file: Path | None) -> int:
    """Play a case and print its story and its loop; with `check` return 1 on any difference. 3: something never happened."""
    configure_logs("error", as_json=False)
    case, console = CASES[number], Console(highlight=False)
    console.print(Text.assemble((f"案例 {case.number}  {case.title}\n", "bold"), (case.title_en, "dim")))
    begins = datetime.fromisoformat(case.begins).replace(tzinfo=BEIJING)
    return in_simulated_time(_played(case, console, check=check, seed=seed, json_file=json_file), begins)


async def _played(case: Case, console: Console, *, check: bool, seed: int, json_file: Path | None) -> int:
    with tempfile.TemporaryDirectory(prefix="bihuan-case-") as folder:
        async with staged(Path(folder), seed, poll_seconds=60.0) as stage:
            play = Play(stage, lambda told: console.print(_line(told), soft_wrap=True))
            try:
                await case.play(play)
                loops = [await _loop(play, field, key) for field, key in play.loops]
            except NeverHappened as error:
                console.print(f"bihuan demo --case {case.number}: {error}", style="red")
                return 3
    for loop in loops:
        console.print(_timeline(loop))
        play.expect("the loop is complete", loop["owed"], 0)
    for difference in play.differences:
        console.print(f"differs: {difference.what}: {difference.found!r}, not {difference.wanted!r}", style="red")
    held = play.checked - len(play.differences)
    console.print(f"{held} of {play.checked} expectations hold", style="red" if play.differences else "green")
    if json_file:
        _write(json_file, {"case": case.number, "held": held, "checked": play.checked, "loops": loops})
    return 1 if check and play.differences else 0


def _write(file: Path, told: dict[str, Any]) -> None:
    file.write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n")


async def _loop(play: Play, field: str, key: str) -> dict[str, Any]:
    argument = {"approval": "approvalNo", "gridEvent": "eventNo", "verificationTask": "taskId", "selfReport": "reportNo"}.get(
        field, "requestNo"
    )
    found = await play.stage.ask(f"query ($key: String!) {{ {field}({argument}: $key) {{ id }} }}", key=key)
    if found[field] is None:
        raise NeverHappened(f"{field} {key}: the mirror does not have it")
    loop: dict[str, Any] = (await play.stage.ask(LOOP, id=found[field]["id"]))["loop"]
    return loop


def _line(told: Told) -> Text:
    at = f"{told.at.astimezone(BEIJING):%Y-%m-%d %H:%M}"
    return Text.assemble((f"{at}  ", "dim"), (f"{SYSTEMS[told.system]}  ", COLOURS.get(told.system, "")), told.words)


def _late(seconds: int) -> str:
    """Return how late a step was; seconds are the time that any call takes."""
    if seconds < 60:
        return ""
    return f"  晚 {seconds // 3600} 小时" if seconds >= 3600 else f"  晚 {seconds // 60} 分钟"


def _timeline(loop: dict[str, Any]) -> Table:
    table = Table(title="闭环全过程 the loop, as the graph tells it", title_style="bold", header_style="bold", title_justify="left")
    for name in ("时间", "系统", "环节", "编号", "期限"):
        table.add_column(name, overflow="fold")
    for step in loop["steps"]:
        at = datetime.fromisoformat(step["at"]).astimezone(BEIJING) if step["at"] else None
        due = datetime.fromisoformat(step["dueAt"]).astimezone(BEIJING) if step["dueAt"] else None
        late = _late(step["lateSeconds"] or 0)
        table.add_row(
            f"{at:%m-%d %H:%M}" if at else "待办",
            SYSTEMS.get(step["platform"], step["platform"]),
            step["title"]["zh"],
            step["key"] or "",
            (f"{due:%m-%d %H:%M}" if due else "") + late,
            style=None if step["at"] else "yellow",
        )
    return table
