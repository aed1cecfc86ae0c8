"""How much one operation may ask for, measured before anything is read."""

import pytest

from hub.graph.limits import Limits
from tests.unit.graph.city import City

ROOMY = Limits()


async def refused(city: City, query: str, limits: Limits, **how: object) -> tuple[str, str]:
    given = await city.ask(query, limits=limits, **how)  # type: ignore[arg-type]
    assert not given.executed
    assert city.statements == []
    (error,) = given.errors
    return (error.extensions or {})["code"], error.message


async def test_an_operation_that_is_nested_too_deeply_is_refused(city: City) -> None:
    query = "{ approvals { edges { node { subject { name } } } } }"
    assert await refused(city, query, Limits(depth=4)) == (
        "DEPTH_LIMIT",
        "the operation has 5 levels; the limit is 4: ask for the inner records by a second operation",
    )
    assert not (await city.ask(query, limits=Limits(depth=5))).errors


async def test_fragments_hide_no_depth(city: City) -> None:
    query = (
        "{ approvals { ...A } } fragment A on ApprovalConnection { edges { ... on ApprovalEdge { node { subject { name } } } } }"
    )
    assert (await refused(city, query, Limits(depth=4)))[0] == "DEPTH_LIMIT"


async def test_too_many_aliases_directives_and_tokens_are_refused(city: City) -> None:
    aliases = "{ " + " ".join(f"a{at}: __typename" for at in range(31)) + " }"
    assert (await refused(city, aliases, ROOMY))[1].startswith("the operation has 31 aliases; the limit is 30")
    directives = "{ __typename " + "@include(if: true) " * 31 + "}"
    assert (await refused(city, directives, ROOMY))[0] == "DIRECTIVE_LIMIT"
    tokens = "{ " + "__typename " * 2000 + "}"
    assert (await refused(city, tokens, ROOMY))[0] == "TOKEN_LIMIT"


@pytest.mark.parametrize(
    ("query", "cost"),
    [
        ("{ approvals { edges { node { region } } } }", 20),
        ("{ approvals(first: 200) { edges { node { region } } } }", 200),
        ("query($n: Int!) { approvals(first: $n) { edges { node { region } } } }", 7),
        ("query($m: Int! = 9) { approvals(first: $m) { edges { node { region } } } }", 9),
        ("{ approvals(first: 10) { edges { node { subject { name } matter { name } } } } }", 30),
        ("{ approvals(first: 10) { totalCount edges { node { tasks(first: 5) { totalCount edges { node { title } } } } } } }", 170),
        ("{ approvals(first: 3) { ...C } subjects { ...D } } fragment C on ApprovalConnection { edges { node { region } } }"
         " fragment D on SubjectConnection { edges { node { name } } }", 23),
        ('{ _entities(representations: [{__typename: "Subject"}, {__typename: "Subject"}]) { __typename } }', 2),
        ("query($r: [_Any!]!) { _entities(representations: $r) { ... on Subject { profile { score } } } }", 8),
        ("{ platforms { streams { stream } } }", 400),
        ("{ supervisionPool { byGrade { subjects } } }", 1_000),
        ("{ statistics { total { grantsTotal: approvalsGranted } } }", 1_000),
        ("{ statistics { total { subjectsScored } } }", 3_000),
        ("{ statistics(by: [ITEM]) { rows { item { name } figures { subjectsScored itemsScored } } total { ...F } } }"
         " fragment F on Figures { subjectsScored }", 8_000),
        ("{ __schema { types { name fields { name } } } }", 0),
    ],
)  # fmt: skip
async def test_the_cost_is_the_number_of_records_that_could_be_read(city: City, query: str, cost: int) -> None:
    variables = {"n": 7, "r": [{"__typename": "Subject", "code": "S"}] * 4}
    assert not [
        error
        for error in (await city.ask(query, variables, limits=Limits(cost=cost))).errors
        if (error.extensions or {})["code"] == "COST_LIMIT"
    ]
    if cost:
        given = await city.ask(query, variables, limits=Limits(cost=cost - 1))
        assert [error.extensions for error in given.errors] == [{"code": "COST_LIMIT", "limit": cost - 1, "found": cost}]
        assert city.statements == []


