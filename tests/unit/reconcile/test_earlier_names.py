"""A subject whose code has changed: its points are one count, whatever name they were taken under; on both databases."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import Connection, delete

from hub.domain.eligibility import points_taken
from hub.mirror.records import upsert
from hub.mirror.standing import standing_of
from hub.mirror.subjects import know_subjects
from hub.mirror.tables import TABLES
from hub.reconcile.rule import AnyRule
from hub.reconcile.rules.comprehensive_deduction import ComprehensiveDeduction
from hub.reconcile.rules.key_supervision import KeySupervision
from hub.reconcile.rules.responsible_person import ResponsiblePerson
from schema.commands import PostCreditRecord, PutKeySubject, RemoveKeySubject
from schema.entities import ObligationState, RecordCategory
from schema.entity import Observation
from schema.identifiers import outgoing_number
from tests.builders import HOUR, approval, credit_profile, credit_record, key_subject, observed
from tests.settable_clock import START
from tests.subject_codes import old_number, uscc
from tests.unit.reconcile.city import BOOK, City, taken
from tests.unit.reconcile.watched_shop import YEAR, YEAR_WORDS, off, put

CODES = sorted(uscc(number) for number in range(1, 4))
OLD, NEW, LAST = CODES[1], CODES[0], CODES[2]
DUE, CLOSED = "DUE", "CLOSED"
OURS = ("comprehensive-deduction", "responsible-person", "key-supervision")
AGAIN = timedelta(minutes=30)


def deduction(code: str, dozen: int = 1) -> str:
    return f"comprehensive-deduction:{code}:2019:{dozen}"


def person(code: str) -> str:
    return f"responsible-person:{code}:2019"


def renamed(code: str = NEW, *old: str) -> Observation:
    """The credit platform's word that a code has earlier ones."""
    return observed(credit_profile(code=code, old_codes=old or (OLD,), updated_at=START + HOUR, name=f"第{code}号"))


def points(number: int, code: str, costs: str = "8", version: int = 1, **fields: object) -> Observation:
    return observed(taken(number, costs, subject_code=code, version=version, **fields))


def granted(code: str) -> Observation:
    return observed(approval(subject_code=code))


async def owed(city: City) -> dict[str, str]:
    """Return the states of what follows from points; what was withdrawn is not owed."""
    lines = await city.lines()
    return {key: state for key, state in lines.items() if key.startswith(OURS) and state != "WITHDRAWN"}


async def troubles(city: City) -> list[tuple[str, str]]:
    return [(one.kind, one.cause) for one in await city.ops() if one.kind.endswith(("after-sent", "though-owed"))]


async def lose(city: City, *said: Observation) -> None:
    """Let the mirror know something, also who is who, of which no rule was asked."""

    def write(connection: Connection) -> None:
        upsert(connection, city.rows, list(said))
        know_subjects(connection, city.rows, list(said))

    await city.database.write(write)


async def candidates(city: City, rule: AnyRule) -> list[str]:
    return await city.database.read(rule.candidates(BOOK, START), "", 50)


def made(key: str, code: str, version: int = 1) -> Observation:
    """The platform's own record of what was owed under a key."""
    kind = ComprehensiveDeduction if key.startswith("comprehensive") else ResponsiblePerson
    category = RecordCategory.COMPREHENSIVE_DEDUCTION if kind is ComprehensiveDeduction else RecordCategory.RESPONSIBLE_PERSON
    number = outgoing_number(kind.prefix, key)
    return observed(
        credit_record(record_id=number, biz_no=number, subject_code=code, category=category, caused_by="B", version=version)
    )


async def carry_out(city: City, code: str = OLD) -> None:
    """Let all that follows from a subject's dozen be done, and seen."""
    for key in (deduction(code), person(code), put(YEAR, code=code)):
        await city.accept(key)
    listed = key_subject(code=code, reason=YEAR_WORDS, ref=outgoing_number("KS", put(YEAR, code=code)))
    await city.say(made(deduction(code), code), made(person(code), "RID-" + "c" * 64), observed(listed))
    assert await owed(city) == dict.fromkeys((deduction(code), person(code), put(YEAR, code=code)), CLOSED)


async def become_serious(city: City) -> None:
    """Let a dozen be filled under the earlier code, and all be made that follows."""
    await city.say(granted(OLD), points(1, OLD), points(2, OLD))
    await carry_out(city)


SHOWN_AGAIN = [renamed(), points(1, NEW, version=2), points(2, NEW, version=2), made(deduction(OLD), NEW, version=2)]
"""What the platform says of a dozen that was made under the earlier code, once the subject has its present one."""
KEPT = {
    deduction(OLD): CLOSED,
    person(OLD): CLOSED,
    put(YEAR, code=OLD): CLOSED,
    off(YEAR, code=OLD): DUE,
    put(YEAR, code=NEW): DUE,
}
"""What is owed then: the list alone is kept by code, so that the entry moves."""
ONCE = dict.fromkeys((deduction(NEW), person(NEW), put(YEAR, code=NEW)), DUE)


