"""A million approvals and all that belongs to them, by plain SQL: for benches that need a large mirror, on both databases.

Every approval is granted and verified. One in 36 broke its promise (19 of 688 in the city of 2019): that one has its credit
record, its entries on blacklist, key supervision list and self-governance list, and all obligations that led there, closed.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Boolean, Connection, LargeBinary, TextClause, text
from sqlalchemy.types import BigInteger, Integer

from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from schema.commands import AnyCommand, CreateTask, PushVerificationResult, RemoveKeySubject, TaskSubject, encode_command
from schema.entities import TaskType

BROKEN = 36
"""One promise in so many was broken."""
AT = "(1546272000000000 + n * 19000000)"
"""From 2019-01-01, Beijing, one every 19 s, microseconds."""
LATER = "1600000000000000"
COMMITTED = "n % 4 = 0"
"""Which approvals were granted on a commitment."""
OFFICERS = (
    """'[{"id":"ZF-' || (n % 400) || '","name":"张三","department":"WH","is_head":false},{"id":"ZF-' || ((n + 7) % 400) || """
    """'","name":"李四","department":"WH","is_head":false}]'"""
)
UNREACHABLE = f"n % 101 = 0 AND n % {BROKEN} > 0"
"""Whom the check did not reach: ops was told of each."""
ALL, ONE, SOME = "series", "series WHERE n = 1", f"series WHERE n % {BROKEN} = 0"
REACHED, UNREACHED = f"series WHERE NOT ({UNREACHABLE})", f"series WHERE {UNREACHABLE}"
MADE = f"CASE WHEN {COMMITTED} THEN CAST(:committed AS {{bytes}}) ELSE CAST(:plain AS {{bytes}}) END"
TOLD = f"CASE WHEN n % {BROKEN} > 0 THEN CAST(:kept AS {{bytes}}) ELSE CAST(:broken AS {{bytes}}) END"


def _owed(rule: str, prefix: str, key: str, cause: str, platform: str, command: str, payload: str = ":other") -> dict[str, str]:
    """Return the columns of closed obligations of a rule."""
    key = f"'{rule}:' || {key}"
    return {
        "key": key,
        "number": f"'{prefix}' || sha({key})",
        "rule": f"'{rule}'",
        "cause": cause,
        "platform": f"'{platform}'",
        "command": f"'{command}'",
        "state": "'CLOSED'",
        "subject_code": "'S' || n",
        "due_at": AT,
        "next_at": AT,
        "created_at": AT,
        "closed_at": AT,
        "receipt": "'T' || n",
        "policy_version": "'bench'",
        "payload": payload,
    }


FILL: tuple[tuple[str, str, dict[str, str]], ...] = (
    (
        "Subject",
        ALL,
        {"code": "'S' || n", "code_type": "'USCC'", "name": "'义乌市某某印刷厂' || n", "source": "'approval'"},
    ),
    (
        "SubjectIdentifier",
        ALL,
        {"identifier": "'S' || n", "kind": "'USCC'", "code": "'S' || n", "credit_code": "'S' || n"},
    ),
    ("OpsItem", UNREACHED, {"item_id": "'unreachable:T' || n", "kind": "'unreachable'", "cause": "'T' || n", "opened_at": AT}),
    ("Department", ONE, {"code": "'WH'", "name": "'文化和广电旅游体育局'", "source": "'enforcement'"}),
    (
        "StreamHealth",
        ONE,
        {
            "stream_id": "'enforcement/departments'",
            "platform": "'enforcement'",
            "stream": "'departments'",
            "last_success_at": LATER,
        },
    ),
    (
        "Approval",
        ALL,
        {
            "approval_no": "'A' || n",
            "matter_code": "'WH-SX01'",
            "matter_name": "'印刷经营许可'",
            "procedure": f"CASE WHEN {COMMITTED} THEN 'COMMITMENT' ELSE 'STANDARD' END",
            "applicant_name": "'义乌市某某印刷厂' || n",
            "applicant_kind": "'LEGAL_PERSON'",
            "state": "'GRANTED'",
            "subject_code": "'S' || n",
            "identifier": "'S' || n",
            "department_code": "'WH'",
            "department_name": "'文化和广电旅游体育局'",
            "region": "'330782'",
            "phone": ":sealed",
            "address": ":sealed",
            "accepted_at": AT,
            "decided_at": AT,
            "updated_at": AT,
            "source": "'approval'",
        },
    ),
    (
        "VerificationTask",
        ALL,
        {
            "task_id": "'T' || n",
            "external_no": "'AV' || sha('approval-verification:A' || n)",
            "type": f"CASE WHEN {COMMITTED} THEN 'COMMITMENT' ELSE 'APPROVAL' END",
            "origin_platform": "'approval'",
            "origin_ref": "'A' || n",
            "status": "'DONE'",
            "department_code": "'WH'",
            "participants": "'[]'",
            "officers": OFFICERS,
            "created_at": AT,
            "updated_at": AT,
            "due_at": AT,
            "source": "'enforcement'",
        },
    ),
    (
        "TaskResult",
        ALL,
        {
            "result_id": "'T' || n || '/0'",
            "task_id": "'T' || n",
            "subject_code": "'S' || n",
            "conclusion": f"CASE WHEN n % {BROKEN} = 0 THEN 'NONCONFORM' WHEN {UNREACHABLE} THEN 'UNREACHABLE' ELSE 'CONFORM' END",
            "checked_at": AT,
            "photos": "'[]'",
            "source": "'enforcement'",
        },
    ),
    ("Obligation", ALL, _owed("approval-verification", "AV", "'A' || n", "'A' || n", "enforcement", "CreateTask", MADE)),
    (
        "Obligation",
        REACHED,
        _owed("verification-result", "VR", "'T' || n || ':1'", "'A' || n", "approval", "PushVerificationResult", TOLD),
    ),
    ("Obligation", SOME, _owed("breach-record", "BR", "'A' || n", "'T' || n", "credit", "PostCreditRecord")),
    ("Obligation", SOME, _owed("commitment-blacklist", "CB", "'A' || n", "'A' || n", "approval", "AddToBlacklist")),
    ("Obligation", SOME, _owed("key-supervision", "KS", "'S' || n || ':A' || n", "'S' || n", "enforcement", "PutKeySubject")),
    ("Obligation", SOME, _owed("score-notice", "SN", "'R' || n || '/1'", "'R' || n", "sms", "SendSms")),
    ("Obligation", SOME, _owed("score-notice", "SN", "'R' || n || '/2'", "'R' || n", "selfgov", "PutScore")),
    (
        "CreditRecord",
        SOME,
        {
            "record_id": "'R' || n",
            "biz_no": "'BR' || sha('breach-record:A' || n)",
            "subject_code": "'S' || n",
            "category": "'COMMITMENT_BREACH'",
            "points": "12",
            "open_points": "12",
            "item_code": "'COMMITMENT'",
            "item_name": "'未履行告知承诺'",
            "department_code": "'WH'",
            "region": "'330782'",
            "evidence_platform": "'enforcement'",
            "evidence_ref": "'T' || n",
            "occurred_at": AT,
            "created_at": AT,
            "updated_at": AT,
            "source": "'credit'",
        },
    ),
    (
        "ScoreEntry",
        SOME,
        {
            "biz_no": "'BR' || sha('breach-record:A' || n)",
            "subject_code": "'S' || n",
            "state": "'OPEN'",
            "occurred_at": AT,
            "repair_until": f"{AT} + 31536000000000",
            "source": "'selfgov'",
        },
    ),
    (
        "BlacklistEntry",
        SOME,
        {
            "entry_no": "'CB' || sha('commitment-blacklist:A' || n)",
            "subject_code": "'S' || n",
            "matter_code": "'WH-SX01'",
            "since": "'2019-08-15'",
            "source": "'approval'",
        },
    ),
    (
        "KeySubject",
        SOME,
        {
            "code": "'S' || n",
            "reason": "'未履行告知承诺：A' || n",
            "since": "'2019-08-15'",
            "ref": "'KS' || sha('key-supervision:S' || n || ':A' || n)",
            "source": "'enforcement'",
        },
    ),
)  # fmt: skip


def fill(connection: Connection, rows: Rows, approvals: int) -> None:
    """Put so many approvals and what follows from them into an empty mirror, past everything that would derive it."""
    _functions(connection)
    given = _given(rows)
    for name, series, told in FILL:
        connection.execute(*_statement(connection, name, series, told, given, approvals))


def _given(rows: Rows) -> dict[str, bytes]:
    """Return values that SQL cannot make: what is sealed, and what was sent."""
    at = datetime(2019, 8, 15, 8, tzinfo=UTC)
    subjects = (TaskSubject(code="91330782MA28XXXXXX", name="义乌市某某印刷厂", address="浙江省义乌市北苑街道雪峰西路1号"),)
    plain = CreateTask(
        external_no="AV" + "0" * 40,
        type=TaskType.APPROVAL,
        title="印刷经营许可审批核查：义乌市某某印刷厂",
        subjects=subjects,
        department="WH",
        due_at=at,
        origin_platform="approval",
        origin_ref="A1",
        urgency=3,
    )
    kept = PushVerificationResult(approval_no="A1", kept=True, checked_at=at, task_id="T1", version_before=1)
    commands: dict[str, AnyCommand] = {
        "plain": plain,
        "committed": msgspec.structs.replace(plain, type=TaskType.COMMITMENT),
        "kept": kept,
        "broken": msgspec.structs.replace(kept, kept=False),
        "other": RemoveKeySubject(code="91330782MA28XXXXXX"),
    }
    sealed = rows.seals.seal("浙江省义乌市北苑街道雪峰西路1号".encode())
    return {"sealed": sealed} | {name: rows.seals.seal(encode_command(command)) for name, command in commands.items()}


def _statement(
    connection: Connection, name: str, series: str, told: Mapping[str, str], given: Mapping[str, bytes], approvals: int
) -> tuple[TextClause, dict[str, bytes]]:
    """Return an INSERT of one table and its parameters."""
    wanted = [column for column in TABLES[name].c if not column.nullable or column.name in told]
    columns = {column.name: told.get(column.name) or _plain(column) for column in wanted}
    server = connection.dialect.name == "postgresql"
    counted = f"(SELECT generate_series(1, {approvals})::bigint)"
    if not server:
        counted = f"(SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {approvals})"
    names, values = ", ".join(f'"{each}"' for each in columns), ", ".join(columns.values())
    values = values.replace("{bytes}", "bytea" if server else "blob")
    said = f"INSERT INTO {TABLES[name].name} ({names}) WITH RECURSIVE series(n) AS {counted} SELECT {values} FROM {series}"
    parameter = "|".join(given)
    used = {key: given[key] for key in re.findall(rf"(?<!:):({parameter})\b", said)}
    return text(re.sub(rf"(?<!:):(?!:|(?:{parameter})\b)", r"\\:", said)), used


def _functions(connection: Connection) -> None:
    """Let both databases make the numbers that we send out (schema/identifiers.py)."""
    if connection.dialect.name == "postgresql":
        body = "left(encode(sha256(convert_to($1, 'UTF8')), 'hex'), 40)"
        connection.execute(text(f"CREATE FUNCTION sha(text) RETURNS text IMMUTABLE RETURN {body}"))
        return
    driver: Any = connection.connection.driver_connection
    driver.create_function("sha", 1, lambda key: hashlib.sha256(key.encode()).hexdigest()[:40], deterministic=True)


def _plain(column: Any) -> str:
    if isinstance(column.type, LargeBinary):
        return ":sealed"
    if isinstance(column.type, Boolean):
        return "false"
    return "1" if isinstance(column.type, BigInteger | Integer) else "''"
