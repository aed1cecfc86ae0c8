"""Which key stands for which dozen, where a subject had several names."""

from itertools import permutations

import pytest

from hub.reconcile.dozens import Period
from hub.reconcile.made_dozens import Made, beside, key_by_dozen, made_of
from schema.entities import ObligationState
from tests.builders import obligation
from tests.settable_clock import START


def made(key: str, *, exists: bool = True) -> Made:
    name, _, dozen = key.partition(":")
    return Made(int(dozen), key, exists, present=name == "NEW")


@pytest.mark.parametrize(
    ("there", "unsent", "placed"),
    [
        pytest.param([], [], {}, id="nothing"),
        pytest.param(["OLD:1"], [], {1: "OLD:1"}, id="made under an earlier name"),
        pytest.param(["NEW:1", "OLD:1"], [], {1: "OLD:1", 2: "NEW:1"}, id="both made their first"),
        pytest.param(["NEW:1", "OLD:1", "NEW:3"], [], {1: "OLD:1", 2: "NEW:1", 3: "NEW:3"}, id="and then a third"),
        pytest.param(["NEW:1"], ["OLD:1"], {1: "NEW:1", 2: "OLD:1"}, id="what exists comes before what does not"),
        pytest.param(["NEW:1", "OLD:1"], ["NEW:2"], {1: "OLD:1", 2: "NEW:1", 3: "NEW:2"}, id="also before one of that very number"),
        pytest.param(["OLD:2"], [], {2: "OLD:2"}, id="a number of nobody stays free"),
    ],
)
def test_each_stands_for_one_dozen_whatever_the_order(there: list[str], unsent: list[str], placed: dict[int, str]) -> None:
    all_made = [*map(made, there), *(made(key, exists=False) for key in unsent)]
    assert all(key_by_dozen(order) == placed for order in permutations(all_made))


def test_what_is_owed_for_a_free_number_changes_no_other() -> None:
    before = key_by_dozen([made("OLD:1"), made("NEW:1")])
    assert key_by_dozen([made("OLD:1"), made("NEW:1"), made("NEW:3", exists=False)]) == before | {3: "NEW:3"}


def test_what_was_withdrawn_counts_only_if_it_may_be_on_the_platform() -> None:
    period, withdrawn = Period("NEW", "2019", ()), ObligationState.WITHDRAWN
    assert made_of(obligation(cause="NEW:2019", state=withdrawn, sent_at=None, unknown_since=None), 1, period) is None
    unknown = made_of(obligation(cause="NEW:2019", state=withdrawn, unknown_since=START), 1, period)
    assert unknown is not None
    assert (unknown.exists, unknown.present) == (True, True)
    due = made_of(obligation(cause="OLD:2019", state=ObligationState.DUE, sent_at=None, unknown_since=None), 1, period)
    assert due is not None
    assert (due.exists, due.present) == (False, False)


def test_beside_a_cause_stands_the_same_period_under_all_other_names() -> None:
    assert beside("OLD:2019", ["OLD", "NEW", "X"]).others == ["NEW:2019", "X:2019"]
