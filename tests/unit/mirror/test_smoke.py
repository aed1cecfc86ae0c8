import pytest
from hub.mirror.database import Database
from hub.mirror.rows import Rows
from hub.mirror.records import upsert, get
from hub.mirror import ledger
from tests.builders import *


@pytest.mark.parametrize("n", range(5))
async def test_it(database: Database, rows: Rows, clock, n) -> None:
    out = await database.write(upsert, rows, [observed(approval()), observed(task(), task_result(), finding())])
    print(out)
    assert (await database.read(get, rows, Approval, ["YW201908150001"]))["YW201908150001"] == approval()
    await database.write(ledger.insert, rows, [obligation()])
    assert await database.write(ledger.claim, rows, "enforcement", 10, clock(), HOUR)
