"""Which subject an identifier belongs to: by the platform's words, in whatever order they come, and by merges that stand."""

import asyncio
import itertools
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from hub.mirror import merges
from hub.mirror.database import Database, PostgreSQLDatabase
from hub.mirror.identities import hold
from hub.mirror.rows import Rows
from hub.mirror.subjects import codes_for, know_subjects
from hub.mirror.tables import TABLES
from schema.entities import IdentifierKind, SubjectIdentifier
from schema.entity import Observation
from tests.builders import HOUR, approval, credit_profile, credit_record, key_subject, observed, task, task_result
from tests.settable_clock import START
from tests.subject_codes import old_number, rid, uscc

A, B, C, D = (uscc(number) for number in range(4))
N, M = old_number(1), old_number(2)


def profile(code: str, *old: str, after: int = 0) -> Observation:
    """What the credit platform says of a subject, so many hours after the start."""
    return observed(credit_profile(code=code, old_codes=old, updated_at=START + after * HOUR))


def index(connection: Connection, rows: Rows) -> dict[str, SubjectIdentifier]:
    table, read = TABLES["SubjectIdentifier"], rows.reader(SubjectIdentifier)
    columns = [table.c[name] for name in SubjectIdentifier.__struct_fields__]
    return {one.identifier: one for one in map(read, connection.execute(select(*columns)))}


def forget(connection: Connection) -> None:
    for name in ("SubjectIdentifier", "SubjectAlias", "SubjectMerge"):
        connection.execute(TABLES[name].delete())


async def say(database: Database, rows: Rows, *said: Observation) -> None:
    for one in said:
        await database.write(know_subjects, rows, [one])


async def belongs(database: Database, rows: Rows) -> dict[str, str]:
    """Return each identifier's subject."""
    return {identifier: one.code for identifier, one in (await database.read(index, rows)).items()}


async def merge(database: Database, rows: Rows, identifier: str, code: str) -> str:
    return (await database.write(merges.add, rows, identifier, code, "lou", "why", START)).merge_id


async def split(database: Database, rows: Rows, merge_id: str) -> None:
    def undo(connection: Connection) -> None:
        found = merges.merge_of(connection, rows, merge_id)
        assert found is not None
        merges.undo(connection, rows, found, "lou", "why not", START)

    await database.write(undo)


# --- Words -----------------------------------------------------------------------------------------------------------


async def test_every_identifier_that_a_record_names_is_known_and_stands_for_itself(database: Database, rows: Rows) -> None:
    await say(
        database,
        rows,
        observed(approval(subject_code=None, old_number=N)),
        observed(approval(subject_code=rid(1), old_number=None)),
        observed(credit_record(subject_code=A)),
        observed(key_subject(code=B)),
        observed(task(), task_result(subject_code=C), task_result(subject_code=None, result_id="T/1")),
    )
    found = await database.read(index, rows)
    assert {identifier: one.kind for identifier, one in found.items()} == {
        N: IdentifierKind.REGISTRATION_NUMBER,
        rid(1): IdentifierKind.RESIDENT_ID,
        A: IdentifierKind.USCC,
        B: IdentifierKind.USCC,
        C: IdentifierKind.USCC,
    }
    assert all(one.code == identifier for identifier, one in found.items())
    assert {one.credit_code for one in found.values()} == {A, B, C, rid(1), None}
    assert found[N].credit_code is None


async def test_an_old_number_and_an_earlier_code_belong_to_the_code_that_claims_them(database: Database, rows: Rows) -> None:
    await say(database, rows, profile(B, N, f" {A.lower()} "))
    assert await belongs(database, rows) == {N: B, A: B, B: B}
    assert await database.read(codes_for, [N, A, B, M]) == {N: B, A: B, B: B}


async def test_an_old_number_of_an_earlier_code_belongs_to_the_present_one(database: Database, rows: Rows) -> None:
    for order in itertools.permutations([profile(A, N), profile(B, A), profile(C, B)]):
        await database.write(forget)
        await say(database, rows, *order)
        assert await belongs(database, rows) == {N: C, A: C, B: C, C: C}
        assert await database.read(codes_for, [N]) == {N: C}


