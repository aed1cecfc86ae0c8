"""Commands that the enforcement platform carries out (platforms/enforcement.md).

Creations are not idempotent there: the same number twice makes two tasks, and officers are sent twice. A creation is
therefore always looked up first, and after an unknown outcome made again only when a look-up that finds nothing proves that
nothing was made. Writes that replace what is there wait as well, so that a late earlier call cannot overtake a later one.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import httpx
import msgspec

from connectors.base import Clock, Item, Receipt
from connectors.enforcement_calls import EnforcementCalls, encoded, fields_of, said, target
from connectors.enforcement_records import read_campaign
from connectors.enforcement_settings import EnforcementSettings
from connectors.enforcement_values import PLATFORM
from connectors.errors import ConnectorError, PermanentError, TransientError
from connectors.http import UnusableError
from connectors.record_fields import instant, text
from schema.commands import (
    AnyCommand,
    CancelTask,
    CreateCampaign,
    CreateTask,
    FileLink,
    GiveCoordinationFeedback,
    PutKeySubject,
    RemoveKeySubject,
    TaskSubject,
)
from schema.entities import Campaign
from schema.entity import Observation

BEIJING: Final = timezone(timedelta(hours=8))
LAST: Final = datetime.max.replace(tzinfo=UTC)


class EnforcementCommands:
    """Makes commands true, each exactly once."""

    def __init__(self, calls: EnforcementCalls, settings: EnforcementSettings, clock: Clock) -> None:
        self._calls, self._settings, self._clock = calls, settings, clock
        self._fresh: dict[tuple[str, str], tuple[datetime, str]] = {}

    async def ensure(self, command: AnyCommand, unknown_since: datetime | None) -> Receipt:
        """Make a command true. Raises what `Connector.ensure` raises."""
        match command:
            case CreateTask():
                return await self._create("tasks", "taskId", command.external_no, _task(command), unknown_since)
            case CreateCampaign():
                made = await self._create("campaigns", "campaignId", command.external_no, _campaign(command), unknown_since)
                return msgspec.structs.replace(made, shows=await self._drawn(made.reference, command.external_no))
            case CancelTask():
                return await self._cancel(command)
            case PutKeySubject() | RemoveKeySubject() | GiveCoordinationFeedback():
                self._wait_out(f"{type(command).__name__}", unknown_since, self._settings.carried_out_after, self._clock())
                return await self._replace(command)
            case _:
                kind = type(command).__name__
                message = f"the enforcement platform carries out no {kind}; send it to its own platform"
                raise PermanentError(PLATFORM, "NOT_OURS", message)

    async def _create(
        self, kind: str, id_field: str, external_no: str, body: dict[str, Any], unknown_since: datetime | None
    ) -> Receipt:
        looked_at = self._clock()  # before the look-up: what it cannot see yet may have been made until then
        oldest = await self._oldest(kind, id_field, external_no) or self._made_lately(kind, external_no, looked_at)
        if oldest is not None:
            return Receipt(reference=oldest, repeated=True)
        self._wait_out(f"{kind} {external_no}", unknown_since, self._settings.visible_after, looked_at)

        def judge(response: httpx.Response) -> str:
            if response.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
                raise _too_small(external_no, response)
            return _id_in(fields_of(response), id_field)

        found = (httpx.codes.UNPROCESSABLE_ENTITY,) if kind == "campaigns" else ()
        repeat_after = self._settings.visible_after
        made = await self._calls.write(f"POST {kind}", "POST", target(kind), body, judge, found=found, repeat_after=repeat_after)
        self._fresh[kind, external_no] = self._clock(), made
        return Receipt(reference=made)

    async def _drawn(self, campaign_id: str, external_no: str) -> tuple[Item, ...]:
        """Return a campaign as it was drawn, for no list tells of it; nothing where it cannot be read: it is there all the same.

        The page does not say that an answer holds our number: a campaign that we made has it.
        """
        try:
            drawn = await self._calls.read(
                "GET campaigns/id",
                target(f"campaigns/{encoded(campaign_id)}"),
                lambda response: read_campaign(fields_of(response), self._clock()),
            )
        except ConnectorError:
            return ()
        if isinstance(drawn, Observation) and isinstance(drawn.record, Campaign) and drawn.record.external_no is None:
            drawn = Observation(record=msgspec.structs.replace(drawn.record, external_no=external_no))
        return (drawn,)

    def _made_lately(self, kind: str, external_no: str, now: datetime) -> str | None:
        """Return the id of what we made ourselves so lately that no query shows it yet.

        One more lock on the door: after a restart the ledger's `unknown_since` holds it alone.
        """
        invisible_since = now - timedelta(seconds=self._settings.visible_seconds + self._settings.margin_seconds)
        self._fresh = {number: made for number, made in self._fresh.items() if made[0] >= invisible_since}
        _, reference = self._fresh.get((kind, external_no), (now, None))
        return reference

    async def _oldest(self, kind: str, id_field: str, external_no: str) -> str | None:
        """Return the id of the oldest record with our number, also of one that is unusable otherwise; None if there is none."""
        # Never shared with a read under way: that one may have begun before an earlier call could be seen.
        listing = await self._calls.listed(f"GET {kind} by externalNo", target(kind, externalNo=external_no))
        items = [item for item in listing.items if isinstance(item, dict)] if listing is not None else []
        # Null names a task of the platform's own; of a campaign the page does not say what it shows.
        open_ends = (None, "") if kind == "campaigns" else ()
        ours = [item for item in items if item.get("externalNo", external_no) in (external_no, *open_ends)]
        try:
            _, oldest = min(((_created(item), _id_in(item, id_field)) for item in ours), default=(LAST, None))
        except UnusableError as error:
            message = f"{kind} {external_no}: there is one with our number, but {error}"
            raise PermanentError(PLATFORM, "BAD_ANSWER", message) from error
        return oldest

    def _wait_out(self, what: str, unknown_since: datetime | None, settling: timedelta, now: datetime) -> None:
        """Raise TransientError while an earlier call may still come true, or be invisible."""
        if unknown_since is None or (rest := (unknown_since + settling - now).total_seconds()) <= 0:
            return
        message = f"{what}: an earlier call without an answer may still come true; wait {rest:.0f} s"
        raise TransientError(PLATFORM, "NOT_SETTLED", message, rest)

    async def _cancel(self, command: CancelTask) -> Receipt:
        path = f"tasks/{encoded(command.task_id)}"
        conflict = (httpx.codes.CONFLICT,)

        def judge(response: httpx.Response) -> bool:
            return response.status_code == httpx.codes.CONFLICT

        body = {"reason": command.reason}
        if not await self._calls.write("POST cancel", "POST", target(f"{path}/cancel"), body, judge, found=conflict):
            return Receipt(reference=command.task_id)
        task = await self._calls.read("GET task", target(path), fields_of)
        status = str(task.get("status"))
        if status == "CANCELLED":
            return Receipt(reference=command.task_id, repeated=True)
        if status in {"PENDING", "DISPATCHED"}:
            # Such a task can be cancelled: what we read is older than what refused us.
            message = f"cancel {command.task_id}: refused, but the task still shows {status}"
            raise TransientError(PLATFORM, "NOT_VISIBLE_YET", message, self._settings.visible_seconds + 1)
        raise PermanentError(PLATFORM, "NOT_POSSIBLE", f"cancel {command.task_id}: not possible, the task is {status}")

    async def _replace(self, command: PutKeySubject | RemoveKeySubject | GiveCoordinationFeedback) -> Receipt:
        repeat_after = self._settings.carried_out_after
        if isinstance(command, GiveCoordinationFeedback):
            path = target(f"coordinations/{encoded(command.coordination_id)}/feedback")
            body = {
                "gridNo": command.grid_no,
                "result": command.result,
                "opinion": command.opinion,
                "handledAt": written(command.handled_at),
            }
            await self._calls.write("POST feedback", "POST", path, body, _nothing, repeat_after=repeat_after)
            return Receipt(reference=command.coordination_id)
        path = target(f"key-subjects/{encoded(command.code)}")
        if isinstance(command, PutKeySubject):
            entry = {"reason": command.reason, "since": command.since.isoformat(), "ref": command.ref}
            await self._calls.write("PUT key-subject", "PUT", path, entry, _nothing, repeat_after=repeat_after)
            return Receipt(reference=command.code)
        absent = (httpx.codes.NOT_FOUND,)
        was_absent = await self._calls.write(
            "DELETE key-subject", "DELETE", path, None, _is_absent, found=absent, repeat_after=repeat_after
        )
        return Receipt(reference=command.code, repeated=was_absent)


def written(at: datetime) -> str:
    """Return a moment as ISO 8601 with Beijing's offset."""
    return at.astimezone(BEIJING).isoformat()


