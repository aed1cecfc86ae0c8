"""Named reads of the rules that carry out what front ends asked for: notices, and checks on site of reported figures."""

from sqlalchemy import Connection, and_

from hub.mirror.queries import settled_at, unsettled_in
from hub.mirror.tables import TABLES

CHECK, REQUEST = TABLES["FiguresCheck"], TABLES["NoticeRequest"]


def requests_unsettled(connection: Connection, rule: str, after: str, limit: int) -> list[str]:
    """Return requests for notices that were never derived."""
    return unsettled_in(connection, rule, REQUEST, "request_no", (~settled_at(rule, REQUEST, "request_no"),), after, limit)


def inspections_unsettled(connection: Connection, rule: str, after: str, limit: int) -> list[str]:
    """Return checks of figures that ask for one on site and were never derived."""
    asks = and_(CHECK.c.conclusion == "NONCONFORM", CHECK.c.inspect.is_(True))
    return unsettled_in(connection, rule, CHECK, "check_no", (and_(asks, ~settled_at(rule, CHECK, "check_no")),), after, limit)
