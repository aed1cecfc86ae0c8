"""From changed records to the ledger, in the transaction of the change. Passed to intake by app.py (mirror/ports.py)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from hub.mirror.records import Outcome, Upserted
from hub.mirror.rows import Rows
from hub.reconcile.rule import AnyRule, Rulebook
from hub.reconcile.settle import settle
from schema.entity import Observation


class Derivation:
    """Asks every rule about the causes that a change may matter for."""

    def __init__(self, rows: Rows, rules: Sequence[AnyRule], book: Rulebook) -> None:
        self.rows = rows
        self.rules = rules
        self.book = book

    def __call__(self, connection: Connection, changes: Sequence[Upserted], now: datetime) -> None:
        """Settle all causes that applied records touch."""
        applied = [item for item, outcome in changes if outcome is Outcome.APPLIED and isinstance(item, Observation)]
        for rule in self.rules:
            causes = {cause for observation in applied for cause in rule.causes(observation)}
            settle(connection, self.rows, rule, sorted(causes), self.book, now)

    def settle_causes(self, connection: Connection, rule: str, causes: Sequence[str], now: datetime) -> None:
        """Settle causes for a rule and for all rules of the same kind of cause."""
        kind = next(each.cause_entity for each in self.rules if each.name == rule)
        for each in self.rules:
            if each.cause_entity == kind:
                settle(connection, self.rows, each, causes, self.book, now)
