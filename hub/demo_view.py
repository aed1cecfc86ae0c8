"""What a demo shows in the terminal: where to look, how the loops close, and in the end what was guaranteed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hub.mirror.ledger import OPEN
from mocks.checker import CheckResult

QUERY = """{ approvals(first: 3) { edges { node {
    approvalNo matterName procedure state
    subject { name profile { score grade } creditRecords { edges { node { category points itemName } } } }
    tasks { edges { node { taskId status dueAt findings { edges { node { itemName conform points } } } } } }
} } } }"""


class Seen(NamedTuple):
    """One look at city and ledger."""

    city: Mapping[str, Any]
    ledger: Mapping[tuple[str, str], int]
    waiting: int
    ops_items: int

    def count(self, *states: str) -> int:
        """Return how many obligations are in these states."""
        return sum(count for (_, state), count in self.ledger.items() if state in states)

    @property
    def open(self) -> int:
        """Return how many obligations are open."""
        return self.count(*OPEN)

    def finished(self, approvals: int) -> bool:
        """Return whether the city has made all it wanted and nothing is owed."""
        granted = int(self.city.get("approvals_granted", 0))
        return bool(self.city.get("finished")) and granted >= approvals and not self.open and not self.waiting


def opening(address: str, urls: Mapping[str, str], key: str, folder: Path) -> RenderableType:
    """Return the addresses, the graph's on a line of its own, and a ready-made query."""
    platforms = "\n".join(f"  {name:12} {url}" for name, url in urls.items())
    return Text(
        f"Bihuan 闭环: a city on its platforms, and the hub that closes its loops.\n\n"
        f"graph\n{address}/graphql\n\nconsole\n{address}/console/\n\nexplorer\n{address}/explorer\n\nplatforms\n{platforms}\n\n"
        f"key for the console and ops   {key}\ndata                          {folder}\n\n"
        f"try\ncurl -s {address}/graphql -H 'content-type: application/json' -d '{{\"query\": \"{' '.join(QUERY.split())}\"}}'\n"
    )


def progress(seen: Seen) -> RenderableType:
    """Return the live picture."""
    city, table = seen.city, Table.grid(padding=(0, 2))
    pairs = (
        ("approvals verified 有审必查", city.get("tasks_of_approvals", city.get("tasks", 0)), city.get("approvals_granted", 0)),
        ("checks done 核查完成", city.get("tasks_done", 0), city.get("tasks", 0)),
        ("breaches recorded 失信必记", city.get("records", 0), city.get("breaches_expected", 0)),
        ("events answered 闭环处置", city.get("events_answered", 0), city.get("events_sent", city.get("events", 0))),
        ("points on lists 扣分告知", city.get("lines", 0), city.get("records_taking_points", 0)),
        ("repairs handled 信用修复", city.get("reports_marked", 0), city.get("reports_decided", 0)),
    )
    for name, done, total in pairs:
        bar = ProgressBar(total=max(int(total), 1), completed=min(int(done), int(total)), width=30)
        table.add_row(name, bar, f"{done} / {total}")
    states = Table(box=None, header_style="bold", padding=(0, 2))
    platforms = sorted({platform for platform, _ in seen.ledger})
    shown = ("WAITING", "DUE", "LEASED", "SENT", "STUCK", "CLOSED")
    for column in ("obligations", *shown):
        states.add_column(column, justify="left" if column == "obligations" else "right")
    for platform in platforms:
        states.add_row(platform, *(str(seen.ledger.get((platform, state), 0)) for state in shown))
    foot = Text(f"deliveries waiting {seen.waiting}   for a person to settle {seen.ops_items}   Ctrl-C ends", style="dim")
    return Panel(Group(table, Text(), states, Text(), foot), title="闭环 Bihuan", expand=False)


class Guaranteed(NamedTuple):
    """The result of a check, for people and for programs."""

    table: RenderableType
    figures: dict[str, Any]


def guaranteed(seen: Seen, result: CheckResult | None, seconds: float) -> Guaranteed:
    """Return what was guaranteed, counted on the platforms themselves."""
    told = result.to_dict() if result else {}
    figures = {
        "approvals": told.get("approvals_granted"),
        "tasks": told.get("tasks_for_approvals"),
        "breaches": told.get("breaches"),
        "records": told.get("records"),
        "lists": told.get("lines"),
        "messages": told.get("messages"),
        "reports": told.get("reports_decided"),
        "repairs": told.get("repairs"),
        "open": seen.open,
        "stuck": seen.count("STUCK"),
        "seconds": round(seconds, 1),
    }
    names = {
        "approvals": "approvals granted 准予许可",
        "tasks": "tasks that verify them 有审必查",
        "breaches": "breaches found 违法违规",
        "records": "credit records of them 失信必记",
        "lists": "lines on subjects' own lists 扣分告知",
        "messages": "short messages sent 短信告知",
        "reports": "rows decided in self-governance 自治结果",
        "repairs": "repairs on the credit platform 信用修复",
        "open": "obligations open",
        "stuck": "obligations stuck",
        "seconds": "seconds",
    }
    table = Table("what", "number", title="What the platforms themselves hold 各平台实有", header_style="bold")
    for name, value in figures.items():
        table.add_row(names[name], "?" if value is None else str(value))
    return Guaranteed(table, figures | {"check": told})
