"""What the doctor reads of webhooks that were refused: a problem as long as none was taken since."""

from datetime import timedelta

from connectors.base import Delivery as RawDelivery
from connectors.base import Verified
from hub.doctor.findings import State
from hub.doctor.kept import refusal_findings
from hub.intake.refusals import Refusals
from hub.mirror import inbox
from hub.mirror.database import SQLiteDatabase
from hub.mirror.rows import Rows
from tests.settable_clock import SettableClock


async def test_refused_webhooks_are_told_with_the_way_out_for_a_day(
    sqlite_database: SQLiteDatabase, rows: Rows, clock: SettableClock
) -> None:
    refusals = Refusals(sqlite_database, rows, clock, 30)
    for _ in range(3):
        refusals.note("grid", "ADDRESS_NOT_ALLOWED", "10.1.2.3", None, "not allowed")
    refusals.note("taxes", "UNKNOWN_PLATFORM", "10.1.2.3", None, "no such platform")
    await refusals.keep()
    (found,) = await sqlite_database.read(refusal_findings, ["grid"], clock())
    assert (found.about, found.state) == ("grid", State.PROBLEM)
    assert found.found == "3 refused in the last day, ADDRESS_NOT_ALLOWED, from 10.1.2.3"
    assert "HUB_GRID_CALLBACK_ADDRESSES" in str(found.cure)
    assert await sqlite_database.read(refusal_findings, ["grid"], clock() + timedelta(days=2)) == []
    raw = RawDelivery(platform="grid", path="/webhooks/grid", headers={}, body=b"<event/>", received_at=clock())
    await sqlite_database.write(inbox.store, rows, [inbox.kept(raw, Verified(signature="s"), 0)])
    (since,) = await sqlite_database.read(refusal_findings, ["grid"], clock())
    assert since.state is State.WARNING
