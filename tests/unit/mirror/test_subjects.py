"""One subject, however many records name it and in whatever order they come."""

import itertools
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from hub.mirror.database import Database
from hub.mirror.rows import Rows
from hub.mirror.subjects import code_type_of, codes_for, know_subjects
from hub.mirror.tables import TABLES
from schema.entities import CodeType, Subject
from schema.entity import Observation
from tests.builders import HOUR, OTHER_CODE, SHOP_CODE, approval, credit_profile, observed, subject, task, task_result
from tests.settable_clock import START

OLD_NUMBER = "330782000012345"


def known(connection: Connection, rows: Rows) -> list[Subject]:
    table, read = TABLES["Subject"], rows.reader(Subject)
    columns = [table.c[name] for name in Subject.__struct_fields__]
    return [read(row) for row in connection.execute(select(*columns).order_by(table.c.code))]


def forget(connection: Connection) -> None:
    connection.execute(TABLES["Subject"].delete())
    for name in ("SubjectAlias", "SubjectIdentifier"):
        connection.execute(TABLES[name].delete())


SAYINGS = (
    observed(approval(applicant_name="旧名", updated_at=START - HOUR)),
    observed(approval(applicant_name="新名", updated_at=START, version=2)),
    observed(credit_profile(name="新名", updated_at=START)),
    observed(task(updated_at=START - 2 * HOUR), task_result(subject_name="更旧"), task_result(subject_code=None, result_id="T/1")),
)


async def test_the_order_in_which_records_name_a_subject_does_not_matter(database: Database, rows: Rows) -> None:
    def in_order(connection: Connection, order: tuple[Observation, ...]) -> list[Subject]:
        forget(connection)
        for saying in order:
            know_subjects(connection, rows, [saying])
        return known(connection, rows)

    def together(connection: Connection, order: tuple[Observation, ...]) -> list[Subject]:
        forget(connection)
        know_subjects(connection, rows, order)
        return known(connection, rows)

    newest = [subject(name="新名", source="credit", version=int(START.timestamp() * 1_000_000))]
    for order in itertools.permutations(SAYINGS):
        assert await database.write(in_order, order) == newest
        assert await database.write(together, order) == newest


async def test_names_of_one_moment_are_compared_alike_in_a_batch_and_in_the_database(database: Database, rows: Rows) -> None:
    """A collation of the server must not decide: it would order Z, a otherwise than we do."""
    names = ("Zeta", "alpha", "义乌", "ßtraße", "Straße", "䶮")
    for first, second in itertools.permutations(names, 2):
        for batches in ((first, second),), ((first,), (second,)):
            await database.write(forget)
            for batch in batches:
                await database.write(know_subjects, rows, [observed(credit_profile(name=name)) for name in batch])
            (found,) = await database.read(known, rows)
            assert found.name == max(first, second)


async def test_old_numbers_lead_to_the_present_code(database: Database, rows: Rows) -> None:
    await database.write(know_subjects, rows, [observed(credit_profile(old_codes=(OLD_NUMBER,)))])
    assert await database.read(codes_for, [OLD_NUMBER, "330782000099999"]) == {OLD_NUMBER: SHOP_CODE}
    assert await database.read(codes_for, []) == {}


@pytest.mark.parametrize("swapped", [False, True])
async def test_of_two_that_claim_an_old_number_the_newer_word_stays(database: Database, rows: Rows, swapped: bool) -> None:
    wrong = observed(credit_profile(code=SHOP_CODE, old_codes=(OLD_NUMBER,)))
    right = observed(credit_profile(code=OTHER_CODE, old_codes=(OLD_NUMBER,), updated_at=START + timedelta(days=1)))
    for saying in (right, wrong) if swapped else (wrong, right):
        await database.write(know_subjects, rows, [saying])
    assert await database.read(codes_for, [OLD_NUMBER]) == {OLD_NUMBER: OTHER_CODE}


async def test_a_person_is_known_by_the_keyed_code(database: Database, rows: Rows) -> None:
    code = "RID-" + "0" * 64
    await database.write(know_subjects, rows, [observed(approval(subject_code=code)), observed(approval(subject_code=None))])
    assert [(one.code, one.code_type) for one in await database.read(known, rows)] == [(code, CodeType.RESIDENT_ID)]
    assert code_type_of(SHOP_CODE) is CodeType.USCC
