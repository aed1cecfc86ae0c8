"""A subject's regulatory points of one period, and which records filled its dozens (12分制). Pure; no I/O.

Points count as taken: a repair reopens no dozen, and the record of a withdrawn finding counts until ops has cancelled it.
The order is that in which the credit platform accepted the records. They are one count under the subject's present code,
whatever name they were taken under; made_dozens.py tells what was made of them under which. Asked by subject_periods.py and
rules/key_supervision.py.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import NamedTuple

from hub.domain.calendar import BEIJING
from hub.domain.points import full_dozens, period_of
from hub.domain.policy_values import PointsPolicy
from schema.entities import CreditRecord, RecordCategory


class Period(NamedTuple):
    """The records that took regulatory points of a subject in one period, cancelled ones too, in the order of acceptance."""

    code: str
    year: str
    records: Sequence[CreditRecord]

    @property
    def key(self) -> str:
        """Return the cause that the period is in the ledger: `<code>:<year>`."""
        return period_key(self.code, self.year)

    @property
    def version(self) -> int:
        """Return a version that grows with each version of each record (hub/mirror/credit_queries.py counts it alike)."""
        return sum(record.version for record in self.records)

    @property
    def end(self) -> datetime:
        """Return the first instant after the period, Beijing."""
        return datetime.combine(date(int(self.year) + 1, 1, 1), time(), BEIJING)

    def filled(self, policy: PointsPolicy) -> list[CreditRecord]:
        """Return the record that filled each full dozen, the first one's first; one record can fill several."""
        filled: list[CreditRecord] = []
        taken = Decimal(0)
        for record in self.records:
            if not record.cancelled:
                taken += record.points
                filled += [record] * (full_dozens(taken, policy) - len(filled))
        return filled


def period_key(code: str, year: str) -> str:
    """Return the cause that a subject's period is in the ledger."""
    return f"{code}:{year}"


def period_in(periods: Mapping[str, Period], key: str) -> Period:
    """Return the period with that key; one without any record where there is none."""
    code, _, year = key.partition(":")
    return periods.get(key) or Period(code, year, ())


def periods_of(records: Iterable[CreditRecord], names: Mapping[str, str] | None = None) -> dict[str, Period]:
    """Return the periods in which these records took regulatory points, by key; other records are passed over.

    `names` tells the present code of each name; a name that it does not tell of is a present code.
    """
    present = names or {}
    found: dict[tuple[str, str], list[CreditRecord]] = defaultdict(list)
    for record in records:
        if record.category is RecordCategory.REGULATORY_POINTS:
            code = present.get(record.subject_code, record.subject_code)
            found[code, period_of(record.occurred_at)].append(record)
    return {
        period_key(code, year): Period(code, year, sorted(some, key=lambda one: (one.created_at, one.record_id)))
        for (code, year), some in found.items()
    }