@pytest.mark.parametrize(
    ("query", "live"),
    [
        ('{ approval(approvalNo: "A", maxAge: 60) { region } }', 1),
        ('{ approval(approvalNo: "A", maxAge: null) { region } }', 0),
        ("{ approvals(first: 30, maxAge: 0) { edges { node { region } } } }", 30),
        ("{ approvals(maxAge: 0) { totalCount } }", 20),
        ("{ verificationTasks(first: 7) { edges { node { approval(maxAge: $age) { region } } } } }", 7),
        ("{ verificationTasks(first: 7) { edges { node { ...T } } } } fragment T on VerificationTask { approval(maxAge: 1) "
         "{ tasks(first: 2, maxAge: 1) { edges { node { title } } } } }", 21),
        ("{ subjects(first: 3) { edges { node { profile(maxAge: $none) { score } } } } }", 0),
    ],
)  # fmt: skip
async def test_what_is_asked_live_has_a_limit_of_its_own_and_is_dear(city: City, query: str, live: int) -> None:
    query = f"query($age: Int = 5, $none: Int) {query}"
    if live:
        given = await city.ask(query, limits=Limits(live=live - 1))
        assert [error.extensions for error in given.errors if "LIMIT" in error.extensions["code"]] == [  # type: ignore[index]
            {"code": "LIVE_LIMIT", "limit": live - 1, "found": live}
        ]
        (dear,) = (await city.ask(query, limits=Limits(live=live, cost=0))).errors
        assert 100 * live <= (dear.extensions or {})["found"] < 100 * (live + 1)
    else:
        assert not [error for error in (await city.ask(query, limits=Limits(live=0))).errors if "LIVE" in error.message]


@pytest.mark.parametrize("asked", [200.0, 1e15, "200", True, [200], {"n": 200}])
async def test_a_number_that_came_in_another_form_weighs_what_it_is_taken_for(city: City, asked: object) -> None:
    query = "query($n: Int!) { approvals(first: $n) { edges { node { region } } } }"
    given = await city.ask(query, {"n": asked}, limits=Limits(cost=0))
    found = [error.extensions["found"] for error in given.errors if error.extensions["code"] == "COST_LIMIT"]  # type: ignore[index]
    assert found == [1 if asked is True else 200]
    live = await city.ask("query($n: Int!) { approvals(first: $n, maxAge: 0) { totalCount } }", {"n": asked}, limits=Limits(live=0))
    assert [error.extensions["found"] for error in live.errors if error.extensions["code"] == "LIVE_LIMIT"] == found  # type: ignore[index]


@pytest.mark.parametrize("number", ["9" * 12, "9" * 5_000, "-" + "9" * 5_000])
async def test_a_number_with_thousands_of_digits_is_refused_as_any_that_is_too_large(city: City, number: str) -> None:
    given = await city.ask(f"{{ approvals(first: {number}) {{ totalCount }} }}")
    assert not given.executed
    assert given.errors[0].extensions == {"code": "PAGE_LIMIT", "limit": 200}
    given = await city.ask(f"{{ approvals(maxAge: {number}) {{ totalCount }} }}")
    assert [error.extensions for error in given.errors] == [{"code": "GRAPHQL_VALIDATION_FAILED"}]


async def test_the_limit_of_live_reads_says_what_to_do(city: City) -> None:
    code, message = await refused(city, "{ approvals(first: 101, maxAge: 60) { totalCount } }", ROOMY)
    assert code == "LIVE_LIMIT"
    way_out = "ask for fewer with `first`, or leave maxAge out where the hub's copy will do"
    assert message == f"the operation has 101 records to ask live at most; the limit is 100: {way_out}"


async def test_a_list_of_lists_of_lists_is_too_dear_and_says_so(city: City) -> None:
    inner = "tasks(first: 200) { edges { node { title } } }"
    query = f"{{ subjects(first: 200) {{ edges {{ node {{ approvals(first: 200) {{ edges {{ node {{ {inner} }} }} }} }} }} }} }}"
    code, message = await refused(city, query, ROOMY)
    assert code == "COST_LIMIT"
    way_out = "ask for fewer with `first`, or by several operations"
    assert message == f"the operation has 8,040,200 records to read at most; the limit is {ROOMY.cost:,}: {way_out}"


