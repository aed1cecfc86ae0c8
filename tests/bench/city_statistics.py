"""`uv run python -m tests.bench.city_statistics [--tasks N]`: statistics over a million checks on PostgreSQL, and what they cost.

Prints what the list of what waits costs who applies changes (SQLite). Then it fills a PostgreSQL by plain SQL with checks,
approvals, results, subjects and credit records of five years and with the facts of all these, has samples of the facts compared
with the mirror and the cells made from the facts, and prints how long typical questions take beside the floor: the same grouping
by hand, straight over the records, in the same run.
"""

import argparse
import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import structlog
import uvloop
from rich.console import Console
from rich.table import Table as Printed
from sqlalchemy import BigInteger, Boolean, Connection, LargeBinary, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from hub.mirror.database import Database, PostgreSQLDatabase, SQLiteDatabase
from hub.mirror.rows import Rows
from hub.mirror.sealing import Seals
from hub.mirror.statistics import due, reading, recount
from hub.mirror.tables import METADATA, TABLES
from hub.reconcile.tally import Tally
from schema.counting import Question, StatisticAxis
from schema.entities import TaskStatus
from tests.bench.rounds import Contender, Measured, interleaved
from tests.builders import finding, observed, task, task_result
from tests.servers import postgresql_server
from tests.settable_clock import SettableClock
from tests.unit.graph.records import SEES_ALL
from tests.unit.reconcile.city import City

SPAN = "(1546272000 + (n::bigint * 7919) % 157680000) * 1000000"
"""Five years from 2019-01-01, Beijing, all hours alike."""
DEPARTMENTS, MATTERS, SUBJECTS = 27, 17, 200_000
GRADES = "substr('AAABBBBBCD', 1 + n % 10, 1)"
FILL: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("CreditProfile", f"generate_series(1, {SUBJECTS})", {"code": "'S' || n", "code_type": "'USCC'", "grade": GRADES}),
    ("KeySubject", f"generate_series(1, {SUBJECTS // 50})", {"code": "'S' || n * 50", "since": "'2019-08-01'"}),
    (
        "Approval",
        "generate_series(1, :tasks)",
        {
            "approval_no": "'A' || n",
            "matter_code": f"'M' || n % {MATTERS}",
            "procedure": "'COMMITMENT'",
            "state": "'GRANTED'",
            "subject_code": f"'S' || 1 + n % {SUBJECTS}",
            "department_code": f"'D' || (n % {MATTERS}) % {DEPARTMENTS}",
            "accepted_at": SPAN,
            "decided_at": SPAN,
        },
    ),
    (
        "VerificationTask",
        "generate_series(1, :tasks)",
        {
            "task_id": "'T' || n",
            "type": "'COMMITMENT'",
            "origin_platform": "'approval'",
            "origin_ref": "'A' || n",
            "status": "CASE WHEN n % 5 > 0 THEN 'DONE' ELSE 'PENDING' END",
            "department_code": f"'D' || (n % {MATTERS}) % {DEPARTMENTS}",
            "officers": "'[]'",
            "created_at": SPAN,
            "due_at": f"{SPAN} + 2400000000000",
        },
    ),
    (
        "TaskResult",
        "generate_series(1, :tasks)",
        {
            "result_id": "'T' || n || '/0'",
            "task_id": "'T' || n",
            "subject_code": f"'S' || 1 + n % {SUBJECTS}",
            "conclusion": "CASE WHEN n % 33 = 0 THEN 'NONCONFORM' ELSE 'CONFORM' END",
            "checked_at": f"{SPAN} + (n % 30) * 86400000000",
        },
    ),
    (
        "CreditRecord",
        "generate_series(1, :tasks / 10)",
        {
            "record_id": "'R' || n",
            "biz_no": "'B' || n",
            "subject_code": f"'S' || 1 + (n * 31) % {SUBJECTS}",
            "category": "'REGULATORY_POINTS'",
            "points": "5 * (1 + n % 24)",
            "item_code": "'I' || n % 104",
            "department_code": f"'D' || n % {DEPARTMENTS}",
            "occurred_at": SPAN,
            "cancelled": "false",
        },
    ),
)  # fmt: skip


