"""By when something is due: the terms of deadlines.toml ("20 working days", "at once"), and what date they come to.

Rules ask Policy.deadline for the term and due_at for the instant.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, date, datetime, time, timedelta
from typing import Literal, NamedTuple

from hub.domain.calendar import BEIJING, WorkingDays, beijing_day
from hub.domain.errors import BeyondCalendar

Unit = Literal["at once", "hour", "working day", "year"]
_UNITS: Mapping[str, Unit] = {"hour": "hour", "working day": "working day", "year": "year"}

# The rules of DOMAIN.md ("What must follow from what") and, for each, the sub-tables that it must have beside its own table.
# `check` is the deadline of the task's check, where the rule's own is that of making the task.
RULES: Mapping[str, tuple[str, ...]] = {
    "approval-verification": ("commitment", "standard"),
    "verification-result": (),
    "breach-record": (),
    "comprehensive-deduction": (),
    "responsible-person": (),
    "commitment-blacklist": (),
    "key-supervision": (),
    "key-supervision-off": (),
    "task-cancelled": (),
    "unknown-officer-department": (),
    "approval-revoked": (),
    "score-state": (),
    "recheck": ("check",),
    "penalty-referral": ("check",),
    "grid-dispatch": ("level-1", "check"),
    "grid-feedback": (),
    "coordination-dispatch": (),
    "coordination-feedback": (),
    "campaign": (),
    "score-notice": ("sms",),
    "repair": (),
    "notice": (),
    "figures-inspection": ("check",),
}
# Sub-tables that a rule may have; without them its own table speaks.
OPTIONAL_VARIANTS: Mapping[str, tuple[str, ...]] = {"grid-dispatch": ("level-2", "level-3", "level-4")}


@dataclass(frozen=True, slots=True)
class Term:
    """A length of time as the law states it; `at once` has amount 0."""

    amount: int
    unit: Unit

    def __str__(self) -> str:
        if self.unit == "at once":
            return self.unit
        return f"{self.amount} {self.unit}{'' if self.amount == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of the Beijing day in which something may be done; `until` is the first moment at which it may not."""

    start: time
    until: time

    def moved(self, at: datetime) -> datetime:
        """Return the instant itself if it lies in the hours, else the next beginning of them; in Beijing time."""
        here = at.astimezone(BEIJING)
        if self.start <= here.time() < self.until:
            return here
        day = here.date() if here.time() < self.start else here.date() + timedelta(days=1)
        return datetime.combine(day, self.start, BEIJING)


@dataclass(frozen=True, slots=True)
class Deadline:
    """One table of deadlines.toml: by when (`after`), and where the law adds it, by when at the very latest.

    Where the thing may be done in some `hours` only, a deadline outside of them is moved to their next beginning.
    """

    rule: str
    variant: str | None
    after: Term
    source: str
    latest: Term | None = None
    hours: Hours | None = None


class Due(NamedTuple):
    """An instant in Beijing time; provisional when the working days up to it are not all published yet."""

    at: datetime
    provisional: bool


def parse_term(text: str) -> Term:
    """Return the term that the text states; raise ValueError, saying what could be written, for anything else."""
    if text == "at once":
        return Term(0, "at once")
    match = re.fullmatch(r"([1-9][0-9]{0,3}) (hour|working day|year)s?", text)
    if match is None:
        raise ValueError(f'{text!r} is no term; write "at once", "1 hour", "20 working days" or "1 year"')
    return Term(int(match[1]), _UNITS[match[2]])


def parse_hours(text: str) -> Hours:
    """Return the hours that the text states, as in "07:00-22:00"; raise ValueError, saying what could be written, otherwise."""
    match = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])", text)
    if match is None or match[1] + match[2] >= match[3] + match[4]:
        raise ValueError(f'{text!r} are no hours of one day; write "07:00-22:00"')
    return Hours(time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4])))


def due(term: Term, start: datetime, calendar: WorkingDays) -> Due:
    """Return when the term that begins at start is over, in Beijing time.

    `at once` is start itself; hours are counted to the second; working days and years end with their last day, 23:59:59
    Beijing, the day of start not counted. A year ends on the same calendar day, 29 February on 28 February (民法典 art. 202).
    Raise ValueError for a start without a zone, BeyondCalendar where no such day exists.
    """
    try:
        return _due(term, start, calendar)
    except OverflowError as error:
        raise _beyond(term, start) from error


def _due(term: Term, start: datetime, calendar: WorkingDays) -> Due:
    day = beijing_day(start)
    match term.unit:
        case "at once":
            return Due(start.astimezone(BEIJING), False)
        case "hour":
            return Due(start.astimezone(BEIJING) + timedelta(hours=term.amount), False)
        case "working day":
            last, provisional = calendar.working_days_after(day, term.amount)
            return Due(end_of_day(last), provisional)
        case "year":
            return Due(end_of_day(_years_later(day, term.amount)), False)


def due_at(deadline: Deadline, start: datetime, calendar: WorkingDays) -> datetime:
    """Return the aware instant by which the deadline asks for it: as `due` counts it, moved into its hours where it has some."""
    at = due(deadline.after, start, calendar).at
    try:
        return deadline.hours.moved(at) if deadline.hours else at
    except OverflowError as error:
        raise _beyond(deadline.after, start) from error


def _beyond(term: Term, start: datetime) -> BeyondCalendar:
    return BeyondCalendar(f"{term} from {start.isoformat()}: there is no such day; ask the platform for a deadline that can come")


def end_of_day(day: date) -> datetime:
    """Return the day's last second, 23:59:59 Beijing."""
    return datetime.combine(day, time(23, 59, 59), BEIJING)


def _years_later(day: date, years: int) -> date:
    if day.year + years > MAXYEAR:
        raise OverflowError
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February in a year that has none
        return day.replace(year=day.year + years, day=28)