async def test_fragments_in_circles_or_in_long_chains_are_refused_quickly(city: City) -> None:
    circle = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"
    assert (await city.ask(circle)).errors[0].extensions == {"code": "GRAPHQL_VALIDATION_FAILED"}
    chain = "{ ...F0 } " + " ".join(f"fragment F{at} on Query {{ ...F{at + 1} ...F{at + 1} }}" for at in range(150))
    chain += " fragment F150 on Query { __typename }"
    assert not (await city.ask(chain)).errors
    long = "{ ...F0 } " + " ".join(f"fragment F{at} on Query {{ ...F{at + 1} }}" for at in range(1900))
    assert (await city.ask(long, limits=Limits(tokens=100_000))).errors[0].extensions == {"code": "DEPTH_LIMIT", "limit": 20}
    deep = "{ a " * 1500 + "}" * 1500
    assert (await city.ask(deep, limits=Limits(tokens=100_000))).errors[0].extensions == {"code": "DEPTH_LIMIT"}


async def test_fragments_hide_no_aliases_no_directives_and_no_repetition(city: City) -> None:
    wide = "fragment W on Query { " + " ".join(f"a{at}: __typename @include(if: true)" for at in range(20)) + " }"
    twice = (
        "query { ...W ... on Query { ...V } } fragment V on Query { " + " ".join(f"b{at}: __typename" for at in range(11)) + " }"
    )
    assert await refused(city, f"{twice} {wide}", ROOMY) == (
        "ALIAS_LIMIT",
        "the operation has 31 aliases; the limit is 30: send several operations",
    )
    inside = "fragment I on Approval { " + " ".join(f"a{at}: region @include(if: true)" for at in range(20)) + " }"
    given = await city.ask("{ approvals { edges { node { ...I } } } matters { edges { node { ...I } } } } " + inside, limits=ROOMY)
    assert sorted((error.extensions or {})["code"] for error in given.errors) == ["ALIAS_LIMIT", "DIRECTIVE_LIMIT"]
    assert not (await city.ask("{ ...W ...W } " + wide, limits=ROOMY)).errors  # put twice at one place, it is executed once


async def test_fragments_that_double_each_other_end_at_the_limit_of_fields(city: City) -> None:
    doubling = " ".join(
        f"fragment F{at} on Approval {{ subject {{ ...F{at + 1} }} matter {{ ...F{at + 1} }} }}" for at in range(60)
    )
    query = f"{{ approvals {{ edges {{ node {{ ...F0 }} }} }} }} {doubling} fragment F60 on Approval {{ region }}"
    assert await refused(city, query, ROOMY) == (
        "FIELD_LIMIT",
        "the operation has more than 3000 fields, fragments put in place; the limit is 3,000: send several operations",
    )
    circle = "{ approvals { edges { node { ...A } } } } fragment A on Approval { ...B } fragment B on Approval { ...A }"
    assert (await refused_first(city, circle))[0] == "GRAPHQL_VALIDATION_FAILED"


async def refused_first(city: City, query: str) -> tuple[str, str]:
    given = await city.ask(query)
    assert not given.executed
    return (given.errors[0].extensions or {})["code"], given.errors[0].message


@pytest.mark.parametrize(
    "query",
    [
        "{ " + "__typename " * 31 + "}",
        "{ " + "approvals { totalCount } " * 31 + "}",
        "{ " + "approvals { edges { node { region } } } " * 6 + "}",
        "{ ...A ...B } fragment A on Query { " + "__typename " * 16 + "} fragment B on Query { " + "__typename " * 16 + "}",
        "{ __typename } fragment Unused on Query { " + "__typename " * 31 + "}",
    ],
)
async def test_one_field_asked_for_again_and_again_is_refused_before_each_is_compared_with_each(city: City, query: str) -> None:
    limits = ROOMY if "edges" not in query else Limits(repeats=5)
    assert (await refused(city, query, limits))[0] == "REPEAT_LIMIT"


async def test_variables_have_a_bounded_number_of_values(city: City) -> None:
    query = "query($w: ApprovalFilter) { approvals(where: $w) { totalCount } }"
    code, message = await refused(city, query, ROOMY, variables={"w": {"approvalNo": {"in": ["a"] * 5_000}}})
    assert code == "VALUE_LIMIT"
    assert message == "the operation has 5,003 values in its variables; the limit is 5,000: send several operations"


async def test_only_the_first_mistakes_of_a_document_are_told(city: City) -> None:
    given = await city.ask("{ " + " ".join(f"x{at}" for at in range(100)) + " }")
    assert len(given.errors) == 21
