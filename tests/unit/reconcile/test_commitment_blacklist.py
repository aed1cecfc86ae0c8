"""commitment-blacklist, read like its row in DOMAIN.md: a commitment is breached -> a blacklist entry, approval."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from hub.mirror.queries import Check
from hub.reconcile.rule import Verdict
from hub.reconcile.rules.commitment_blacklist import CommitmentBlacklist, Facts
from schema.commands import AddToBlacklist
from schema.entities import Approval, Conclusion, ObligationState, TaskStatus, TaskType
from tests.builders import (
    IDENTITY_NO,
    OTHER_CODE,
    SHOP_CODE,
    approval,
    blacklist_entry,
    credit_profile,
    observed,
    task,
    task_result,
)
from tests.settable_clock import START
from tests.unit.reconcile.city import APPROVAL_NO, BOOK, TASK_ID, City, approval_task, check, done_check, observation, only

RULE = CommitmentBlacklist()
KEY = f"commitment-blacklist:{APPROVAL_NO}"
OLD_NUMBER = "330782000012345"
PERSON = "RID-" + "d" * 64
NONCONFORM, CONFORM = Conclusion.NONCONFORM, Conclusion.CONFORM


def derive(
    said: Check,
    of: Approval | None = approval(),  # noqa: B008  (frozen)
    code: str | None = None,
    *,
    listed: bool = False,
) -> Verdict:
    return RULE.derive(Facts(APPROVAL_NO, said, of, code, listed), (), BOOK, START)


def holder(verdict: Verdict) -> str | None:
    command = only(verdict).command
    return command.holder if isinstance(command, AddToBlacklist) else None


def test_a_broken_promise_puts_the_applicant_on_the_list_of_its_matter() -> None:
    owed = only(derive(done_check(NONCONFORM)))
    assert owed.command == AddToBlacklist(
        entry_no=RULE.number(KEY),
        holder=SHOP_CODE,
        holder_name="义乌市天䶮印刷有限公司",
        matter_code="WH-SX01",
        reason=f"未履行告知承诺：{APPROVAL_NO}，核查任务{TASK_ID}",
        since=date(2019, 9, 2),
    )
    assert (owed.key, owed.platform, owed.due.at, owed.subject_code) == (KEY, "approval", START, SHOP_CODE)


def test_since_is_the_beijing_date_of_the_check() -> None:
    checked_at = datetime(2019, 9, 2, 16, 0, tzinfo=UTC)
    said = check(approval_task(status=TaskStatus.DONE), task_result(checked_at=checked_at))
    command = only(derive(said)).command
    assert isinstance(command, AddToBlacklist)
    assert command.since == date(2019, 9, 3)


@pytest.mark.parametrize("conclusion", [CONFORM, Conclusion.UNREACHABLE])
def test_what_is_no_breach_owes_nothing(conclusion: Conclusion) -> None:
    assert derive(done_check(conclusion)).owed == ()


@pytest.mark.parametrize("fields", [{"status": TaskStatus.IN_PROGRESS}, {"type": TaskType.APPROVAL}])
def test_only_a_finished_check_on_commitment_counts(fields: dict[str, Any]) -> None:
    assert derive(done_check(NONCONFORM, **fields)).owed == ()


def test_a_transferred_check_says_what_it_found_as_for_the_record() -> None:
    assert len(derive(done_check(NONCONFORM, status=TaskStatus.TRANSFERRED)).owed) == 1


def test_a_natural_person_is_listed_under_the_identity_number_which_no_word_to_ops_shows() -> None:
    verdict = derive(done_check(NONCONFORM), approval(subject_code=PERSON, identity_no=IDENTITY_NO))
    assert (holder(verdict), only(verdict).subject_code) == (IDENTITY_NO, PERSON)
    command = only(verdict).command
    assert command is not None
    assert IDENTITY_NO not in (RULE.material(command) or "")


def test_an_old_number_waits_for_its_code() -> None:
    old = approval(subject_code=None, old_number=OLD_NUMBER)
    owed = only(derive(done_check(NONCONFORM), old))
    assert (owed.command, owed.needs) == (None, f"the code of old number {OLD_NUMBER}")
    assert holder(derive(done_check(NONCONFORM), old, SHOP_CODE)) == SHOP_CODE
    assert owed.needs in list(RULE.releases(observed(credit_profile(old_codes=(OLD_NUMBER,)))))


def test_an_approval_that_was_never_seen_is_waited_for() -> None:
    assert only(derive(done_check(NONCONFORM), None)).needs == f"approval {APPROVAL_NO} in the mirror"


def test_a_person_whose_number_is_not_known_is_waited_for() -> None:
    needs = only(derive(done_check(NONCONFORM), approval(subject_code=PERSON, identity_no=None))).needs
    assert needs == f"the code or identity number of the applicant of approval {APPROVAL_NO}"


def test_it_listens_to_approvals_and_their_checks() -> None:
    assert list(RULE.causes(observed(approval()))) == [APPROVAL_NO]
    assert list(RULE.causes(observed(task()))) == [APPROVAL_NO]
    assert list(RULE.causes(observed(task(origin_platform="grid")))) == []


# --- In the ledger ---------------------------------------------------------------------------------------------------


async def breached(city: City, **columns: Any) -> None:
    await city.say(observed(approval()), observation(done_check(NONCONFORM)))
    if columns:
        await city.put(KEY, **columns)


async def line(city: City) -> str | None:
    return (await city.lines()).get(KEY)


@pytest.mark.parametrize("removed_on", [None, "2019-09-03"])
async def test_the_entry_with_our_number_closes_it_also_one_that_was_taken_off_again(city: City, removed_on: str | None) -> None:
    await breached(city)
    await city.accept(KEY)
    await city.say(observed(blacklist_entry(entry_no=RULE.number(KEY), removed_on=removed_on)))
    assert await line(city) == "CLOSED"


async def test_a_check_that_is_corrected_before_sending_withdraws_it(city: City) -> None:
    await breached(city)
    await city.say(observation(done_check(CONFORM, version=2)))
    assert await line(city) == "WITHDRAWN"


async def test_a_check_that_is_corrected_after_sending_is_for_ops(city: City) -> None:
    await breached(city)
    await city.accept(KEY)
    await city.say(observation(done_check(CONFORM, version=2)))
    kinds = [item.kind for item in await city.ops()]
    assert "commitment-blacklist.withdrawn-after-sent" in kinds


async def test_another_holder_is_corrected_before_sending_and_for_ops_afterwards(city: City) -> None:
    await breached(city)
    await city.say(observed(approval(version=2, subject_code=OTHER_CODE)))
    command = await city.command(KEY)
    assert isinstance(command, AddToBlacklist)
    assert command.holder == OTHER_CODE
    await city.put(KEY, state=ObligationState.CLOSED, sent_at=START)
    await city.say(observed(approval(version=3)))
    assert "commitment-blacklist.changed-after-sent" in [item.kind for item in await city.ops()]


async def test_a_code_for_the_old_number_releases_it(city: City) -> None:
    await city.say(observed(approval(subject_code=None, old_number=OLD_NUMBER)), observation(done_check(NONCONFORM)))
    assert await line(city) == "WAITING"
    await city.say(observed(credit_profile(old_codes=(OLD_NUMBER,))))
    assert await line(city) == "DUE"
