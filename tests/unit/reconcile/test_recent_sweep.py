"""The sweep over what changed lately: its cost is that of the changes, and what apply left out is found by it."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection
from structlog.typing import EventDict

from hub.mirror import audit, bookmarks
from hub.mirror.audit import Entry
from hub.mirror.rows import Rows
from hub.reconcile import sweep as sweeping
from hub.reconcile.rules.approval_verification import ApprovalVerification, Facts
from schema.entities import ApprovalState, ObligationState, RecordCategory, ScoreState
from schema.entity import Tombstone
from tests.builders import approval, credit_record, key_subject, observed, score_entry
from tests.settable_clock import SettableClock
from tests.unit.reconcile.city import APPROVAL_KEY, APPROVAL_NO, City, done_check, forget_ledger, observation
from tests.unit.reconcile.test_sweep import everything

YEAR = timedelta(days=367)


async def begun(city: City) -> City:
    """A city that was swept before, so that there is a bookmark."""
    await city.sweep.recent()
    return city


async def test_what_changed_and_was_never_derived_is_found(city: City) -> None:
    await begun(city)
    await city.say(*everything())
    there = (await city.lines()).keys()
    await city.database.write(forget_ledger)
    assert await city.sweep.recent() >= len(everything())
    assert (await city.lines()).keys() == there


async def test_parts_of_a_record_and_what_it_names_are_looked_at_with_it(city: City) -> None:
    await begun(city)
    await city.keep_silent(observed(approval()), observation(done_check()))
    await city.sweep.recent()
    assert await city.lines() == {
        APPROVAL_KEY: "CLOSED",
        f"breach-record:{APPROVAL_NO}": "DUE",
        f"commitment-blacklist:{APPROVAL_NO}": "DUE",
        f"key-supervision:{approval().subject_code}:{APPROVAL_NO}": "DUE",
        f"verification-result:{done_check().task.task_id}:1": "DUE",
    }


async def test_a_record_that_is_gone_is_asked_about_too(city: City, clock: SettableClock) -> None:
    await city.say(observed(key_subject(reason="严重失信：2018年度")))
    await city.put(
        f"key-supervision-off:{key_subject().code}:serious-2018", state=ObligationState.SENT, sent_at=clock(), receipt="R"
    )
    await begun(city)
    await city.keep_silent(Tombstone(entity="KeySubject", key=key_subject().code, source="enforcement", observed_at=clock()))
    await city.sweep.recent()
    assert await city.lines() == {f"key-supervision-off:{key_subject().code}:serious-2018": "CLOSED"}


async def test_what_was_gone_through_is_not_looked_at_again(city: City) -> None:
    await begun(city)
    await city.say(*(observed(approval(approval_no=f"YW{number:03}")) for number in range(10)))
    assert await city.sweep.recent() == 10
    assert await city.sweep.recent() == 0
    await city.say(observed(approval(approval_no="YW003", version=2, state=ApprovalState.REVOKED)))
    assert await city.sweep.recent() == 1


async def test_changes_of_before_the_first_time_are_left_to_the_sweep_over_everything(city: City) -> None:
    await city.keep_silent(observed(approval()))
    assert await city.sweep.recent() == 0
    assert await city.lines() == {}
    await city.sweep.everything()
    assert await city.lines() == {APPROVAL_KEY: "DUE"}


async def test_more_changes_than_one_batch_holds_are_gone_through(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 3)
    await begun(city)
    await city.keep_silent(*(observed(approval(approval_no=f"YW{number:03}")) for number in range(10)))
    assert await city.sweep.recent() == 10
    assert len(await city.lines()) == 10


async def test_a_record_that_breaks_a_rule_is_named_and_its_neighbours_go_on(
    city: City, monkeypatch: pytest.MonkeyPatch, logged: list[EventDict]
) -> None:
    rightly = ApprovalVerification.load

    def load(self: ApprovalVerification, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        if "YW005" in causes:
            raise ZeroDivisionError
        return rightly(self, connection, rows, causes)

    await begun(city)
    await city.keep_silent(*(observed(approval(approval_no=f"YW{number:03}")) for number in range(10)))
    monkeypatch.setattr(ApprovalVerification, "load", load)
    await city.sweep.recent()
    assert "Approval:YW005" in {event.get("first") for event in logged if event.get("records") == 1}
    assert len(await city.lines()) == 9
    assert await city.sweep.recent() == 0, "it would be tried for ever; the sweep over everything names it again"


async def test_points_whose_time_is_over_are_found_although_nothing_changed(city: City, clock: SettableClock) -> None:
    record = credit_record(category=RecordCategory.REGULATORY_POINTS, points=Decimal(3), open_points=Decimal(3))
    entry = score_entry(biz_no=record.biz_no, state=ScoreState.OPEN, repair_until=clock() + timedelta(days=366))
    await begun(city)
    await city.say(observed(record), observed(entry))
    await city.sweep.recent()
    before = (await city.lines()).keys()
    clock.advance(int(YEAR.total_seconds()))
    assert await city.sweep.recent() == 1
    assert (await city.lines()).keys() - before == {f"score-state:{record.record_id}:expired"}


async def test_a_serious_period_that_is_over_is_found_although_nothing_changed(city: City, clock: SettableClock) -> None:
    await begun(city)
    year = clock().year
    await city.keep_silent(observed(key_subject(reason=f"严重失信：{year}年度")))
    await city.database.write(bookmarks.go_on, sweeping.BOOKMARK, 10**6)
    assert await city.sweep.recent() == 0
    clock.advance(int(YEAR.total_seconds()))
    assert await city.sweep.recent() == 1
    assert await city.lines() == {f"key-supervision-off:{key_subject().code}:serious-{year}": "DUE"}


async def test_what_people_did_stands_between_the_changes_and_is_passed_over(city: City, logged: list[EventDict]) -> None:
    await begun(city)
    await city.keep_silent(observed(approval()))
    entry = Entry(at=city.clock(), by="lou", action="resync", kind="Platform", target="credit")
    await city.database.write(audit.note, city.rows, entry)
    assert await city.sweep.recent() >= 1
    assert set(await city.lines()) == {APPROVAL_KEY}
    assert [event["event"] for event in logged if event["log_level"] in {"error", "warning"}] == []
