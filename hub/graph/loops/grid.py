"""What happened to a grid event, and to a coordination on both its sides."""

from collections.abc import Iterator

from hub.graph.loops.happening import Happening, Past, entered
from schema.entities import Coordination, CoordinationStatus, EventStatus, GridEvent, TownCoordination, TownCoordinationStatus
from schema.step_kinds import StepKind as K

EVENT_STATES = {
    EventStatus.SENT: K.EVENT_SENT,
    EventStatus.ACCEPTED: K.EVENT_ACCEPTED,
    EventStatus.HANDLED: K.EVENT_HANDLED,
    EventStatus.RETURNED: K.EVENT_RETURNED,
    EventStatus.TRANSFERRED: K.EVENT_TRANSFERRED,
    EventStatus.CLOSED: K.EVENT_CLOSED,
}
TOWN_STATES = {
    TownCoordinationStatus.ISSUED: K.TOWN_ASKED,
    TownCoordinationStatus.ACCEPTED: K.TOWN_ACCEPTED,
    TownCoordinationStatus.HANDLED: K.TOWN_HANDLED,
}
COORDINATION_STATES = {CoordinationStatus.ISSUED: K.COORDINATION_ISSUED, CoordinationStatus.HANDLED: K.COORDINATION_ANSWERED}


def of_event(one: GridEvent, past: Past) -> Iterator[Happening]:
    """Tell of a grid event: reported, then each state it came into; awaited until it is answered."""
    yield Happening(K.EVENT_REPORTED, one.reported_at, one.event_no, f"{one.town}, {one.title}", f"{one.town}，{one.title}")
    for kind, at in entered(one, past, "status", EVENT_STATES):
        due_at = one.limit_at if kind in {K.EVENT_HANDLED, K.EVENT_TRANSFERRED} else None
        yield Happening(kind, at, one.event_no, one.title, due_at=due_at)
    if one.status in {EventStatus.REPORTED, EventStatus.SENT, EventStatus.ACCEPTED}:
        yield Happening(K.AWAITED, None, one.event_no, "answer to the event", "事件处理结果", due_at=one.limit_at)


def of_coordination(one: Coordination, past: Past) -> Iterator[Happening]:
    """Tell of a coordination at the department."""
    for kind, at in entered(one, past, "status", COORDINATION_STATES):
        due_at = one.due_at if kind is K.COORDINATION_ANSWERED else None
        yield Happening(kind, at, one.coordination_id, f"{one.town}, {one.category}", f"{one.town}，{one.category}", due_at=due_at)
    if one.status is CoordinationStatus.ISSUED:
        yield Happening(K.AWAITED, None, one.coordination_id, "answer of the town", "镇街协管结果", due_at=one.due_at)


def of_town(one: TownCoordination, past: Past) -> Iterator[Happening]:
    """Tell of a coordination at the town."""
    for kind, at in entered(one, past, "status", TOWN_STATES):
        due_at = one.limit_at if kind is K.TOWN_HANDLED else None
        yield Happening(kind, at, one.town_no, f"{one.town}, {one.category}", f"{one.town}，{one.category}", due_at=due_at)