async def test_a_number_that_moved_to_another_subject_follows_the_newest_word_and_both_words_stay(
    database: Database, rows: Rows
) -> None:
    words = [profile(A, N), profile(B, N, after=1), profile(A, N, after=2), profile(C, N, after=1)]
    for order in itertools.permutations(words):
        await database.write(forget)
        await say(database, rows, *order)
        one = (await database.read(index, rows))[N]
        assert (one.code, one.told_code, one.told_by, one.told_at) == (A, A, "credit", START + 2 * HOUR)
        table = TABLES["SubjectAlias"]
        told = await database.read(lambda connection: list(connection.execute(select(table.c.code)).scalars()))  # noqa: B023
        assert sorted(told) == sorted([A, B, C])


async def test_of_words_in_one_moment_the_greater_code_stays_in_any_order(database: Database, rows: Rows) -> None:
    for order in itertools.permutations([profile(A, N), profile(B, N)]):
        await database.write(forget)
        await say(database, rows, *order)
        assert (await belongs(database, rows))[N] == max(A, B)


async def test_words_that_run_in_a_circle_end_where_the_oldest_begins(database: Database, rows: Rows) -> None:
    for order in itertools.permutations([profile(B, A, after=1), profile(C, B, after=2), profile(A, C, after=3), profile(A, N)]):
        await database.write(forget)
        await say(database, rows, *order)
        assert set((await belongs(database, rows)).values()) == {A}  # that A became B is the oldest word


async def test_a_code_is_no_earlier_one_of_itself(database: Database, rows: Rows) -> None:
    await say(database, rows, profile(A, A, ""))
    assert await belongs(database, rows) == {A: A}


async def test_a_person_is_never_taken_for_an_enterprise_whatever_is_said(database: Database, rows: Rows) -> None:
    await say(database, rows, profile(A, rid(1)), profile(rid(2), N, rid(1)))
    assert await belongs(database, rows) == {A: A, rid(1): rid(2), rid(2): rid(2)}


async def test_what_is_said_again_writes_nothing(sqlite_database: Database, rows: Rows) -> None:
    await say(sqlite_database, rows, profile(A, N, after=1))
    before = await sqlite_database.read(index, rows)
    await sqlite_database.write(lambda connection: connection.execute(TABLES["SubjectIdentifier"].delete()))
    await say(sqlite_database, rows, profile(A, N, after=1), profile(A, N))
    assert N not in await sqlite_database.read(index, rows)  # nobody looked at it again
    await say(sqlite_database, rows, profile(A, N, after=2))
    assert (await sqlite_database.read(index, rows))[N].code == before[N].code


# --- Merges ----------------------------------------------------------------------------------------------------------


async def test_a_chain_of_merges_leads_to_its_end_and_a_split_takes_off_one_link(database: Database, rows: Rows) -> None:
    await say(database, rows, profile(A, N), profile(B), profile(C))
    await merge(database, rows, A, B)
    last = await merge(database, rows, B, C)
    assert await belongs(database, rows) == {N: C, A: C, B: C, C: C}
    await split(database, rows, last)
    assert await belongs(database, rows) == {N: B, A: B, B: B, C: C}


async def test_a_merge_outranks_what_was_said_before_and_is_said_afterwards(database: Database, rows: Rows) -> None:
    await say(database, rows, profile(A, N), profile(B), profile(C))
    merged = await merge(database, rows, N, B)
    assert (await belongs(database, rows))[N] == B
    await say(database, rows, profile(C, N, after=5))
    one = (await database.read(index, rows))[N]
    assert (one.code, one.merge_id, one.told_code) == (B, merged, C)
    await split(database, rows, merged)
    one = (await database.read(index, rows))[N]
    assert (one.code, one.merge_id, one.told_code) == (C, None, C)  # what was said meanwhile, not what was before


