"""What becomes of open terms when policy changes, as when the holidays of the next year are published (docs/policy.md)."""

from datetime import date, datetime, time, timedelta

import msgspec
import pytest

from hub.domain.calendar import BEIJING
from hub.domain.deadlines import end_of_day
from hub.domain.policy import parse_policy
from hub.reconcile.rule import Rulebook
from schema.commands import CreateTask, PostCreditRecord
from schema.entities import Approval, Conclusion, ObligationState
from schema.entity import Observation
from tests.builders import SHOP_CODE, approval, observed
from tests.unit.domain.policies import default_files
from tests.unit.reconcile.city import APPROVAL_KEY, APPROVAL_NO, BOOK, TASK_ID, City, observation, taken
from tests.unit.reconcile.city import done_check as done

YEAR = max(BOOK.policy.calendar.known_years) + 1
"""The first year whose holidays nobody has published."""
MONDAY = next(day for day in (date(YEAR, 6, 1) + timedelta(days=n) for n in range(7)) if day.weekday() == 0)
MORNING = datetime.combine(MONDAY, time(9), BEIJING)
TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
RESULT_KEY = f"verification-result:{TASK_ID}:1"


def granted() -> Approval:
    return approval(accepted_at=MORNING, decided_at=MORNING, updated_at=MORNING)


def published() -> Rulebook:
    """The same policy, in whose calendar.toml the Tuesday is a holiday now."""
    table = f'[{YEAR}]\nsource = "通知"\nholidays = [{TUESDAY}]\nworking_weekends = []\n'
    return Rulebook(parse_policy(default_files() | {"calendar.toml": table.encode()}), BOOK.region)


async def finish_check(city: City) -> None:
    """Let the approval be granted, and its check be done, both that Monday."""
    (result,) = done(Conclusion.CONFORM).results
    await city.say(
        observed(granted()), observed(done(Conclusion.CONFORM).task, msgspec.structs.replace(result, checked_at=MORNING))
    )


async def test_a_provisional_term_stays_as_it_was_made_when_the_calendar_comes_out(city: City) -> None:
    await finish_check(city)
    before = (await city.ledger())[RESULT_KEY]
    assert (before.due_at, before.due_provisional) == (end_of_day(TUESDAY), True)
    city.derivation.book = published()
    await city.settle_all()
    after = (await city.ledger())[RESULT_KEY]
    assert (after.due_at, after.due_provisional, after.policy_version) == (before.due_at, True, BOOK.policy.version)


async def test_what_is_owed_from_then_on_goes_by_the_new_calendar(city: City) -> None:
    city.derivation.book = published()
    await finish_check(city)
    one = (await city.ledger())[RESULT_KEY]
    assert (one.due_at, one.due_provisional) == (end_of_day(WEDNESDAY), False)


@pytest.mark.parametrize("sent", [False, True])
async def test_a_command_that_names_a_term_is_made_again_while_it_is_unsent(city: City, sent: bool) -> None:
    await city.say(observed(granted()))
    before = await city.command(APPROVAL_KEY)
    assert isinstance(before, CreateTask)
    if sent:
        await city.accept(APPROVAL_KEY)
    city.derivation.book = published()
    await city.settle_all()
    after, one = await city.command(APPROVAL_KEY), (await city.ledger())[APPROVAL_KEY]
    assert isinstance(after, CreateTask)
    if sent:
        assert (after.due_at, one.policy_version, one.state) == (before.due_at, BOOK.policy.version, ObligationState.SENT)
        assert await city.ops() == []
    else:
        assert after.due_at > before.due_at
        assert one.policy_version == published().policy.version


async def test_a_corrected_cause_takes_the_terms_of_the_policy_of_the_day(city: City) -> None:
    await city.say(observed(granted()))
    city.derivation.book = published()
    await city.say(observed(msgspec.structs.replace(granted(), version=2, department_code="ZFJ")))
    one = (await city.ledger())[APPROVAL_KEY]
    assert (one.cause_version, one.policy_version) == (2, published().policy.version)


# --- Points -----------------------------------------------------------------------------------------------------------


def dearer() -> Rulebook:
    """The same policy, by which a broken promise costs 8 points and a dozen 3."""
    files = default_files()
    points = files["points.toml"].replace(b"commitment_breach = 6 ", b"commitment_breach = 8 ")
    points = points.replace(b"dozen_deduction = 2 ", b"dozen_deduction = 3 ")
    book = Rulebook(parse_policy(files | {"points.toml": points}), BOOK.region)
    assert [int(book.policy.points.commitment_breach), int(book.policy.points.dozen_deduction)] == [8, 3]
    return book


BROKEN = [observed(granted()), observation(done(Conclusion.NONCONFORM))]
TWELVE = [observed(taken(1, "12.0"))]


@pytest.mark.parametrize("state", [ObligationState.DUE, ObligationState.SENT, ObligationState.CLOSED])
@pytest.mark.parametrize(
    ("said", "key", "points"),
    [(BROKEN, f"breach-record:{APPROVAL_NO}", "6.0"), (TWELVE, f"comprehensive-deduction:{SHOP_CODE}:2019:1", "2.0")],
    ids=["a broken promise", "a dozen"],
)
async def test_points_stay_as_the_policy_that_made_them_has_them_sent_or_not(
    city: City, said: list[Observation], key: str, points: str, state: ObligationState
) -> None:
    await city.say(*said)
    if state is not ObligationState.DUE:
        await city.accept(key)
        await city.put(key, state=state)
    city.derivation.book = dearer()
    await city.settle_all()
    command, one = await city.command(key), (await city.ledger())[key]
    assert isinstance(command, PostCreditRecord)
    assert (str(command.points), one.policy_version, one.state) == (points, BOOK.policy.version, state)
    assert [item.kind for item in await city.ops() if item.kind.endswith("-after-sent")] == []


async def test_what_the_credit_platform_refused_is_made_anew_by_the_policy_of_the_day(city: City) -> None:
    await city.say(*BROKEN)
    key = f"breach-record:{APPROVAL_NO}"
    await city.put(key, state=ObligationState.STUCK, last_error="MALFORMED: credit: points")
    city.derivation.book = dearer()
    await city.settle_all()
    command, one = await city.command(key), (await city.ledger())[key]
    assert isinstance(command, PostCreditRecord)
    assert (str(command.points), one.policy_version, one.state) == ("8.0", dearer().policy.version, ObligationState.DUE)


async def test_points_of_a_check_that_was_corrected_before_its_record_was_sent_are_those_of_the_day(city: City) -> None:
    await city.say(*BROKEN)
    city.derivation.book = dearer()
    await city.say(observation(done(Conclusion.NONCONFORM, version=2)))
    command = await city.command(f"breach-record:{APPROVAL_NO}")
    assert isinstance(command, PostCreditRecord)
    assert str(command.points) == "8.0"
