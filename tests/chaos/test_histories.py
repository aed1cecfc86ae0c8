"""Random histories in random order, with repetitions, faults and crashes: what is there in the end is the oracle's word.

The short form takes the same 20 each time; `HYPOTHESIS_PROFILE=long` looks for new ones, 500 of them, and
`python -m tests.chaos.histories N` for any number. Hypothesis prints what fails as data, shrunk, with a blob that replays
it: the same history goes the same way again.
"""

import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings

from tests.chaos.histories import ALWAYS, check, make_template
from tests.chaos.history import History, histories
from tests.chaos.remembered import PLAIN, SILENT, STORMY

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
EXAMPLES = 500 if LONG else 20


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template") / "template.db")


@settings(max_examples=EXAMPLES, derandomize=not LONG, deadline=None, database=None, print_blob=True, suppress_health_check=ALWAYS)
@example(history=PLAIN)
@example(history=STORMY)
@example(history=SILENT)
@given(history=histories())
def test_whatever_happens_in_whatever_order_the_effects_are_those_of_the_oracle(template: Path, history: History) -> None:
    check(history, template)
