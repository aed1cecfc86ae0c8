"""The checker's judgement on repairs: each row of zz_result is marked as the page says, and what it restores is restored once.

A row that waits is left alone; one that is refused, or names no record, is taken without effect; an approved one either has its
repair on the credit platform and is taken, or cannot be made good and is refused with a reason. Pure.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Final

from mocks.store import Document

WAITING, APPROVED = "0", "1"
NEW, TAKEN, REFUSED = "0", "1", "9"
WAYS: Final = {"1": "SELF_CHECK", "2": "SELF_REPORT", "3": "STUDY", "4": "EXAM"}
_BEIJING: Final = timezone(timedelta(hours=8))


def judge_repairs(
    rows: Iterable[Document], records: Iterable[Document], repairs: Iterable[Document], problems: list[str]
) -> dict[str, int]:
    """Return the counts."""
    rows, by_number = list(rows), {record["bizNo"]: record for record in records}
    restored: defaultdict[str, list[Document]] = defaultdict(list)
    for repair in repairs:
        restored[repair["recordId"]].append(repair)
    counts, found = Counter[str](), {key: list(some) for key, some in restored.items()}
    for row in rows:
        record = by_number.get(row["jf_bizno"] or "")
        kind, said = _judged(row, record, found, restored)
        counts[kind] += 1
        if said:
            problems.append(f"zz_result {row['id']}: {said}")
    surplus = sorted(repair["repairId"] for some in found.values() for repair in some)
    problems += [f"repair {repair_id} was asked for by no approved row of zz_result, or made once more" for repair_id in surplus]
    return {
        "reports": len(rows),
        "reports_decided": sum(row["shzt"] != WAITING for row in rows),
        "reports_unmarked": counts["unmarked"],
        "reports_wrong": counts["wrong"],
        "repairs": sum(map(len, restored.values())),
        "repairs_missing": counts["missing"],
        "repairs_surplus": len(surplus),
    }


def _judged(
    row: Document, record: Document | None, left: dict[str, list[Document]], restored: Mapping[str, list[Document]]
) -> tuple[str, str]:
    """Return what is to be counted of a row and what is wrong with it, "" where nothing is; take its repair from what is left."""
    mark = row["clbz"]
    if row["shzt"] == WAITING:
        return ("", "") if mark == NEW else ("wrong", f"waits for its decision, and is marked {mark}")
    if mark == NEW:
        return "unmarked", "is decided, and not marked"
    if row["shzt"] != APPROVED or row["jf_bizno"] is None:
        return ("", "") if mark == TAKEN else ("wrong", f"has nothing to be refused for, and is marked {mark}")
    given = sum(float(one["points"]) for one in restored.get(record["recordId"], ())) if record else 0.0
    return _judged_repair(row, record, left, given)


def _judged_repair(row: Document, record: Document | None, left: dict[str, list[Document]], given: float) -> tuple[str, str]:
    """Judge an approved row that names a record, of which so many points were given back in all."""
    fault = _fault(row, record)
    if row["clbz"] == REFUSED:
        if not fault and record is not None and row["xffs"] <= float(record["points"]) - given:
            return "wrong", "could be made good, and is refused"
        return ("", "") if row["clsm"] else ("wrong", "is refused without a reason")
    if fault or record is None:
        return "wrong", f"is taken, though it {fault}"
    wanted = (f"{row['xffs']:.1f}", WAYS[row["lx"]])
    mine = next((one for one in left.get(record["recordId"], ()) if (f"{float(one['points']):.1f}", one["way"]) == wanted), None)
    if mine is None:
        return "missing", f"is taken, and {record['recordId']} was not given back {wanted[0]} points by {wanted[1]}"
    left[record["recordId"]].remove(mine)
    return "", ""


def _fault(row: Document, record: Document | None) -> str:
    """Return why an approved row cannot be made good, "" where it can as far as it and its record say."""
    if record is None or record["cancelled"]:
        return "names no record that stands"
    if record["code"] != row["tyshxydm"]:
        return "names another subject's record"
    if row["xffs"] is None or not 0 < row["xffs"] <= float(record["points"]):
        return f"asks for {row['xffs']} of {record['points']} points"
    mended = datetime.fromisoformat(row["wcsj"]).replace(tzinfo=_BEIJING).date()
    happened = datetime.fromisoformat(record["occurredAt"]).astimezone(_BEIJING).date()
    late = (mended.year - 1, mended.month, mended.day) > (happened.year, happened.month, happened.day)
    return "came more than a year later" if late else ""
