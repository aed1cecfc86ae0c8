"""Eligibility for commitment: each reason by name, and the values on either side of each limit."""

import dataclasses
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.domain.eligibility import Facts, decide, points_taken
from hub.domain.policy import Policy
from hub.domain.policy_values import Matter
from schema.decision import Decision
from schema.entities import CreditRecord, Grade, RecordCategory
from tests.builders import SHOP_CODE, blacklist_entry, credit_profile, credit_record
from tests.settable_clock import BEIJING, START
from tests.unit.domain.policies import POINTS, small_policy

MATTER = "WH-SX01"
NEW_YEAR = datetime(2020, 1, 1, tzinfo=BEIJING)


def facts(**changes: Any) -> Facts:
    """A subject of grade B with 4 points and nothing else, both platforms asked just now."""
    known: dict[str, Any] = {
        "profile": credit_profile(),
        "credit_as_of": START,
        "credit_live": True,
        "records": (),
        "blacklist": (),
        "blacklist_live": True,
    }
    return Facts(**{**known, **changes})


def decided(matter: str = MATTER, policy: Policy | None = None, now: datetime = START, **changes: Any) -> Decision:
    return decide(SHOP_CODE, matter, facts(**changes), policy or small_policy(), now)


def codes(decision: Decision) -> list[str]:
    assert decision.eligible is (not decision.reasons)
    assert all(any("一" <= letter <= "鿿" for letter in reason.text) for reason in decision.reasons)
    return [reason.code for reason in decision.reasons]


def matters(**row: Any) -> Policy:
    told = {"code": MATTER, "name": "印刷经营许可", "department": "WH", "commitment": True, "live": True, **row}
    return dataclasses.replace(small_policy(), matters=(Matter(**told),))


def taken(points: str, **fields: Any) -> CreditRecord:
    return credit_record(
        **{"category": RecordCategory.REGULATORY_POINTS, "points": Decimal(points), "open_points": Decimal(points), **fields}
    )


def test_a_subject_of_grade_b_for_a_live_matter_is_eligible_and_told_how_fresh_that_is() -> None:
    decision = decided()
    assert codes(decision) == []
    assert (decision.grade, decision.score, decision.as_of) == (Grade.B, Decimal("86.5"), START)
    assert [(one.source, one.as_of, one.live, one.stale) for one in decision.data] == [
        ("credit", START, True, False),
        ("approval", START, True, False),
    ]


@pytest.mark.parametrize(
    ("grade", "expected"), [("A", []), ("B", []), ("C", ["GRADE_TOO_LOW"]), ("D", ["GRADE_TOO_LOW"]), ("E", ["GRADE_TOO_LOW"])]
)
def test_the_platforms_grade_decides_and_never_the_score(grade: str, expected: list[str]) -> None:
    for score in ("0.0", "79.9", "80.0", "100.0"):
        assert codes(decided(profile=credit_profile(grade=Grade(grade), score=Decimal(score)))) == expected


def test_a_grade_that_is_too_low_is_named_with_those_that_would_do() -> None:
    (reason,) = decided(profile=credit_profile(grade=Grade.C)).reasons
    assert "C级" in reason.text
    assert "A、B级" in reason.text


@pytest.mark.parametrize(
    ("matter", "policy", "expected"),
    [
        ("XX-99", small_policy(), ["MATTER_UNKNOWN"]),
        (MATTER, matters(commitment=False), ["MATTER_NOT_ON_COMMITMENT"]),
        (MATTER, matters(commitment=False, live=False), ["MATTER_NOT_ON_COMMITMENT"]),
        (MATTER, matters(live=False), ["MATTER_NOT_LIVE"]),
        (MATTER, matters(valid_from=date(2019, 9, 3)), ["MATTER_NOT_LIVE"]),
        (MATTER, matters(valid_until=date(2019, 9, 1)), ["MATTER_NOT_LIVE"]),
        (MATTER, matters(valid_from=date(2019, 9, 2), valid_until=date(2019, 9, 2)), []),
    ],
)
def test_the_matter_must_allow_commitment_and_be_live_on_the_day(matter: str, policy: Policy, expected: list[str]) -> None:
    assert codes(decided(matter, policy)) == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (blacklist_entry(matter_code=MATTER, removed_on=None), ["BLACKLISTED"]),
        (blacklist_entry(matter_code=MATTER, removed_on="2019-09-02"), []),
        (blacklist_entry(matter_code="GA-SX01", removed_on=None), []),
    ],
)
def test_only_an_open_entry_for_the_same_matter_stands_in_the_way(entry: Any, expected: list[str]) -> None:
    assert codes(decided(blacklist=(entry,))) == expected


