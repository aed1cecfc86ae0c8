"""Makes the values of points.toml, deadlines.toml, eligibility.toml and calendar.toml out of their bytes. policy.py calls it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from hub.domain.calendar import CalendarYear
from hub.domain.deadlines import OPTIONAL_VARIANTS, RULES, Deadline, Hours, Term, parse_hours, parse_term
from hub.domain.errors import PolicyProblem
from hub.domain.policy_text import points_in_halves
from hub.domain.policy_toml import Kind, Table, root_table
from hub.domain.policy_values import SEVERITIES, EligibilityPolicy, PointsPolicy

_AT_ONCE = Term(0, "at once")
_ONE_YEAR = Term(1, "year")
_GRADES = ("A", "B", "C", "D", "E")  # credit.md


def read_points(data: bytes, problems: list[PolicyProblem]) -> PointsPolicy | None:
    """Return the point system; None where the file is no TOML."""
    root = root_table("points.toml", data, problems)
    if root is None:
        return None
    tiers = next((table for table in root.tables() if table.path == ("tiers",)), None)
    if tiers is None:
        root.complain("tiers", "is missing; add a table [tiers] with source and MINOR, GENERAL, MAJOR, SERIOUS")
        tiers = Table(root.file, root.text, ("tiers",), {"source": "-", **dict.fromkeys(SEVERITIES, 1)}, [])
    tiers.only("source", *SEVERITIES)
    keys = ("commitment_breach", "dozen", "dozen_counts_at", "dozen_deduction", "period", "repair_within")
    root.only("source", "tiers", *keys)
    return PointsPolicy(
        tiers={severity: tiers.read(severity, _POINTS, Decimal(1)) for severity in SEVERITIES},
        commitment_breach=root.read("commitment_breach", _POINTS, Decimal(1)),
        dozen=root.read("dozen", _POINTS, Decimal(12)),
        dozen_counts_at=root.read("dozen_counts_at", _COUNTS_AT, "reach"),
        dozen_deduction=root.read("dozen_deduction", _POINTS, Decimal(1)),
        period=root.read("period", _PERIOD, "calendar-year"),
        repair_within=root.read("repair_within", _TERM, _ONE_YEAR),
        source=root.source(),
        tiers_source=tiers.source(),
    )


def read_deadlines(data: bytes, problems: list[PolicyProblem]) -> tuple[Deadline, ...]:
    """Return the deadlines, one for each table; complain about a rule without its tables and about tables without a rule."""
    root = root_table("deadlines.toml", data, problems)
    if root is None:
        return ()
    root.only("source", *RULES)
    found: list[Deadline] = []
    for table in root.tables():
        rule = table.path[0]
        if rule in RULES:
            variants = (*RULES[rule], *OPTIONAL_VARIANTS.get(rule, ()))
            table.only("source", "after", "latest", "hours", *variants)
            found.append(_deadline(table, rule, None))
            found += [_deadline(sub, rule, sub.path[1]) for sub in table.tables() if sub.path[1] in variants]
    known = {(deadline.rule, deadline.variant) for deadline in found}
    for rule, required in RULES.items():
        for variant in (None, *required):
            if (rule, variant) not in known:
                path = rule if variant is None else f"{rule}.{variant}"
                root.complain(rule, f'has no table [{path}]; add it, with after = "1 working day", say, and its source')
    return tuple(found)


def _deadline(table: Table, rule: str, variant: str | None) -> Deadline:
    if variant is not None:
        table.only("source", "after", "latest", "hours")
    latest = table.read("latest", _TERM, _AT_ONCE) if "latest" in table.values else None
    hours = table.read("hours", _HOURS, None) if "hours" in table.values else None
    return Deadline(rule, variant, table.read("after", _TERM, _AT_ONCE), table.source(), latest, hours)


def read_eligibility(data: bytes, problems: list[PolicyProblem]) -> EligibilityPolicy | None:
    """Return who may use commitment; None where the file is no TOML."""
    root = root_table("eligibility.toml", data, problems)
    if root is None:
        return None
    root.only("source", "grades", "max_age_seconds", "live_budget_seconds")
    return EligibilityPolicy(
        grades=root.read("grades", _GRADE_LIST, frozenset()),
        max_age_seconds=root.read("max_age_seconds", _WHOLE_SECONDS, 1),
        live_budget_seconds=root.read("live_budget_seconds", _LIVE_SECONDS, Decimal(1)),
        source=root.source(),
    )


def read_calendar(data: bytes, problems: list[PolicyProblem]) -> tuple[CalendarYear, ...]:
    """Return the years that the file adds to the calendar library's."""
    root = root_table("calendar.toml", data, problems)
    if root is None:
        return ()
    for key, value in root.values.items():
        if key != "source" and not (isinstance(value, dict) and len(key) == 4 and key.isascii() and key.isdecimal()):
            root.complain(key, f"{key!r} is no year; write a table such as [2027] with source, holidays, working_weekends")
    return tuple(_year(table) for table in root.tables() if table.path[0].isdecimal() and len(table.path[0]) == 4)


