"""The 12-point system (12分制): what a finding costs, which dozens are full, and until when points can be repaired."""

from datetime import datetime
from decimal import Decimal

from hub.domain.calendar import beijing_day
from hub.domain.deadlines import due
from hub.domain.errors import PointsInvalid, PolicyMissing
from hub.domain.policy import Policy
from hub.domain.policy_values import Item, PointsPolicy

_HALF = Decimal("0.5")


def points_for(finding_points: Decimal | None, item: Item | None, severity: str | None, policy: Policy) -> Decimal:
    """Return the regulatory points that a finding costs, exact, in steps of 0.5 (义乌市信用监管实施暂行办法).

    The finding's own points win, then the item's, then the tier of the finding's severity, then of the item's. Raise
    PointsInvalid for points that are negative or no step of 0.5, PolicyMissing where nothing names any.
    """
    if finding_points is not None:
        return _halves(finding_points, "a finding")
    if item is not None and item.points is not None:
        return _halves(item.points, f"item {item.code}")
    tier = severity or (item.severity if item else None)
    if tier is not None and tier in policy.points.tiers:
        return policy.points.tiers[tier]
    name = item.code if item else "of no known code"
    raise PolicyMissing(f"item {name}: neither points nor severity ({tier or 'none'}) are known; add it to items.csv")


def _halves(points: Decimal, whose: str) -> Decimal:
    if not points.is_finite() or points < 0 or points % _HALF:
        raise PointsInvalid(f"{whose} names {points} points; points come in steps of 0.5, none below 0")
    return points


def full_dozens(points: Decimal, policy: PointsPolicy) -> int:
    """Return how many dozens the points of one period have filled: 33 are 2; whether 12 itself fills one is policy."""
    if points <= 0:
        return 0
    full, rest = divmod(points, policy.dozen)
    return int(full) - (policy.dozen_counts_at == "exceed" and rest == 0)


def standing_points(points: Decimal, policy: PointsPolicy) -> Decimal:
    """Return the points that no full dozen has used up: of 33, 9."""
    return points - full_dozens(points, policy) * policy.dozen


def period_of(occurred_at: datetime) -> str:
    """Return the period that points taken for something at this instant belong to: the Beijing year, as in "2019"."""
    return str(beijing_day(occurred_at).year)


def repair_until(occurred_at: datetime, policy: Policy) -> datetime:
    """Return the last second, Beijing, at which a repair may have been completed: one year on, the same day included."""
    return due(policy.points.repair_within, occurred_at, policy.calendar).at