def fill(connection: Connection, tasks: int) -> None:
    """Put the records of a large city into the mirror, past everything that would count them."""
    for name, series, told in FILL:
        wanted = [column for column in TABLES[name].c if not column.nullable or column.name in told]
        columns = {column.name: told.get(column.name) or _plain(column) for column in wanted}
        names, values = ", ".join(columns), ", ".join(columns.values())
        statement = f"INSERT INTO {TABLES[name].name} ({names}) SELECT {values} FROM {series} AS n"
        connection.execute(text(statement), {"tasks": tasks} if ":tasks" in series else {})


GRADED = "COALESCE(p.grade, ''), k.code IS NOT NULL"
STANDING = "LEFT JOIN credit_profile p ON p.code = s.subject LEFT JOIN key_subject k ON k.code = s.subject"
BEIJING_DAY = "to_char(to_timestamp(%s / 1000000) AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD')::integer"
CREATED_DAY, CHECKED_DAY, OCCURRED_DAY = (BEIJING_DAY % column for column in ("t.created_at", "r.checked_at", "occurred_at"))
CHECKS = "verification_task t JOIN approval a ON a.approval_no = t.origin_ref JOIN task_result r ON r.task_id = t.task_id"
FACT_COLUMNS = (
    "entity, key, place, kind, day, department, matter, town, item, way, subject, member, link, number, amount, grade, watched"
)
FACTS = tuple(
    f"INSERT INTO statistic_fact ({FACT_COLUMNS}) SELECT s.*, {GRADED} FROM ({said}) AS s {STANDING}"
    for said in (
        *(
            f"""SELECT 'Approval', approval_no, {place}, '{kind}', {BEIJING_DAY % at}, department_code, matter_code, '', '',
                procedure, subject_code AS subject, '', '', 1, 0
                FROM approval"""
            for place, kind, at in ((0, "application", "accepted_at"), (1, "grant", "decided_at"))
        ),
        *(
            f"""SELECT 'VerificationTask', t.task_id, {place}, '{kind}', {day}, t.department_code, a.matter_code, '', '',
                t.type, r.subject_code AS subject, '', t.origin_ref, 1, {amount} FROM {CHECKS} WHERE {where}"""
            for place, kind, day, amount, where in (
                (0, "task", CREATED_DAY, "0", "true"),
                (1, "task-done", CHECKED_DAY, "(r.checked_at <= t.due_at)::integer", "t.status = 'DONE'"),
                (2, "nonconform", CHECKED_DAY, "0", "t.status = 'DONE' AND r.conclusion = 'NONCONFORM'"),
            )
        ),
        f"""SELECT 'CreditRecord', record_id, 0, 'record', {OCCURRED_DAY}, department_code, '', '', item_code, category,
            subject_code AS subject, '', biz_no, 1, points FROM credit_record""",
        """SELECT 'KeySubject', code, 0, 'key-subject', 20190801, '', '', '', '', '', code AS subject, '', '', 1, 0
           FROM key_subject""",
    )
)


def fill_facts(connection: Connection) -> None:
    """Say in plain SQL what these records contribute: sources.py would take long, and is asked about samples of it."""
    for statement in FACTS:
        connection.execute(text(statement))


def _plain(column: Any) -> str:
    if isinstance(column.type, LargeBinary):
        return "''::bytea"
    if isinstance(column.type, Boolean):
        return "false"
    return "1" if isinstance(column.type, BigInteger) else "''"


def question(*names: str, by: tuple[StatisticAxis, ...] = (), first: int | None = None, last: int | None = None) -> Question:
    """Ask for rows; without axes for the total."""
    named = frozenset(names)
    return Question(first, last, by, (), named if by else frozenset(), frozenset() if by else named)


