"""approval-verification, read like its row in DOMAIN.md: an approval is granted -> a verification task, enforcement."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from hub.domain.deadlines import Due
from hub.reconcile.rule import Rulebook
from hub.reconcile.rules.approval_verification import ApprovalVerification, Facts, key_for
from schema.commands import CreateTask, TaskSubject
from schema.entities import Approval, ApprovalState, CreditRecord, Procedure, TaskType, VerificationTask
from schema.identifiers import outgoing_number
from tests.builders import SHOP_CODE, approval, credit_record, observed, task
from tests.settable_clock import BEIJING, START
from tests.unit.reconcile.city import APPROVAL_KEY, APPROVAL_NO, BOOK, approval_task, kinds, only

RULE = ApprovalVerification()


def derive(one: Approval, *tasks: VerificationTask, code: str | None = SHOP_CODE) -> CreateTask:
    command = only(RULE.derive(Facts(one, code, tasks), (), BOOK, START)).command
    assert isinstance(command, CreateTask)
    return command


@pytest.mark.parametrize(
    ("procedure", "kind", "check_due"),
    [
        # 20 and 60 working days after Monday 2 September 2019; National Day is off, 29 September and 12 October are worked.
        (Procedure.COMMITMENT, TaskType.COMMITMENT, datetime(2019, 9, 30, 23, 59, 59, tzinfo=BEIJING)),
        (Procedure.STANDARD, TaskType.APPROVAL, datetime(2019, 11, 29, 23, 59, 59, tzinfo=BEIJING)),
    ],
)
def test_each_procedure_has_its_kind_of_check_and_its_time(procedure: Procedure, kind: TaskType, check_due: datetime) -> None:
    command = derive(approval(procedure=procedure))
    assert (command.type, command.due_at) == (kind, check_due)


def test_the_task_itself_is_due_at_once() -> None:
    owed = only(RULE.derive(Facts(approval(), SHOP_CODE, ()), (), BOOK, START))
    assert owed.due == Due(START - timedelta(hours=1), False)
    assert (owed.platform, owed.kind, owed.key, owed.needs) == ("enforcement", "CreateTask", APPROVAL_KEY, None)


def test_the_task_says_whom_to_check_for_what_and_by_whom() -> None:
    one = approval()
    command = derive(one)
    assert command.external_no == outgoing_number("AV", key_for(APPROVAL_NO))
    assert command.subjects == (TaskSubject(code=SHOP_CODE, name=one.applicant_name, address=one.address),)
    assert (command.department, command.origin_platform, command.origin_ref) == ("WH", "approval", APPROVAL_NO)


def test_a_check_due_beyond_the_published_calendar_is_still_due() -> None:
    beyond = approval(decided_at=datetime(2099, 1, 5, 9, tzinfo=BEIJING))
    assert derive(beyond).due_at == datetime(2099, 2, 2, 23, 59, 59, tzinfo=BEIJING)


@pytest.mark.parametrize("state", [ApprovalState.ACCEPTED, ApprovalState.REFUSED, ApprovalState.REVOKED])
def test_what_is_not_granted_owes_nothing(state: ApprovalState) -> None:
    decided_at = None if state is ApprovalState.ACCEPTED else START
    assert RULE.derive(Facts(approval(state=state, decided_at=decided_at), SHOP_CODE, ()), (), BOOK, START).owed == ()


def test_an_old_number_that_is_resolved_gives_the_task_its_code() -> None:
    assert derive(approval(subject_code=None, old_number="330782000012345"), code=SHOP_CODE).subjects[0].code == SHOP_CODE


def test_an_old_number_that_nobody_knows_leaves_the_task_without_a_code() -> None:
    assert derive(approval(subject_code=None, old_number="330782000012345"), code=None).subjects[0].code is None


def test_a_matter_that_no_policy_names_is_verified_all_the_same_and_ops_is_told_once_for_all() -> None:
    verdicts = [
        RULE.derive(Facts(approval(matter_code="WH-SX99", approval_no=no), SHOP_CODE, ()), (), BOOK, START) for no in ("YW1", "YW2")
    ]
    assert [only(verdict).command is not None for verdict in verdicts] == [True, True]
    assert [kinds(verdict) for verdict in verdicts] == [["unknown-matter"]] * 2
    assert len({trouble.item_id for verdict in verdicts for trouble in verdict.troubles}) == 1
    assert "WH-SX99" in verdicts[0].troubles[0].message
    assert "matters.csv" in verdicts[0].troubles[0].message


def test_the_platforms_task_with_our_number_is_the_proof_and_the_oldest_of_two_counts() -> None:
    tasks = [approval_task(task_id="T2", created_at=START), approval_task(task_id="T1", created_at=START - timedelta(seconds=1))]
    assert RULE.derive(Facts(approval(), SHOP_CODE, tasks), (), BOOK, START).proven == {APPROVAL_KEY: "T1"}


def test_the_proof_counts_for_a_revoked_approval_as_well() -> None:
    revoked = approval(state=ApprovalState.REVOKED)
    assert RULE.derive(Facts(revoked, SHOP_CODE, [approval_task()]), (), BOOK, START).proven == {
        APPROVAL_KEY: approval_task().task_id
    }


def test_numbers_of_days_are_policy() -> None:
    (deadline,) = (each for each in BOOK.policy.deadlines if (each.rule, each.variant) == (RULE.name, "commitment"))
    longer = replace(deadline, after=replace(deadline.after, amount=21))
    policy = replace(BOOK.policy, deadlines=tuple(longer if each is deadline else each for each in BOOK.policy.deadlines))
    owed = only(RULE.derive(Facts(approval(), SHOP_CODE, ()), (), Rulebook(policy, "330782"), START))
    assert isinstance(owed.command, CreateTask)
    assert owed.command.due_at == datetime(2019, 10, 8, 23, 59, 59, tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("record", "causes"),
    [
        (approval(), [APPROVAL_NO]),
        (task(), [APPROVAL_NO]),
        (task(origin_platform="grid"), []),
        (task(origin_platform=None, origin_ref=None), []),
        (credit_record(), []),
    ],
)
def test_an_approval_and_its_tasks_are_what_it_listens_to(
    record: Approval | VerificationTask | CreditRecord, causes: list[str]
) -> None:
    assert list(RULE.causes(observed(record))) == causes
