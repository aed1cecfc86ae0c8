"""The ten cases of the write-up, played on a simulated clock by `bihuan demo --case N`: one file a case."""

from hub.cases import case_01, case_02, case_03, case_04, case_05, case_06, case_07, case_08, case_09, case_10
from hub.cases.play import Case

CASES: dict[int, Case] = {
    module.CASE.number: module.CASE
    for module in (case_01, case_02, case_03, case_04, case_05, case_06, case_07, case_08, case_09, case_10)
}
"""Every case by its number."""
