"""A field that is the first of others is filled in by SQL as the record itself says it."""

import pytest
from sqlalchemy import select

from hub.mirror import merges
from hub.mirror.database import Database
from hub.mirror.records import upsert
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from schema.entity import Observation
from tests.builders import approval

APPROVAL = TABLES["Approval"]


@pytest.mark.parametrize("code", ["", None])
async def test_an_empty_text_is_no_identifier(database: Database, rows: Rows, code: str | None) -> None:
    one = approval(subject_code=code, old_number=None)
    await database.write(upsert, rows, [Observation(record=one)])
    while await database.write(merges.complete, rows):
        pass
    kept = await database.read(lambda connection: connection.execute(select(APPROVAL.c.identifier)).scalar_one())
    assert (kept, one.identifier) == (None, None)
