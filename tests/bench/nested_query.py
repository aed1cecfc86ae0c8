"""The nested query (50 approvals, each with subject, credit records, task with results and findings) in process, JSON included.

Floor: the same rows by five hand-written statements, shaped by hand into the same body; or the interpreter, graphql-core.
The bodies are compared first.
"""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from hub.graph.answer import Question, answer
from hub.graph.compiled.executor import Executor
from hub.graph.loaders import Loaders
from hub.graph.schema import build_schema
from hub.mirror.database import SQLiteDatabase
from hub.mirror.records import upsert
from hub.mirror.rows import Rows
from hub.mirror.sealing import Seals
from hub.mirror.subjects import know_subjects
from hub.mirror.tables import METADATA
from schema.context import Caller, Context
from schema.entity import Observation
from tests.bench.rounds import Contender, Measured, interleaved
from tests.builders import approval, credit_profile, credit_record, finding, task, task_result
from tests.unit.graph.records import FakeHub

APPROVALS, REPEATS = 50, 20
QUERY = """{ approvals(first: 50) { edges { node { approvalNo matterName state
  subject { code name creditRecords { edges { node { recordId category points } } } }
  tasks { edges { node { taskId status
    results { edges { node { resultId conclusion findings { edges { node { findingId itemName conform } } } } } } } } } } } } }"""


def observations() -> list[Observation]:
    """Return the records: 50 approvals with all that hangs on them."""
    made: list[Observation] = []
    for at in range(APPROVALS):
        code, approval_no, task_id = f"RID-{at:064x}", f"YW{at:08}", f"T{at:06}"
        result_id = f"{task_id}/0"
        findings = [finding(finding_id=f"F{at:04}{n}", task_id=task_id, result_id=result_id, conform=n > 0) for n in range(3)]
        made += [
            Observation(record=approval(approval_no=approval_no, subject_code=code)),
            Observation(record=credit_profile(code=code, name=f"主体{at}")),
            Observation(
                record=task(task_id=task_id, external_no=f"AV{at}", origin_ref=approval_no),
                parts=(task_result(result_id=result_id, task_id=task_id, subject_code=code), *findings),
            ),
        ]
        made += [
            Observation(record=credit_record(record_id=f"R{at:04}{n}", biz_no=f"BR{at}-{n}", subject_code=code)) for n in range(3)
        ]
    return made


def by_hand(connection: Connection) -> bytes:
    """Return the same body from hand-written SQL."""
    top = connection.execute(
        text(
            "SELECT a.approval_no, a.matter_name, a.state, s.code, s.name FROM approval a "
            "LEFT JOIN subject s ON s.code = a.subject_code ORDER BY a.approval_no LIMIT 50"
        )
    ).all()
    records = _grouped(connection, "SELECT subject_code, record_id, category, points FROM credit_record ORDER BY record_id")
    tasks = _grouped(connection, "SELECT origin_ref, task_id, status FROM verification_task ORDER BY task_id")
    results = _grouped(connection, "SELECT task_id, result_id, conclusion FROM task_result ORDER BY result_id")
    findings = _grouped(connection, "SELECT result_id, finding_id, item_name, conform FROM finding ORDER BY finding_id")

    def record(row: Any) -> dict[str, Any]:
        return {"recordId": row[1], "category": row[2], "points": f"{row[3] / 10:.1f}"}

    def result(row: Any) -> dict[str, Any]:
        found = [{"findingId": f[1], "itemName": f[2], "conform": bool(f[3])} for f in findings[row[1]]]
        return {"resultId": row[1], "conclusion": row[2], "findings": _edges(found)}

    def check(row: Any) -> dict[str, Any]:
        return {"taskId": row[1], "status": row[2], "results": _edges([result(each) for each in results[row[1]]])}

    nodes = [
        {
            "approvalNo": no,
            "matterName": matter,
            "state": state,
            "subject": code and {"code": code, "name": name, "creditRecords": _edges([record(each) for each in records[code]])},
            "tasks": _edges([check(each) for each in tasks[no]]),
        }
        for no, matter, state, code, name in top
    ]
    return msgspec.json.encode({"data": {"approvals": _edges(nodes)}})


def _grouped(connection: Connection, statement: str) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(text(statement)):
        groups[row[0]].append(row)
    return groups


def _edges(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    return {"edges": [{"node": node} for node in nodes]}


async def measure(rounds: int) -> tuple[Measured, Measured]:
    """Return the rates of graph and SQL by hand, in queries a second."""
    found = await measured(rounds)
    return found["graph"], found["SQL by hand"]


async def measure_interpreted(rounds: int) -> tuple[Measured, Measured]:
    """Return the rates of compiled executor and interpreter, in queries a second."""
    found = await measured(rounds)
    return found["graph"], found["interpreter"]


async def measured(rounds: int) -> Mapping[str, Measured]:
    """Return the rates of all three, measured in turn."""
    rows = Rows(Seals([("bench", bytes(32))], b"join" * 4))
    with TemporaryDirectory() as folder:
        database = SQLiteDatabase(str(Path(folder) / "mirror.db"))
        await database.write(METADATA.create_all)
        made = observations()
        await database.write(upsert, rows, made)
        await database.write(know_subjects, rows, made)
        graph, reader = build_schema(), Caller("bench", frozenset({"graph:read"}))
        executor = Executor(graph, rows, database)

        async def through_graph(executor: Executor | None) -> bytes:
            context = Context(Loaders(database, rows, reader), FakeHub(), reader, "bench")
            given = await answer(graph, Question(QUERY), context, executor=executor)
            return msgspec.json.encode(given.as_json())

        graph_body, hand_body = await through_graph(executor), await database.read(by_hand)
        assert graph_body == await through_graph(None), "compiled executor and interpreter answer differently"
        assert msgspec.json.decode(graph_body) == msgspec.json.decode(hand_body), "graph and floor answer differently"
        assert executor.tally.compiled == 1

        async def repeat_graph() -> None:
            for _ in range(REPEATS):
                assert len(await through_graph(executor)) == len(graph_body)

        async def repeat_interpreter() -> None:
            assert len(await through_graph(None)) == len(graph_body)

        async def repeat_floor() -> None:
            for _ in range(REPEATS):
                assert len(await database.read(by_hand)) == len(hand_body)

        contenders = [
            Contender("graph", REPEATS, repeat_graph),
            Contender("interpreter", 1, repeat_interpreter),
            Contender("SQL by hand", REPEATS, repeat_floor),
        ]
        found = await interleaved(contenders, rounds)
        await database.close()
    return found
