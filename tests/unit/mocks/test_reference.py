"""The lists of the made-up city."""

from mocks.reference import DEPARTMENTS, GRID_CATEGORIES, ITEMS, MATTERS


def test_the_lists_have_the_numbers_of_the_write_up_and_fit_together() -> None:
    codes = {department["code"] for department in DEPARTMENTS}
    assert (len(codes), len(GRID_CATEGORIES)) == (27, 61)
    assert len({category["category"] for category in GRID_CATEGORIES}) == 61
    assert len({item["itemCode"] for item in ITEMS}) == len(ITEMS)
    assert {category["department"] for category in GRID_CATEGORIES} <= codes
    assert {str(matter["department"]) for matter in MATTERS} <= codes
    assert {str(item["itemCode"]).partition("-")[0] for item in ITEMS} <= codes
    assert sum(bool(matter["commitment"]) for matter in MATTERS) == 17
    assert sum(bool(matter["commitment"] and matter["live"]) for matter in MATTERS) == 10
