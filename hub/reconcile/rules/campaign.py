"""A joint random inspection that was asked for through the graph (跨部门"双随机") is drawn on the enforcement platform, once.

Key: request. Due: at once. Proof: the platform's own campaign with our number.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from hub.mirror import coordination_queries, ledger, queries
from hub.mirror.ops_list import Trouble
from hub.mirror.rows import Rows, content_of
from hub.reconcile.rule import Changes, Owed, Rule, Rulebook, Verdict, said_in
from schema.commands import CreateCampaign
from schema.entities import Campaign, CampaignRequest, Obligation
from schema.entity import Observation
from schema.identifiers import outgoing_number

NAME = "campaign"
PREFIX = "CA"


class Facts(NamedTuple):
    """A request, and campaigns with our number."""

    request: CampaignRequest
    campaigns: Sequence[Campaign]


def key_for(request_no: str) -> str:
    """Return the key of what a request asks for."""
    return f"{NAME}:{request_no}"


def campaign_number(request_no: str) -> str:
    """Return the number that the campaign of a request carries on the enforcement platform."""
    return outgoing_number(PREFIX, key_for(request_no))


class CampaignDrawn(Rule[Facts]):
    """A joint inspection is asked for -> a campaign, enforcement; key: request."""

    name = NAME
    prefix = PREFIX
    cause_entity = "CampaignRequest"

    def causes(self, observation: Observation) -> Iterable[str]:
        """A request."""
        record = observation.record
        return [record.request_no] if isinstance(record, CampaignRequest) else []

    def linked(self, connection: Connection, rows: Rows, changes: Changes) -> Iterable[str]:
        """A campaign, which names its request by our number only."""
        numbers = {
            one.record.external_no for one in said_in(changes) if isinstance(one.record, Campaign) and one.record.external_no
        }
        return ledger.causes_having(connection, NAME, "number", numbers)

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return requests with the campaigns that carry their number."""
        requests = {
            no: one for no, (one,) in queries.records_where(connection, rows, CampaignRequest, "request_no", causes).items()
        }
        numbers = [campaign_number(no) for no in requests]
        campaigns = queries.records_where(connection, rows, Campaign, "external_no", numbers)
        return {no: Facts(one, campaigns.get(campaign_number(no), [])) for no, one in requests.items()}

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe one campaign; a request never changes."""
        request, key = facts.request, key_for(facts.request.request_no)
        owed = Owed(
            key=key,
            platform="enforcement",
            kind="CreateCampaign",
            command=CreateCampaign(
                external_no=self.number(key),
                title=request.title,
                departments=request.departments,
                industry=request.industry,
                town=request.town,
                grades=request.grades,
                subjects=request.subjects,
                officers_per_task=request.officers_per_task,
                due_at=request.due_at,
            ),
            due=book.policy.due(NAME, None, request.requested_at),
            subject_code=None,
        )
        first = min((one.campaign_id for one in facts.campaigns), default=None)
        troubles = (_doubled(request, facts.campaigns),) if len(facts.campaigns) > 1 else ()
        return Verdict(version=request.version, owed=(owed,), proven={key: first} if first else {}, troubles=troubles)

    def shows(self, facts: Facts) -> str | None:
        """The request."""
        return content_of(facts.request).decode()

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Requests that were never derived."""
        return coordination_queries.campaigns_unsettled(connection, NAME, after, limit)


def _doubled(request: CampaignRequest, campaigns: Sequence[Campaign]) -> Trouble:
    ids = ", ".join(sorted(one.campaign_id for one in campaigns))
    return Trouble(
        kind="duplicate-campaign",
        cause=request.request_no,
        message=f"request {request.request_no} was drawn more than once: {ids}; a campaign cannot be cancelled, so agree with the "
        f"departments which of them is carried out, and have the tasks of the others cancelled that have not begun",
        distinct=ids,
    )