# --- Points under two names are one count ----------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_points_under_two_names_of_a_subject_fill_one_dozen_in_whatever_order_they_come(
    city: City, order: Sequence[int]
) -> None:
    said = [renamed(), points(1, OLD), points(2, NEW)]
    await city.say(granted(OLD))
    for each in order:
        await city.say(said[each])
    assert await owed(city) == ONCE
    command = await city.command(deduction(NEW))
    assert isinstance(command, PostCreditRecord)
    assert (command.code, command.caused_by, command.subject_name) == (NEW, "BR-FINDING-0002", f"第{NEW}号")
    entry = await city.command(put(YEAR, code=NEW))
    assert isinstance(entry, PutKeySubject)
    assert (entry.code, entry.reason) == (NEW, YEAR_WORDS)
    assert await troubles(city) == []


async def test_eleven_and_a_half_points_under_two_names_fill_none(city: City) -> None:
    await city.say(renamed(), points(1, OLD, "6"), points(2, NEW, "5.5"), points(3, LAST, "8"))
    await city.sweep.everything()
    assert await owed(city) == {}


async def test_a_way_over_several_names_is_one_subject(city: City) -> None:
    await city.say(points(1, OLD), points(2, LAST), granted(LAST))
    await city.say(renamed(NEW, LAST))
    assert await owed(city) == {}
    await city.say(renamed(LAST, OLD))
    assert await owed(city) == ONCE


async def test_an_old_number_under_which_nothing_stands_asks_about_no_period(city: City) -> None:
    said = renamed(NEW, old_number(1))
    await city.say(said, points(1, NEW, "12"))
    assert list(await city.database.read(ComprehensiveDeduction().linked, city.rows, [said])) == []
    assert set(await owed(city)) == set(ONCE)


async def test_eligibility_counts_the_points_under_all_names(city: City) -> None:
    await city.say(points(1, OLD), points(2, NEW))
    for code, known in ((NEW, 8), (OLD, 8)):
        assert points_taken((await city.database.read(standing_of, city.rows, code)).records, "2019") == known
    await city.say(renamed())
    for code in (NEW, OLD):
        assert points_taken((await city.database.read(standing_of, city.rows, code)).records, "2019") == 16
    assert (await city.database.read(standing_of, city.rows, LAST)).records == ()


# --- What was made under an earlier name stays right -----------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_what_was_made_under_an_earlier_name_is_that_dozen_in_whatever_order_it_is_shown_again(
    city: City, order: Sequence[int]
) -> None:
    await become_serious(city)
    for each in order:
        await city.say(SHOWN_AGAIN[each])
    await city.say(*SHOWN_AGAIN)
    assert await owed(city) == KEPT
    await city.settle_all()
    await city.sweep.everything()
    assert await owed(city) == KEPT
    assert await troubles(city) == []
    assert await city.command(off(YEAR, code=OLD)) == RemoveKeySubject(code=OLD)


async def test_the_next_dozen_is_the_second_one_of_the_present_name(city: City) -> None:
    await become_serious(city)
    await city.say(*SHOWN_AGAIN)
    await city.say(points(3, NEW, "8"))
    assert await owed(city) == KEPT | {deduction(NEW, 2): DUE}


async def test_a_dozen_that_is_undone_after_it_was_made_under_an_earlier_name_is_for_ops(city: City) -> None:
    await become_serious(city)
    await city.say(*SHOWN_AGAIN)
    await city.say(points(2, NEW, version=3, cancelled=True))
    assert sorted(await troubles(city)) == [
        ("comprehensive-deduction.withdrawn-after-sent", deduction(OLD)),
        ("responsible-person.withdrawn-after-sent", person(OLD)),
    ]


async def test_what_was_not_sent_yet_goes_to_the_present_name_under_its_key(city: City) -> None:
    await city.say(granted(OLD), points(1, OLD), points(2, OLD))
    await city.say(renamed())
    assert await owed(city) == {deduction(OLD): DUE, person(OLD): DUE, put(YEAR, code=NEW): DUE}
    command = await city.command(deduction(OLD))
    assert isinstance(command, PostCreditRecord)
    assert command.code == NEW
    assert (await city.ledger())[deduction(OLD)].subject_code == NEW


