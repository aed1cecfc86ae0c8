"""What is wrong in policy files is found as a whole, and each error names file, line, column and what would be right."""

import pytest

from hub.domain.errors import PolicyError, PolicyProblem
from hub.domain.policy import parse_policy
from tests.unit.domain.policies import default_files

DEPARTMENTS = "code,name,short_name,case_unit,source\nWH,文旅体局,文旅,ZFJ,目录\nZFJ,综合行政执法局,执法,,目录\n"
MATTERS = "code,name,department,commitment,live,source"
ITEMS = "code,name,department,points,severity,source"
POINTS = """source = "办法"
commitment_breach = 6
dozen = 12
dozen_counts_at = "reach"
dozen_deduction = 2
period = "calendar-year"
repair_within = "1 year"
[tiers]
source = "办法"
MINOR = 1
GENERAL = 3
MAJOR = 6
SERIOUS = 12
"""


def problems_of(**changed: str | bytes) -> tuple[PolicyProblem, ...]:
    """Return what is wrong when these files (by name, a double underscore for the point) replace the city's own."""
    files = {
        **default_files(),
        "departments.csv": DEPARTMENTS.encode(),
        "matters.csv": f"{MATTERS}\n".encode(),
        "items.csv": f"{ITEMS}\n".encode(),
        "grid_categories.csv": b"category,name,department,source\n",
    }
    for name, content in changed.items():
        files[name.replace("__", ".")] = content.encode() if isinstance(content, str) else content
    with pytest.raises(PolicyError) as refused:
        parse_policy(files)
    return refused.value.problems


def only(**changed: str | bytes) -> tuple[str, int, int, str, str]:
    """Return the one problem as (file, line, column, name, cure)."""
    (problem,) = problems_of(**changed)
    return problem.file, problem.line, problem.column, problem.name, problem.cure


@pytest.mark.parametrize(
    ("row", "column", "name", "cure"),
    [
        ("A,名,WH,two,,办法", 4, "points", "'two' is no number of points; write steps of 0.5"),
        ("A,名,WH,2.3,,办法", 4, "points", "'2.3' is no number of points"),
        ("A,名,WH,-1,,办法", 4, "points", "'-1' is no number of points"),
        ("A,名,WH,２,,办法", 4, "points", "'２' is no number of points"),
        ("A,名,WH,1,HUGE,办法", 5, "severity", "'HUGE' is no severity; write one of MINOR, GENERAL, MAJOR, SERIOUS"),
        ("A,名,XX,1,,办法", 3, "department", "'XX' is no code of departments.csv; known are WH, ZFJ"),
        ("A,名,ZJF,1,,办法", 3, "department", "did you mean 'ZFJ'?"),
        ("A,名,,1,,办法", 3, "department", "is empty"),
        (",名,WH,1,,办法", 1, "code", "is empty"),
        ("A,,WH,1,,办法", 2, "name", "is empty"),
        ("A,名,WH,1,,", 6, "source", "is empty"),
        ("A,名,WH,1,办法", 6, "", "has 5 fields where the header has 6"),
        ("A,名,名,WH,1,,办法", 7, "", "has 7 fields where the header has 6; put text that holds a comma in double quotes"),
        ('A,"名,WH,1,,办法', 1, "", "close every double quote"),
    ],
)
def test_a_wrong_item_is_named_with_line_column_and_cure(row: str, column: int, name: str, cure: str) -> None:
    found = only(items__csv=f"{ITEMS}\nB,好,WH,1,,办法\n{row}\n")
    assert found[:4] == ("items.csv", 3, column, name)
    assert cure in found[4]


def test_a_line_is_counted_in_the_file_also_after_text_of_several_lines_and_blank_ones() -> None:
    found = only(items__csv=f'{ITEMS}\nB,"好\n好",WH,1,,办法\n\nA,名,WH,two,,办法\n')
    assert found[:3] == ("items.csv", 5, 4)


