"""Named reads of coordinations, which live on two platforms, and of joint inspections."""

from sqlalchemy import Connection, and_, or_, select

from hub.mirror import queries
from hub.mirror.queries import OBLIGATION
from hub.mirror.tables import TABLES

COORDINATION, TOWN, REQUEST = (TABLES[name] for name in ("Coordination", "TownCoordination", "CampaignRequest"))


def coordinations_unsettled(connection: Connection, rule: str, after: str, limit: int) -> list[str]:
    """Return issued coordinations that were never passed on, handled ones that the ledger knows nothing of, and those that the rule
    knows in another version."""
    never = and_(COORDINATION.c.status == "ISSUED", ~queries.settled_at(rule, COORDINATION, "coordination_id"))
    of_rule = (OBLIGATION.c.rule == rule) & (OBLIGATION.c.cause == COORDINATION.c.coordination_id)
    lost = and_(COORDINATION.c.status == "HANDLED", ~select(1).where(of_rule).exists())
    return queries.unsettled_in(connection, rule, COORDINATION, "coordination_id", (never, lost), after, limit)


def town_answers_unsettled(connection: Connection, rule: str, dispatch: str, after: str, limit: int) -> list[str]:
    """Return coordinations that a town has handled and whose feedback was derived never, or from another version of the town's.

    Which one is whose is known by the number that the coordination was passed on with.
    """
    passed_on = OBLIGATION.alias("passed_on")
    given = (OBLIGATION.c.rule == rule) & (OBLIGATION.c.cause == passed_on.c.cause)
    town, handled = TOWN.c.out_no == passed_on.c.number, TOWN.c.status == "HANDLED"
    asked = select(1).where(given).exists()
    present = select(1).where(given, OBLIGATION.c.cause_version == TOWN.c.version).exists()
    behind = or_(COORDINATION.c.status == "ISSUED", COORDINATION.c.updated_at < TOWN.c.updated_at)
    waits = select(1).where(COORDINATION.c.coordination_id == passed_on.c.cause, behind).exists()
    never = select(1).where(town, handled, ~present, waits).exists()
    outdated = and_(asked, select(1).where(town, ~present).exists())
    wanted = [(passed_on.c.cause, and_(passed_on.c.rule == dispatch, condition)) for condition in (never, outdated)]
    return queries.first_causes(connection, wanted, after, limit)


def campaigns_unsettled(connection: Connection, rule: str, after: str, limit: int) -> list[str]:
    """Return requests for joint inspections that were never derived."""
    never = ~queries.settled_at(rule, REQUEST, "request_no")
    return queries.unsettled_in(connection, rule, REQUEST, "request_no", (never,), after, limit)
