"""What operators decide about who is who, what it does to the rules, and what it never does to the platforms; on both databases."""

import msgspec
import pytest
from sqlalchemy import Connection
from structlog.typing import EventDict

from hub.mirror import merges
from hub.reconcile import identities
from schema.commands import CreateTask, PostCreditRecord
from schema.entities import ObligationState, SubjectMerge
from schema.operations import Outcome
from schema.user_errors import (
    AlreadyMerged,
    CircularMerge,
    InvalidIdentifier,
    PersonWithEnterprise,
    ReasonMissing,
    SameSubject,
    UnknownMerge,
    UnknownSubject,
    UserError,
)
from tests.builders import HOUR, IDENTITY_NO, approval, credit_profile, credit_record, observed
from tests.settable_clock import START
from tests.subject_codes import old_number, rid, uscc
from tests.unit.reconcile.city import APPROVAL_KEY, APPROVAL_NO, City, done_check, observation

A, B, C, D = (uscc(number) for number in range(4))
N = old_number(1)
BREACH_KEY = f"breach-record:{APPROVAL_NO}"


async def merge(city: City, identifier: str, into: str, reason: str = "same owner and premises") -> Outcome:
    return await city.database.write(identities.merge, city.derivation, identifier, into, reason, "lou", city.clock())


async def split(city: City, merge_id: str, reason: str = "they are two after all") -> Outcome:
    return await city.database.write(identities.split, city.derivation, merge_id, reason, "chen", city.clock())


async def merge_of(city: City, merge_id: str) -> SubjectMerge:
    found = await city.database.read(merges.merge_of, city.rows, merge_id)
    assert found is not None
    return found


async def belongs(city: City, *wanted: str) -> list[str]:
    def codes(connection: Connection) -> list[str]:
        found = merges.identifiers(connection, city.rows, wanted)
        return [found[each].code for each in wanted]

    return await city.database.read(codes)


def refusal(outcome: Outcome) -> UserError:
    assert outcome.done == ()
    (error,) = outcome.refused
    return error


async def audit(city: City) -> list[tuple[str, str, str, str | None]]:
    return [(one.action, one.actor, one.target, one.outcome) for one in await city.audited()]


async def companies(city: City, *codes: str) -> None:
    await city.say(*(observed(credit_profile(code=code)) for code in codes))


# --- What is decided -------------------------------------------------------------------------------------------------


async def test_a_merge_says_who_what_when_and_why_and_so_does_its_end(city: City, logged: list[EventDict]) -> None:
    await companies(city, A, B)
    assert await merge(city, f" {A.lower()}", B, reason=f" 同一人 {IDENTITY_NO} ") == Outcome(done=(f"{A}/1",))
    one = await merge_of(city, f"{A}/1")
    assert (one.from_identifier, one.into_code, one.merged_at, one.merged_by) == (A, B, START, "lou")
    assert one.reason == f"同一人 {IDENTITY_NO}"
    assert (one.undone_at, one.undone_by, one.undone_reason) == (None, None, None)
    assert await belongs(city, A, B) == [B, B]
    city.clock.advance(3600)
    assert await split(city, f"{A}/1") == Outcome(done=(f"{A}/1",))
    one = await merge_of(city, f"{A}/1")
    assert (one.merged_at, one.undone_at) == (START, START + HOUR)
    assert (one.undone_by, one.undone_reason) == ("chen", "they are two after all")
    assert await belongs(city, A, B) == [A, B]
    assert await audit(city) == [
        ("mergeSubjects", "lou", f"{A}/1", f"into {B}"),
        ("splitSubjects", "chen", f"{A}/1", f"out of {B}"),
    ]
    assert [one.reason for one in await city.audited()] == [f"同一人 {IDENTITY_NO}", "they are two after all"]
    assert IDENTITY_NO not in str(logged)


async def test_what_is_asked_twice_is_done_once(city: City) -> None:
    await companies(city, A, B)
    for _ in range(2):
        assert await merge(city, A, B) == Outcome(done=(f"{A}/1",))
    for _ in range(2):
        assert await split(city, f"{A}/1") == Outcome(done=(f"{A}/1",))
    assert len(await audit(city)) == 2
    assert (await merge_of(city, f"{A}/1")).undone_at == START


async def test_the_subject_to_merge_into_may_be_named_by_any_identifier(city: City) -> None:
    await city.say(observed(credit_profile(code=B, old_codes=(N, D))), observed(credit_profile(code=A)))
    assert await merge(city, A, N) == Outcome(done=(f"{A}/1",))
    assert (await merge_of(city, f"{A}/1")).into_code == B
    assert await merge(city, A, D) == await merge(city, A, B) == Outcome(done=(f"{A}/1",))
    await city.say(observed(credit_profile(code=C, old_codes=(B,), updated_at=START + HOUR)))
    assert await merge(city, A, B) == Outcome(done=(f"{A}/1",))  # the same question, though its answer has a new code


