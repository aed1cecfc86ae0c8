"""Which department a grid event goes to (grid-dispatch)."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from hub.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class Route:
    """Where an event goes, and who says so.

    `differs` is set where the event names another department than its category's route, `category_department` is that
    route's, None where the category is unknown: ops is told of both.
    """

    department: str
    source: Literal["event", "category"]
    differs: bool
    category_department: str | None


def department_for(event_department: str | None, category: str, policy: Policy, on: date | None = None) -> Route | None:
    """Return the event's route: the department that it names itself, else its category's (grid.md, Events).

    None where neither is known: the event waits, and its category goes to the ops list. `on` is the Beijing date of the event.
    """
    row = policy.route(category, on)
    routed = row.department if row else None
    named = (event_department or "").strip()
    if named:
        return Route(named, "event", routed is not None and routed != named, routed)
    return Route(routed, "category", False, routed) if routed else None