DEPARTMENT, MATTER, GRADE, MONTH, DAY = (StatisticAxis[name] for name in ("DEPARTMENT", "MATTER", "GRADE", "MONTH", "DAY"))
VERIFICATIONS = ("verifications_received", "verifications_done", "verifications_done_on_time", "commitments_not_kept")
CREATED = "to_timestamp(t.created_at / 1000000) AT TIME ZONE 'Asia/Shanghai'"
BEGUN_2021, BEGUN_2022, BEGUN_2023 = (seconds * 1_000_000 for seconds in (1_609_430_400, 1_640_966_400, 1_672_502_400))
ASKED: tuple[tuple[str, Question, str], ...] = (
    (
        "received, done, on time, not kept: all five years",
        question(*VERIFICATIONS),
        """SELECT count(DISTINCT t.task_id), count(*) FILTER (WHERE t.status = 'DONE'),
           count(*) FILTER (WHERE t.status = 'DONE' AND r.checked_at <= t.due_at),
           count(*) FILTER (WHERE t.status = 'DONE' AND r.conclusion = 'NONCONFORM')
           FROM verification_task t LEFT JOIN task_result r USING (task_id)""",
    ),
    (
        "received by department and month, four years",
        question("verifications_received", by=(DEPARTMENT, MONTH), last=20221231),
        f"""SELECT t.department_code, date_trunc('month', {CREATED}), count(*) FROM verification_task t
            WHERE t.created_at < {BEGUN_2023} GROUP BY 1, 2""",
    ),
    (
        "received by matter and grade, one year",
        question("verifications_received", by=(MATTER, GRADE), first=20210101, last=20211231),
        f"""SELECT a.matter_code, p.grade, count(*) FROM verification_task t JOIN approval a ON a.approval_no = t.origin_ref
            JOIN credit_profile p ON p.code = a.subject_code
            WHERE t.created_at >= {BEGUN_2021} AND t.created_at < {BEGUN_2022} GROUP BY 1, 2""",
    ),
    (
        "received by day, one year",
        question("verifications_received", by=(DAY,), first=20210101, last=20211231),
        f"""SELECT date_trunc('day', {CREATED}), count(*) FROM verification_task t
            WHERE t.created_at >= {BEGUN_2021} AND t.created_at < {BEGUN_2022} GROUP BY 1""",
    ),
    (
        "points and subjects scored by department, five years",
        question("points_taken", "subjects_scored", by=(DEPARTMENT,)),
        "SELECT department_code, sum(points), count(DISTINCT subject_code) FROM credit_record GROUP BY 1",
    ),
)


class PatientDatabase(PostgreSQLDatabase):
    """Waits for a statement as long as it takes: filling takes minutes."""

    def __init__(self, url: str) -> None:
        self.engine = self._first = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))


async def million(tasks: int, rounds: int, console: Console) -> None:
    """Print how long questions take over so many checks."""
    with postgresql_server() as server:
        async with server.fresh() as url:
            database = PatientDatabase(url)
            began = time.perf_counter()
            await database.write(fill, tasks)
            console.print(f"filled: {tasks:,} checks and what belongs to them in {time.perf_counter() - began:,.0f} s")
            await _counted(database, console)
            table = Printed("question", "ours (ms)", "floor (ms)", "floor / ours", header_style="bold")
            for name, asked, by_hand in ASKED:
                ours, floor = await _asked(database, asked, by_hand, rounds)
                table.add_row(
                    name, f"{1000 / ours.median:,.1f}", f"{1000 / floor.median:,.1f}", f"{ours.median / floor.median:,.1f}"
                )
            console.print(table)
            await database.close()


async def _counted(database: Database, console: Console) -> None:
    """Have the facts, the samples of them and the cells ready; raise AssertionError if SQL and sources.py disagree."""
    began = time.perf_counter()
    await database.write(fill_facts)
    await database.write(analyze)
    for entity in ("Approval", "VerificationTask", "CreditRecord", "KeySubject"):
        sample = await database.read(recount.keys_after, entity, "A5" if entity == "Approval" else "", 500)
        differing, _ = await database.read(recount.differing, entity, sample)
        assert sample, f"no {entity}"
        assert not differing, f"{entity}: plain SQL and sources.py disagree about {differing[:3]}"
    await Tally(database).repair_cells()
    await database.write(analyze)
    console.print(f"facts and cells made in {time.perf_counter() - began:,.0f} s: {await database.read(_sizes)}")


