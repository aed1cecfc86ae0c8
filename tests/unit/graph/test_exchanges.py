"""What was said with a platform, as operators see it: with the attempt that it belongs to, personal numbers masked."""

from schema.entities import Attempt, Obligation
from schema.identifiers import mask_phone
from tests.builders import PHONE, exchange
from tests.unit.graph.city import READER, City
from tests.unit.graph.records import made

ASKED = """{ obligation(key: "o/1") { history(orderBy: STARTED_AT_ASC) { edges { node {
    number command exchanges { operation sentAt answeredAt outcome request answer } } } } } }"""
MASKED = mask_phone(PHONE)


async def test_exchanges_are_shown_with_their_attempt_and_masked(city: City) -> None:
    city.twice = True
    said = (exchange(), exchange(operation="GET tasks", answered_at=None, answer=None, outcome="TIMEOUT"))
    await city.put(
        made(Obligation, key="o/1"),
        made(Attempt, attempt_id="o/1#1", obligation_key="o/1", command=f'{{"phone":"{PHONE}"}}', exchanges=said),
    )
    found = await city.data(ASKED)
    (edge,) = found["obligation"]["history"]["edges"]
    assert edge["node"]["command"] == f'{{"phone":"{MASKED}"}}'
    answered, unanswered = edge["node"]["exchanges"]
    assert answered["request"] == f'POST /irs/v1/tasks\n\n{{"phone":"{MASKED}"}}'
    assert answered["answer"] == f'201 Created\n\n{{"taskId":"T1","phone":"{MASKED}"}}'
    assert (unanswered["outcome"], unanswered["answer"], unanswered["answeredAt"]) == ("TIMEOUT", None, None)
    assert PHONE not in str(found)


async def test_an_attempt_that_runs_or_made_no_call_says_which(city: City) -> None:
    city.twice = True
    await city.put(
        made(Obligation, key="o/1"),
        made(Attempt, attempt_id="o/1#1", obligation_key="o/1", number=1, exchanges=None),
        made(Attempt, attempt_id="o/1#2", obligation_key="o/1", number=2, exchanges=()),
    )
    found = await city.data(ASKED)
    assert sorted((edge["node"]["number"], edge["node"]["exchanges"]) for edge in found["obligation"]["history"]["edges"]) == [
        (1, None),
        (2, []),
    ]


async def test_who_only_reads_the_mirror_sees_no_exchange(city: City) -> None:
    await city.put(made(Obligation, key="o/1"), made(Attempt, attempt_id="o/1#1", obligation_key="o/1", exchanges=(exchange(),)))
    code, _ = await city.error(ASKED, scopes=READER)
    assert code == "FORBIDDEN"
