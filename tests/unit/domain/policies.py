"""Policies for tests: one made without any file, and the package's own files to break one by one."""

from decimal import Decimal

from hub.domain.calendar import state_council_calendar
from hub.domain.deadlines import Deadline, Term
from hub.domain.policy import DEFAULT_FOLDER, POLICY_FILES, Policy
from hub.domain.policy_values import Department, EligibilityPolicy, GridCategory, Item, Matter, PointsPolicy

POINTS = PointsPolicy(
    tiers={"MINOR": Decimal(1), "GENERAL": Decimal(3), "MAJOR": Decimal(6), "SERIOUS": Decimal(12)},
    commitment_breach=Decimal(6),
    dozen=Decimal(12),
    dozen_counts_at="reach",
    dozen_deduction=Decimal(2),
    repair_within=Term(1, "year"),
    source="办法",
    tiers_source="办法",
)


def small_policy() -> Policy:
    """Return a policy of two departments, one matter, one category and three items."""
    return Policy(
        departments=(Department("WH", "文旅体局", "文旅", "ZFJ"), Department("ZFJ", "综合行政执法局", "执法", "ZFJ")),
        matters=(Matter("WH-SX01", "印刷经营许可", "WH", commitment=True, live=True),),
        categories=(GridCategory("ZFJ-01", "占道经营", "ZFJ"),),
        items=(
            Item("WH-001", "地址不一致", "WH", Decimal("6.0"), "GENERAL"),
            Item("WH-002", "登记制度", "WH", None, "MAJOR"),
            Item("WH-003", "台账", "WH", None, None),
        ),
        points=POINTS,
        deadlines=(Deadline("grid-dispatch", None, Term(1, "hour"), "要求"),),
        eligibility=EligibilityPolicy(frozenset({"A", "B"}), 86400, Decimal(2), "办法"),
        calendar=state_council_calendar(),
        version="test",
    )


def default_files() -> dict[str, bytes]:
    """Return the bytes of the package's own policy files."""
    return {name: (DEFAULT_FOLDER / name).read_bytes() for name in POLICY_FILES}