@pytest.mark.parametrize(
    ("row", "column", "name", "cure"),
    [
        ("A,名,WH,true,yes,清单", 4, "commitment", "'true' is neither; write yes or no"),
        ("A,名,WH,yes,,清单", 5, "live", "write yes or no"),
    ],
)
def test_a_wrong_matter_is_named(row: str, column: int, name: str, cure: str) -> None:
    found = only(matters__csv=f"{MATTERS}\n{row}\n")
    assert found[:4] == ("matters.csv", 2, column, name)
    assert cure in found[4]


def test_a_wrong_route_and_a_wrong_case_unit_are_named() -> None:
    found = only(grid_categories__csv="category,name,department,source\nJT-01,公路,JT,目录\n")
    assert found[:4] == ("grid_categories.csv", 2, 3, "department")
    found = only(departments__csv=DEPARTMENTS + "A,甲,甲,B,目录\n")
    assert found[:4] == ("departments.csv", 4, 4, "case_unit")


@pytest.mark.parametrize(
    ("cells", "column", "name", "cure"),
    [
        ("2019-13-01,", 7, "valid_from", "no day of the calendar"),
        ("20190801,", 7, "valid_from", "write it as in 2019-08-15"),
        (",2019-8-1", 8, "valid_until", "write it as in 2019-08-15"),
        ("2019-08-02,2019-08-01", 8, "valid_until", "2019-08-01 is before valid_from, 2019-08-02"),
    ],
)
def test_a_wrong_day_of_validity_is_named(cells: str, column: int, name: str, cure: str) -> None:
    found = only(items__csv=f"{ITEMS},valid_from,valid_until\nA,名,WH,1,,办法,{cells}\n")
    assert found[:4] == ("items.csv", 2, column, name)
    assert cure in found[4]


def test_a_code_that_holds_twice_at_one_time_is_named_with_the_other_line() -> None:
    rows = "A,名,WH,1,,办法,,2019-08-01\nA,名,WH,2,,办法,2019-08-01,\n"
    found = only(items__csv=f"{ITEMS},valid_from,valid_until\n{rows}")
    assert found[:4] == ("items.csv", 3, 1, "code")
    assert "holds in line 2 at the same time; end that one (valid_until)" in found[4]


def test_a_code_whose_rows_follow_each_other_is_right() -> None:
    rows = "A,名,WH,1,,办法,,2019-07-31\nA,名,WH,2,,办法,2019-08-01,\n"
    problems = problems_of(items__csv=f"{ITEMS},valid_from,valid_until\n{rows}", matters__csv="")
    assert [problem.file for problem in problems] == ["matters.csv"]


@pytest.mark.parametrize(
    ("header", "column", "name", "cure"),
    [
        ("code,name,department,points,severity", 6, "source", "column 'source' is missing; the header is code,name,"),
        (f"{ITEMS},valid_untill", 7, "valid_untill", "did you mean 'valid_until'?"),
        (f"{ITEMS},code", 7, "code", "stands twice"),
    ],
)
def test_a_wrong_header_is_named_once_and_its_rows_are_left_alone(header: str, column: int, name: str, cure: str) -> None:
    found = only(items__csv=f"{header}\nA,b,c,d,e,f\n")
    assert found[:4] == ("items.csv", 1, column, name)
    assert cure in found[4]


def test_an_empty_file_is_told_its_header() -> None:
    assert only(matters__csv="\n")[4] == f"has no header; the first line is {MATTERS}"


def test_a_file_in_another_encoding_is_named_with_the_byte_and_the_cure() -> None:
    found = only(items__csv=f"{ITEMS}\nA,名,WH,1,,办法\n".encode("gb18030"))
    assert found[:3] == ("items.csv", 2, 3)
    assert "save it as UTF-8" in found[4]
    assert only(points__toml=POINTS.encode("gb18030"))[:3] == ("points.toml", 1, 11)


