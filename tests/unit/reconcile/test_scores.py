"""Score reconciliation: our count of points beside the credit platform's figures, what explains a difference, when ops is told."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Item
from connectors.errors import PermanentError, TransientError
from hub.mirror import score_difference_queries
from hub.reconcile import scores
from hub.reconcile.scores import Scores
from schema.entities import (
    CreditProfile,
    CreditRecord,
    Explanation,
    Measure,
    ObligationState,
    RecordCategory,
    RepairWay,
    ScoreDifference,
)
from schema.entity import Observation
from tests.builders import SHOP_CODE, credit_profile, credit_record, gone, observed, repair, self_report
from tests.settable_clock import START
from tests.unit.reconcile.city import BOOK, City, taken
from tests.unit.reconcile.worker_side import FakeConnector

POINTS_ID = f"{SHOP_CODE}:REGULATORY_POINTS"
PERSON = "RID-" + "e" * 64
PATIENCE = timedelta(minutes=10)


class Credit(FakeConnector):
    """The credit platform, read live: it shows what stands in `shows`, or does not answer."""

    platform = "credit"

    def __init__(self, city: City) -> None:
        super().__init__("credit", city.clock)
        self.shows: list[CreditProfile | CreditRecord] = []
        self.away = False
        self.unreadable: set[str] = set()
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    async def fetch(self, entity: str, keys: Sequence[str]) -> list[Item]:
        return self._shown(entity, tuple(keys))

    async def fetch_for(self, entity: str, code: str) -> list[Item]:
        return self._shown(entity, (code,))

    def _shown(self, entity: str, codes: tuple[str, ...]) -> list[Item]:
        if self.away:
            raise TransientError("credit", "TIMEOUT", "no answer")
        if self.unreadable & set(codes):
            raise PermanentError("credit", "HTTP_404", f"no subject {codes}")
        self.asked.append((entity, codes))
        return [observed(one) for one in self.shows if type(one).__name__ == entity]


@dataclass
class Office:
    """A city with its reconciliation."""

    city: City
    credit: Credit = field(init=False)
    scores: Scores = field(init=False)

    def __post_init__(self) -> None:
        self.credit = Credit(self.city)
        self.scores = Scores(
            self.city.database,
            self.city.rows,
            self.credit,
            lambda: BOOK.policy,
            self._apply,
            clock=self.city.clock,
            sleep=lambda _: asyncio.sleep(0),
            patience=PATIENCE,
        )

    async def _apply(self, platform: str, stream: str, items: Sequence[Item]) -> None:
        assert (platform, stream) == ("credit", "answer")
        await self.city.say(*(item for item in items if isinstance(item, Observation)))

    async def compared(self, *, minutes: float = 0) -> dict[str, ScoreDifference]:
        """Let time pass, compare, and return the differences that there are now, by id."""
        self.city.clock.advance(minutes * 60)
        await self.scores.reconcile()
        return {key: one for key, one in (await self.all()).items() if one.ended_at is None}

    async def all(self) -> dict[str, ScoreDifference]:
        codes = [SHOP_CODE, PERSON]
        return await self.city.database.read(score_difference_queries.held, self.city.rows, codes)

    async def told(self) -> list[tuple[str, bool]]:
        """Return what ops was told of differences, and whether that is open."""
        items = [item for item in await self.city.ops() if item.kind == "score-difference"]
        return [(item.cause, item.resolved_at is None) for item in items]


@pytest.fixture
def office(city: City) -> Office:
    return Office(city)


def profile(points: str, version: int = 1, **fields: Any) -> Observation:
    mine = {"regulatory_points": Decimal(points), "version": version, "old_codes": (), "updated_at": START + timedelta(hours=1)}
    return observed(credit_profile(**mine | fields))


def points(number: int, amount: str, **fields: Any) -> Observation:
    return observed(taken(number, amount, **fields))


# --- What agrees -----------------------------------------------------------------------------------------------------


async def test_half_points_that_add_up_are_no_difference(office: Office) -> None:
    await office.city.say(profile("3.5"), points(1, "0.5"), points(2, "3"))
    assert await office.compared() == {}


async def test_only_open_points_of_standing_records_of_this_period_count(office: Office) -> None:
    await office.city.say(
        profile("1.5"),
        points(1, "2.5", open_points=Decimal("1.5")),
        points(2, "3", cancelled=True, open_points=Decimal(0)),
        points(3, "6", occurred_at=START.replace(year=2018)),
        observed(credit_record(record_id="CR9", biz_no="BREACH-OF-COMMITMENT")),
    )
    assert await office.compared() == {}


async def test_the_last_second_of_a_year_in_beijing_is_in_that_year(office: Office) -> None:
    new_year = datetime.fromisoformat("2019-01-01T00:00:00+08:00")
    await office.city.say(
        profile("1"), points(1, "1", occurred_at=new_year), points(2, "2", occurred_at=new_year - timedelta(seconds=1))
    )
    assert await office.compared() == {}


async def test_what_stands_under_an_earlier_code_counts_for_the_present_one(office: Office) -> None:
    await office.city.say(points(1, "4", subject_code="330782600123456"), profile("4", old_codes=("330782600123456",)))
    assert await office.compared() == {}


async def test_a_subject_without_points_and_profile_is_no_difference(office: Office) -> None:
    await office.city.say(observed(credit_record()))
    assert await office.compared() == {}


# --- What differs ----------------------------------------------------------------------------------------------------


async def test_a_difference_names_both_figures_and_the_records_that_make_ours(office: Office) -> None:
    await office.city.say(profile("2"), points(1, "2"), points(2, "0.5"))
    (one,) = (await office.compared()).values()
    assert (one.difference_id, one.measure, one.period) == (POINTS_ID, Measure.REGULATORY_POINTS, "2019")
    assert (one.ours, one.theirs, one.difference) == (Decimal("2.5"), Decimal(2), Decimal("0.5"))
    assert (one.record_ids, one.others, one.explanation, one.since) == (("CR0001", "CR0002"), 2, None, START)


async def test_a_persons_points_are_compared_by_their_rid_code(office: Office) -> None:
    await office.city.say(profile("1", code=PERSON), points(1, "13", subject_code=PERSON))
    found = await office.compared()
    assert set(found) == {f"{PERSON}:REGULATORY_POINTS", f"{PERSON}:DOZENS"}  # no person answers for a person


async def test_records_of_a_subject_that_the_platform_does_not_know(office: Office) -> None:
    await office.city.say(points(1, "2"))
    (one,) = (await office.compared()).values()
    assert (one.theirs, one.difference) == (None, Decimal(2))


async def test_a_difference_that_vanishes_ends(office: Office) -> None:
    await office.city.say(profile("2"), points(1, "2.5"))
    await office.compared()
    await office.city.say(profile("2.5", version=2))
    assert await office.compared(minutes=1) == {}
    assert (await office.all())[POINTS_ID].ended_at == START + timedelta(minutes=1)


async def test_a_difference_of_a_subject_that_is_gone_ends(office: Office) -> None:
    await office.city.say(profile("2"))
    assert set(await office.compared()) == {POINTS_ID}
    await office.city.say(gone(credit_profile()))
    assert await office.compared() == {}


async def test_another_amount_begins_anew(office: Office) -> None:
    await office.city.say(profile("2"), points(1, "2.5"))
    await office.compared()
    await office.city.say(profile("1", version=2))
    assert (await office.compared(minutes=5))[POINTS_ID].since == START + timedelta(minutes=5)


async def test_two_dozens_without_their_deductions_and_the_person_in_charge(office: Office) -> None:
    await office.city.say(profile("33"), points(1, "33"))
    found = await office.compared()
    assert {one.measure: (one.ours, one.theirs, one.explanation) for one in found.values()} == {
        Measure.DOZENS: (Decimal(2), Decimal(0), Explanation.OWED),
        Measure.SERIOUS: (Decimal(1), Decimal(0), Explanation.OWED),
    }


async def test_deductions_and_the_record_of_the_person_in_charge_make_it_agree(office: Office) -> None:
    whole = {"caused_by": "BR-FINDING-0001", "points": Decimal("2.0"), "evidence_ref": "T-SCHOOL"}
    deductions = [
        observed(credit_record(record_id=f"CD{n}", biz_no=f"CD-{n}", category=RecordCategory.COMPREHENSIVE_DEDUCTION, **whole))
        for n in (1, 2)
    ]
    person = credit_record(
        record_id="RP1",
        biz_no="RP-1",
        subject_code=PERSON,
        category=RecordCategory.RESPONSIBLE_PERSON,
        **whole | {"points": Decimal(0)},
    )
    await office.city.say(profile("33"), points(1, "33"), *deductions, observed(person))
    assert await office.compared() == {}


# --- What explains it ------------------------------------------------------------------------------------------------


async def test_a_repair_that_is_seen_before_its_record_explains_it(office: Office) -> None:
    await office.city.say(profile("2"), points(1, "4"), observed(repair(record_id="CR0001", points=Decimal(2))))
    assert (await office.compared())[POINTS_ID].explanation is Explanation.REPAIR_IN_FLIGHT


async def test_a_repair_that_may_have_been_sent_explains_as_much_as_it_restores(office: Office) -> None:
    report = self_report(repairs_biz_no="BR-FINDING-0001", points=Decimal(2), way=RepairWay.STUDY)
    await office.city.say(profile("2"), points(1, "4"), observed(report))
    (key,) = [key for key in await office.city.lines() if key.startswith("repair:") and key.endswith("/1")]
    assert (await office.compared())[POINTS_ID].explanation is None  # it is only owed so far
    await office.city.put(key, state=ObligationState.SENT, sent_at=START)
    assert (await office.compared())[POINTS_ID].explanation is Explanation.REPAIR_IN_FLIGHT
    await office.city.say(profile("1.5", version=2))
    assert (await office.compared())[POINTS_ID].explanation is None


async def test_a_judgement_from_before_the_period_explains_it(office: Office) -> None:
    await office.city.say(profile("7", updated_at=START.replace(year=2018)), points(1, "7", occurred_at=START.replace(year=2018)))
    assert (await office.compared())[POINTS_ID].explanation is Explanation.EARLIER_PERIOD


async def test_a_platform_that_counts_what_stands_beyond_full_dozens_is_understood(office: Office) -> None:
    await office.city.say(profile("9"), points(1, "33"))
    assert (await office.compared())[POINTS_ID].explanation is Explanation.STANDING


async def test_what_people_took_off_the_ledger_explains_a_missing_deduction(office: Office) -> None:
    await office.city.say(profile("12"), points(1, "12"))
    key = f"comprehensive-deduction:{SHOP_CODE}:2019:1"
    await office.city.put(key, state=ObligationState.WAIVED, reason="decided by the bureau", decided_by="ops")
    assert (await office.compared())[f"{SHOP_CODE}:DOZENS"].explanation is Explanation.DECIDED


# --- When ops is told ------------------------------------------------------------------------------------------------


async def test_what_stays_is_read_live_and_then_told_once(office: Office) -> None:
    said = [profile("2"), points(1, "2.5")]
    await office.city.say(*said)
    office.credit.shows = [one.record for one in said if isinstance(one.record, CreditProfile | CreditRecord)]
    await office.compared()
    assert (await office.compared(minutes=9), await office.told())[1] == []
    assert office.credit.asked == []
    for _ in range(3):
        await office.compared(minutes=1)
    assert office.credit.asked == [("CreditProfile", (SHOP_CODE,)), ("CreditRecord", (SHOP_CODE,))]
    assert await office.told() == [(POINTS_ID, True)]
    (item,) = [item for item in await office.city.ops() if item.kind == "score-difference"]
    assert all(word in item.message for word in (SHOP_CODE, "2.5", "says 2", "CR0001"))


async def test_a_stale_mirror_is_not_blamed_on_the_platform(office: Office) -> None:
    await office.city.say(profile("2"), points(1, "2"), points(2, "1"))
    await office.compared()
    office.credit.shows = [credit_profile(regulatory_points=Decimal(3), version=2, old_codes=())]
    assert await office.compared(minutes=11) == {}
    assert await office.told() == []


async def test_a_record_of_somebody_else_that_was_missed_is_found_by_the_live_read(office: Office) -> None:
    await office.city.say(profile("3"), points(1, "2"))
    await office.compared()
    office.credit.shows = [taken(2, "1", biz_no="SOMEBODY-ELSE")]
    assert await office.compared(minutes=11) == {}
    assert await office.told() == []


async def test_nobody_is_told_while_the_platform_does_not_answer(office: Office) -> None:
    await office.city.say(profile("2"), points(1, "2.5"))
    await office.compared()
    office.credit.away = True
    await office.compared(minutes=60)
    assert await office.told() == []
    office.credit.away = False
    await office.compared(minutes=1)
    assert await office.told() == [(POINTS_ID, True)]


@pytest.mark.parametrize("at_once", [1, 100])
async def test_a_subject_that_cannot_be_read_holds_up_no_other(
    office: Office, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(scores, "LIVE", at_once)
    person = credit_profile(code=PERSON, regulatory_points=Decimal(1), old_codes=())
    await office.city.say(profile("2"), points(1, "2.5"), observed(person))
    await office.compared()
    first, second = sorted([SHOP_CODE, PERSON])
    office.credit.unreadable = {first}
    for minutes in (60, 1):
        await office.compared(minutes=minutes)
    assert [cause for cause, _ in await office.told()] == [f"{second}:REGULATORY_POINTS"]
    office.credit.unreadable = set()
    for _ in range(2):
        await office.compared(minutes=1)
    assert len(await office.told()) == 2


async def test_an_explained_difference_is_listed_and_not_told(office: Office) -> None:
    await office.city.say(profile("2"), points(1, "4"), observed(repair(record_id="CR0001", points=Decimal(2))))
    await office.compared()
    assert set(await office.compared(minutes=60)) == {POINTS_ID}
    assert (office.credit.asked, await office.told()) == ([], [])


async def test_what_ops_was_told_is_resolved_when_the_figures_agree_again(office: Office) -> None:
    await office.city.say(profile("2"), points(1, "2.5"))
    await office.compared()
    await office.compared(minutes=11)
    await office.city.say(profile("2.5", version=2))
    await office.compared(minutes=1)
    assert await office.told() == [(POINTS_ID, False)]
    await office.city.say(profile("2", version=3))
    await office.compared(minutes=1)
    await office.compared(minutes=11)
    assert sorted(await office.told()) == [(POINTS_ID, False), (POINTS_ID, True)]
