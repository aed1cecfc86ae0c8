"""Joint random inspections that front ends ask for: checked, kept as records of source "hub", and what follows owed in the same
transaction. Called by hub/operator.py for the graph (schema/requests.py).

A request is its number: the same number with the same content is answered alike however often, and whatever has changed since
(its time is over, a department is gone); with another content it is refused.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from strawberry.utils.str_converters import to_camel_case

from connectors.base import Item
from hub.domain.calendar import beijing_day
from hub.domain.policy import Policy
from hub.mirror import audit, queries, records
from hub.mirror.audit import Entry
from hub.mirror.database import Database, lock_names
from hub.mirror.rows import Rows
from hub.reconcile.rules.campaign import campaign_number, key_for
from schema.entities import CampaignRequest, Department, Grade
from schema.entity import Observation
from schema.operations import Outcome
from schema.request_inputs import RequestCampaignInput
from schema.user_errors import (
    InThePast,
    NoDepartment,
    OutOfRange,
    RequestConflict,
    UnknownDepartment,
    UnknownGrade,
    UnusableText,
    UserError,
)

SOURCE = "hub"
LONGEST_NUMBER, LONGEST_TEXT = 64, 200
MOST_SUBJECTS, MOST_OFFICERS = 1000, 20
CONTENT = ("title", "departments", "industry", "town", "grades", "subjects", "officers_per_task", "due_at")
"""What makes two requests of one number the same."""

Write = Callable[[Connection, str, str, Sequence[Item]], object]
"""Brings records into the mirror and on to the rules inside a transaction (intake/apply.py): platform, stream, items."""


@dataclass(frozen=True)
class CampaignRequests:
    """Takes requests. `after` is called once something new was committed."""

    database: Database
    rows: Rows
    write: Write
    policy: Callable[[], Policy]
    clock: Callable[[], datetime]
    after: Callable[[], None]

    async def request(self, wanted: RequestCampaignInput, by: str) -> Outcome:
        """Keep a request, once; see `schema.operations.Desk`."""
        outcome = await self.database.write(self._request, wanted, by)
        if outcome.done:
            self.after()
        return outcome

    def _request(self, connection: Connection, wanted: RequestCampaignInput, by: str) -> Outcome:
        now = self.clock()
        if unusable := list(_unusable_texts(wanted)):
            return Outcome(refused=tuple(unusable))
        made = _record(wanted, by, now)
        done = Outcome((made.request_no, key_for(made.request_no)))
        lock_names(connection, [f"{CampaignRequest.__name__}:{made.request_no}"])  # two of one number at once: the second waits
        held = records.get(connection, self.rows, CampaignRequest, [made.request_no]).get(made.request_no)
        if held is not None:
            differs = [name for name in CONTENT if getattr(held, name) != getattr(made, name)]
            return Outcome(refused=(_taken(made.request_no, differs),)) if differs else done
        problems = list(_problems(made, self._departments(connection, now), now))
        if problems:
            return Outcome(refused=tuple(problems))
        self.write(connection, SOURCE, "requests", [Observation(record=made)])
        kind, number = CampaignRequest.__name__, made.request_no
        audit.note(connection, self.rows, Entry(at=now, by=by, action="requestCampaign", kind=kind, target=number, outcome="kept"))
        return done

    def _departments(self, connection: Connection, now: datetime) -> frozenset[str]:
        """Return the departments there are today: policy's, and those that the enforcement platform publishes."""
        policy, today = self.policy(), beijing_day(now)
        published = queries.records_where(connection, self.rows, Department, "source", ["enforcement"])
        ours = {row.code for row in policy.departments if row.holds_on(today)}
        return frozenset(ours | {each.code for group in published.values() for each in group})


def _record(wanted: RequestCampaignInput, by: str, now: datetime) -> CampaignRequest:
    request_no = wanted.request_no.strip()
    return CampaignRequest(
        source=SOURCE,
        observed_at=now,
        version=1,
        request_no=request_no,
        title=wanted.title.strip(),
        departments=tuple(dict.fromkeys(code.strip() for code in wanted.departments)),
        industry=(wanted.industry or "").strip() or None,
        town=(wanted.town or "").strip() or None,
        grades=tuple(sorted({grade.strip() for grade in wanted.grades})),
        subjects=wanted.subjects,
        officers_per_task=wanted.officers_per_task,
        due_at=wanted.due_at,
        requested_by=by,
        requested_at=now,
        external_no=campaign_number(request_no),
    )


def _unusable_texts(wanted: RequestCampaignInput) -> Iterable[UserError]:
    texts = [("request_no", wanted.request_no, LONGEST_NUMBER, True), ("title", wanted.title, LONGEST_TEXT, True)]
    texts += [("industry", wanted.industry or "", LONGEST_TEXT, False), ("town", wanted.town or "", LONGEST_TEXT, False)]
    for name, text, longest, needed in texts:
        wrong = ""
        if needed and not text.strip():
            wrong = "is blank: write something"
        elif len(text) > longest:
            wrong = f"has {len(text)} characters; at most {longest}"
        elif "\x00" in text:
            wrong = "holds a NUL character, which no database keeps"
        if wrong:
            path = to_camel_case(name)
            yield UnusableText(message=f"{path} {wrong}", path=[path], longest=longest)


def _problems(made: CampaignRequest, departments: frozenset[str], now: datetime) -> Iterable[UserError]:
    if not made.departments:
        yield NoDepartment(message="departments is empty: name at least the one in charge", path=["departments"])
    for at, code in enumerate(made.departments):
        if code not in departments:
            message = f"no department '{code}': add it to departments.csv, or name one of those there are"
            yield UnknownDepartment(message=message, path=["departments", str(at)], department=code)
    grades = [grade.value for grade in Grade]
    for at, grade in enumerate(made.grades):
        if grade not in grades:
            message = f"no credit grade '{grade}'; there are {', '.join(grades)}"
            yield UnknownGrade(message=message, path=["grades", str(at)], grade=grade, known=grades)
    for name, number, most in (
        ("subjects", made.subjects, MOST_SUBJECTS),
        ("officersPerTask", made.officers_per_task, MOST_OFFICERS),
    ):
        if not 1 <= number <= most:
            yield OutOfRange(message=f"{name} is {number}; give 1 to {most}", path=[name], least=1, most=most)
    if made.due_at <= now:
        yield InThePast(message=f"dueAt {made.due_at.isoformat()} is over; give a time to come", path=["dueAt"])


def _taken(request_no: str, differs: Sequence[str]) -> UserError:
    names = [to_camel_case(name) for name in differs]
    message = f"request '{request_no}' was made with another {', '.join(names)}; give this one a number of its own"
    return RequestConflict(message=message, path=["requestNo"], number=request_no, differs=names)
