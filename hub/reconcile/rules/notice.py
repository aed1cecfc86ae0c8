"""What a department tells subjects is pushed to them (通知推送): a notice for each chosen subject, or one for an industry.

Key: request, and subject or industry. Due at once. Proof: the notice with our number in the mirror (zz_notice).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from hub.mirror import ledger as obligations
from hub.mirror import notice_queries, queries
from hub.mirror.rows import Rows, content_of
from hub.reconcile.rule import Changes, Owed, Rule, Rulebook, Verdict, said_in
from schema.commands import AnyCommand, PutNotice
from schema.entities import Notice, NoticeRequest, Obligation
from schema.entity import Observation

NAME = "notice"


class Facts(NamedTuple):
    """A request, and the notices that carry our numbers for it."""

    request: NoticeRequest
    notices: Mapping[str, Notice] = {}


def keys_of(request: NoticeRequest) -> Mapping[str, str | None]:
    """Return the key of each notice that a request asks for, with its subject's code; None for the one of an industry."""
    if not request.subject_codes:
        return {f"{NAME}:{request.request_no}:industry:{request.industry}": None}
    return {f"{NAME}:{request.request_no}:{code}": code for code in request.subject_codes}


class Notices(Rule[Facts]):
    """A notice is asked for -> zz_notice, self-governance; key: request and subject, or industry."""

    name = NAME
    prefix = "NO"
    cause_entity = "NoticeRequest"

    def causes(self, observation: Observation) -> Iterable[str]:
        """A request."""
        record = observation.record
        return [record.request_no] if isinstance(record, NoticeRequest) else []

    def linked(self, connection: Connection, rows: Rows, changes: Changes) -> Iterable[str]:
        """Requests of which a notice was seen."""
        seen = [each.record.notice_no for each in said_in(changes) if isinstance(each.record, Notice)]
        return obligations.causes_having(connection, NAME, "number", seen)

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return requests with the notices that carry our numbers for them."""
        requests = {no: one for no, (one,) in queries.records_where(connection, rows, NoticeRequest, "request_no", causes).items()}
        numbers = {no: [self.number(key) for key in keys_of(one)] for no, one in requests.items()}
        wanted = [number for some in numbers.values() for number in some]
        found = {number: one for number, (one,) in queries.records_where(connection, rows, Notice, "notice_no", wanted).items()}
        return {no: Facts(one, {each: found[each] for each in numbers[no] if each in found}) for no, one in requests.items()}

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe each notice; a request is made once and never changes."""
        request = facts.request
        keys = keys_of(request)
        numbers = {key: self.number(key) for key in keys}
        return Verdict(
            version=request.version,
            owed=tuple(self._owed(request, key, code, book) for key, code in keys.items()),
            proven={key: number for key, number in numbers.items() if number in facts.notices},
        )

    def _owed(self, request: NoticeRequest, key: str, code: str | None, book: Rulebook) -> Owed:
        return Owed(
            key=key,
            platform="selfgov",
            kind="PutNotice",
            command=PutNotice(
                notice_no=self.number(key),
                code=code,
                industry=request.industry,
                title=request.title,
                content=request.content,
                issued_at=request.requested_at,
                department=request.department_code,
            ),
            due=book.policy.due(NAME, None, request.requested_at),
            subject_code=code,
        )

    def material(self, command: AnyCommand) -> str | None:
        """The notice's title."""
        return f"notice '{command.title}'" if isinstance(command, PutNotice) else None

    def shows(self, facts: Facts) -> str | None:
        """The request."""
        return content_of(facts.request).decode()

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Requests that were never derived."""
        return notice_queries.requests_unsettled(connection, NAME, after, limit)
