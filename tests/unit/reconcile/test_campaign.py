"""campaign: a joint random inspection that was asked for through the graph -> a campaign, enforcement; once a request."""

from typing import Any

import pytest

from connectors.errors import PermanentError, UnknownOutcome
from hub.reconcile.rules.campaign import CampaignDrawn, Facts, campaign_number, key_for
from schema.commands import CreateCampaign
from schema.entities import Campaign, CampaignRequest
from schema.identifiers import outgoing_number
from tests.builders import DAY, campaign, campaign_request, observed
from tests.settable_clock import START
from tests.unit.reconcile.city import BOOK, City, only
from tests.unit.reconcile.worker_side import Office

RULE = CampaignDrawn()
NUMBER = campaign_request().request_no
KEY = key_for(NUMBER)


def request(**fields: Any) -> CampaignRequest:
    return campaign_request(**{"external_no": campaign_number(NUMBER)} | fields)


def drawn(**fields: Any) -> Campaign:
    return campaign(**{"external_no": campaign_number(NUMBER)} | fields)


def test_a_request_owes_its_campaign_at_once() -> None:
    owed = only(RULE.derive(Facts(request(), ()), (), BOOK, START))
    assert owed.command == CreateCampaign(
        external_no=outgoing_number("CA", "campaign:SSJ-2019-0001"),
        title="锅炉专项双随机联合检查",
        departments=("STHJ", "FGW"),
        industry="锅炉使用单位",
        town=None,
        grades=("C", "D"),
        subjects=10,
        officers_per_task=2,
        due_at=START + 10 * DAY,
    )
    assert (owed.key, owed.platform, owed.due.at) == (KEY, "enforcement", START)


def test_the_platforms_campaign_with_our_number_is_the_proof() -> None:
    assert RULE.derive(Facts(request(), [drawn()]), (), BOOK, START).proven == {KEY: "C0001"}


async def test_it_is_closed_by_the_campaign_that_the_answer_shows(city: City) -> None:
    await city.say(observed(request()))
    await city.accept(KEY)
    await city.say(observed(campaign(campaign_id="C-OTHER", external_no="somebody else's")))
    assert await city.lines() == {KEY: "SENT"}
    await city.say(observed(drawn()))
    assert await city.lines() == {KEY: "CLOSED"}


async def test_a_draw_of_unknown_outcome_closes_when_it_is_seen_and_is_never_asked_for_blindly(city: City) -> None:
    hub = Office(city.database, city.rows, city.clock, city.derivation)
    await city.say(observed(request()))
    hub.connectors["enforcement"].replies[KEY] = [UnknownOutcome("enforcement", "TIMEOUT", "no answer", START)]
    await hub.worker.work_once("enforcement")
    city.clock.advance(60)
    await hub.worker.work_once("enforcement")
    assert [each.unknown_since for each in hub.connectors["enforcement"].ensured] == [None, START]
    await city.say(observed(drawn()))
    assert await city.lines() == {KEY: "CLOSED"}


async def test_a_pool_that_is_too_small_is_stuck_and_says_how_to_go_on(city: City) -> None:
    hub = Office(city.database, city.rows, city.clock, city.derivation)
    await city.say(observed(request()))
    hub.connectors["enforcement"].replies[KEY] = [PermanentError("enforcement", "POOL_TOO_SMALL", "3 subjects; ask for fewer")]
    await hub.worker.work_once("enforcement")
    one = (await city.ledger())[KEY]
    assert (one.state.value, one.last_error) == ("STUCK", "POOL_TOO_SMALL: enforcement: 3 subjects; ask for fewer")


@pytest.mark.parametrize("silent", [[observed(request())], [observed(drawn()), observed(request())]])
async def test_a_request_that_no_rule_was_asked_about_is_found_by_the_sweep(city: City, silent: list[Any]) -> None:
    await city.keep_silent(*silent)
    await city.sweep.everything()
    assert await city.lines() == {KEY: "CLOSED" if len(silent) > 1 else "DUE"}


async def test_a_request_that_was_drawn_twice_is_for_ops_once_with_both(city: City) -> None:
    await city.say(observed(request()), observed(drawn()))
    assert await city.ops() == []
    await city.say(observed(drawn(campaign_id="C0002")))
    await city.sweep.everything()
    (item,) = await city.ops()
    assert (item.kind, item.cause, "C0001, C0002" in item.message) == ("duplicate-campaign", NUMBER, True)
    assert await city.lines() == {KEY: "CLOSED"}
