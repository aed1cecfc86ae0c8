"""Whether the policy files can be used as a whole, and how far the calendar of working days reaches."""

from datetime import date, datetime
from pathlib import Path

from hub.doctor.findings import Finding, fine, problem, warning
from hub.domain.calendar import WorkingDays, beijing_day
from hub.domain.errors import PolicyError
from hub.domain.policy import DEFAULT_FOLDER, load_policy

LOOKS_AHEAD = 60
"""Working days of the longest deadline: the check of an approval by the standard procedure (deadlines.toml)."""
PUBLISHED = "the State Council publishes a year's holidays in the November before it"


def policy_findings(folder: Path | None, now: datetime) -> list[Finding]:
    """Return everything wrong in the policy files, or that they are read and how far the calendar reaches."""
    try:
        policy = load_policy(folder or DEFAULT_FOLDER)
    except PolicyError as error:
        return [
            problem("policy", f"{each.file}, line {each.line}", f"column {each.column}{each.name and f' ({each.name})'}", each.cure)
            for each in error.problems
        ]
    rows = len(policy.departments) + len(policy.matters) + len(policy.items) + len(policy.categories)
    read = fine(
        "policy", str(folder or "the package's own"), f"{rows} rows and all tables are right, version {policy.version[:12]}"
    )
    return [read, calendar_finding(policy.calendar, beijing_day(now), folder)]


def calendar_finding(calendar: WorkingDays, today: date, folder: Path | None) -> Finding:
    """Return whether deadlines that begin today are sure, or counted by weekdays from some day on."""
    last = max(calendar.known_years)
    add = f"add the year to calendar.toml in {folder or 'a copy of the policy files that HUB_POLICY_DIR names'}"
    cure = f"update the hub, or {add}: docs/policy.md; {PUBLISHED}"
    if today.year > last:
        return problem("calendar", str(last), f"ended with {last}: every deadline is counted by weekdays, and provisional", cure)
    if calendar.working_days_after(today, LOOKS_AHEAD).provisional:
        told = f"ends with {last}: deadlines of {LOOKS_AHEAD} working days pass it, are counted by weekdays there, and provisional"
        return warning("calendar", str(last), told, cure)
    return fine("calendar", str(last), f"holidays are known to the end of {last}")
