"""What a history left behind: the documents of all platforms with all their versions, and what the hub still owes or told ops.

Plain dicts, as the platforms keep them, so that the oracle can look at them without the hub.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from hub.app import Hub
from hub.mirror import ledger
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from hub.simulation.clock import simulated_now
from hub.simulation.stage import Stage
from mocks.config import Platforms
from mocks.store import Document
from schema.entities import OpsItem
from tests.chaos.life import Life

LISTENED_TO: Mapping[str, Mapping[str, str]] = {
    "approval": {"record": "YWLSH"},
    "enforcement": {"task": "taskId", "coordination": "coordinationId"},
    "grid": {"event": "no", "handling": "taskNo", "coordination": "no"},
    "credit": {"record": "recordId"},
}
"""Platform and kind -> the field that tells its documents apart."""


class Chronicle:
    """Every version of every document that matters, in the order in which the platforms wrote them."""

    def __init__(self, platforms: Platforms) -> None:
        self._versions: dict[tuple[str, str], dict[str, list[Document]]] = defaultdict(lambda: defaultdict(list))
        for platform in platforms:
            for kind, field in LISTENED_TO.get(platform.name, {}).items():
                # An index asks each document that is written for its place in the order: so it sees them all.
                platform.store.index(kind, partial(self._note, (platform.name, kind), field))

    def _note(self, at: tuple[str, str], field: str, document: Document) -> int:
        self._versions[at][str(document[field])].append(document)
        return 0

    def of(self, platform: str, kind: str) -> Mapping[str, Sequence[Document]]:
        """Return the versions of a kind's documents, by number."""
        return self._versions[platform, kind]


@dataclass(frozen=True)
class Told:
    """One item of the ops list; before and after are what stands there as JSON."""

    kind: str
    cause: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    message: str


@dataclass(frozen=True)
class Picture:
    """Everything that the oracle may look at."""

    now: datetime
    chronicle: Chronicle
    platforms: Platforms
    people: Mapping[str, str]
    """Identity number or old number -> the code on the credit platform, where the credit platform says so."""
    rows: Mapping[int, Sequence[Document]]
    """The versions of the rows of zz_result, as the system wrote them; the marks are in `results`."""
    results: Mapping[int, Document]
    asked: Sequence[Mapping[str, Any]]
    owed: Mapping[str, str]
    """Open obligations by key: their state and what they wait for."""
    told: Sequence[Told]
    strict: bool
    """Whether the credit platform's word always came at once, so that the hub knew every record in its order."""

    def all(self, platform: str, kind: str) -> dict[str, Document]:
        """Return the present documents of a kind by key."""
        return dict(getattr(self.platforms, platform).store.all(kind))

    def versions(self, platform: str, kind: str, key: str) -> Sequence[Document]:
        """Return what a document was, from the first version on; an entry that was deleted keeps its versions."""
        return self.chronicle.of(platform, kind).get(key, ())

    def tasks(self, platform: str | None = None, ref: str | None = None, kind: str | None = None) -> list[Document]:
        """Return the tasks of an origin and type, the oldest first; without a platform those that have no origin too."""
        found = []
        for task in self.all("enforcement", "task").values():
            origin = task["origin"] or {}
            if platform in {None, origin.get("platform")} and ref in {None, origin.get("ref")} and kind in {None, task["type"]}:
                found.append(task)
        return found

    def items(self, kind: str, cause: str | None = None) -> list[Told]:
        """Return the items of the ops list of a kind, and of a cause."""
        return [one for one in self.told if one.kind == kind and cause in {None, one.cause}]

    def was_told(self, kind: str, before: Mapping[str, Any], after: Mapping[str, Any] | None = None) -> bool:
        """Return whether ops was shown, with that kind, what was sent, holding these fields, beside what is owed now."""
        return any(_holds(one.before, before) and (after is None or _holds(one.after, after)) for one in self.items(kind))


def _holds(shown: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(shown.get(name) == value for name, value in wanted.items())


def number(prefix: str, key: str) -> str:
    """Return our number for an obligation (DOMAIN.md, Numbers): a short prefix of the rule and 40 hex of SHA-256 of the key."""
    return prefix + hashlib.sha256(key.encode()).hexdigest()[:40]


async def take_picture(stage: Stage, life: Life, chronicle: Chronicle, *, strict: bool) -> Picture:
    """Return what is there now."""
    hub, platforms = stage.hub, stage.platforms
    people = {}
    for subject in life.people:
        code = life.code_of(subject)
        people[subject.code] = code
        known = platforms.credit.register.get("subject", code)
        if subject.old_number and known and subject.old_number in known["oldCodes"]:
            people[subject.old_number] = code
    return Picture(
        now=simulated_now(),
        chronicle=chronicle,
        platforms=platforms,
        people=people,
        rows=life.rows,
        results={int(row["id"]): row for row in platforms.selfgov.rows("zz_result")},
        asked=life.asked,
        owed=await owed_by(hub),
        told=await hub.database.read(_read_told, hub.rows),
        strict=strict,
    )


async def owed_by(hub: Hub) -> dict[str, str]:
    """Return the open obligations by key, with their state; a waiting one says what it waits for."""
    rows = await hub.database.read(ledger.open_keys, 10_000)
    return {key: f"{state}{f' for {needs}' if needs else ''}" for key, state, needs in rows}


def _read_told(connection: Connection, rows: Rows) -> list[Told]:
    read, table = rows.reader(OpsItem), TABLES["OpsItem"]
    columns = [table.c[name] for name in OpsItem.__struct_fields__]
    items = [read(row) for row in connection.execute(select(*columns).order_by(table.c.opened_at, table.c.item_id))]
    return [Told(one.kind, one.cause, _shown(one.before), _shown(one.after), one.message) for one in items]


def _shown(text: str | None) -> Mapping[str, Any]:
    shown = json.loads(text) if text else {}
    return shown if isinstance(shown, dict) else {"": shown}