async def test_a_word_against_a_merge_does_not_turn_it_round(database: Database, rows: Rows) -> None:
    await say(database, rows, profile(A), profile(B))
    merged = await merge(database, rows, A, B)
    await say(database, rows, profile(A, B, after=1))
    assert await belongs(database, rows) == {A: B, B: B}
    await split(database, rows, merged)
    assert await belongs(database, rows) == {A: A, B: A}


async def test_an_undone_merge_leaves_no_trace_in_the_index(database: Database, rows: Rows) -> None:
    await say(database, rows, profile(A, N), profile(B, M), profile(C))
    before = await database.read(index, rows)
    for identifier, code in ((A, B), (B, C), (N, C)):
        merged = await merge(database, rows, identifier, code)
        assert await database.read(index, rows) != before
        await split(database, rows, merged)
        assert await database.read(index, rows) == before


async def test_a_merge_of_two_codes_leaves_each_its_code_on_the_credit_platform(database: Database, rows: Rows) -> None:
    await say(database, rows, profile(A, N), profile(B))
    await merge(database, rows, A, B)
    assert await database.read(codes_for, [N, A, B]) == {N: A, A: A, B: B}


async def test_an_old_number_that_was_merged_by_hand_has_the_code_of_that_subject(database: Database, rows: Rows) -> None:
    await say(database, rows, observed(approval(subject_code=None, old_number=N)), profile(A), profile(C))
    merged = await merge(database, rows, N, A)
    await merge(database, rows, A, C)
    assert await database.read(codes_for, [N]) == {N: A}  # the number is A's; that A is C is not the platform's word
    await say(database, rows, profile(B, A, after=1))
    assert await database.read(codes_for, [N, A]) == {N: B, A: B}
    await split(database, rows, merged)
    assert await database.read(codes_for, [N]) == {}


async def test_each_merge_of_an_identifier_has_a_number_of_its_own(database: Database, rows: Rows) -> None:
    await say(database, rows, profile(A), profile(B))
    first = await merge(database, rows, A, B)
    await split(database, rows, first)
    second = await merge(database, rows, A, B)
    assert (first, second) == (f"{A}/1", f"{A}/2")
    assert (await database.read(index, rows))[A].merge_id == second


async def test_a_word_and_a_merge_at_the_same_time_both_count(postgresql_database: PostgreSQLDatabase, rows: Rows) -> None:
    """Whoever comes second waits for the first, and then sees what it left."""
    database = postgresql_database
    await say(database, rows, profile(A), profile(B))

    def merge_holding(connection: Connection) -> None:
        hold(connection)
        merges.add(connection, rows, A, B, "lou", "why", START)

    for at in range(10):
        await database.write(forget)
        await say(database, rows, profile(A), profile(B))
        said = database.write(know_subjects, rows, [profile(A, N, after=at), profile(C, D, after=at)])
        await asyncio.gather(said, database.write(merge_holding))
        assert await belongs(database, rows) == {A: B, B: B, N: B, C: C, D: C}


async def test_two_that_hear_of_one_number_at_once_agree_on_the_newest_word(
    postgresql_database: PostgreSQLDatabase, rows: Rows
) -> None:
    for _ in range(10):
        await postgresql_database.write(forget)
        said = [[profile(code, N, M, after=at), observed(key_subject(code=D))] for at, code in enumerate((A, B, C))]
        await asyncio.gather(*(postgresql_database.write(know_subjects, rows, each) for each in said))
        assert await belongs(postgresql_database, rows) == {N: C, M: C, A: A, B: B, C: C, D: D}


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=400)])
async def test_the_time_of_a_word_is_the_profile_s_own_and_not_the_time_of_arrival(
    database: Database, rows: Rows, later: timedelta
) -> None:
    late = observed(credit_profile(code=A, old_codes=(N,), updated_at=START, observed_at=START + later))
    await say(database, rows, profile(B, N, after=1), late)
    assert (await belongs(database, rows))[N] == B