def analyze(connection: Connection) -> None:
    """Let the planner know what there is, as autovacuum does after a while."""
    connection.execute(text("ANALYZE"))


async def counting_rate(records: int, console: Console) -> None:
    """Print how many records a second are counted that were never counted before, on PostgreSQL."""
    with postgresql_server() as server:
        async with server.fresh() as url:
            database = PostgreSQLDatabase(url)
            await database.write(fill, records)
            keys = [f"T{n}" for n in range(1, records + 1)]
            await database.write(due.note, "VerificationTask", keys)
            began = time.perf_counter()
            counted = await Tally(database).count()
            console.print(f"counting: {counted / (time.perf_counter() - began):,.0f} checks/s")
            await database.close()


def _sizes(connection: Connection) -> str:
    counts = {
        name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in ("statistic_fact", "statistic_cell")
    }
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


async def _asked(database: Database, asked: Question, by_hand: str, rounds: int) -> tuple[Measured, Measured]:
    """Return the rates of our answer and of the floor, in answers a second."""

    async def ours() -> None:
        found = await database.read(reading.answer, asked, SEES_ALL)
        assert found.rows or any(found.total.values()), "nothing was counted"

    async def floor() -> None:
        await database.read(lambda connection: connection.execute(text(by_hand)).all())

    found = await interleaved([Contender("ours", 1, ours), Contender("floor", 1, floor)], rounds)
    return found["ours"], found["floor"]


async def applying(rounds: int, console: Console) -> None:
    """Print what the list of what waits costs who applies changes and derives what follows: with, without, as a ratio."""
    rows = Rows(Seals([("bench", bytes(32))], b"join" * 4))
    table = Printed("applying", "with (1/s)", "without (1/s)", "with / without", header_style="bold")
    for size, repeats in ((1, 100), (100, 2)):
        with TemporaryDirectory() as folder:
            databases = [SQLiteDatabase(str(Path(folder) / f"{name}.db"), inline=True) for name in ("with", "without")]
            for database in databases:
                await database.write(METADATA.create_all)
            with_list, without = (_applier(City(database, rows, SettableClock()), size, repeats) for database in databases)

            async def bare(work: Callable[[], Awaitable[None]] = without) -> None:
                with patch.object(due, "COUNTED", frozenset[str]()):
                    await work()

            contenders = [Contender("with", size * repeats, with_list), Contender("without", size * repeats, bare)]
            found = await interleaved(contenders, rounds)
            for database in databases:
                await database.close()
        ratio = found["with"].median / found["without"].median
        label = f"checks, {size} a transaction"
        table.add_row(label, f"{found['with'].median:,.0f}", f"{found['without'].median:,.0f}", f"{ratio:.2f}")
    console.print(table)


def _applier(city: City, size: int, repeats: int) -> Callable[[], Awaitable[None]]:
    """Return what applies the next versions of checks, each with a result and a finding, `size` a transaction."""
    version = 0

    async def run() -> None:
        nonlocal version
        for _ in range(repeats):
            version += 1
            said = []
            for n in range(size):
                of = task(task_id=f"T{n}", origin_ref=f"A{n}", external_no=None, status=TaskStatus.IN_PROGRESS, version=version)
                result = task_result(task_id=of.task_id, result_id=f"{of.task_id}/0", version=version)
                said.append(
                    observed(
                        of, result, finding(finding_id=f"F{n}", task_id=of.task_id, result_id=result.result_id, version=version)
                    )
                )
            await city.say(*said)

    return run


async def main(tasks: int, rounds: int, *, questions_only: bool) -> None:
    """Run all."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    console = Console(width=120)
    if not questions_only:
        await applying(rounds, console)
        await counting_rate(4_000, console)
    await million(tasks, rounds, console)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.city_statistics", description=__doc__)
    parser.add_argument("--tasks", type=int, default=1_000_000, help="checks in the mirror")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds of each question")
    parser.add_argument("--questions-only", action="store_true", help="leave out applying and counting")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        given = parser.parse_args()
        runner.run(main(given.tasks, given.rounds, questions_only=given.questions_only))
