"""From changed records to the ledger, in the transaction of the change. Passed to intake by app.py (mirror/ports.py)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from hub.mirror import ledger
from hub.mirror.queries import reading_once
from hub.mirror.records import Outcome, Upserted
from hub.mirror.rows import Rows
from hub.reconcile.rule import AnyRule, Rulebook
from hub.reconcile.settle import hold, settle
from schema.entities import Obligation
from schema.entity import Observation


class Derivation:
    """Asks every rule about the causes that a change may matter for."""

    def __init__(self, rows: Rows, rules: Sequence[AnyRule], book: Rulebook) -> None:
        self.rows = rows
        self.rules = rules
        self.book = book

    def __call__(self, connection: Connection, changes: Sequence[Upserted], now: datetime) -> None:
        """Settle all causes that applied records touch, and those that waited for one of them."""
        changed = [item for item, outcome in changes if outcome is Outcome.APPLIED]
        applied = [item for item in changed if isinstance(item, Observation)]
        touched = []
        for rule in self.rules:
            causes = {cause for observation in applied for cause in rule.causes(observation)}
            needs = {need for observation in applied for need in rule.releases(observation)}
            causes.update(ledger.causes_waiting_for(connection, rule.name, sorted(needs)))
            causes.update(rule.linked(connection, self.rows, changed))
            touched.append((rule, sorted(causes)))
        self._settle(connection, touched, now)

    def hold(self, connection: Connection, obligations: Iterable[Obligation]) -> None:
        """Keep others from settling what `settle_obligations` is going to settle; called before their rows are written."""
        hold(connection, self._touched(obligations))

    def settle_obligations(self, connection: Connection, obligations: Iterable[Obligation], now: datetime) -> None:
        """Settle the causes of these obligations, for their rules and for all rules of the same kind of cause."""
        self._settle(connection, self._touched(obligations), now)

    def _settle(self, connection: Connection, touched: Sequence[tuple[AnyRule, Sequence[str]]], now: datetime) -> None:
        hold(connection, touched)
        with reading_once(connection):
            for rule, causes in touched:
                settle(connection, self.rows, rule, causes, self.book, now)

    def _touched(self, obligations: Iterable[Obligation]) -> list[tuple[AnyRule, Sequence[str]]]:
        touched: dict[str, set[str]] = defaultdict(set)
        kinds = {rule.name: rule.cause_entity for rule in self.rules}
        for one in obligations:
            if one.rule in kinds:  # else it is left from a rule that is no more
                touched[kinds[one.rule]].add(one.cause)
        return [(rule, sorted(touched[rule.cause_entity])) for rule in self.rules]
