"""Named reads of coordinations, which live on two platforms, and of joint inspections."""

from sqlalchemy import Connection, and_, select

from hub.mirror import queries
from hub.mirror.queries import OBLIGATION
from hub.mirror.tables import TABLES

COORDINATION, TOWN, REQUEST = (TABLES[name] for name in ("Coordination", "TownCoordination", "CampaignRequest"))


def coordinations_unsettled(connection: Connection, rule: str, after: str, limit: int) -> list[str]:
    """Return issued coordinations that were never passed on, and those that the rule knows in another version."""
    never = and_(COORDINATION.c.status == "ISSUED", ~queries.settled_at(rule, COORDINATION, "coordination_id"))
    return queries.unsettled_in(connection, rule, COORDINATION, "coordination_id", (never,), after, limit)


def town_answers_unsettled(connection: Connection, rule: str, dispatch: str, after: str, limit: int) -> list[str]:
    """Return coordinations that a town has handled and whose feedback was derived never, or from another version of the town's.

    Which one is whose is known by the number that the coordination was passed on with.
    """
    passed_on = OBLIGATION.alias("passed_on")
    given = (OBLIGATION.c.rule == rule) & (OBLIGATION.c.cause == passed_on.c.cause)
    town, handled = TOWN.c.out_no == passed_on.c.number, TOWN.c.status == "HANDLED"
    asked = select(1).where(given).exists()
    present = select(1).where(given, OBLIGATION.c.cause_version == TOWN.c.version).exists()
    issued = select(1).where(COORDINATION.c.coordination_id == passed_on.c.cause, COORDINATION.c.status == "ISSUED").exists()
    never = and_(issued, select(1).where(town, handled, ~present).exists())
    outdated = and_(asked, select(1).where(town, ~present).exists())
    wanted = [(passed_on.c.cause, and_(passed_on.c.rule == dispatch, condition)) for condition in (never, outdated)]
    return queries.first_causes(connection, wanted, after, limit)


def campaigns_unsettled(connection: Connection, rule: str, after: str, limit: int) -> list[str]:
    """Return requests for joint inspections that were never derived."""
    never = ~queries.settled_at(rule, REQUEST, "request_no")
    return queries.unsettled_in(connection, rule, REQUEST, "request_no", (never,), after, limit)
