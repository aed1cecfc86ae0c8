"""Whoever is limited to departments, regions or platforms sees no other rows: not by key, list, count, id, edge, loop or figure."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from strawberry.utils.str_converters import to_camel_case

from hub.graph.loops.loop import loop_of
from hub.mirror.tables import TABLES
from schema.context import Caller
from schema.declare import ENTITIES, BelongsTo, Declared, SeenWith, declared, target
from schema.entities import Approval, CreditProfile, Finding, Obligation, Subject, SubjectIdentifier, TaskResult, VerificationTask
from schema.global_id import global_id
from schema.live import LIVE_OUTDATED, Shown, Trouble
from schema.loop import Loop
from schema.row_limits import RowLimits
from tests.unit.graph.city import City
from tests.unit.graph.records import NOW, made
from tests.unit.graph.roles import D1_ONLY, HOME, ROLES, may_read, placed, sees

LIMITED = ("department", "region", "away", "vendor")
SINGLES = {entity.name: entity.name[0].lower() + entity.name[1:] for entity in ENTITIES.values()} | {"StreamHealth": "stream"}


def test_every_entity_says_who_sees_its_rows_or_is_for_operators_of_the_whole_hub() -> None:
    silent = {name for name, entity in ENTITIES.items() if entity.seen is None}
    assert silent == {"SmsReceipt", "AuditEntry", "OpsItem", "ScoreDifference", "SubjectMerge"}


def mine_and_others() -> list[list[Any]]:
    """Return a record of each entity here and one elsewhere; words on identifiers apart, for these name no real ones."""
    groups: list[list[Any]] = [[], []]
    for name in TABLES:
        for side, mine in (("mine", True), ("other", False)):
            groups[name in {"SubjectAlias", "SubjectMerge"}] += placed(ENTITIES[name], f"{name}-{side}", {}, mine=mine)
    return groups


@pytest.mark.parametrize("role", LIMITED)
async def test_a_row_of_others_is_found_by_no_key_no_id_no_list_and_no_count(each_city: City, role: str) -> None:
    city = each_city
    city.twice = True
    for records in mine_and_others():
        await city.put(*records)
    for name in sorted(TABLES):
        entity = ENTITIES[name]
        if not may_read(role, entity):
            continue
        key = to_camel_case(entity.key)
        for mine in (True, False):
            which = f"{name}-{'mine' if mine else 'other'}"
            ways = [f'node(id: "{global_id(entity, which)}") {{ __typename }}']
            ways.append(f'_entities(representations: [{{__typename: "{name}", {key}: "{which}"}}]) {{ __typename }}')
            if has_single(entity):
                argument = "code" if name == "Subject" else key
                ways.append(f'{SINGLES[name]}({argument}: "{which}") {{ __typename }}')
            for way in ways:
                given = await city.ask(f"{{ found: {way} }}", caller=ROLES[role])
                assert not given.errors, (way, given.errors)
                assert given.data is not None
                found = given.data["found"] not in (None, [None])
                assert (way, found) == (way, sees(role, entity, mine=mine))


def has_single(entity: Declared) -> bool:
    return entity.name != "Attempt"  # found with its obligation only


@pytest.mark.parametrize("role", LIMITED)
async def test_lists_and_totals_hold_what_is_seen_and_no_more(each_city: City, role: str) -> None:
    city = each_city
    city.twice = True
    for records in mine_and_others():
        await city.put(*records)
    lists = {
        declared(field_entity).name: name for name, field_entity in list_fields().items() if may_read(role, declared(field_entity))
    }
    for name, field in sorted(lists.items()):
        entity = ENTITIES[name]
        key = to_camel_case(entity.key)
        given = await city.ask(f"{{ {field}(first: 200) {{ totalCount edges {{ node {{ {key} }} }} }} }}", caller=ROLES[role])
        assert not given.errors, (field, given.errors)
        assert given.data is not None
        keys = {edge["node"][key] for edge in given.data[field]["edges"]}
        for mine in (True, False):
            which = f"{name}-{'mine' if mine else 'other'}"
            assert (field, which, which in keys) == (field, which, sees(role, entity, mine=mine))
        assert given.data[field]["totalCount"] == len(keys)


def list_fields() -> dict[str, Any]:
    from hub.graph.schema import build_schema  # noqa: PLC0415

    graph = build_schema()._schema
    assert graph.query_type is not None
    found = {}
    for name, field in graph.query_type.fields.items():
        kind = str(field.type).rstrip("!")
        if kind.endswith("Connection") and name not in {"overdue", "dueSoon"}:
            found[name] = ENTITIES[kind.removesuffix("Connection")].record
    return found


def edges_of(role: str) -> list[tuple[Declared, str]]:
    """Every edge that a role may follow to rows of which some are hidden from it."""
    return [
        (owner, name)
        for owner in ENTITIES.values()
        if may_read(role, owner)
        for name, edge in owner.edges.items()
        if may_read(role, target(owner, edge)) and not sees(role, target(owner, edge), mine=False)
    ]


def is_part_of(owner: Declared, name: str) -> bool:
    """Return whether both ends of an edge are seen together, so that a hidden far end has no visible near one."""
    edge = owner.edges[name]
    to = target(owner, edge)
    down = isinstance(to.seen, SeenWith) and (to.seen.entity, to.seen.theirs, to.seen.ours) == (owner.name, edge.ours, edge.theirs)
    up = isinstance(owner.seen, SeenWith) and (owner.seen.entity, owner.seen.ours) == (to.name, edge.ours)
    return down or up or (isinstance(to.seen, SeenWith) and to.seen == owner.seen and edge.theirs == to.seen.ours)


@pytest.mark.parametrize("role", ["department", "vendor"])
async def test_no_edge_leads_to_a_row_of_others_nor_counts_it(each_city: City, role: str) -> None:
    city = each_city
    city.twice = True
    records, followed = list[Any](), list[tuple[int, Declared, str, str]]()
    for at, (owner, name) in enumerate(edges_of(role)):
        edge = owner.edges[name]
        to, value = target(owner, edge), f"v{at}"
        of_itself = isinstance(to.seen, BelongsTo) and edge.theirs in to.seen  # by the code itself
        if of_itself or is_part_of(owner, name) or not sees(role, owner, mine=True):
            continue
        near = value if edge.ours == owner.key else f"near{at}"
        links = {edge.ours: (value,) if owner.fields[edge.ours].many else value}
        records += placed(owner, near, links, mine=True)
        single = edge.theirs == to.key
        if sees(role, to, mine=True) and not single:
            records += placed(to, f"seen{at}", {edge.theirs: value}, mine=True)
        records += placed(to, value if single else f"hidden{at}", {edge.theirs: value}, mine=False)
        if edge.through is not None:
            records.append(made(SubjectIdentifier, identifier=value, code=value))
        followed.append((at, owner, name, near))
    await city.put(*records)
    for at, owner, name, near in followed:
        edge = owner.edges[name]
        to, single = target(owner, edge), edge.theirs == target(owner, edge).key
        inside = "{ totalCount edges { node { id } } }" if edge.arity == "many" else "{ id }"
        field = to_camel_case(name)
        query = f'{{ node(id: "{global_id(owner, near)}") {{ ... on {owner.name} {{ {field} {inside} }} }} }}'
        given = await city.ask(query, caller=ROLES[role])
        assert not given.errors, (owner.name, name, given.errors)
        assert given.data is not None
        assert given.data["node"] is not None, (owner.name, name)
        found = given.data["node"][field]
        mine = [global_id(to, f"seen{at}")] if sees(role, to, mine=True) and not single else []
        if edge.arity == "many":
            assert (owner.name, name, [each["node"]["id"] for each in found["edges"]]) == (owner.name, name, mine)
            assert (owner.name, name, found["totalCount"]) == (owner.name, name, len(mine))
        else:
            assert (owner.name, name, found and found["id"]) == (owner.name, name, mine[0] if mine else None)
        operator = await city.ask(query, caller=ROLES["operator"])
        assert operator.data is not None
        assert operator.data["node"][field], (owner.name, name, "is a test that cannot fail")
    assert len(followed) >= {"department": 22, "vendor": 4}[role]


async def test_pages_of_many_owners_at_once_hold_what_is_seen(each_city: City) -> None:
    each_city.twice = True
    await each_city.put(
        made(CreditProfile, code="S"),
        *(made(SubjectIdentifier, identifier=f"S{at}", code=f"S{at}") for at in range(2)),
        *(
            made(Approval, approval_no=f"A{at}{side}", subject_code=f"S{at}", department_code=side, region=HOME)
            for at in range(2)
            for side in ("D1", "D2")
        ),
        *(made(Subject, code=f"S{at}") for at in range(2)),
    )
    query = "{ subjects { edges { node { code approvals { totalCount edges { node { approvalNo } } } } } } }"
    given = await each_city.ask(query, caller=ROLES["department"])
    assert not given.errors
    assert given.data is not None
    found = {edge["node"]["code"]: edge["node"]["approvals"] for edge in given.data["subjects"]["edges"]}
    for at in range(2):
        assert found[f"S{at}"] == {"totalCount": 1, "edges": [{"node": {"approvalNo": f"A{at}D1"}}]}


async def test_who_takes_part_in_a_check_sees_it_and_what_it_found(each_city: City) -> None:
    city = each_city
    city.twice = True
    tasks = {"led": ("D1", ()), "joint": ("D2", ("D3", "D1")), "like": ("D2", ("D10", "d1")), "other": ("D2", ())}
    for key, (lead, participants) in tasks.items():
        await city.put(
            made(VerificationTask, task_id=key, department_code=lead, participants=participants),
            made(TaskResult, result_id=f"{key}/0", task_id=key),
            made(Finding, finding_id=f"F-{key}", task_id=key, result_id=f"{key}/0"),
        )
    query = """{
        tasks: verificationTasks { totalCount edges { node {
            taskId results { totalCount } findings { edges { node { task { taskId } } } }
        } } }
        findings { totalCount edges { node { findingId } } }
        joint: verificationTask(taskId: "joint") { taskId } like: verificationTask(taskId: "like") { taskId }
    }"""
    given = await city.ask(query, caller=ROLES["department"])
    assert not given.errors
    assert given.data is not None
    seen = {edge["node"]["taskId"]: edge["node"] for edge in given.data["tasks"]["edges"]}
    assert set(seen) == {"led", "joint"}
    assert seen["joint"]["results"] == {"totalCount": 1}
    assert seen["joint"]["findings"] == {"edges": [{"node": {"task": {"taskId": "joint"}}}]}
    assert given.data["tasks"]["totalCount"] == given.data["findings"]["totalCount"] == 2
    assert (given.data["joint"], given.data["like"]) == ({"taskId": "joint"}, None)


async def test_a_loop_shows_what_is_seen_and_begins_nowhere_else(each_city: City) -> None:
    city = each_city
    mine, other = (
        made(Approval, approval_no=f"A-{side}", department_code=side, region=HOME, decided_at=NOW) for side in ("D1", "D2")
    )
    checks = [
        made(VerificationTask, task_id=f"T-{side}", origin_platform="approval", origin_ref="A-D1", department_code=side)
        for side in ("D1", "D2")
    ]
    owed = made(Obligation, key="o", cause="A-D1", rule="approval-verification")
    await city.put(mine, other, *checks, owed)

    async def loop(caller: Caller, record: Any) -> Loop | None:
        entity = declared(type(record))
        return await city.database.read(loop_of, city.rows, entity.name, getattr(record, entity.key), NOW, caller)

    whole, part = await loop(ROLES["operator"], mine), await loop(ROLES["department"], mine)
    assert whole is not None
    assert part is not None
    assert {step.key for step in whole.steps} >= {"A-D1", "T-D1", "T-D2"}
    assert {step.key for step in part.steps} == {step.key for step in whole.steps} - {"T-D2"}
    for hidden in (other, checks[1], owed):
        assert await loop(ROLES["operator"], hidden) is not None
        assert await loop(ROLES["department"], hidden) is None


async def test_nothing_allowed_is_nothing_seen(each_city: City) -> None:
    each_city.twice = True
    await each_city.put(made(Approval, approval_no="A", department_code="D1", region=HOME))
    empty = frozenset[str]()
    for rows in (RowLimits(empty), RowLimits(None, empty, at_home=False), RowLimits(frozenset({"%"})), RowLimits(frozenset({'"'}))):
        given = await each_city.ask("{ approvals { totalCount } }", caller=Caller("x", frozenset({"graph:read"}), rows))
        assert given.data == {"approvals": {"totalCount": 0}}
    both = RowLimits(frozenset({"D1"}), frozenset({HOME}))
    given = await each_city.ask("{ approvals { totalCount } }", caller=Caller("x", frozenset({"graph:read"}), both))
    assert given.data == {"approvals": {"totalCount": 1}}
    assert D1_ONLY


class Live:
    """Platforms that show whatever they are asked for; what they show is in the mirror afterwards."""

    def __init__(self, city: City, department: str) -> None:
        self._city = city
        self._department = department
        self.asked: list[str] = []

    async def read(self, _entity: Declared, key: str, held: Any, _begun: float) -> Shown:
        self.asked.append(key)
        shown = made(Approval, approval_no=key, department_code=self._department, region=HOME, version=2)
        values = {"department_code": self._department}
        await self._city.database.write(lambda on: on.execute(update(TABLES["Approval"]).values(values)))
        return Shown(shown, renewed=object())


@pytest.mark.parametrize("department", ["D1", "D2"])
async def test_asking_live_shows_no_row_of_others(city: City, department: str) -> None:
    """A hidden record is not asked for; one that the platform has given to another department meanwhile is gone."""
    await city.put(
        made(Approval, approval_no="YWmine", department_code="D1", region=HOME, observed_at=NOW - timedelta(hours=1)),
        made(Approval, approval_no="YWother", department_code="D2", region=HOME, observed_at=NOW - timedelta(hours=1)),
    )
    city.hub.live = live = Live(city, department)
    mine, other = (f'{each}: approval(approvalNo: "YW{each}", maxAge: 0) {{ state }}' for each in ("mine", "other"))

    given = await city.ask(f"{{ {mine} {other} }}", caller=ROLES["department"])

    assert not given.errors
    assert given.data is not None
    assert given.data["other"] is None
    assert (given.data["mine"] is None) is (department == "D2")
    assert live.asked == ["YWmine"]


class Outdated:
    """A platform that answers an older version than it told before: the mirror's newest row stands, with a trouble."""

    def __init__(self, city: City, department: str) -> None:
        self._city, self._department = city, department

    async def read(self, _entity: Declared, key: str, held: Any, _begun: float) -> Shown:
        newest = made(Approval, approval_no=key, department_code=self._department, region=HOME, version=3)
        values = {"department_code": self._department}
        await self._city.database.write(lambda on: on.execute(update(TABLES["Approval"]).values(values)))
        return Shown(newest, Trouble("approval", LIVE_OUTDATED, "older than it told before", True), object())


@pytest.mark.parametrize("department", ["D1", "D2"])
async def test_a_row_that_came_with_a_trouble_is_looked_at_again_as_well(city: City, department: str) -> None:
    await city.put(made(Approval, approval_no="YW", department_code="D1", region=HOME, observed_at=NOW - timedelta(hours=1)))
    city.hub.live = Outdated(city, department)
    given = await city.ask('{ approval(approvalNo: "YW", maxAge: 0) { state } }', caller=ROLES["department"])
    assert given.data is not None
    assert (given.data["approval"] is None) is (department == "D2")
    assert [(error.extensions or {})["code"] for error in given.errors] == ["LIVE_OUTDATED"]
