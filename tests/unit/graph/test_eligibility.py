"""Eligibility in the graph: the engine's decision as it is, and who may ask about whom."""

from decimal import Decimal

import pytest

from hub.graph.limits import Limits
from schema.decision import DataAge, Decision, Reason
from schema.entities import Grade
from tests.builders import IDENTITY_NO, SHOP_CODE
from tests.unit.graph.city import READER, City
from tests.unit.graph.records import NOW

QUERY = 'query($s: String!) { eligibility(subject: $s, matter: "WH-SX01") { eligible } }'


async def test_a_decision_is_shown_with_every_reason_and_the_age_of_its_data(city: City) -> None:
    city.hub.decision = Decision(
        subject=SHOP_CODE,
        matter="WH-SX01",
        eligible=False,
        grade=Grade.C,
        score=Decimal("61.5"),
        reasons=(Reason("GRADE_TOO_LOW", "信用等级为C级"), Reason("BLACKLISTED", "黑名单")),
        as_of=NOW,
        data=(DataAge("credit", NOW, live=True, stale=False), DataAge("approval", None, live=False, stale=True)),
    )
    found = await city.data(
        f'{{ eligibility(subject: "{SHOP_CODE.lower()}", matter: "WH-SX01") {{ subject matter eligible grade score asOf '
        "reasons { code text } data { source asOf live stale } } }"
    )
    assert found["eligibility"] == {
        "subject": SHOP_CODE,
        "matter": "WH-SX01",
        "eligible": False,
        "grade": "C",
        "score": "61.5",
        "asOf": "2019-09-11T01:00:00+00:00",
        "reasons": [{"code": "GRADE_TOO_LOW", "text": "信用等级为C级"}, {"code": "BLACKLISTED", "text": "黑名单"}],
        "data": [
            {"source": "credit", "asOf": "2019-09-11T01:00:00+00:00", "live": True, "stale": False},
            {"source": "approval", "asOf": None, "live": False, "stale": True},
        ],
    }
    assert city.hub.calls == [("eligibility", SHOP_CODE, "WH-SX01")]


async def test_readers_may_ask_and_nobody_else(city: City) -> None:
    assert not (await city.ask(QUERY, {"s": SHOP_CODE}, scopes=READER)).errors
    code, _ = await city.error(QUERY, {"s": SHOP_CODE}, scopes=frozenset({"ops:read"}))
    assert code == "FORBIDDEN"
    assert len(city.hub.calls) == 1


@pytest.mark.parametrize("subject", ["RID-" + "0" * 64, "RID-" + "af" * 32])
async def test_a_person_is_asked_for_by_the_rid_code(city: City, subject: str) -> None:
    await city.data(QUERY, {"s": subject})
    assert city.hub.calls == [("eligibility", subject, "WH-SX01")]


@pytest.mark.parametrize(
    "subject", [IDENTITY_NO, IDENTITY_NO.lower(), IDENTITY_NO[:-1] + "1", "330782600123456", "", "RID-", "RID-" + "A" * 64, "\x00"]
)
async def test_anything_else_is_refused_and_never_shown(city: City, subject: str) -> None:
    code, message = await city.error(QUERY, {"s": subject})
    assert code == "BAD_USER_INPUT"
    assert not subject or subject not in message
    assert city.hub.calls == []


async def test_many_questions_in_one_operation_weigh_as_the_live_reads_do_that_they_make(city: City) -> None:
    asked = " ".join(f'q{number}: eligibility(subject: "{SHOP_CODE}", matter: "M{number}") {{ eligible }}' for number in range(3))
    given = await city.ask(f"{{ {asked} }}", limits=Limits(cost=602, live=5))
    assert [error.extensions for error in given.errors] == [
        {"code": "COST_LIMIT", "limit": 602, "found": 603},
        {"code": "LIVE_LIMIT", "limit": 5, "found": 6},
    ]
    assert not (await city.ask(f"{{ {asked} }}", limits=Limits(cost=603, live=6))).errors


@pytest.mark.parametrize("matter", ["", "  ", "M" * 65])
async def test_a_matter_has_a_code_of_64_characters_at_most(city: City, matter: str) -> None:
    query = 'query($m: String!) { eligibility(subject: "%s", matter: $m) { eligible } }' % SHOP_CODE  # noqa: UP031
    code, message = await city.error(query, {"m": matter})
    assert (code, message) == ("BAD_USER_INPUT", "matter: the code of a matter wanted, at most 64 characters")
    assert city.hub.calls == []
    await city.data(query, {"m": " M "})
    assert city.hub.calls == [("eligibility", SHOP_CODE, "M")]
