"""coordination-dispatch and coordination-feedback: a department asks a town for help, and is told what the town did."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from hub.reconcile.rule import Verdict
from hub.reconcile.rules import coordination_dispatch, coordination_feedback
from hub.reconcile.rules.coordination_dispatch import CoordinationDispatch, town_number
from hub.reconcile.rules.coordination_feedback import NO_OPINION, CoordinationFeedback
from schema.commands import GiveCoordinationFeedback, IssueCoordination
from schema.entities import (
    Coordination,
    CoordinationStatus,
    Obligation,
    ObligationState,
    TownCoordination,
    TownCoordinationStatus,
)
from schema.identifiers import outgoing_number
from tests.builders import DAY, HOUR, coordination, observed, town_coordination
from tests.settable_clock import BEIJING, START
from tests.unit.reconcile.city import BOOK, City, forget_ledger, held, only

DISPATCH, FEEDBACK = CoordinationDispatch(), CoordinationFeedback()
NUMBER = coordination().coordination_id
DISPATCH_KEY = f"coordination-dispatch:{NUMBER}"
HANDLED = CoordinationStatus.HANDLED
GIVEN = [ObligationState.SENT, ObligationState.CLOSED, ObligationState.WAIVED, ObligationState.SETTLED]


def at_town(version: int = 1, opinion: str | None = "已找到当事人", **fields: Any) -> TownCoordination:
    """What the town has of `coordination()` under our number: handled, if the version is above 1."""
    status = TownCoordinationStatus.ISSUED if version == 1 else TownCoordinationStatus.HANDLED
    return town_coordination(**{"out_no": town_number(NUMBER), "version": version, "status": status, "opinion": opinion} | fields)


def feedback_key(version: int) -> str:
    return coordination_feedback.key_for(NUMBER, version)


# --- Passing it on ---------------------------------------------------------------------------------------------------


def passed_on(one: Coordination, *towns: TownCoordination, ledger: tuple[Obligation, ...] = ()) -> Verdict:
    return DISPATCH.derive(coordination_dispatch.Facts(one, towns), ledger, BOOK, START)


def test_what_a_department_issues_is_passed_on_to_its_town_as_it_is() -> None:
    owed = only(passed_on(coordination()))
    assert owed.command == IssueCoordination(
        out_no=outgoing_number("CO", DISPATCH_KEY),
        department="ZFJ",
        town="赤岸镇",
        category="协查",
        content="请协助查找当事人",
        limit_at=START + DAY,
    )
    assert (owed.key, owed.platform, owed.chain, owed.place) == (DISPATCH_KEY, "grid", f"coordination:{NUMBER}", 1)
    assert owed.due.at == START + HOUR


def test_a_coordination_that_is_handled_owes_nothing_and_what_was_made_of_it_stays() -> None:
    one = held(DISPATCH, only(passed_on(coordination())), ObligationState.SENT)
    verdict = passed_on(coordination(status=HANDLED), ledger=(one,))
    assert (verdict.owed, verdict.keep) == ((), frozenset({DISPATCH_KEY}))


def test_the_towns_own_number_is_the_proof() -> None:
    assert passed_on(coordination(), at_town()).proven == {DISPATCH_KEY: at_town().town_no}


async def test_it_is_passed_on_and_closed_when_the_town_shows_it(city: City) -> None:
    await city.say(observed(coordination()))
    await city.accept(DISPATCH_KEY)
    await city.say(observed(town_coordination(out_no="CO-of-somebody-else", town_no="XG-9")))
    assert await city.lines() == {DISPATCH_KEY: "SENT"}
    await city.say(observed(at_town()))
    assert await city.lines() == {DISPATCH_KEY: "CLOSED"}


@pytest.mark.parametrize(("sent", "kinds"), [(False, []), (True, ["coordination-dispatch.changed-after-sent"])])
async def test_an_edit_is_passed_on_while_unsent_and_is_for_ops_afterwards(city: City, sent: bool, kinds: list[str]) -> None:
    await city.say(observed(coordination()))
    if sent:
        await city.accept(DISPATCH_KEY)
    await city.say(observed(coordination(version=2, content="请上门核实")))
    command = await city.command(DISPATCH_KEY)
    assert isinstance(command, IssueCoordination)
    assert command.content == ("请协助查找当事人" if sent else "请上门核实")
    assert [item.kind for item in await city.ops()] == kinds


async def test_one_that_is_handled_before_it_was_passed_on_is_not_passed_on_any_more(city: City) -> None:
    await city.say(observed(coordination()))
    await city.say(observed(coordination(version=2, status=HANDLED)))
    assert await city.lines() == {DISPATCH_KEY: "WITHDRAWN"}
    assert await city.ops() == []


# --- Feeding it back -------------------------------------------------------------------------------------------------


def told(town: TownCoordination, *ledger: Obligation, of: Coordination | None = None) -> Verdict:
    return FEEDBACK.derive(coordination_feedback.Facts(of or coordination(), town), ledger, BOOK, START)


def given(town: TownCoordination, state: ObligationState, **fields: Any) -> Obligation:
    return held(FEEDBACK, only(told(town)), state, **fields)


def test_what_the_town_did_is_told_to_the_department() -> None:
    at = datetime(2019, 9, 6, 10, tzinfo=BEIJING)  # a Friday
    owed = only(told(at_town(2, updated_at=at)))
    assert owed.command == GiveCoordinationFeedback(
        coordination_id=NUMBER, grid_no=at_town().town_no, result="handled", opinion="已找到当事人", handled_at=at
    )
    assert (owed.key, owed.platform, owed.chain, owed.place) == (feedback_key(2), "enforcement", f"coordination:{NUMBER}", 3)
    assert owed.due.at == datetime(2019, 9, 9, 23, 59, 59, tzinfo=BEIJING)


def test_a_town_that_writes_no_opinion_has_handled_it_all_the_same() -> None:
    command = only(told(at_town(2, opinion=None))).command
    assert isinstance(command, GiveCoordinationFeedback)
    assert command.opinion == NO_OPINION


@pytest.mark.parametrize("status", [TownCoordinationStatus.ISSUED, TownCoordinationStatus.ACCEPTED])
def test_what_the_town_has_not_handled_is_not_told(status: TownCoordinationStatus) -> None:
    assert told(at_town(2, status=status)).owed == ()


@pytest.mark.parametrize("state", GIVEN)
def test_another_opinion_is_given_again_and_the_same_one_is_not(state: ObligationState) -> None:
    first = given(at_town(2), state)
    again = told(at_town(3, opinion="当事人已搬离"), first, of=coordination(status=HANDLED))
    assert (only(again).key, again.keep) == (feedback_key(3), frozenset({first.key}))
    assert only(told(at_town(3), first, of=coordination(status=HANDLED))).key == first.key


def test_an_opinion_that_went_to_and_fro_is_given_a_third_time() -> None:
    ledger = [
        given(at_town(2), ObligationState.CLOSED),
        given(at_town(3, opinion="当事人已搬离"), ObligationState.CLOSED, sequence=4),
    ]
    assert only(told(at_town(4), *ledger)).key == feedback_key(4)


def test_what_was_never_sent_gives_way_to_the_present_version() -> None:
    unsent = given(at_town(2), ObligationState.DUE)
    verdict = told(at_town(3), unsent)
    assert (only(verdict).key, unsent.key in verdict.keep) == (feedback_key(3), False)


def test_what_may_have_been_sent_counts_as_told() -> None:
    perhaps = given(at_town(2), ObligationState.DUE, unknown_since=START)
    assert only(told(at_town(3), perhaps)).key == perhaps.key


def test_a_town_that_takes_it_back_after_it_was_told_is_for_ops() -> None:
    ledger = [given(at_town(2), ObligationState.CLOSED), given(at_town(3, opinion="别的"), ObligationState.CLOSED, sequence=4)]
    verdict = told(at_town(4, status=TownCoordinationStatus.ACCEPTED), *ledger)
    assert (verdict.owed, verdict.keep) == ((), frozenset({ledger[0].key}))


def test_one_that_the_department_has_closed_without_us_is_told_nothing() -> None:
    assert told(at_town(2), of=coordination(status=HANDLED)).owed == ()


@pytest.mark.parametrize(
    ("state", "status", "closes"),
    [
        (ObligationState.SENT, HANDLED, True),
        (ObligationState.SENT, CoordinationStatus.ISSUED, False),
        (ObligationState.DUE, HANDLED, False),
        (ObligationState.LEASED, HANDLED, False),
    ],
)
def test_the_proof_is_an_accepted_feedback_and_a_handled_coordination(
    state: ObligationState, status: CoordinationStatus, closes: bool
) -> None:
    one = given(at_town(2), state, unknown_since=START)
    assert told(at_town(2), one, of=coordination(status=status)).proven == ({one.key: NUMBER} if closes else {})


def test_only_the_opinion_is_material_not_when_it_was_given() -> None:
    command = only(told(at_town(2))).command
    assert isinstance(command, GiveCoordinationFeedback)
    assert FEEDBACK.material(command) == FEEDBACK.material(msgspec.structs.replace(command, handled_at=START + timedelta(hours=3)))
    assert FEEDBACK.material(command) != FEEDBACK.material(msgspec.structs.replace(command, opinion="别的"))


# --- Both together ---------------------------------------------------------------------------------------------------


async def until_fed_back(city: City) -> None:
    await city.say(observed(coordination()))
    await city.accept(DISPATCH_KEY)
    await city.say(observed(at_town()))
    await city.say(observed(at_town(2)))
    await city.accept(feedback_key(2))
    await city.say(observed(coordination(version=2, status=HANDLED)))


async def test_the_whole_way_there_and_back(city: City) -> None:
    await until_fed_back(city)
    assert await city.lines() == {DISPATCH_KEY: "CLOSED", feedback_key(2): "CLOSED"}
    await city.say(observed(at_town(3)))
    assert feedback_key(3) not in await city.lines()
    await city.say(observed(at_town(4, opinion="当事人已搬离")))
    assert (await city.lines())[feedback_key(4)] == "DUE"
    await city.accept(feedback_key(4))
    await city.settle_all()
    assert set((await city.lines()).values()) == {"CLOSED"}
    assert await city.ops() == []


async def test_what_a_town_says_of_a_coordination_that_comes_later_is_told_then(city: City) -> None:
    await city.say(observed(at_town(2)))
    assert await city.lines() == {}
    await city.say(observed(coordination()))
    assert await city.lines() == {DISPATCH_KEY: "CLOSED", feedback_key(2): "DUE"}


async def test_the_department_that_closes_it_first_makes_ours_superfluous(city: City) -> None:
    await city.say(observed(coordination()), observed(at_town(2)))
    await city.say(observed(coordination(version=2, status=HANDLED)))
    assert await city.lines() == {DISPATCH_KEY: "CLOSED", feedback_key(2): "WITHDRAWN"}
    assert await city.ops() == []


async def test_a_towns_answer_that_no_rule_was_asked_about_is_found_by_the_sweep(city: City) -> None:
    await city.keep_silent(observed(coordination()), observed(at_town(2)))
    await city.sweep.everything()
    assert await city.lines() == {DISPATCH_KEY: "CLOSED", feedback_key(2): "DUE"}


async def test_another_opinion_that_no_rule_was_asked_about_is_found_though_the_first_is_closed(city: City) -> None:
    await until_fed_back(city)
    await city.keep_silent(observed(at_town(3, opinion="当事人已搬离")))
    await city.sweep.everything()
    assert (await city.lines())[feedback_key(3)] == "DUE"


@pytest.mark.parametrize("silent", [False, True])
async def test_what_a_town_corrects_after_the_ledger_was_lost_is_told_to_the_department(city: City, silent: bool) -> None:
    await city.say(observed(coordination(version=2, status=HANDLED)), observed(at_town(2)))
    await city.database.write(forget_ledger)
    corrected = observed(at_town(3, opinion="当事人已搬离", updated_at=START + HOUR))
    await (city.keep_silent(corrected) if silent else city.say(corrected))
    await city.sweep.everything()
    assert (await city.lines())[feedback_key(3)] == "DUE"
