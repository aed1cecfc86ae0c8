"""Commands that the grid platform carries out: accepting and answering events, issuing coordinations.

All three are idempotent by the platform's own doing: a repetition gets code 8 and the numbers that stand. Still an accept is
repeated only when the call before it is settled: two of them on their way, the later one can be carried out after the event was
answered, returned and sent once more, and its task would stand for that sending too.
"""

from datetime import datetime

from lxml import etree

from connectors.base import Receipt
from connectors.errors import ConnectorError, PermanentError
from connectors.grid_calls import DONE, IMPOSSIBLE, REPEATED, GridCalls, Said
from connectors.grid_records import PLATFORM, compact
from connectors.soap import build, carriable, child, text_of
from schema.commands import AcceptEvent, AnyCommand, FeedbackEvent, FileLink, IssueCoordination


async def ensure(calls: GridCalls, command: AnyCommand, unknown_since: datetime | None) -> Receipt:
    """Make a command true. Raises what `Connector.ensure` raises."""
    match command:
        case AcceptEvent():
            calls.wait_out(f"AcceptEvent {command.event_no}", unknown_since)
            return await _accept(calls, command)
        case FeedbackEvent():
            return await _feed_back(calls, command)
        case IssueCoordination():
            return await _issue(calls, command)
        case _:
            kind = type(command).__name__
            raise PermanentError(PLATFORM, "NOT_OURS", f"the grid platform carries out no {kind}; send it to its own platform")


async def _accept(calls: GridCalls, command: AcceptEvent) -> Receipt:
    fields = {
        "no": command.event_no,
        "taskNo": command.task_id,
        "deptCode": command.department,
        "time": compact(command.accepted_at),
    }
    said = await calls.write("AcceptEvent", fields, codes=(DONE, IMPOSSIBLE, REPEATED), settled=True)
    return await _event_receipt(calls, "AcceptEvent", said, command.event_no, command.task_id)


async def _feed_back(calls: GridCalls, command: FeedbackEvent) -> Receipt:
    fields: dict[str, str | etree._Element] = {
        "no": command.event_no,
        "taskNo": command.task_id,
        "result": command.result,
        "opinion": command.opinion,
        "handler": command.handler,
        "time": compact(command.handled_at),
        "files": _files(command.files),
    }
    said = await calls.write("FeedbackEvent", fields, codes=(DONE, IMPOSSIBLE, REPEATED))
    return await _event_receipt(calls, "FeedbackEvent", said, command.event_no, command.task_id)


async def _issue(calls: GridCalls, command: IssueCoordination) -> Receipt:
    fields = {
        "outNo": command.out_no,
        "deptCode": command.department,
        "town": command.town,
        "category": command.category,
        "content": command.content,
        "limitTime": compact(command.limit_at),
    }
    said = await calls.write("CreateCoordination", fields)
    if not (number := said.data_text("no")):
        raise PermanentError(PLATFORM, "BAD_ANSWER", f"CreateCoordination {command.out_no}: code {said.code} without a number")
    return Receipt(reference=number, repeated=said.code == REPEATED)


async def _event_receipt(calls: GridCalls, method: str, said: Said, event_no: str, task_no: str) -> Receipt:
    if said.code == DONE:
        return Receipt(reference=event_no)
    if said.code == IMPOSSIBLE:
        state = await _state_of(calls, event_no)
        message = f"{method} {event_no}, task {task_no}: not possible while the event's {state}: {said.message}"
        raise PermanentError(PLATFORM, "NOT_POSSIBLE", message)
    if (stands := said.data_text("taskNo")) != task_no:
        message = (
            f"{method} {event_no}: task {stands or '(none named)'} stands there, not our task {task_no}; settle it with the town"
        )
        raise PermanentError(PLATFORM, "OTHER_TASK", message)
    return Receipt(reference=event_no, repeated=True, proof=True)


async def _state_of(calls: GridCalls, event_no: str) -> str:
    """Return an event's state in words, for people only: what cannot be read now is no new problem."""
    try:
        status = await calls.read("GetEvent", {"no": event_no}, _status)
    except ConnectorError as error:
        return f"status is unknown ({error.code})"
    return f"status is {status}"


def _status(said: Said) -> str:
    event = child(said.data, "event")
    return text_of(None if event is None else child(event, "status")).strip() or "not filled"


def _files(files: tuple[FileLink, ...]) -> etree._Element:
    parent = build("files", {})
    for file in files:
        attributes = {"name": file.name, "url": file.url, "md5": file.md5 or ""}
        etree.SubElement(parent, "file", {name: carriable(value) for name, value in attributes.items()})
    return parent