async def test_a_subject_that_was_merged_into_takes_its_own_along_and_gives_it_back(city: City) -> None:
    await companies(city, A, B, C)
    await merge(city, A, B)
    await merge(city, B, C)
    assert await belongs(city, A, B, C) == [C, C, C]
    await split(city, f"{B}/1")
    assert await belongs(city, A, B, C) == [B, B, C]


# --- What is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identifier", "into", "path", "shown"),
    [
        (A[:-1] + ("0" if A[-1] != "0" else "1"), B, "from", None),
        (A, "91330782", "into", None),
        (A, "", "into", None),
        (A, "RID-abc", "into", None),
        ("1234567890123456", B, "from", None),
        (IDENTITY_NO, B, "from", "330*************1X"),
    ],
)
async def test_what_cannot_be_an_identifier_is_named(city: City, identifier: str, into: str, path: str, shown: str | None) -> None:
    await companies(city, A, B)
    error = refusal(await merge(city, identifier, into))
    assert isinstance(error, InvalidIdentifier)
    assert error.path == [path]
    assert error.identifier == (shown or (identifier if path == "from" else into))
    assert IDENTITY_NO not in error.message
    if shown is None and error.identifier:
        assert error.identifier in error.message or "*" in error.message


async def test_subjects_that_nobody_tells_of_are_refused(city: City) -> None:
    await companies(city, A)
    await city.say(observed(approval(subject_code=None, old_number=N)))
    for identifier, into, path, named in ((C, A, "from", C), (A, C, "into", C), (A, N, "into", N), (rid(1), A, "from", rid(1))):
        error = refusal(await merge(city, identifier, into))
        assert isinstance(error, UnknownSubject)
        assert (error.path, error.identifier) == ([path], named)
        assert named in error.message


async def test_a_code_that_stands_in_records_alone_is_merged_but_not_merged_into(city: City) -> None:
    """No record says its name: there is no subject that could stand for the other."""
    await companies(city, A)
    await city.say(observed(credit_record(subject_code=C)))
    assert isinstance(refusal(await merge(city, A, C)), UnknownSubject)
    assert (await merge(city, C, A)).done == (f"{C}/1",)


async def test_one_subject_is_not_merged_into_itself(city: City) -> None:
    await city.say(observed(credit_profile(code=A, old_codes=(N, D))), observed(credit_profile(code=B)))
    await merge(city, B, A)
    for identifier, into in ((A, A), (N, A), (D, N), (N, D), (N, B)):
        error = refusal(await merge(city, identifier, into))
        assert isinstance(error, SameSubject), (identifier, into, error)
        assert error.code == A


async def test_a_circle_is_refused_however_long_the_way_and_whoever_made_it(city: City) -> None:
    await city.say(observed(credit_profile(code=B, old_codes=(A,))), *(observed(credit_profile(code=code)) for code in (C, D)))
    await merge(city, B, C)
    await merge(city, C, D)
    error = refusal(await merge(city, D, C))
    assert isinstance(error, CircularMerge)
    assert (error.path, error.way) == (["into"], [C, D])
    error = refusal(await merge(city, D, B))
    assert isinstance(error, CircularMerge)
    assert error.way == [B, C, D]
    assert await belongs(city, A, B, C, D) == [D, D, D, D]


async def test_a_subject_that_was_merged_elsewhere_is_split_off_first(city: City) -> None:
    await companies(city, A, B, C)
    await merge(city, A, B)
    error = refusal(await merge(city, A, C))
    assert isinstance(error, AlreadyMerged)
    assert (error.merge_id, error.into_code, error.path) == (f"{A}/1", B, ["from"])
    await split(city, f"{A}/1")
    assert (await merge(city, A, C)).done == (f"{A}/2",)
    assert await belongs(city, A) == [C]


async def test_a_person_and_an_enterprise_are_never_one(city: City) -> None:
    await city.say(observed(credit_profile(code=A)), observed(approval(approval_no="P", subject_code=rid(1))))
    await city.say(observed(approval(approval_no="O", subject_code=None, old_number=N)))
    await city.say(observed(approval(approval_no="Q", subject_code=rid(2))))
    for identifier, into in ((A, rid(1)), (rid(1), A), (N, rid(1))):
        assert isinstance(refusal(await merge(city, identifier, into)), PersonWithEnterprise)
    assert (await merge(city, rid(1), rid(2))).done  # who has two identity numbers is one person


