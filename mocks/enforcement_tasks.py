"""The enforcement platform's tasks: how they are kept, how they change, and when queries can see them.

A document of kind `task` is the task as answered. A query by number finds a new task only after its delay; the list shows
each version only after that version's own delay, and the version before it until then.
"""

import heapq
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from mocks.store import Document, Index, Store

OPEN: Final = frozenset({"PENDING", "DISPATCHED", "ACCEPTED", "IN_PROGRESS"})
FINAL: Final = frozenset({"DONE", "CANCELLED", "TRANSFERRED"})


def stamp(moment: datetime) -> str:
    """Return a time as the platform writes it: ISO 8601, milliseconds, with offset."""
    return moment.isoformat(timespec="milliseconds")


def sort_value(text: str) -> float:
    """Return what the lists are ordered by for an `updatedAt`: seconds of the epoch."""
    return datetime.fromisoformat(text).timestamp()


def updated_order(document: Document) -> float:
    """Return a document's place in a list ordered by updatedAt."""
    return sort_value(document["updatedAt"])


class Tasks:
    """All tasks of the platform."""

    def __init__(self, store: Store, *, now: Callable[[], datetime], rng: random.Random, visible_after: float) -> None:
        """`visible_after` is the longest delay in seconds; each version's own is drawn up to it."""
        self._store = store
        self._now = now
        self._rng = rng
        self._visible_after = visible_after
        self._listed: dict[str, Document] = dict(store.all("task"))
        self._index = Index(updated_order)
        self._by_external_no: dict[str, list[str]] = {}
        self._hidden: list[tuple[datetime, int, str, Document]] = []
        for task_id, task in self._listed.items():
            self._index.put(task_id, task)
            self._know_number(task)

    def _know_number(self, task: Document) -> None:
        if task["externalNo"] is not None:
            self._by_external_no.setdefault(task["externalNo"], []).append(task["taskId"])

    # --- changing

    def make(
        self,
        *,
        external_no: str | None,
        type_: str,
        title: str,
        subjects: Sequence[Document],
        department: str,
        participants: Sequence[str],
        due_at: str,
        origin: Document | None,
        urgency: int,
        campaign_id: str | None = None,
        officers: Sequence[Document] = (),
    ) -> Document:
        """Make a new task, PENDING, also when another one has the same number; return it."""
        at = stamp(self._now())
        task: Document = {
            "taskId": f"RW{self._store.next_number('task'):010d}",
            "externalNo": external_no,
            "version": 1,
            "type": type_,
            "title": title,
            "origin": origin,
            "urgency": urgency,
            "status": "PENDING",
            "department": department,
            "participants": list(participants),
            "officers": list(officers),
            "ledByHead": any(officer["isHead"] for officer in officers),
            "campaignId": campaign_id,
            "dueAt": due_at,
            "createdAt": at,
            "updatedAt": at,
            "results": [],
            "nodeNo": "330782-1",  # no field of the page: unknown ones are allowed anywhere
        }
        self._store.put("task subjects", task["taskId"], {"subjects": list(subjects)})
        self._know_number(task)
        self._keep(task)
        return task

    def change(self, task_id: str, allowed: Iterable[str], **fields: object) -> Document:
        """Give a task new fields and its next version; return it.

        Raise LookupError for an unknown task and ValueError when its status is none of the allowed ones.
        """
        task = self.current(task_id)
        if task["status"] not in allowed:
            raise ValueError(f"task {task_id} is {task['status']}; this needs {' or '.join(sorted(allowed))}")
        # updatedAt never goes back, also when the platform's clock does
        at = max(stamp(self._now()), task["updatedAt"], key=sort_value)
        changed = {**task, **fields, "version": task["version"] + 1, "updatedAt": at}
        self._keep(changed)
        return changed

    def _keep(self, task: Document) -> None:
        self._store.put("task", task["taskId"], task)
        visible_at = self._now() + timedelta(seconds=self._rng.uniform(0, self._visible_after))
        heapq.heappush(self._hidden, (visible_at, task["version"], task["taskId"], task))

    # --- looking

    def current(self, task_id: str) -> Document:
        """Return the task as the platform itself knows it; raise LookupError for an unknown one."""
        task = self._store.get("task", task_id)
        if task is None:
            raise LookupError(f"no task {task_id}")
        return task

    def subjects(self, task_id: str) -> list[Document]:
        """Return the subjects that the task was made for, as `{"code", "name", "address"}`."""
        kept = self._store.get("task subjects", task_id)
        return list(kept["subjects"]) if kept else []

    def visible(self, task_id: str) -> Document | None:
        """Return the task, or None while it is still invisible or unknown."""
        self._reveal()
        return self.current(task_id) if task_id in self._listed else None

    def with_number(self, external_no: str) -> list[Document]:
        """Return all visible tasks with our number, in the order in which they were made."""
        self._reveal()
        return [self.current(task_id) for task_id in self._by_external_no.get(external_no, ()) if task_id in self._listed]

    def listed(self) -> tuple[Index, Callable[[str], Document]]:
        """Return what a list call shows at this moment: an index by updatedAt, and the documents."""
        self._reveal()
        return self._index, self._listed.__getitem__

    def _reveal(self) -> None:
        now = self._now()
        while self._hidden and self._hidden[0][0] <= now:
            _, version, task_id, task = heapq.heappop(self._hidden)
            shown = self._listed.get(task_id)
            if shown is None or shown["version"] < version:
                self._listed[task_id] = task
                self._index.put(task_id, task)