def test_departments_that_cannot_be_read_are_one_problem_not_one_for_every_row_that_names_them() -> None:
    found = problems_of(departments__csv="code,name,short_name\nWH,文旅体局,文旅\n", items__csv=f"{ITEMS}\nA,名,WH,1,,办法\n")
    assert [problem.file for problem in found] == ["departments.csv"]


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "name", "cure"),
    [
        ("commitment_breach = 6", 'commitment_breach = "6"', 2, 1, "commitment_breach", "in steps of 0.5"),
        ("dozen = 12", "dozen = 12.3", 3, 1, "dozen", "12.3 does not do; write a number of points"),
        ("dozen = 12", "dozen = true", 3, 1, "dozen", "in steps of 0.5"),
        ('"reach"', '"over"', 4, 1, "dozen_counts_at", '"over" does not do; write "reach"'),
        ("dozen_deduction = 2", "dozen_deduction = 0", 5, 1, "dozen_deduction", "above 0"),
        ('"calendar-year"', '"rolling"', 6, 1, "period", '"calendar-year"'),
        ('"1 year"', '"12 months"', 7, 1, "repair_within", '"at once", "1 hour", "20 working days" or "1 year"'),
        ('"1 year"', "1", 7, 1, "repair_within", '1 does not do; write "at once"'),
        ("MAJOR = 6", "MAJOR = 6.25", 12, 1, "tiers.MAJOR", "in steps of 0.5"),
        ("MAJOR = 6\n", "", 8, 2, "tiers.MAJOR", "is missing; write a number of points"),
        ("MAJOR = 6", "MAJOR = 6\nMAYOR = 6", 13, 1, "tiers.MAYOR", "did you mean 'MAJOR'?"),
        ('[tiers]\nsource = "办法"', "[tiers]", 8, 2, "tiers.source", "is missing; write the document"),
        ('[tiers]\nsource = "办法"', '[tiers]\nsource = ""', 9, 1, "tiers.source", "write the document"),
        ("period", "periode", 1, 1, "period", "is missing"),
        ("dozen = 12", "dozen = ", 3, 9, "", "is no TOML"),
    ],
)
def test_a_wrong_value_of_the_points_is_named(old: str, new: str, line: int, column: int, name: str, cure: str) -> None:
    problems = problems_of(points__toml=POINTS.replace(old, new))
    found = next(problem for problem in problems if problem.name == name)
    assert (found.file, found.line, found.column) == ("points.toml", line, column)
    assert cure in found.cure
    assert len(problems) == (2 if new == "periode" else 1)


def test_points_without_tiers_are_told_of_the_table_once() -> None:
    assert "[tiers]" in only(points__toml=POINTS[: POINTS.index("[tiers]")])[4]


def test_a_rule_without_its_deadline_is_named_with_the_table_to_add() -> None:
    text = default_files()["deadlines.toml"].decode()
    start = text.index("[grid-dispatch.level-1]")
    found = only(deadlines__toml=text[:start] + text[text.index("[grid-dispatch.check]") :])
    assert found[0] == "deadlines.toml"
    assert text.splitlines()[found[1] - 1].startswith("[grid-dispatch]")
    assert "has no table [grid-dispatch.level-1]; add it" in found[4]


@pytest.mark.parametrize(
    ("addition", "name", "cure"),
    [
        ('[repairs]\nafter = "at once"\nsource = "x"', "repairs", "did you mean 'repair'?"),
        ('[grid-dispatch.level-9]\nafter = "at once"\nsource = "x"', "grid-dispatch.level-9", "did you mean 'level-"),
        ('[grid-dispatch.level-2]\nafter = "2 days"\nsource = "x"', "grid-dispatch.level-2.after", '"2 days" does not do'),
        ('[grid-dispatch.level-2]\nafter = "1 hour"', "grid-dispatch.level-2.source", "is missing"),
        ('[grid-dispatch.level-2]\nsource = "x"', "grid-dispatch.level-2.after", "is missing"),
        (
            '[grid-dispatch.level-2]\nafter = "1 hour"\nsource = "x"\nhours = "22:00-07:00"',
            "grid-dispatch.level-2.hours",
            'such as "07:00-22:00"',
        ),
    ],
)
def test_a_wrong_deadline_is_named(addition: str, name: str, cure: str) -> None:
    text = default_files()["deadlines.toml"].decode() + "\n"
    file, line, _, found_name, found_cure = only(deadlines__toml=text + addition + "\n")
    assert (file, found_name) == ("deadlines.toml", name)
    assert line > text.count("\n")
    assert cure in found_cure


