"""Mock of the administrative enforcement platform (行政执法监管平台), written from docs of its interface (enforcement.md).

`EnforcementPlatform` answers the page's calls; its methods make things happen in the city: an officer accepts a task,
finishes it with results, corrects them; a department issues a coordination. Each such change is told by webhook.
"""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import urlsplit

import httpx
import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from mocks.callbacks import Sending, Sleep
from mocks.enforcement_calls import EnforcementCalls
from mocks.enforcement_gateway import refusal, signed_headers
from mocks.enforcement_officers import drawn_officers
from mocks.enforcement_results import completed_results
from mocks.enforcement_tasks import OPEN, Tasks, stamp, updated_order
from mocks.enforcement_webhooks import EventBatches
from mocks.platform import Action, Clock, Platform, PlatformSettings
from mocks.quota import Quota
from mocks.reference import DEPARTMENTS, ITEMS
from mocks.store import Document


class EnforcementSettings(PlatformSettings, frozen=True, kw_only=True):
    """Settings of the mock enforcement platform. During a change of secrets several are given, the newest first."""

    access_key: str
    secrets: tuple[str, ...]
    callback_access_key: str
    callback_secrets: tuple[str, ...]
    visible_after: float = 3.0
    """Seconds that a new task or version can stay invisible to queries, at most; each one's delay is drawn."""
    calls_per_second: int = 200
    """The gateway's limit (the page names none); 0 for no limit."""
    batch_limit: int = 100
    """Events in one webhook batch, at most."""
    unsubscribed: tuple[str, ...] = ()
    """Paths that begin so answer 403: the caller has not subscribed to them."""
    departments: tuple[Mapping[str, str], ...] = DEPARTMENTS
    items: tuple[Mapping[str, str | None], ...] = ITEMS