async def test_a_representative_is_waited_for_under_the_present_name(city: City) -> None:
    await city.say(points(1, OLD, "12"))
    await city.say(renamed())
    assert (await city.ledger())[person(OLD)].needs == f"the legal representative of {NEW}, from an approval"
    await city.say(granted(NEW))
    assert (await owed(city))[person(OLD)] == DUE
    await city.say(observed(approval(subject_code=NEW, version=2, representative_code="RID-" + "d" * 64)))
    command = await city.command(person(OLD))
    assert isinstance(command, PostCreditRecord)
    assert command.code == "RID-" + "d" * 64


async def test_dozens_that_were_made_before_two_names_were_known_as_one_are_two_and_no_third(city: City) -> None:
    await city.say(granted(OLD), points(1, OLD, "12"), points(2, NEW, "12"))
    for key in (deduction(OLD), deduction(NEW)):
        await city.accept(key)
    await city.say(renamed())
    assert {key for key in await owed(city) if key.startswith("comprehensive")} == {deduction(OLD), deduction(NEW)}
    assert await troubles(city) == []
    await city.say(points(3, NEW, "12"))
    assert (await owed(city))[deduction(NEW, 3)] == DUE
    assert deduction(NEW, 2) not in await city.lines()


async def test_what_was_made_twice_for_one_dozen_is_for_ops_and_nothing_is_made_a_third_time(city: City) -> None:
    await become_serious(city)
    await city.say(granted(NEW), points(1, NEW, version=2), points(2, NEW, version=2), points(3, NEW, "12"))
    for key in (deduction(NEW), person(NEW)):
        await city.accept(key)
    assert (await owed(city))[deduction(NEW, 2)] == DUE
    await city.say(renamed())
    assert {key for key in await owed(city) if key.startswith("comprehensive")} == {deduction(OLD), deduction(NEW)}
    assert await troubles(city) == [("responsible-person.withdrawn-after-sent", person(NEW))]


async def test_what_stands_on_the_platform_under_an_earlier_names_number_counts_though_the_ledger_was_lost(city: City) -> None:
    await become_serious(city)
    await city.database.write(lambda connection: connection.execute(delete(TABLES["Obligation"])))
    await city.say(*SHOWN_AGAIN)
    await city.sweep.everything()
    assert {key: state for key, state in (await owed(city)).items() if not key.startswith("key")} == {
        deduction(OLD): CLOSED,
        person(OLD): CLOSED,
    }


async def test_a_code_that_is_another_subjects_after_all_takes_its_points_along(city: City) -> None:
    await city.say(renamed(), granted(NEW), granted(LAST), points(1, OLD), points(2, NEW))
    assert await owed(city) == ONCE
    newer = credit_profile(code=LAST, old_codes=(OLD,), updated_at=START + 2 * HOUR)
    await city.say(observed(newer))
    assert await owed(city) == {}
    await city.say(points(3, LAST))
    assert set(await owed(city)) == {deduction(LAST), person(LAST), put(YEAR, code=LAST)}


# --- The sweep -------------------------------------------------------------------------------------------------------


async def test_the_sweep_finds_a_dozen_under_two_names_that_nobody_was_told_of(city: City) -> None:
    await city.say(points(1, OLD), granted(OLD))
    await lose(city, renamed(), points(2, NEW))
    assert [await candidates(city, rule) for rule in (ComprehensiveDeduction(), ResponsiblePerson(), KeySupervision())] == [
        [f"{NEW}:2019"],
        [f"{NEW}:2019"],
        [NEW],
    ]
    await city.sweep.everything()
    assert await owed(city) == ONCE
    for key in ONCE:
        await city.put(key, state=ObligationState.CLOSED)
    assert [await candidates(city, rule) for rule in (ComprehensiveDeduction(), ResponsiblePerson())] == [[], []]


async def test_the_sweep_makes_nothing_twice_where_nobody_was_told_of_the_present_name(city: City) -> None:
    await become_serious(city)
    await lose(city, *SHOWN_AGAIN)
    await city.sweep.everything()
    assert await owed(city) == KEPT
    assert await troubles(city) == []
    assert f"{OLD}:2019" not in await candidates(city, ComprehensiveDeduction())
    await lose(city, points(3, NEW))
    assert await candidates(city, ComprehensiveDeduction()) == [f"{NEW}:2019", f"{OLD}:2019"]
    await city.sweep.everything()
    assert await owed(city) == KEPT | {deduction(NEW, 2): DUE}


async def test_the_sweep_goes_through_periods_of_several_names_a_page_at_a_time(city: City) -> None:
    await city.say(points(1, OLD, "12"), points(2, LAST, "12"))
    await lose(city, renamed(), points(3, NEW), points(4, LAST, "1"))
    find = ComprehensiveDeduction().candidates(BOOK, START)
    found, after = list[str](), ""
    while page := await city.database.read(find, after, 1):
        found, after = found + page, page[-1]
    assert found == [f"{code}:2019" for code in (NEW, OLD, LAST)]
