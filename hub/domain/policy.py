"""The city's policy: departments, matters, categories, items, points, deadlines, eligibility and calendar, read as a whole.

app.py loads it at start and hands it to the rules; an obligation keeps the version that made it.
docs/policy.md describes the files.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from hub.domain.calendar import WorkingDays, state_council_calendar
from hub.domain.deadlines import OPTIONAL_VARIANTS, RULES, Deadline, Due, due, due_at
from hub.domain.errors import PolicyError, PolicyMissing, PolicyProblem
from hub.domain.policy_rows import read_departments, read_grid_categories, read_items, read_matters
from hub.domain.policy_tables import read_calendar, read_deadlines, read_eligibility, read_points
from hub.domain.policy_values import Department, EligibilityPolicy, GridCategory, Item, Matter, PointsPolicy, row_of

T = TypeVar("T")
POLICY_FILES = (
    "departments.csv",
    "matters.csv",
    "grid_categories.csv",
    "items.csv",
    "points.toml",
    "deadlines.toml",
    "eligibility.toml",
    "calendar.toml",
)
DEFAULT_FOLDER = Path(__file__).with_name("policy")


@dataclass(frozen=True)
class Policy:
    """All policy of one moment. `version` is a short hash over the bytes of its files.

    Look-ups take the Beijing date for which they are asked; without one they give the latest row, ended or not, which is
    right for names and wrong for decisions.
    """

    departments: tuple[Department, ...]
    matters: tuple[Matter, ...]
    categories: tuple[GridCategory, ...]
    items: tuple[Item, ...]
    points: PointsPolicy
    deadlines: tuple[Deadline, ...]
    eligibility: EligibilityPolicy
    calendar: WorkingDays
    version: str

    def department(self, code: str, on: date | None = None) -> Department | None:
        """Return the department, or None for a code that no row names."""
        return row_of(self._departments.get(code, ()), on)

    def matter(self, code: str, on: date | None = None) -> Matter | None:
        """Return the matter, or None for a code that no row names: that goes to the ops list."""
        return row_of(self._matters.get(code, ()), on)

    def item(self, code: str, on: date | None = None) -> Item | None:
        """Return the inspection item, or None for a code that no row names."""
        return row_of(self._items.get(code, ()), on)

    def route(self, category: str, on: date | None = None) -> GridCategory | None:
        """Return the category's row with its department, or None for one that no row names: that goes to the ops list."""
        return row_of(self._categories.get(category, ()), on)

    def case_unit(self, department: str, on: date | None = None) -> str:
        """Return the code of the unit that takes the department's penalty cases: itself where policy names no other."""
        row = self.department(department, on)
        return row.case_unit if row else department

    def deadline(self, rule: str, variant: str | None = None) -> Deadline:
        """Return the rule's deadline; for an optional variant without a table of its own, the rule's.

        Raise ValueError for a rule or variant that the hub does not have, PolicyMissing where no table speaks.
        """
        if rule not in RULES or variant not in {None, *RULES[rule], *OPTIONAL_VARIANTS.get(rule, ())}:
            raise ValueError(f"deadline {rule!r}, {variant!r}: no such rule; hub/domain/deadlines.py lists them")
        own = self._deadlines.get((rule, variant))
        if own is None and variant in OPTIONAL_VARIANTS.get(rule, ()):
            own = self._deadlines.get((rule, None))
        if own is None:
            raise PolicyMissing(f"no deadline for {rule!r}; add its table to deadlines.toml")
        return own

    def due(self, rule: str, variant: str | None, start: datetime) -> Due:
        """Return when the rule's deadline that begins at start is over, in Beijing time, and whether that is provisional."""
        deadline = self.deadline(rule, variant)
        return due(deadline.after, start, self.calendar)._replace(at=due_at(deadline, start, self.calendar))

    @cached_property
    def _departments(self) -> dict[str, list[Department]]:
        return _by_code((row.code, row) for row in self.departments)

    @cached_property
    def _matters(self) -> dict[str, list[Matter]]:
        return _by_code((row.code, row) for row in self.matters)

    @cached_property
    def _items(self) -> dict[str, list[Item]]:
        return _by_code((row.code, row) for row in self.items)

    @cached_property
    def _categories(self) -> dict[str, list[GridCategory]]:
        return _by_code((row.category, row) for row in self.categories)

    @cached_property
    def _deadlines(self) -> dict[tuple[str, str | None], Deadline]:
        return {(deadline.rule, deadline.variant): deadline for deadline in self.deadlines}


def load_policy(folder: Path = DEFAULT_FOLDER) -> Policy:
    """Return the policy of the folder's files; raise PolicyError, with every problem of every file, unless all are right."""
    files: dict[str, bytes] = {}
    unread: list[PolicyProblem] = []
    for name in POLICY_FILES:
        try:
            files[name] = (folder / name).read_bytes()
        except OSError as error:
            cure = f"cannot be read in {folder} ({error.strerror}); the folder needs all {len(POLICY_FILES)}: copy the package's"
            unread.append(PolicyProblem(name, 1, 1, "", cure))
    return parse_policy(files, unread)


def parse_policy(files: Mapping[str, bytes], unread: Iterable[PolicyProblem] = ()) -> Policy:
    """Return the policy that the files' bytes make; raise PolicyError with all that is wrong, and why a file is not there."""
    problems = list(unread)
    explained = {problem.file for problem in problems}
    absent = [name for name in POLICY_FILES if name not in files]
    problems += [PolicyProblem(name, 1, 1, "", "is not there; give its bytes") for name in absent if name not in explained]

    def source_of(name: str) -> tuple[bytes, list[PolicyProblem]]:
        """An absent file is a problem already: what its emptiness would add is not kept."""
        return (files[name], problems) if name in files else (b"", [])

    departments = read_departments(*source_of("departments.csv"))
    unsure = any(problem.file == "departments.csv" for problem in problems)
    codes = None if unsure and not departments else frozenset(row.code for row in departments)
    matters = read_matters(*source_of("matters.csv"), codes)
    categories = read_grid_categories(*source_of("grid_categories.csv"), codes)
    items = read_items(*source_of("items.csv"), codes)
    points = read_points(*source_of("points.toml"))
    deadlines = read_deadlines(*source_of("deadlines.toml"))
    eligibility = read_eligibility(*source_of("eligibility.toml"))
    years = read_calendar(*source_of("calendar.toml"))
    if problems or points is None or eligibility is None:
        raise PolicyError(tuple(sorted(problems, key=_reading_order)))
    return Policy(
        departments, matters, categories, items, points, deadlines, eligibility, state_council_calendar(years), _version(files)
    )


def _reading_order(problem: PolicyProblem) -> tuple[int, PolicyProblem]:
    return POLICY_FILES.index(problem.file), problem


def _version(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in POLICY_FILES:
        digest.update(f"{name} {len(files[name])}\n".encode() + files[name])
    return digest.hexdigest()[:12]


def _by_code(rows: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for code, row in rows:
        found.setdefault(code, []).append(row)
    return found