async def test_a_blank_reason_and_an_unknown_merge_are_refused(city: City) -> None:
    await companies(city, A, B)
    assert isinstance(refusal(await merge(city, A, B, reason=" ")), ReasonMissing)
    await merge(city, A, B)
    assert isinstance(refusal(await split(city, f"{A}/1", reason="")), ReasonMissing)
    error = refusal(await split(city, f"{A}/2"))
    assert isinstance(error, UnknownMerge)
    assert error.merge_id == f"{A}/2"
    assert await belongs(city, A) == [B]


async def test_what_is_refused_changes_nothing_and_is_not_audited(city: City) -> None:
    await companies(city, A, B)
    for identifier, into in ((A, A), (C, A), (A, "x"), (A, rid(1))):
        assert isinstance(refusal(await merge(city, identifier, into)), UserError)
    assert await belongs(city, A, B) == [A, B]
    assert await audit(city) == []


# --- What it does to the rules ---------------------------------------------------------------------------------------


async def posted(city: City, key: str = BREACH_KEY) -> PostCreditRecord:
    command = await city.command(key)
    assert isinstance(command, PostCreditRecord)
    return command


async def breach(city: City, subject_code: str | None, number: str | None = None) -> None:
    """An approval whose commitment was broken; the check itself names no code."""
    check = done_check()
    results = [msgspec.structs.replace(one, subject_code=None) for one in check.results]
    await city.say(observed(approval(subject_code=subject_code, old_number=number)))
    await city.say(observation(check._replace(results=results)))


async def test_a_merge_of_two_codes_redirects_no_record_on_the_credit_platform(city: City) -> None:
    await companies(city, A, B)
    await merge(city, A, B)
    await breach(city, A)
    assert (await posted(city)).code == A
    await split(city, f"{A}/1")
    await city.settle_all()
    assert (await posted(city)).code == A
    await city.accept(BREACH_KEY)
    await merge(city, A, B)
    await city.settle_all()
    assert (await posted(city)).code == A
    assert await city.ops() == []


async def test_an_earlier_code_is_sent_as_the_present_one(city: City) -> None:
    await city.say(observed(credit_profile(code=B, old_codes=(A,))))
    await breach(city, A)
    assert (await posted(city)).code == B


async def test_a_record_that_was_made_under_an_earlier_code_of_the_same_subject_stays_right(city: City) -> None:
    await city.say(observed(credit_profile(code=A, old_codes=(N,))))
    await breach(city, None, N)
    await city.accept(BREACH_KEY)
    await city.say(observed(credit_profile(code=B, old_codes=(A, N), updated_at=START + HOUR)))
    await city.settle_all()
    assert (await posted(city)).code == A
    assert await city.ops() == []
    await city.say(observed(credit_profile(code=C, old_codes=(N,), updated_at=START + 2 * HOUR)))  # it was another one's number
    await city.settle_all()
    (item,) = await city.ops()
    assert item.kind == "breach-record.changed-after-sent"
    assert C in item.message


async def test_an_old_number_that_is_merged_by_hand_releases_what_waits_for_its_code_at_once(city: City) -> None:
    await companies(city, A)
    await breach(city, None, N)
    waiting = (await city.ledger())[BREACH_KEY]
    assert (waiting.state, waiting.needs) == (ObligationState.WAITING, f"the code of old number {N}")
    assert (await merge(city, N, A)).done
    assert (await city.ledger())[BREACH_KEY].state is ObligationState.DUE
    assert (await posted(city)).code == A
    await split(city, f"{N}/1")
    assert (await city.ledger())[BREACH_KEY].state is ObligationState.WAITING


async def test_a_check_that_is_not_made_yet_learns_the_code_of_its_old_number_at_once(city: City) -> None:
    await companies(city, A)
    await city.say(observed(approval(subject_code=None, old_number=N)))
    assert await check_code(city) is None
    await merge(city, N, A)
    assert await check_code(city) == A
    await split(city, f"{N}/1")
    assert await check_code(city) is None


async def check_code(city: City) -> str | None:
    command = await city.command(APPROVAL_KEY)
    assert isinstance(command, CreateTask)
    return command.subjects[0].code


async def test_a_merged_number_keeps_its_subject_when_the_platform_gives_it_to_another(city: City) -> None:
    await companies(city, A)
    await breach(city, None, N)
    await merge(city, N, A)
    await city.say(observed(credit_profile(code=B, old_codes=(N,), updated_at=START + HOUR)))
    await city.settle_all()
    assert (await posted(city)).code == A
    await split(city, f"{N}/1")
    assert (await posted(city)).code == B


async def test_an_obligation_under_way_is_left_to_its_call(city: City) -> None:
    await companies(city, A)
    await breach(city, None, N)
    await merge(city, N, A)
    await city.put(BREACH_KEY, state=ObligationState.LEASED)
    await split(city, f"{N}/1")
    assert (await city.ledger())[BREACH_KEY].state is ObligationState.LEASED
    assert (await posted(city)).code == A
