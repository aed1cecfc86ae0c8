"""The enforcement platform's HTTP calls, each as its page says."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mocks.enforcement_campaigns import drawn_campaign
from mocks.enforcement_gateway import query_values
from mocks.enforcement_orders import CampaignOrder, CoordinationFeedback, KeySubjectOrder, Reason, SubjectCode, TaskOrder
from mocks.enforcement_pages import RefusedError, page, whole
from mocks.enforcement_tasks import sort_value, stamp
from mocks.store import Document

if TYPE_CHECKING:
    from mocks.enforcement import EnforcementPlatform

_Body = TypeVar("_Body")
_Answer = tuple[int, object]


class _Call(msgspec.Struct, frozen=True):
    """One request that has passed the gateway."""

    path: dict[str, str]
    parameters: dict[str, str]
    body: bytes
    headers: Any

    def order(self, kind: type[_Body]) -> _Body:
        return msgspec.json.decode(self.body, type=kind)


class EnforcementCalls:
    """Routes and handlers of one platform."""

    def __init__(self, platform: "EnforcementPlatform") -> None:
        self._platform = platform

    def routes(self) -> list[Route]:
        """Return the routes of the page."""
        table: list[tuple[str, str, Callable[[_Call], _Answer]]] = [
            ("POST", "tasks", self.create_task),
            ("GET", "tasks", self.list_tasks),
            ("GET", "tasks/{id}", self.get_task),
            ("POST", "tasks/{id}/cancel", self.cancel_task),
            ("POST", "campaigns", self.create_campaign),
            ("GET", "campaigns", self.list_campaigns),
            ("GET", "campaigns/{id}", self.get_campaign),
            ("GET", "key-subjects", self.list_key_subjects),
            ("PUT", "key-subjects/{id}", self.put_key_subject),
            ("DELETE", "key-subjects/{id}", self.delete_key_subject),
            ("GET", "coordinations", self.list_coordinations),
            ("POST", "coordinations/{id}/feedback", self.feed_back),
            ("GET", "departments", self.departments),
            ("GET", "items", self.items),
        ]
        return [Route(f"/irs/v1/{path}", self._endpoint(handler), methods=[method]) for method, path, handler in table]

    def _endpoint(self, handler: Callable[[_Call], _Answer]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            platform = self._platform
            platform.count(f"calls.{handler.__name__}")
            body = await request.body()
            turned_away = platform.turned_away(request, body)
            if turned_away is not None:
                return turned_away
            try:
                parameters = query_values(request.scope["query_string"].decode("latin-1"))
                status, content = handler(_Call(request.path_params, parameters, body, request.headers))
            except RefusedError as refused:
                return _json(refused.status, {"code": refused.code, "message": refused.message})
            except msgspec.MsgspecError as bad:
                return _json(400, {"code": "BAD_REQUEST", "message": str(bad)})
            answer = _json(status, content)
            if isinstance(content, _Tagged):
                answer = content.answer(request.headers.get("If-None-Match"))
            return answer if request.method == "GET" else platform.after_work(answer)

        return endpoint

    # --- tasks

    def create_task(self, call: _Call) -> _Answer:
        """Make a task, whatever its externalNo: not idempotent."""
        order = call.order(TaskOrder)
        platform = self._platform
        self._know_departments([order.department, *(order.participants or ())])
        for item in order.checklist or ():
            if item not in platform.items:
                raise RefusedError(400, "UNKNOWN_ITEM", f"no item {item!r}")
        task = platform.tasks.make(
            external_no=order.external_no,
            type_=order.type,
            title=order.title,
            subjects=msgspec.to_builtins(order.subjects),
            department=order.department,
            participants=order.participants or (),
            due_at=order.due_at.isoformat(),
            origin=msgspec.to_builtins(order.origin),
            urgency=order.urgency,
        )
        platform.count("creations.task")
        return 201, {"taskId": task["taskId"], "version": task["version"]}

    def list_tasks(self, call: _Call) -> _Answer:
        """Find by our number, or list what was updated strictly later than a moment."""
        platform = self._platform
        if "externalNo" in call.parameters:
            return 200, whole(platform.tasks.with_number(call.parameters["externalNo"]))
        index, document = platform.tasks.listed()
        return 200, page("tasks", index, document, parameters=call.parameters, low=_after(call), now=platform.now())

    def get_task(self, call: _Call) -> _Answer:
        """Return one task, unless it is unknown or still invisible."""
        task = self._platform.tasks.visible(call.path["id"])
        if task is None:
            raise RefusedError(404, "NOT_FOUND", f"no task {call.path['id']}")
        return 200, task

    def cancel_task(self, call: _Call) -> _Answer:
        """Cancel what is not begun; everything else is a conflict, cancelled tasks too."""
        call.order(Reason)
        try:
            task = self._platform.cancel(call.path["id"], allowed=("PENDING", "DISPATCHED"))
        except LookupError as unknown:
            raise RefusedError(404, "NOT_FOUND", str(unknown)) from unknown
        except ValueError as conflict:
            raise RefusedError(409, "CONFLICT", str(conflict)) from conflict
        return 200, {"taskId": task["taskId"], "version": task["version"]}

    # --- campaigns

    def create_campaign(self, call: _Call) -> _Answer:
        """Draw subjects and officers by a seed that is published, and make a task for each subject."""
        order = call.order(CampaignOrder)
        platform = self._platform
        self._know_departments(order.departments)
        campaign = drawn_campaign(platform, order)
        platform.count("creations.campaign")
        return 201, {name: campaign[name] for name in ("campaignId", "seed", "drawnSubjects", "tasks")}

    def list_campaigns(self, call: _Call) -> _Answer:
        """Find by our number, or list all; visible at once."""
        platform = self._platform
        campaigns = platform.store.all("campaign")
        number = call.parameters.get("externalNo")
        if number is not None:
            return 200, whole([one for one in campaigns.values() if one["externalNo"] == number])
        return 200, page("campaigns", platform.campaigns, campaigns.__getitem__, parameters=call.parameters, now=platform.now())

    def get_campaign(self, call: _Call) -> _Answer:
        """Return one campaign."""
        return 200, self._found("campaign", call)

    # --- key subjects

    def put_key_subject(self, call: _Call) -> _Answer:
        """Enter or replace the one entry of a code; the same again changes nothing."""
        platform, code = self._platform, _subject_code(call)
        order = msgspec.to_builtins(call.order(KeySubjectOrder))
        before = platform.store.get("key subject", code)
        if before is not None and all(before[name] == value for name, value in order.items()):
            return 200, before
        # a version never comes again, also when the entry was taken off in between
        entry = {"code": code, **order, "version": platform.store.next_number(f"key subject {code}")}
        platform.store.put("key subject", code, entry)
        return (201 if before is None else 200), entry

    def delete_key_subject(self, call: _Call) -> _Answer:
        """Take an entry off; one that is not there is a harmless 404."""
        code = _subject_code(call)
        if not self._platform.store.delete("key subject", code):
            raise RefusedError(404, "NOT_FOUND", f"no key subject {code}")
        return 204, None

    def list_key_subjects(self, call: _Call) -> _Answer:
        """List the entries in the order of their codes."""
        platform = self._platform
        documents = platform.store.all("key subject")
        return 200, page(
            "key-subjects", platform.key_subjects, documents.__getitem__, parameters=call.parameters, now=platform.now()
        )

    # --- coordinations

    def list_coordinations(self, call: _Call) -> _Answer:
        """List what was updated strictly later than a moment."""
        platform = self._platform
        documents = platform.store.all("coordination")
        return 200, page(
            "coordinations",
            platform.coordinations,
            documents.__getitem__,
            parameters=call.parameters,
            low=_after(call),
            now=platform.now(),
        )

    def feed_back(self, call: _Call) -> _Answer:
        """Take what the town says; the latest counts, the same again changes nothing."""
        feedback = msgspec.to_builtins(call.order(CoordinationFeedback))
        coordination = self._found("coordination", call)
        store, number = self._platform.store, coordination["coordinationId"]
        if store.get("coordination feedback", number) != feedback:
            store.put("coordination feedback", number, feedback)
            coordination = {
                **coordination,
                "status": "HANDLED",
                "version": coordination["version"] + 1,
                "updatedAt": stamp(self._platform.now()),
            }
            store.put("coordination", number, coordination)
            self._platform.count("creations.coordination_feedback")
        return 200, {"coordinationId": number, "version": coordination["version"]}

    # --- departments and items

    def departments(self, _call: _Call) -> _Answer:
        """Return all departments, with an ETag."""
        return 200, _Tagged(list(self._platform.departments.values()))

    def items(self, _call: _Call) -> _Answer:
        """Return all inspection items, with an ETag."""
        return 200, _Tagged(list(self._platform.items.values()))

    # --- inside

    def _know_departments(self, codes: list[str]) -> None:
        for code in codes:
            if code not in self._platform.departments:
                raise RefusedError(400, "UNKNOWN_DEPARTMENT", f"no department {code!r}")

    def _found(self, kind: str, call: _Call) -> Document:
        document = self._platform.store.get(kind, call.path["id"])
        if document is None:
            raise RefusedError(404, "NOT_FOUND", f"no {kind} {call.path['id']}")
        return document


class _Tagged:
    """A whole list with its ETag."""

    def __init__(self, items: list[Any]) -> None:
        self.body = msgspec.json.encode({"items": items})
        self.tag = f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'

    def answer(self, known: str | None) -> Response:
        tags = {tag.strip().removeprefix("W/") for tag in (known or "").split(",")}
        if self.tag in tags or "*" in tags:
            return Response(status_code=304, headers={"ETag": self.tag})
        return Response(self.body, headers={"ETag": self.tag}, media_type="application/json")


def _after(call: _Call) -> float | None:
    """Return the lowest sort value strictly later than updatedAfter, in steps of a microsecond."""
    text = call.parameters.get("updatedAfter")
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise RefusedError(400, "BAD_REQUEST", f"updatedAfter {text!r} is not ISO 8601 with offset")
    return sort_value(text) + 0.000_001


def _subject_code(call: _Call) -> str:
    return msgspec.convert(call.path["id"], SubjectCode)


def _json(status: int, content: object) -> Response:
    if status == 204 or isinstance(content, _Tagged):
        return Response(status_code=status)
    return Response(msgspec.json.encode(content), status, media_type="application/json")
