"""What reading again changes, added up: counts of everything, and some of it line by line. Used by backfill.py and dry_run.py."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from schema.backfill import SHOWN, Difference, Foreseen, ForeseenCount, ForeseenRecord


@dataclass
class Tally:
    """Counts all, keeps what is shown: the lines behind the first `skip`, those that change something before the others."""

    dry_run: bool
    skip: int = 0
    complete: bool = True
    exact: bool = True
    counts: Counter[Foreseen] = field(default_factory=Counter)
    _changing: list[ForeseenRecord] = field(default_factory=list)
    _same: list[ForeseenRecord] = field(default_factory=list)
    _obligations: dict[str, None] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Return how many records were read."""
        return sum(self.counts.values())

    def add(self, records: Iterable[ForeseenRecord]) -> None:
        """Add what becomes of records."""
        for one in records:
            self.counts[one.outcome] += 1
            lines = self._same if one.outcome is Foreseen.UNCHANGED else self._changing
            if len(lines) < self.skip + SHOWN:
                lines.append(one)

    def correct(self, before: ForeseenRecord, after: ForeseenRecord) -> None:
        """Put another line in the place of one that was added."""
        self.counts[before.outcome] -= 1
        self.counts[after.outcome] += 1
        self._changing = [after if one is before else one for one in self._changing]

    def owe(self, keys: Iterable[str]) -> None:
        """Add the keys of obligations that come of it."""
        self._obligations |= dict.fromkeys(keys)

    def difference(self) -> Difference:
        """Return the answer."""
        shown = slice(self.skip, self.skip + SHOWN)
        return Difference(
            counts=[ForeseenCount(outcome=outcome, number=self.counts[outcome]) for outcome in Foreseen],
            records=[*self._changing, *self._same][shown],
            obligation_keys=list(islice(self._obligations, shown.start, shown.stop)),
            obligations=len(self._obligations),
            complete=self.complete,
            exact=self.exact,
            dry_run=self.dry_run,
        )
