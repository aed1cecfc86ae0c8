"""Loads periods of points for the rules that follow from them: counted under the present code, with what was made beside.

Used by rules/comprehensive_deduction.py and rules/responsible_person.py.
"""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection

from hub.domain.points import period_of
from hub.mirror import credit_queries, queries
from hub.mirror.credit_queries import Accounts
from hub.mirror.rows import Rows
from hub.reconcile.dozens import Period, period_in, period_key, periods_of
from hub.reconcile.made_dozens import Beside, beside
from hub.reconcile.rule import Changes, said_in
from schema.entities import CreditProfile, CreditRecord, RecordCategory

COUNTED = frozenset({RecordCategory.REGULATORY_POINTS, RecordCategory.COMPREHENSIVE_DEDUCTION})
"""Records that count for dozens, and those that dozens led to."""


def periods_linked(connection: Connection, rule: str, changes: Changes) -> list[str]:
    """Return the periods that changed records, and profiles with earlier codes, matter for under other names of their subjects."""
    records = [each.record for each in said_in(changes)]
    pointed = [one for one in records if isinstance(one, CreditRecord) and one.category in COUNTED]
    renamed = [one.code for one in records if isinstance(one, CreditProfile) and one.old_codes]
    periods = [(one.subject_code, period_of(one.occurred_at)) for one in pointed]
    return credit_queries.periods_under_other_names(connection, rule, periods, renamed)


def counted_for(
    connection: Connection, rows: Rows, rule: str, causes: Iterable[str], accounts: Accounts
) -> dict[str, tuple[Period, Beside | None]]:
    """Return the period of each cause under the present code, and what of a rule stands beside the cause where there are names."""
    periods, names = periods_of(accounts.records, accounts.names), defaultdict[str, list[str]](list)
    for name, code in accounts.names.items():
        names[code].append(name)
    found, several = dict[str, tuple[Period, Beside | None]](), dict[str, Beside]()
    for cause in causes:
        name, _, year = cause.partition(":")
        code = accounts.present[name]
        found[cause] = period_in(periods, period_key(code, year)), None
        if len(names[code]) > 1:
            several[cause] = beside(cause, names[code])
    wanted = {other for one in several.values() for other in one.others}
    held = queries.obligations_of(connection, rows, rule, wanted) if wanted else {}
    for cause, one in several.items():
        obligations = [each for other in one.others for each in held.get(other, ())]
        found[cause] = found[cause][0], one._replace(obligations=obligations)
    return found