def test_a_blacklist_that_could_not_be_asked_stands_in_the_way_and_an_open_entry_that_is_known_names_itself() -> None:
    decision = decided(blacklist_live=False)
    assert codes(decision) == ["BLACKLIST_UNREACHABLE"]
    assert (decision.data[1].as_of, decision.data[1].stale) == (None, True)
    known = blacklist_entry(matter_code=MATTER, removed_on=None)
    assert codes(decided(blacklist_live=False, blacklist=(known,))) == ["BLACKLISTED"]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ((taken("11.5"),), []),
        ((taken("11.5"), taken("0.5")), ["SERIOUS_PERIOD"]),
        ((taken("33.0"),), ["SERIOUS_PERIOD"]),
        ((taken("12.0", open_points=Decimal(0)),), ["SERIOUS_PERIOD"]),  # a repair reopens no dozen
        ((taken("12.0", cancelled=True),), []),
        ((taken("12.0", category=RecordCategory.COMMITMENT_BREACH),), []),
        ((taken("12.0", occurred_at=datetime(2018, 12, 31, 23, 59, 59, tzinfo=BEIJING)),), []),
        ((taken("12.0", occurred_at=datetime(2019, 1, 1, tzinfo=BEIJING)),), ["SERIOUS_PERIOD"]),
    ],
)
def test_twelve_points_as_taken_in_the_running_period_make_it_serious(records: Any, expected: list[str]) -> None:
    assert codes(decided(records=records)) == expected


def test_whether_twelve_themselves_are_serious_is_policy() -> None:
    exceed = dataclasses.replace(small_policy(), points=dataclasses.replace(POINTS, dozen_counts_at="exceed"))
    assert codes(decided(policy=exceed, records=(taken("12.0"),))) == []
    assert codes(decided(policy=exceed, records=(taken("12.5"),))) == ["SERIOUS_PERIOD"]


def test_the_platforms_own_count_of_points_is_believed_where_it_is_the_higher() -> None:
    assert codes(decided(profile=credit_profile(regulatory_points=Decimal("11.5")))) == []
    assert codes(decided(profile=credit_profile(regulatory_points=Decimal("12.0")))) == ["SERIOUS_PERIOD"]


def test_a_serious_period_is_over_with_the_year_in_beijing_and_points_of_the_old_one_say_nothing_of_the_new() -> None:
    before = NEW_YEAR - timedelta(seconds=1)
    known: dict[str, Any] = {
        "records": (taken("12.0"),),
        "profile": credit_profile(regulatory_points=Decimal("12.0")),
        "credit_as_of": before,
    }
    assert codes(decided(now=before, **known)) == ["SERIOUS_PERIOD"]
    assert codes(decided(now=NEW_YEAR, **known)) == []


@pytest.mark.parametrize(("age", "expected"), [(0, []), (86_400, []), (86_401, ["CREDIT_TOO_OLD"]), (-60, [])])
def test_credit_data_of_the_mirror_counts_up_to_the_allowed_age(age: int, expected: list[str]) -> None:
    decision = decided(credit_live=False, credit_as_of=START - timedelta(seconds=age))
    assert codes(decision) == expected
    assert (decision.data[0].live, decision.data[0].stale) == (False, bool(expected))
    assert decision.as_of == START - timedelta(seconds=age)


def test_credit_data_that_is_too_old_is_not_judged_by_its_grade() -> None:
    old: dict[str, Any] = {"credit_live": False, "credit_as_of": START - timedelta(days=2)}
    assert codes(decided(profile=credit_profile(grade=Grade.E), **old)) == ["CREDIT_TOO_OLD"]


def test_a_subject_that_credit_does_not_know_and_one_that_nobody_can_ask_about_are_told_apart() -> None:
    unknown = decided(profile=None)
    assert codes(unknown) == ["SUBJECT_UNKNOWN"]
    assert (unknown.grade, unknown.score, unknown.as_of) == (None, None, None)
    unreachable = decided(profile=None, credit_live=False, credit_as_of=None)
    assert codes(unreachable) == ["CREDIT_UNREACHABLE"]
    assert (unreachable.data[0].as_of, unreachable.data[0].stale) == (None, True)


def test_every_reason_is_named_and_not_only_the_first() -> None:
    decision = decided(
        policy=matters(live=False),
        profile=credit_profile(grade=Grade.D),
        records=(taken("33.0"),),
        blacklist=(blacklist_entry(matter_code=MATTER, removed_on=None),),
    )
    assert codes(decision) == ["MATTER_NOT_LIVE", "GRADE_TOO_LOW", "SERIOUS_PERIOD", "BLACKLISTED"]


def test_points_are_exact() -> None:
    assert points_taken([taken("0.5")] * 25, "2019") == Decimal("12.5")
    assert points_taken([], "2019") == 0
