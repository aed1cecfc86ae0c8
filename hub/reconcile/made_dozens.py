"""Which dozen of a period stands in the ledger under which of the subject's names. Pure; no I/O.

A subject's points are one count, under its present code. What was made while it had another code keeps its key and stays right:
it is one of the dozens, and nothing is made for that dozen a second time. Names may have been two subjects for all that anybody
knew, so that both made their first dozen: then one of them is the first, the other one a later dozen. Asked by
rules/comprehensive_deduction.py and rules/responsible_person.py.
"""

from collections.abc import Iterable, Sequence
from itertools import count
from typing import NamedTuple

from hub.reconcile.dozens import Period, period_key
from hub.reconcile.standing import may_exist
from schema.entities import Obligation, ObligationState


class Beside(NamedTuple):
    """A cause, and what stands beside it: the same period under all other names, and what the ledger holds of these."""

    cause: str
    others: Sequence[str] = ()
    obligations: Sequence[Obligation] = ()


class Made(NamedTuple):
    """An obligation for a dozen, or the credit platform's own record of one."""

    dozen: int
    """Which dozen it was for when it was made."""
    key: str
    exists: bool
    """Whether the credit platform may hold it."""
    present: bool
    """Whether it was made under the present code."""


def beside(cause: str, names: Iterable[str]) -> Beside:
    """Return what stands beside the cause of a subject with these names, as far as it is known without the ledger."""
    year = cause.partition(":")[2]
    return Beside(cause, sorted({period_key(name, year) for name in names} - {cause}))


def made_of(one: Obligation, dozen: int, period: Period) -> Made | None:
    """Return what an obligation is for a dozen; None where it is nothing: withdrawn, and surely not on the platform."""
    exists = may_exist(one)
    if one.state is ObligationState.WITHDRAWN and not exists:
        return None
    return Made(dozen, one.key, exists, one.cause == period.key)


def key_by_dozen(made: Iterable[Made]) -> dict[int, str]:
    """Return the key that stands for each dozen: the one of that number, of an earlier name rather; those that are left take what
    is free. What may exist is placed first, so that nothing is made beside it. A number that stays free is nobody's under any name.
    """
    wanted = sorted(made, key=lambda one: (one.dozen, one.present, one.key))
    placed: dict[int, str] = {}
    for some in ([one for one in wanted if one.exists], [one for one in wanted if not one.exists]):
        for one in some:
            placed.setdefault(one.dozen, one.key)
        for one in some:
            if one.key not in placed.values():
                placed[next(n for n in count(1) if n not in placed)] = one.key
    return placed
