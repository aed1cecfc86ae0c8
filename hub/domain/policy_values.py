"""What one row or one table of the policy files says, once it has been read and checked. Dates are Beijing dates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, TypeVar

from hub.domain.deadlines import Term

R = TypeVar("R", bound="Row")
SEVERITIES = ("MINOR", "GENERAL", "MAJOR", "SERIOUS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What every CSV row may say: where it comes from, and from when until when (both days included) it holds."""

    source: str = ""
    valid_from: date | None = None
    valid_until: date | None = None

    def holds_on(self, day: date) -> bool:
        """Return whether the row holds on the day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True, slots=True)
class Department(Row):
    """A row of departments.csv; `case_unit` is the department that takes its penalty cases, itself where the file names none."""

    code: str
    name: str
    short_name: str
    case_unit: str


@dataclass(frozen=True, slots=True)
class Matter(Row):
    """A row of matters.csv (审批事项)."""

    code: str
    name: str
    department: str
    commitment: bool
    live: bool

    @property
    def allows_commitment(self) -> bool:
        """Whether it may be granted on commitment today: listed for it, and live."""
        return self.commitment and self.live


@dataclass(frozen=True, slots=True)
class GridCategory(Row):
    """A row of grid_categories.csv: the department that a category of grid events goes to."""

    category: str
    name: str
    department: str


@dataclass(frozen=True, slots=True)
class Item(Row):
    """A row of items.csv (检查事项); points in steps of 0.5, None where the severity's tier speaks."""

    code: str
    name: str
    department: str
    points: Decimal | None
    severity: str | None


@dataclass(frozen=True, slots=True)
class PointsPolicy:
    """points.toml (12分制): what breaches cost, how dozens count, and how long a record can be repaired."""

    tiers: Mapping[str, Decimal]
    commitment_breach: Decimal
    dozen: Decimal
    dozen_counts_at: Literal["reach", "exceed"]
    dozen_deduction: Decimal
    repair_within: Term
    source: str
    tiers_source: str
    period: Literal["calendar-year"] = "calendar-year"


@dataclass(frozen=True, slots=True)
class EligibilityPolicy:
    """eligibility.toml: grades that may use commitment, how old credit data may be, and how long a live read may take."""

    grades: frozenset[str]
    max_age_seconds: int
    live_budget_seconds: Decimal
    source: str


def row_of(rows: Iterable[R], on: date | None) -> R | None:
    """Return the row that holds on the day, or None; without a day the latest one, ended or not."""
    if on is not None:
        return next((row for row in rows if row.holds_on(on)), None)
    return max(rows, key=lambda row: row.valid_from or date.min, default=None)
