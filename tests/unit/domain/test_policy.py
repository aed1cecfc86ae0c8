"""The city's own policy files, look-ups, validity and versions."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from hub.domain.calendar import BEIJING
from hub.domain.deadlines import RULES, Term
from hub.domain.errors import PolicyError, PolicyMissing
from hub.domain.policy import DEFAULT_FOLDER, POLICY_FILES, load_policy, parse_policy
from hub.domain.policy_values import Department, Row
from mocks import reference
from tests.unit.domain.policies import default_files, small_policy

POLICY = load_policy()


def test_the_citys_own_files_hold_the_numbers_of_the_write_up() -> None:
    assert len(POLICY.departments) == 27
    assert len(POLICY.categories) == 61
    assert sum(matter.commitment for matter in POLICY.matters) == 17
    assert sum(matter.allows_commitment for matter in POLICY.matters) == 10


def test_the_citys_own_files_speak_of_what_the_mock_platforms_publish() -> None:
    published = {item["itemCode"]: item for item in reference.ITEMS}
    assert {item.code for item in POLICY.items} == set(published)
    for item in POLICY.items:
        points = published[item.code]["points"]
        assert (item.name, item.severity) == (published[item.code]["itemName"], published[item.code]["severity"])
        assert item.points == (None if points is None else Decimal(points))
    assert [(row.code, row.name) for row in POLICY.departments] == [(row["code"], row["name"]) for row in reference.DEPARTMENTS]
    assert {row.code: row.short_name for row in POLICY.departments} == reference.SHORT_NAMES
    assert {row.code: row.case_unit for row in POLICY.departments if row.case_unit != row.code} == reference.CASE_UNITS
    assert [(row.category, row.name, row.department) for row in POLICY.categories] == [
        (row["category"], row["name"], row["department"]) for row in reference.GRID_CATEGORIES
    ]
    assert [(row.code, row.name, row.department, row.commitment, row.live) for row in POLICY.matters] == [
        (row["code"], row["name"], row["department"], row["commitment"], row["live"]) for row in reference.MATTERS
    ]


def test_every_row_and_table_names_its_source() -> None:
    rows: tuple[Row, ...] = (*POLICY.departments, *POLICY.matters, *POLICY.categories, *POLICY.items)
    assert all(row.source for row in rows)
    assert all(deadline.source for deadline in POLICY.deadlines)
    assert POLICY.points.source
    assert POLICY.points.tiers_source
    assert POLICY.eligibility.source


def test_the_point_system_is_the_domains() -> None:
    points = POLICY.points
    assert points.tiers == {"MINOR": 1, "GENERAL": 3, "MAJOR": 6, "SERIOUS": 12}
    assert (points.commitment_breach, points.dozen, points.dozen_deduction) == (Decimal(6), Decimal(12), Decimal(2))
    assert (points.dozen_counts_at, points.period, str(points.repair_within)) == ("reach", "calendar-year", "1 year")
    assert POLICY.eligibility.grades == {"A", "B"}


@pytest.mark.parametrize(
    ("rule", "variant", "after"),
    [
        ("approval-verification", None, "at once"),
        ("approval-verification", "commitment", "20 working days"),
        ("approval-verification", "standard", "60 working days"),
        ("verification-result", None, "1 working day"),
        ("breach-record", None, "at once"),
        ("recheck", "check", "1 working day"),
        ("grid-dispatch", "level-1", "at once"),
        ("grid-dispatch", "level-2", "1 hour"),
        ("grid-dispatch", "level-4", "1 hour"),
        ("grid-feedback", None, "1 working day"),
        ("coordination-dispatch", None, "1 hour"),
        ("coordination-feedback", None, "1 working day"),
        ("score-notice", None, "at once"),
    ],
)
def test_the_deadlines_are_the_domains(rule: str, variant: str | None, after: str) -> None:
    assert str(POLICY.deadline(rule, variant).after) == after


def test_a_breach_record_has_a_last_day_beside_at_once() -> None:
    assert POLICY.deadline("breach-record").latest == Term(7, "working day")


def test_every_rule_has_its_deadlines() -> None:
    for rule, variants in RULES.items():
        for variant in (None, *variants):
            assert POLICY.deadline(rule, variant).source


def test_the_check_after_a_commitment_is_due_twenty_working_days_after_the_decision() -> None:
    due = POLICY.due("approval-verification", "commitment", datetime(2019, 8, 15, 16, 20, tzinfo=BEIJING))
    assert due == (datetime(2019, 9, 12, 23, 59, 59, tzinfo=BEIJING), False)


@pytest.mark.parametrize(("rule", "variant"), [("approval", None), ("approval-verification", "comitment"), ("repair", "check")])
def test_a_deadline_of_no_rule_is_a_mistake_of_the_caller(rule: str, variant: str | None) -> None:
    with pytest.raises(ValueError, match="no such rule"):
        POLICY.deadline(rule, variant)


def test_a_deadline_that_no_table_names_is_missing_policy() -> None:
    with pytest.raises(PolicyMissing, match=r"'repair'.*deadlines\.toml"):
        small_policy().deadline("repair")


def test_codes_that_no_row_names_are_none() -> None:
    for found in (POLICY.matter("X"), POLICY.item("X"), POLICY.department("X"), POLICY.route("X")):
        assert found is None


def test_a_policy_can_be_made_without_files() -> None:
    policy = small_policy()
    matter = policy.matter("WH-SX01")
    assert matter is not None
    assert matter.allows_commitment
    assert policy.case_unit("WH") == "ZFJ"
    assert policy.case_unit("ZFJ") == "ZFJ"
    assert policy.case_unit("UNKNOWN") == "UNKNOWN"


def test_a_matter_that_is_not_live_may_not_use_commitment() -> None:
    matter = POLICY.matter("GA-SX02")
    assert matter is not None
    assert matter.commitment
    assert not matter.allows_commitment


def test_a_department_without_case_unit_is_its_own() -> None:
    assert POLICY.case_unit("SCJG") == "SCJG"
    assert POLICY.case_unit("WH") == "ZFJ"


def test_a_row_holds_from_its_first_to_its_last_day() -> None:
    old = Department("WH", "旧名", "旧", "WH", valid_until=date(2019, 6, 30))
    new = Department("WH", "新名", "新", "WH", valid_from=date(2019, 7, 1), valid_until=date(2019, 12, 31))
    policy = replace(small_policy(), departments=(new, old))
    assert policy.department("WH", date(2019, 6, 30)) == old
    assert policy.department("WH", date(2019, 7, 1)) == new
    assert policy.department("WH", date(2020, 1, 1)) is None
    assert policy.department("WH") == new


def test_the_version_changes_with_any_byte_of_any_file_and_with_nothing_else() -> None:
    files = default_files()
    assert parse_policy(dict(reversed(files.items()))).version == POLICY.version
    assert len(POLICY.version) == 12
    versions = {parse_policy({**files, name: files[name] + b"\n"}).version for name in POLICY_FILES}
    assert len(versions | {POLICY.version}) == len(POLICY_FILES) + 1


def test_a_byte_order_mark_and_windows_line_ends_are_taken() -> None:
    files = default_files()
    files["items.csv"] = b"\xef\xbb\xbf" + files["items.csv"].replace(b"\n", b"\r\n")
    files["points.toml"] = b"\xef\xbb\xbf" + files["points.toml"].replace(b"\n", b"\r\n")
    policy = parse_policy(files)
    assert policy.items == POLICY.items
    assert policy.points == POLICY.points


def test_columns_may_stand_in_any_order_and_text_may_hold_commas_and_lines() -> None:
    files = default_files()
    files["items.csv"] = 'source,code,points,name,department,severity\n办法,A-1,2.5,"甲,\n乙",WH,\n\n,,,,,\n'.encode()
    (item,) = parse_policy(files).items
    assert (item.code, item.name, item.points, item.severity) == ("A-1", "甲,\n乙", Decimal("2.5"), None)


def test_a_folder_of_ones_own_is_read(tmp_path: Path) -> None:
    for name, data in default_files().items():
        (tmp_path / name).write_bytes(data)
    assert load_policy(tmp_path) == load_policy(DEFAULT_FOLDER)


def test_every_absent_file_is_named_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as refused:
        load_policy(tmp_path)
    assert [problem.file for problem in refused.value.problems] == list(POLICY_FILES)
    assert str(tmp_path) in str(refused.value)


def test_an_operators_calendar_reaches_the_deadlines() -> None:
    files = default_files()
    year = max(POLICY.calendar.known_years) + 1
    files["calendar.toml"] = f'[{year}]\nsource = "通知"\nholidays = [{year}-03-01]\nworking_weekends = []\n'.encode()
    calendar = parse_policy(files).calendar
    assert not calendar.is_working(date(year, 3, 1))
    assert not calendar.first_working_day_after(date(year, 2, 1)).provisional
