"""The sweep: what a lost event, a crash or a restored backup left out is found, by the very rule that apply asks."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection

from hub.mirror import ledger as book_of_obligations
from hub.mirror.database import SQLiteDatabase
from hub.mirror.queries import Check
from hub.mirror.rows import Rows
from hub.reconcile import sweep as sweeping
from hub.reconcile.rule import AnyRule, Rulebook, Verdict
from hub.reconcile.rules import RULES
from hub.reconcile.rules.approval_verification import ApprovalVerification, Facts, task_number
from hub.reconcile.rules.coordination_dispatch import town_number
from schema.entities import (
    ApprovalState,
    Conclusion,
    EventStatus,
    Obligation,
    ObligationState,
    RecordCategory,
    TaskStatus,
    TaskType,
    TownCoordinationStatus,
)
from schema.entity import Observation
from tests.builders import (
    OTHER_CODE,
    approval,
    campaign_request,
    coordination,
    credit_record,
    key_subject,
    observed,
    task,
    task_result,
    town_coordination,
)
from tests.settable_clock import START, SettableClock
from tests.unit.reconcile.city import (
    APPROVAL_KEY,
    APPROVAL_NO,
    TASK_ID,
    City,
    approval_task,
    bad,
    done_check,
    event_task,
    forget_ledger,
    observation,
    road_event,
    stranger,
    was_read,
)
from tests.unit.reconcile.ordered import ordering, rechecked
from tests.unit.reconcile.self_governance import told

PERSON_CODE = "RID-" + "e" * 64


def everything() -> list[Observation]:
    """A mirror in which each rule owes something."""
    random = task(
        task_id="T-RANDOM", type=TaskType.RANDOM, status=TaskStatus.DONE, origin_platform=None, origin_ref=None, external_no=None
    )
    findings = [bad(finding_id, task_id="T-RANDOM", result_id="T-RANDOM/0") for finding_id in ("F1", "F2")]
    found = Check(random, [task_result(task_id="T-RANDOM", result_id="T-RANDOM/0")], findings)
    of = event_task(2, origin_ref="YW-OTHER", status=TaskStatus.DONE)
    return [
        observed(approval()),
        observed(approval(approval_no="YW2")),
        observation(done_check(Conclusion.NONCONFORM)),
        observation(found),
        observed(road_event()),
        observed(road_event(event_no="YW-OTHER", status=EventStatus.ACCEPTED)),
        observed(event_task(status=TaskStatus.DONE)),
        observed(event_task(task_id="T-EVENT-AGAIN")),
        observed(of),
        observed(
            credit_record(
                record_id="CR-12",
                biz_no="BY-HAND-12",
                category=RecordCategory.REGULATORY_POINTS,
                points=Decimal(12),
                subject_code=OTHER_CODE,
                evidence_ref="T-UNKNOWN",
            )
        ),
        observed(key_subject(code=PERSON_CODE, reason="严重失信：2018年度")),
        observation(ordering()),
        observation(rechecked("WH-001")),
        observed(approval(approval_no="YW3", state=ApprovalState.REVOKED)),
        observed(approval_task(task_id="T-YW3", external_no=task_number("YW3"), origin_ref="YW3")),
        observed(coordination()),
        observed(town_coordination(out_no=town_number(coordination().coordination_id), status=TownCoordinationStatus.HANDLED)),
        observed(campaign_request()),
        observed(approval_task(task_id="T-YW2", external_no=task_number("YW2"), origin_ref="YW2", status=TaskStatus.CANCELLED)),
        *told(),
        observed(task(task_id="T-STRANGER", status=TaskStatus.DISPATCHED, external_no=None, officers=(stranger(),))),
    ]


TELLS_ONLY = {"task-cancelled", "unknown-officer-department"}
"""Rules that owe nothing: they tell ops."""


def essence(ledger: dict[str, Obligation]) -> dict[str, tuple[str, bytes, str | None, int]]:
    return {key: (one.state.value, one.payload, one.chain, one.sequence) for key, one in ledger.items()}


async def test_a_lost_ledger_is_found_again_by_the_sweep(city: City) -> None:
    await city.say(*everything())
    before = essence(await city.ledger())
    assert {key.split(":")[0] for key in before} == {rule.name for rule in RULES} - TELLS_ONLY
    await city.database.write(forget_ledger)
    await city.sweep.everything()
    assert essence(await city.ledger()) == before


async def test_each_lost_obligation_alone_is_found_again(sqlite_database: SQLiteDatabase, rows: Rows, clock: SettableClock) -> None:
    city = City(sqlite_database, rows, clock)
    await city.say(*everything())
    await city.put("breach-record:F1", state=ObligationState.CLOSED)
    await city.put("breach-record:F2", state=ObligationState.CLOSED)
    before = await city.ledger()
    for key in before:
        await city.database.write(forget_one, key)
        await city.sweep.everything()
        assert (await city.ledger()).keys() == before.keys(), key


def forget_one(connection: Connection, key: str) -> None:
    table = book_of_obligations.OBLIGATION
    connection.execute(table.delete().where(table.c.key == key))


async def test_what_was_never_derived_is_found(city: City) -> None:
    await city.keep_silent(*everything())
    await city.database.write(was_read, city.rows, "enforcement", "departments", START + timedelta(seconds=1))
    assert await city.lines() == {}
    swept = await city.sweep.everything()
    assert {key.split(":")[0] for key in await city.lines()} == {rule.name for rule in RULES} - TELLS_ONLY
    assert all(count > 0 for count in swept.causes.values())
    assert swept.failed == ()


async def test_a_second_sweep_changes_nothing(city: City, clock: SettableClock) -> None:
    await city.keep_silent(*everything())
    await city.database.write(was_read, city.rows, "enforcement", "departments", START + timedelta(seconds=1))
    await city.sweep.everything()
    before = await city.ledger(), await city.ops()
    clock.advance(60)
    await city.sweep.everything()
    assert (await city.ledger(), await city.ops()) == before


async def test_a_correction_that_no_rule_was_asked_about_is_found_though_its_record_is_closed(city: City) -> None:
    random = task(type=TaskType.RANDOM, status=TaskStatus.DONE, origin_platform=None, origin_ref=None, external_no=None)
    await city.say(observation(Check(random, [task_result()], [bad()])))
    await city.put("breach-record:F0001", state=ObligationState.CLOSED)
    await city.keep_silent(
        observed(task(type=TaskType.RANDOM, status=TaskStatus.DONE, origin_platform=None, origin_ref=None, version=2))
    )
    await city.sweep.everything()
    assert [item.kind for item in await city.ops()] == ["breach-record.withdrawn-after-sent"]


async def test_a_proof_that_no_rule_was_asked_about_is_found(city: City) -> None:
    await city.say(observed(approval()))
    await city.accept(APPROVAL_KEY)
    await city.keep_silent(observation(done_check()))
    await city.sweep.everything()
    assert (await city.lines())[APPROVAL_KEY] == "CLOSED"


async def test_a_sweep_goes_over_more_causes_than_one_batch_holds(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 3)
    await city.keep_silent(*(observed(approval(approval_no=f"YW{number:03}")) for number in range(10)))
    swept = await city.sweep.everything()
    assert len(await city.lines()) == 10
    assert swept.causes["approval-verification"] == 20  # never settled, and then open


async def test_apply_and_sweep_ask_the_same_rule(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    def owes_nothing(
        self: ApprovalVerification, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime
    ) -> Verdict:
        return Verdict(version=facts.approval.version)

    monkeypatch.setattr(ApprovalVerification, "derive", owes_nothing)
    await city.say(observed(approval()))
    assert await city.lines() == {}
    await city.sweep.everything()
    assert await city.lines() == {}
    monkeypatch.undo()
    await city.sweep.everything()
    assert await city.lines() == {APPROVAL_KEY: "DUE"}


class Breaks(ApprovalVerification):
    """A rule with a mistake in it, for one approval."""

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        if "YW005" in causes:
            raise ZeroDivisionError
        return super().load(connection, rows, causes)


async def test_a_cause_that_breaks_its_rule_is_named_and_the_others_go_on(city: City) -> None:
    rules: Iterable[AnyRule] = (Breaks(),)
    city.derivation.rules = tuple(rules)
    await city.keep_silent(*(observed(approval(approval_no=f"YW{number:03}")) for number in range(10)))
    swept = await city.sweep.everything()
    assert swept.failed == ("approval-verification:YW005",)
    assert len(await city.lines()) == 9


async def test_what_waits_is_asked_about_without_looking_at_everything(city: City) -> None:
    await city.say(observation(done_check()))
    await city.keep_silent(observed(approval()))
    assert await city.sweep.waiting() == 3  # the check's record, its approval's write-back and blacklist entry
    assert await city.lines() == {
        f"breach-record:{APPROVAL_NO}": "DUE",
        f"commitment-blacklist:{APPROVAL_NO}": "DUE",
        f"verification-result:{TASK_ID}:1": "DUE",
    }


async def test_a_record_of_a_check_that_is_not_in_the_mirror_is_passed_over(city: City) -> None:
    await city.say(observed(credit_record(evidence_ref="T-UNKNOWN", points=Decimal(0), open_points=Decimal(0))))
    await city.sweep.everything()
    assert await city.lines() == {}