@pytest.mark.parametrize(
    ("text", "line", "cure"),
    [
        ('source="x"\ngrades=["A","F"]\nmax_age_seconds=1\nlive_budget_seconds=1', 2, 'write a list of grades, such as ["A", "B"]'),
        ('source="x"\ngrades=[]\nmax_age_seconds=1\nlive_budget_seconds=1', 2, "write a list of grades"),
        ('source="x"\ngrades=["A"]\nmax_age_seconds=1.5\nlive_budget_seconds=1', 3, "a whole number of seconds"),
        ('source="x"\ngrades=["A"]\nmax_age_seconds=1\nlive_budget_seconds=3', 4, "below 3, the approval system's patience"),
        ('grades=["A"]\nmax_age_seconds=1\nlive_budget_seconds=1', 1, "is missing; write the document"),
    ],
)
def test_a_wrong_value_of_eligibility_is_named(text: str, line: int, cure: str) -> None:
    found = only(eligibility__toml=text)
    assert found[:2] == ("eligibility.toml", line)
    assert cure in found[4]


@pytest.mark.parametrize(
    ("text", "line", "column", "cure"),
    [
        ('[2027]\nsource="x"\nholidays=[\n  2027-01-01,\n  2028-01-01,\n]\nworking_weekends=[]', 5, 3, "write it under [2028]"),
        ('[2027]\nsource="x"\nholidays=["2027-01-01"]\nworking_weekends=[]', 3, 1, "a list of dates without quotes"),
        ('[2027]\nsource="x"\nholidays=[]\nworking_weekends=[2027-02-08]', 4, 19, "is a Monday; name Saturdays and Sundays"),
        ('[2027]\nsource="x"\nholidays=[2027-02-07]\nworking_weekends=[2027-02-07]', 4, 19, "is among the holidays too"),
        ('[2027]\nsource="x"\nholidays=[]', 1, 2, "is missing; write a list of dates"),
        ("[next]\nholidays=[]", 1, 2, "is no year; write a table such as [2027]"),
        ("2027 = 1", 1, 1, "is no year; write a table"),
    ],
)
def test_a_wrong_calendar_is_named(text: str, line: int, column: int, cure: str) -> None:
    found = only(calendar__toml=text)
    assert found[:3] == ("calendar.toml", line, column)
    assert cure in found[4]


def test_all_problems_of_all_files_come_at_once_in_the_order_of_the_files() -> None:
    problems = problems_of(
        eligibility__toml="grades = [",
        items__csv=f"{ITEMS}\nA,名,WH,two,HUGE,办法\nB,,WH,1,,办法\n",
        departments__csv=DEPARTMENTS + "A,甲,,,目录\n",
    )
    assert [(problem.file, problem.line, problem.column) for problem in problems] == [
        ("departments.csv", 4, 3),
        ("items.csv", 2, 4),
        ("items.csv", 2, 5),
        ("items.csv", 3, 2),
        ("eligibility.toml", 1, 11),
    ]


def test_the_error_can_be_read_by_a_person() -> None:
    with pytest.raises(PolicyError) as refused:
        parse_policy({**default_files(), "items.csv": f"{ITEMS}\nA,名,WH,two,,办法\n".encode()})
    assert str(refused.value) == (
        "policy files: 1 problem\n"
        "  items.csv, line 2, column 4 (points): 'two' is no number of points; write steps of 0.5, such as 2 or 2.5"
    )
