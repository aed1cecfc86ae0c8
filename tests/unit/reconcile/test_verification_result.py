"""verification-result, read like its row in DOMAIN.md: such a task is done -> result written back, approval."""

from datetime import datetime, timedelta

import msgspec
import pytest

from hub.mirror.queries import Check
from hub.reconcile.rule import Verdict
from hub.reconcile.rules.verification_result import Facts, VerificationResult, kept
from schema.commands import PushVerificationResult
from schema.entities import Approval, Conclusion, Obligation, ObligationState, TaskStatus
from tests.builders import approval, task_result
from tests.settable_clock import BEIJING, START
from tests.unit.reconcile.city import APPROVAL_NO, BOOK, TASK_ID, approval_task, check, done_check, held, only

RULE = VerificationResult()
CONFORM, NONCONFORM, UNREACHABLE = Conclusion.CONFORM, Conclusion.NONCONFORM, Conclusion.UNREACHABLE
WRITTEN_BACK = [ObligationState.SENT, ObligationState.CLOSED, ObligationState.WAIVED, ObligationState.SETTLED]


def derive(said: Check, *ledger: Obligation, of: Approval | None = approval()) -> Verdict:  # noqa: B008  (frozen)
    return RULE.derive(Facts(APPROVAL_NO, said, of), ledger, BOOK, START)


def written_back(conclusion: Conclusion, version: int, state: ObligationState, **fields: object) -> Obligation:
    return held(RULE, only(derive(done_check(conclusion, version=version))), state, **fields)


@pytest.mark.parametrize(("conclusion", "result"), [(CONFORM, True), (NONCONFORM, False)])
def test_the_result_is_written_back(conclusion: Conclusion, result: bool) -> None:
    owed = only(derive(done_check(conclusion, version=4)))
    assert owed.command == PushVerificationResult(
        approval_no=APPROVAL_NO, kept=result, checked_at=START, task_id=TASK_ID, version_before=1
    )
    assert (owed.key, owed.platform, owed.chain, owed.place) == (
        f"verification-result:{TASK_ID}:4",
        "approval",
        f"approval:{APPROVAL_NO}",
        4,
    )


def test_it_is_due_one_working_day_after_the_check() -> None:
    friday = task_result(conclusion=CONFORM, checked_at=datetime(2019, 9, 6, 10, tzinfo=BEIJING))
    owed = only(derive(check(approval_task(status=TaskStatus.DONE), friday)))
    assert owed.due.at == datetime(2019, 9, 9, 23, 59, 59, tzinfo=BEIJING)


def test_a_check_where_nobody_was_reached_writes_no_result_back() -> None:
    assert derive(done_check(UNREACHABLE)).owed == ()


@pytest.mark.parametrize("status", [one for one in TaskStatus if one is not TaskStatus.DONE])
def test_a_check_that_is_not_done_writes_no_result_back(status: TaskStatus) -> None:
    assert derive(check(approval_task(status=status), task_result())).owed == ()


@pytest.mark.parametrize(
    ("conclusions", "result"),
    [
        ((), None),
        ((UNREACHABLE,), None),
        ((CONFORM, UNREACHABLE), True),
        ((CONFORM, NONCONFORM), False),
        ((UNREACHABLE, NONCONFORM), False),
    ],
)
def test_of_several_results_the_worst_speaks(conclusions: tuple[Conclusion, ...], result: bool | None) -> None:
    results = [task_result(conclusion=one, result_id=f"{TASK_ID}/{at}") for at, one in enumerate(conclusions)]
    assert kept(check(approval_task(status=TaskStatus.DONE), *results)) is result


@pytest.mark.parametrize("state", WRITTEN_BACK)
def test_a_correction_of_the_result_is_written_back_again(state: ObligationState) -> None:
    first = written_back(NONCONFORM, 4, state)
    verdict = derive(done_check(CONFORM, version=5), first)
    assert only(verdict).key == f"verification-result:{TASK_ID}:5"
    assert verdict.keep == {first.key}


@pytest.mark.parametrize("state", [*WRITTEN_BACK, ObligationState.LEASED])
def test_the_same_result_at_a_higher_version_is_not_written_back_again(state: ObligationState) -> None:
    first = written_back(NONCONFORM, 4, state)
    assert only(derive(done_check(NONCONFORM, version=5), first)).key == first.key


def test_a_result_that_went_to_and_fro_is_written_back_a_third_time() -> None:
    ledger = [
        written_back(NONCONFORM, 4, ObligationState.CLOSED, sequence=4),
        written_back(CONFORM, 5, ObligationState.CLOSED, sequence=5),
    ]
    assert only(derive(done_check(NONCONFORM, version=6), *ledger)).key == f"verification-result:{TASK_ID}:6"


def test_what_was_never_sent_gives_way_to_the_present_version() -> None:
    unsent = written_back(NONCONFORM, 4, ObligationState.DUE)
    verdict = derive(done_check(NONCONFORM, version=5), unsent)
    assert only(verdict).key == f"verification-result:{TASK_ID}:5"
    assert unsent.key not in verdict.keep


def test_what_may_have_been_sent_counts_as_written_back() -> None:
    perhaps = written_back(NONCONFORM, 4, ObligationState.DUE, unknown_since=START)
    assert only(derive(done_check(NONCONFORM, version=5), perhaps)).key == perhaps.key


def test_a_result_that_is_taken_back_after_it_was_written_back_is_for_ops() -> None:
    ledger = [written_back(CONFORM, 4, ObligationState.CLOSED), written_back(NONCONFORM, 5, ObligationState.CLOSED, sequence=5)]
    verdict = derive(done_check(UNREACHABLE, version=6), *ledger)
    assert verdict.owed == ()
    assert verdict.keep == {ledger[0].key}  # the second, which is in force, is neither owed nor kept


@pytest.mark.parametrize(
    ("state", "version", "closes"),
    [
        (ObligationState.SENT, 2, True),
        (ObligationState.SENT, 1, False),
        (ObligationState.DUE, 2, False),
        (ObligationState.LEASED, 2, False),
    ],
)
def test_the_proof_is_an_accepted_push_and_then_a_higher_version(state: ObligationState, version: int, closes: bool) -> None:
    said = done_check(NONCONFORM, version=4)
    one = written_back(NONCONFORM, 4, state)
    proven = derive(said, one, of=approval(version=version)).proven
    assert proven == ({one.key: APPROVAL_NO} if closes else {})


def test_a_result_waits_for_an_approval_that_was_never_seen() -> None:
    owed = only(derive(done_check(CONFORM), of=None))
    assert (owed.command, owed.needs) == (None, f"approval {APPROVAL_NO} in the mirror")


def test_only_the_result_is_material_not_when_it_was_found() -> None:
    command = only(derive(done_check(CONFORM))).command
    assert isinstance(command, PushVerificationResult)
    later = msgspec.structs.replace(command, checked_at=START + timedelta(hours=1), version_before=9)
    assert RULE.material(command) == RULE.material(later)
    assert RULE.material(command) != RULE.material(msgspec.structs.replace(command, kept=False))