class EnforcementPlatform(Platform):
    """The platform: gateway, tasks, campaigns, key subjects, coordinations, lists and webhooks."""

    name: ClassVar[str] = "enforcement"
    settings: EnforcementSettings

    def __init__(
        self,
        settings: EnforcementSettings,
        *,
        clock: Clock,
        rng: random.Random,
        sleep: Sleep,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(settings, clock=clock, rng=rng, sleep=sleep, transport=transport)
        self.departments = {department["code"]: department for department in settings.departments}
        self.items = {str(item["itemCode"]): item for item in settings.items}
        self.tasks = Tasks(self.store, now=self.now, rng=rng, visible_after=settings.visible_after)
        self.campaigns = self.store.index("campaign", lambda campaign: campaign["createdAt"])
        self.key_subjects = self.store.index("key subject", lambda _: 0)
        self.coordinations = self.store.index("coordination", updated_order)
        self.secrets = settings.secrets
        self.callback_secrets = settings.callback_secrets
        self._quota = Quota(settings.calls_per_second)
        self._batches = EventBatches(
            self.callbacks, prepare=self._batch, counters=self.counters, sleep=sleep, rng=rng, limit=settings.batch_limit
        )

    # --- the gateway

    def routes(self) -> Sequence[BaseRoute]:
        """Return the routes of the page."""
        return EnforcementCalls(self).routes()

    def turned_away(self, request: Request, body: bytes) -> Response | None:
        """Return the gateway's own refusal of a request, or None; its bodies are not the platform's."""
        path = request.scope["raw_path"].decode("latin-1")
        reason = refusal(
            request.headers,
            access_key=self.settings.access_key,
            secrets=self.secrets,
            method=request.method,
            path=path,
            query=request.scope["query_string"].decode("latin-1"),
            body=body,
            now=self.now(),
        )
        if reason is not None:
            return _gateway_page(401, reason)
        if path.startswith(self.settings.unsubscribed or ("\0",)):
            return _gateway_page(403, "not subscribed")
        wait = self._quota.take(self.now())
        if wait:
            self.count("refused.429")
            answer = _gateway_page(429, "too many requests")
            answer.headers["X-RateLimit-Reset"] = f"{max(1, round(wait + 0.5))}"
            return answer
        return None

    def broken(self) -> Response:
        """Return the gateway's page for a platform that it cannot reach."""
        return _gateway_page(self.rng.choice((502, 504)), "upstream unavailable")

    def unanswered(self) -> Response:
        """Return the same page: the caller cannot tell that the work was done."""
        return self.broken()

    # --- what happens in the city

    def actions(self) -> Mapping[str, Action]:
        """Return the city's actions for `/_control/do`."""
        return {
            "make_task": self.make_task,
            "dispatch": self.dispatch,
            "accept": self.accept,
            "begin": self.begin,
            "finish": self.finish,
            "correct": self.correct,
            "cancel": self.cancel,
            "transfer": self.transfer,
            "issue_coordination": self.issue_coordination,
            "add_pool": self.add_pool,
            "set_items": self.set_items,
            "set_secrets": self.set_secrets,
            "tasks": lambda: list(self.store.all("task").values()),
            "task": self.tasks.current,
        }

    def make_task(
        self,
        *,
        subjects: Sequence[Document],
        department: str,
        type: str = "SPECIAL",  # noqa: A002  (the page's own word, given by name through /_control/do)
        title: str = "专项检查",
        participants: Sequence[str] = (),
        due_at: str,
        urgency: int = 3,
    ) -> Document:
        """Make a task of the platform's own (externalNo null); `due_at` is ISO 8601 with offset."""
        whole = [{"code": None, "address": None, **subject} for subject in subjects]
        self.count("creations.own_task")
        return self.tasks.make(
            external_no=None,
            type_=type,
            title=title,
            subjects=whole,
            department=self._department(department),
            participants=participants,
            due_at=due_at,
            origin=None,
            urgency=urgency,
        )

    def dispatch(self, task_id: str, *, officers: int = 2, head: bool = False) -> Document:
        """Send officers (drawn, unless a campaign has drawn them); with `head` the department's head leads."""
        task = self.tasks.current(task_id)
        drawn = task["officers"]
        if head or not drawn:
            departments = list(dict.fromkeys([task["department"], *task["participants"]]))
            drawn = drawn_officers(departments, officers, head=head, rng=self.rng)
        led = any(officer["isHead"] for officer in drawn)
        changed = self.tasks.change(task_id, {"PENDING"}, status="DISPATCHED", officers=drawn, ledByHead=led)
        return self._told("task.dispatched", changed)

    def accept(self, task_id: str) -> Document:
        """An officer takes the task in the mobile app."""
        return self._told("task.accepted", self.tasks.change(task_id, {"DISPATCHED"}, status="ACCEPTED"))

    def begin(self, task_id: str) -> Document:
        """The officers are on the spot; the page knows no event for it."""
        return self.tasks.change(task_id, {"ACCEPTED"}, status="IN_PROGRESS")

    def finish(self, task_id: str, results: Sequence[Mapping[str, object]] = ()) -> Document:
        """Finish an open task with one result per subject (see `completed_results`); subjects without one conform."""
        whole = self._results(task_id, results)
        return self._told("task.done", self.tasks.change(task_id, OPEN, status="DONE", results=whole))

    def correct(self, task_id: str, results: Sequence[Mapping[str, object]]) -> Document:
        """Replace the results of a finished task; findings of the same subject and item keep their findingId."""
        whole = self._results(task_id, results)
        return self._told("task.corrected", self.tasks.change(task_id, {"DONE"}, results=whole))

    def cancel(self, task_id: str, *, allowed: Sequence[str] = tuple(OPEN)) -> Document:
        """Cancel an open task."""
        return self._told("task.cancelled", self.tasks.change(task_id, allowed, status="CANCELLED"))

    def transfer(self, task_id: str, *, to: str, results: Sequence[Mapping[str, object]] = ()) -> Document:
        """Hand an open task over to an outside unit; every result given names it."""
        whole = [{**result, "transferredTo": to} for result in self._results(task_id, results)] if results else []
        return self._told("task.transferred", self.tasks.change(task_id, OPEN, status="TRANSFERRED", results=whole))

    def issue_coordination(self, *, department: str, town: str, category: str, content: str, due_at: str) -> Document:
        """A department asks a town for help; `due_at` is ISO 8601 with offset."""
        coordination: Document = {
            "coordinationId": f"XG{self.store.next_number('coordination'):08d}",
            "version": 1,
            "department": self._department(department),
            "town": town,
            "category": category,
            "content": content,
            "dueAt": due_at,
            "status": "ISSUED",
            "updatedAt": stamp(self.now()),
        }
        self.store.put("coordination", coordination["coordinationId"], coordination)
        self.tell("coordination.issued", "coordination", coordination)
        return coordination

    def add_pool(self, subjects: Sequence[Document]) -> int:
        """Let campaigns draw these subjects too; return how many there are now.

        Each is `{"code", "name", "address", "industry", "town", "grade"}`.
        """
        for subject in subjects:
            self.store.put("pool", str(subject["code"]), dict(subject))
        return len(self.store.all("pool"))

    def set_items(self, items: Sequence[Mapping[str, str | None]]) -> int:
        """Publish another list of inspection items; return how many there are."""
        self.items = {str(item["itemCode"]): item for item in items}
        return len(self.items)

    def set_secrets(self, *, secrets: Sequence[str] = (), callback_secrets: Sequence[str] = ()) -> None:
        """Change keys: calls signed with any of the secrets pass, webhooks are signed with the first of theirs."""
        self.secrets = tuple(secrets) or self.secrets
        self.callback_secrets = tuple(callback_secrets) or self.callback_secrets

    # --- inside

    def _department(self, code: str) -> str:
        if code not in self.departments:
            raise LookupError(f"no department {code!r}")
        return code

    def _results(self, task_id: str, results: Sequence[Mapping[str, object]]) -> list[Document]:
        return completed_results(
            results,
            subjects=self.tasks.subjects(task_id),
            items=self.items,
            before=self.tasks.current(task_id)["results"],
            next_number=lambda prefix: f"{prefix}{self.store.next_number(prefix):09d}",
            checked_at=stamp(self.now()),
        )

    def _told(self, event: str, task: Document) -> Document:
        self.tell(event, "task", task)
        return task

    def tell(self, event: str, kind: str, document: Document) -> None:
        """Queue one event for the next webhook batch."""
        if self.faults.callbacks_off:
            self.count("callbacks.suppressed")
            return
        number = self.store.next_number("event")
        self._batches.add({"eventId": f"E{number:012d}", "type": event, "occurredAt": stamp(self.now()), kind: document})

    def _batch(self, events: Sequence[Document]) -> Sending:
        url = f"{self.hub_url}/webhooks/enforcement"
        body = msgspec.json.encode({"batchId": f"B{self.store.next_number('batch'):012d}", "events": list(events)})
        headers = signed_headers(
            self.callback_secrets[0],
            access_key=self.settings.callback_access_key,
            method="POST",
            path=urlsplit(url).path,
            query="",
            body=body,
            now=self.now(),
        )
        return Sending(url, {**headers, "Content-Type": "application/json; charset=utf-8"}, body)


def _gateway_page(status: int, words: str) -> Response:
    return HTMLResponse(f"<html><head><title>{status}</title></head><body><h1>{status}</h1>{words}</body></html>", status)
