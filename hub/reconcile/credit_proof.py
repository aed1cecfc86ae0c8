"""Our own records on the credit platform: what they prove, and what ops must know of one that is cancelled there. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from hub.mirror.ops_list import Trouble
from hub.reconcile.rule import Owed
from schema.entities import CreditRecord


def proven_by(numbers: Mapping[str, str], records: Iterable[CreditRecord]) -> dict[str, str]:
    """Return key -> record id for each key whose number (by key) stands on one of the records, cancelled or not."""
    found = {record.biz_no: record.record_id for record in records}
    return {key: found[number] for key, number in numbers.items() if number in found}


def cancelled_though_owed(owed: Owed, records: Sequence[CreditRecord]) -> Iterable[Trouble]:
    """Yield what ops must know where all records with an obligation's number are cancelled, and it is owed all the same.

    An operator settled it there (credit.md): it is proof that the record was made, and is not fought over.
    """
    if records and all(record.cancelled for record in records):
        record = records[0]
        yield Trouble(
            kind="cancelled-though-owed",
            cause=owed.key,
            subject_code=owed.subject_code,
            message=f"{owed.key}: record {record.record_id} was cancelled, but is still owed; settle it with the credit platform",
            distinct=f"{record.record_id} {record.version}",
        )
