"""What operators do to the ledger and the ops list. Called by hub/operator.py, each function in one transaction.

Each can be repeated without harm: what had been done before counts as done. Each is noted under the name of who did it
(hub/mirror/audit.py). What was accepted once, or may have been, is looked up on its platform before it is sent again.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from hub.mirror import audit, ledger, ops_list
from hub.mirror.audit import Entry
from hub.mirror.rows import Rows
from hub.reconcile.derive import Derivation
from hub.reconcile.standing import CORRECTED
from schema.entities import Obligation, ObligationState
from schema.operations import Outcome
from schema.user_errors import ReasonMissing, UnknownObligation, UnknownOpsItem, UserError, WrongState

RETRIED = (ObligationState.STUCK, ObligationState.WAIVED, ObligationState.SETTLED)
TAKEN_OFF = (ObligationState.WAITING, ObligationState.DUE, ObligationState.SENT, ObligationState.STUCK)
WAYS_OUT = {
    ObligationState.LEASED: "a call is under way; try again when it has ended",
    ObligationState.WAITING: "it waits for {needs}, and goes on by itself when that comes",
    ObligationState.SENT: "the platform accepted it; it is looked up and sent again by itself if it does not show",
    ObligationState.CLOSED: "its proof was seen",
    ObligationState.WITHDRAWN: "its cause was corrected, so that it is not owed any more",
    ObligationState.WAIVED: "it was waived; take it back with a retry first",
    ObligationState.SETTLED: "it was settled by hand; take it back with a retry first",
}


def retry(
    connection: Connection, derivation: Derivation, keys: Sequence[str], reason: str | None, by: str, now: datetime
) -> Outcome:
    """Make obligations that are stuck, waived or settled due again, now; refuse UnknownObligation, WrongState.

    One that waits for something goes back to waiting. Their causes are settled along with it, so that what was corrected meanwhile
    is sent as it is owed now, or not at all. Each key is done or refused for itself.
    """
    rows = derivation.rows
    derivation.hold(connection, ledger.by_keys(connection, rows, list(keys)).values())
    found = ledger.by_keys(connection, rows, list(keys), lock=True)
    done: list[str] = []
    taken_back: list[Obligation] = []
    refused: list[UserError] = []
    for at, key in enumerate(keys):
        one, path = found.get(key), ["keys", str(at)]
        if one is None:
            refused.append(_unknown(key, path))
        elif one.state in {ObligationState.DUE, ObligationState.LEASED}:
            done.append(key)
        elif one.state not in RETRIED:
            refused.append(_wrong(one, RETRIED, path))
        else:
            _take_back(connection, rows, one, now)
            _note(connection, rows, now, by, "retryObligations", one, _due(one), reason)
            done.append(key)
            taken_back.append(one)
    derivation.settle_obligations(connection, taken_back, now)
    return Outcome(tuple(done), tuple(refused))


def _due(one: Obligation) -> ObligationState:
    """Return where an obligation stands that is owed again."""
    return ObligationState.DUE if one.payload else ObligationState.WAITING


def _take_back(connection: Connection, rows: Rows, one: Obligation, now: datetime) -> None:
    ledger.change(
        connection,
        rows,
        one.key,
        state=_due(one),
        next_at=now,
        tries=0,
        unknown_since=one.unknown_since or one.sent_at,
        decided_by=None,
        decided_at=None,
        reason=None,
    )


def waive(connection: Connection, rows: Rows, key: str, reason: str, by: str, now: datetime) -> Outcome:
    """Take an open obligation off the ledger; refuse UnknownObligation, WrongState, ReasonMissing."""
    return _decide(connection, rows, key, reason, by, "waiveObligation", ObligationState.WAIVED, now)


def settle_by_hand(connection: Connection, rows: Rows, key: str, reason: str, by: str, now: datetime) -> Outcome:
    """Note that an open obligation was discharged by hand; refuse UnknownObligation, WrongState, ReasonMissing."""
    return _decide(connection, rows, key, reason, by, "settleObligation", ObligationState.SETTLED, now)


def _decide(
    connection: Connection, rows: Rows, key: str, reason: str, by: str, action: str, state: ObligationState, now: datetime
) -> Outcome:
    if not reason.strip():
        return _refused(ReasonMissing(message="reason is blank: say why, for the record", path=["reason"]))
    one = ledger.by_keys(connection, rows, [key], lock=True).get(key)
    if one is None:
        return _refused(_unknown(key, ["key"]))
    if one.state is state:
        return Outcome((key,))
    if one.state not in TAKEN_OFF:
        return _refused(_wrong(one, TAKEN_OFF, ["key"]))
    _, told, difference = (one.reason or "").partition(CORRECTED)  # so that ops is not told of it once more
    note = "; ".join(filter(None, (reason.strip(), told + difference)))
    ledger.change(connection, rows, key, state=state, decided_by=by, decided_at=now, reason=note)
    _note(connection, rows, now, by, action, one, state, reason)
    return Outcome((key,))


def resolve_ops_item(connection: Connection, rows: Rows, item_id: str, resolution: str, by: str, now: datetime) -> Outcome:
    """Close an item of the ops list; refuse UnknownOpsItem, ReasonMissing."""
    if not resolution.strip():
        return _refused(ReasonMissing(message="resolution is blank: say how it was settled, for the record", path=["resolution"]))
    if not ops_list.exists(connection, item_id):
        message = f"no item '{item_id}' on the ops list; opsItems lists them"
        return _refused(UnknownOpsItem(message=message, path=["itemId"], item_id=item_id))
    if ops_list.resolve(connection, rows, item_id, by, resolution, now):
        said = Entry(at=now, by=by, action="resolveOpsItem", kind="OpsItem", target=item_id, reason=resolution, outcome="resolved")
        audit.note(connection, rows, said)
    return Outcome((item_id,))


def _refused(error: UserError) -> Outcome:
    return Outcome(refused=(error,))


def _unknown(key: str, path: list[str]) -> UserError:
    return UnknownObligation(message=f"no obligation '{key}'; obligations lists them", path=path, key=key)


def _wrong(one: Obligation, allowed: Sequence[ObligationState], path: list[str]) -> UserError:
    way_out = WAYS_OUT.get(one.state, "").format(needs=one.needs or "something")
    message = f"obligation '{one.key}' is {one.state.value}: {way_out}"
    return WrongState(message=message, path=path, state=one.state.value, allowed=[state.value for state in allowed])


def _note(
    connection: Connection,
    rows: Rows,
    now: datetime,
    by: str,
    action: str,
    one: Obligation,
    state: ObligationState,
    reason: str | None,
) -> None:
    became = f"{one.state.value} -> {state.value}"
    audit.note(
        connection, rows, Entry(at=now, by=by, action=action, kind="Obligation", target=one.key, reason=reason, outcome=became)
    )
