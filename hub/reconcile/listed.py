"""Which subjects of the key supervision list a sweep asks about: those whose entry names other causes than are open.

What the database alone can tell of a cause is compared with what the entries name, a page of the list at a time; where a recheck
or a second check of the same number may say otherwise, the rules are asked. Used by rules/key_supervision.py and
rules/key_supervision_off.py.
"""

from collections import defaultdict
from decimal import Decimal

from sqlalchemy import Connection

from hub.mirror import supervision_queries
from hub.mirror.supervision_queries import Entry
from hub.reconcile.rule import Candidates
from hub.reconcile.rules.approval_verification import task_number
from hub.reconcile.supervision import named_in


def among_listed(others: Candidates, dozen: Decimal, year: int) -> Candidates:
    """Return candidates: subjects whose entry differs from what is open in that Beijing year, and what `others` finds."""

    def find(connection: Connection, after: str, limit: int) -> list[str]:
        found: list[str] = []
        while not found:
            entries = supervision_queries.entries(connection, after, limit)
            found = sorted({*_differing(connection, entries, dozen, year, after), *others(connection, after, limit)})
            if len(entries) < limit:  # that was the whole rest of the list
                return found[:limit]
            after, found = entries[-1].code, [code for code in found if code <= entries[-1].code]
        return found[:limit]

    return find


def _differing(connection: Connection, entries: list[Entry], dozen: Decimal, year: int, after: str) -> list[str]:
    if not entries:
        return []
    open_now, unsure = defaultdict[str, set[str]](set), set[str]()
    for one in supervision_queries.broken_promises(connection, after, entries[-1].code):
        if one.external_no == task_number(one.approval_no):
            open_now[one.code].add(one.approval_no)
            unsure |= {one.code} if one.unsure else set()
    for code in supervision_queries.serious(connection, dozen, year, after, entries[-1].code):
        open_now[code].add(f"serious-{year}")
    return [code for code, reason in entries if code in unsure or named_in(reason) != open_now.get(code, set())]
