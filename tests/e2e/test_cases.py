"""The ten cases of the city, played on the simulated clock: all that each must lead to, on the platforms and in the graph."""

import json
from pathlib import Path

import pytest

from hub.cases import CASES
from hub.demo_case import play_case


@pytest.mark.parametrize("number", CASES)
def test_a_case_leads_to_all_that_it_must(number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = tmp_path / "case.json"
    code = play_case(number, check=True, seed=7, json_file=told)
    out = capsys.readouterr().out
    assert code == 0, out
    loops = json.loads(told.read_text())["loops"]
    assert loops
    for loop in loops:
        assert [step["at"] for step in loop["steps"] if step["at"]], "a loop without a single thing that happened"
    assert f"案例 {number}" in out
