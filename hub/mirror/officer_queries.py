"""Named reads of the rule that looks at who carries out checks."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import JSON, Connection, cast, func, or_, select, true

from hub.mirror.queries import TASK, first_causes
from hub.mirror.rows import moment
from hub.mirror.tables import TABLES

DEPARTMENT, STREAM, OPS_ITEM = (TABLES[name] for name in ("Department", "StreamHealth", "OpsItem"))
DEPARTMENTS = "enforcement/departments"


def departments_read_at(connection: Connection) -> datetime | None:
    """Return when the enforcement platform's departments were last read to their end; None before the first time."""
    kept = _read_at(connection)
    return None if kept is None else moment(kept)


def _read_at(connection: Connection) -> int | None:
    return connection.execute(select(STREAM.c.last_success_at).where(STREAM.c.stream_id == DEPARTMENTS)).scalar()


def officers_untold(connection: Connection, kind: str, named: Sequence[str], after: str, limit: int) -> list[str]:
    """Return tasks, seen before the departments were last read, with an officer of one that the mirror does not hold.

    Left out are departments that policy names (`named`), and those that an item of this kind tells of.
    """
    read_at = _read_at(connection)
    if read_at is None:
        return []
    if not (unknown := _unknown_departments(connection, kind, named)):
        return []
    written = [f'"department":{json.dumps(code, ensure_ascii=False)}' for code in unknown]
    names_one = or_(*(TASK.c.officers.contains(each, autoescape=True) for each in written))
    return first_causes(connection, [(TASK.c.task_id, names_one & (TASK.c.observed_at < read_at))], after, limit)


def _unknown_departments(connection: Connection, kind: str, named: Sequence[str]) -> list[str]:
    """Return the departments of officers of any task that neither mirror, policy nor ops list knows.

    Few officers carry out many checks: each of their lists is unfolded once.
    """
    lists = select(TASK.c.officers).where(TASK.c.officers != "[]").distinct().cte("lists").prefix_with("MATERIALIZED")
    if connection.dialect.name == "postgresql":
        each = func.json_array_elements(cast(lists.c.officers, JSON)).table_valued("value")
        code = func.json_extract_path_text(each.c.value, "department")
    else:
        each = func.json_each(lists.c.officers).table_valued("value")
        code = func.json_extract(each.c.value, "$.department")
    found = select(code.label("code")).select_from(lists).join(each, true()).distinct().subquery()
    known = select(1).where(DEPARTMENT.c.code == found.c.code).exists()
    told = select(1).where(OPS_ITEM.c.kind == kind, OPS_ITEM.c.cause == found.c.code).exists()
    return list(connection.execute(select(found.c.code).where(found.c.code.not_in(named), ~known, ~told)).scalars())