def _year(table: Table) -> CalendarYear:
    table.only("source", "holidays", "working_weekends")
    year = int(table.path[0])
    holidays = table.read("holidays", _DAYS, ())
    working = table.read("working_weekends", _DAYS, ())
    for key, days in (("holidays", holidays), ("working_weekends", working)):
        for day in days:
            if day.year != year:
                table.complain(key, f"{day} is not in {year}; write it under [{day.year}]", str(day))
    for day in working:
        if day.weekday() < 5:
            table.complain("working_weekends", f"{day} is a {day:%A}; name Saturdays and Sundays that are worked", str(day))
        elif day in holidays:
            table.complain("working_weekends", f"{day} is among the holidays too; keep it in one list", str(day))
    return CalendarYear(year, frozenset(holidays), frozenset(working), table.source())


# --- Kinds of values -------------------------------------------------------------------------------------------------


def _points(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value <= 0:
        raise ValueError(value)
    return points_in_halves(str(value))


def _counts_at(value: object) -> Literal["reach", "exceed"]:
    if value == "reach":
        return "reach"
    if value == "exceed":
        return "exceed"
    raise ValueError(value)


def _period(value: object) -> Literal["calendar-year"]:
    if value == "calendar-year":
        return "calendar-year"
    raise ValueError(value)


def _term(value: object) -> Term:
    if not isinstance(value, str):
        raise ValueError(value)  # noqa: TRY004 - what a file says is wrong in its value, whatever its type
    return parse_term(value)


def _hours(value: object) -> Hours | None:
    if not isinstance(value, str):
        raise ValueError(value)  # noqa: TRY004 - as above
    return parse_hours(value)


def _whole_seconds(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(value)
    return value


def _live_seconds(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 < value < 3:
        raise ValueError(value)
    return Decimal(value)


def _grade_list(value: object) -> frozenset[str]:
    if not isinstance(value, list) or not value or not all(isinstance(grade, str) and grade in _GRADES for grade in value):
        raise ValueError(value)
    return frozenset(value)


def _days(value: object) -> tuple[date, ...]:
    if not isinstance(value, list) or not all(isinstance(day, date) and not isinstance(day, datetime) for day in value):
        raise ValueError(value)
    return tuple(value)


_POINTS = Kind("a number of points above 0 in steps of 0.5, such as 2 or 2.5", _points)
_COUNTS_AT = Kind('"reach" (a dozen counts at 12) or "exceed" (above 12)', _counts_at)
_PERIOD = Kind('"calendar-year"', _period)
_TERM = Kind('"at once", "1 hour", "20 working days" or "1 year"', _term)
_HOURS = Kind('hours of the Beijing day, such as "07:00-22:00"', _hours)
_WHOLE_SECONDS = Kind("a whole number of seconds, 1 or more", _whole_seconds)
# approval.md: the approval system waits at most 3 s for the whole answer.
_LIVE_SECONDS = Kind("a number of seconds above 0 and below 3, the approval system's patience", _live_seconds)
_GRADE_LIST = Kind('a list of grades, such as ["A", "B"]', _grade_list)
_DAYS = Kind("a list of dates without quotes, such as [2027-01-01, 2027-02-07]", _days)