def _task(command: CreateTask) -> dict[str, Any]:
    return {
        "externalNo": command.external_no,
        "type": command.type.value,
        "title": command.title,
        "subjects": [_subject(subject) for subject in command.subjects],
        "department": command.department,
        "participants": command.participants,
        "dueAt": written(command.due_at),
        "origin": {"platform": command.origin_platform, "ref": command.origin_ref},
        "checklist": command.checklist,
        "attachments": [_file(file) for file in command.attachments],
        "urgency": command.urgency,
    }


def _subject(subject: TaskSubject) -> dict[str, str | None]:
    named = {"code": subject.code, "name": subject.name}
    return named if subject.address is None else {**named, "address": subject.address}


def _file(file: FileLink) -> dict[str, str]:
    return {"name": file.name, "url": file.url, "md5": file.md5 or ""}


def _campaign(command: CreateCampaign) -> dict[str, Any]:
    return {
        "externalNo": command.external_no,
        "title": command.title,
        "departments": command.departments,
        "pool": {"industry": command.industry, "town": command.town, "grades": command.grades},
        "subjects": command.subjects,
        "officersPerTask": command.officers_per_task,
        "dueAt": written(command.due_at),
    }


def _too_small(external_no: str, response: httpx.Response) -> PermanentError:
    """Return the refusal of a campaign whose pool is too small (422), with what can be done about it."""
    _, message = said(response)
    way_out = "retry when the pool has grown, or waive this and ask under another number for fewer subjects or a wider pool"
    return PermanentError(PLATFORM, "POOL_TOO_SMALL", f"campaign {external_no}: the pool is too small ({message}); {way_out}")


def _id_in(content: dict[str, Any], id_field: str) -> str:
    try:
        if found := text(content.get(id_field)):
            return found
    except ValueError:
        pass
    raise UnusableError(f"the answer has no {id_field}")


def _created(item: dict[str, Any]) -> datetime:
    try:
        return instant(item.get("createdAt"))
    except (ValueError, OverflowError):
        return LAST


def _nothing(response: httpx.Response) -> None:
    """The status says it all."""


def _is_absent(response: httpx.Response) -> bool:
    return response.status_code == httpx.codes.NOT_FOUND
