"""Brings the ledger in line with what the rules say of a cause. Called by apply (through derive.py), sweep and worker.

owed, not in the ledger     -> written: DUE, WAITING, or CLOSED where its proof is there already
owed, in the ledger         -> woken, corrected while unsent, closed when proven; what was sent otherwise goes to ops
in the ledger, not owed     -> WITHDRAWN while unsent; what was sent goes to the ops list with both versions
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hub.mirror import ledger
from hub.mirror.database import lock_names
from hub.mirror.ops_list import Trouble, open_items
from hub.mirror.rows import Rows
from hub.reconcile.rule import AnyRule, Owed, Rulebook, Verdict
from schema.commands import decode_command, encode_command
from schema.entities import OPEN_STATES, Obligation, ObligationState

UNSENT = frozenset({ObligationState.WAITING, ObligationState.DUE, ObligationState.STUCK})
ENDED_BY_OPS = frozenset({ObligationState.WAIVED, ObligationState.SETTLED})


def settle(connection: Connection, rows: Rows, rule: AnyRule, causes: Sequence[str], book: Rulebook, now: datetime) -> None:
    """Bring the ledger of one rule in line for these causes, in the caller's transaction."""
    wanted = sorted(set(causes))
    if not wanted:
        return
    lock_names(connection, [f"{rule.name}:{cause}" for cause in wanted])
    facts = rule.load(connection, rows, wanted)
    held = ledger.by_causes(connection, rows, rule.name, wanted)
    fresh: list[Obligation] = []
    troubles: list[Trouble] = []
    for cause in wanted:
        if cause not in facts:
            continue
        verdict = rule.derive(facts[cause], held.get(cause, ()), book, now)
        there = {one.key: one for one in held.get(cause, ())}
        fresh += [_new(rule, cause, verdict, owed, book, now) for owed in verdict.owed if owed.key not in there]
        owed_keys = {owed.key: owed for owed in verdict.owed}
        troubles += verdict.troubles
        for one in there.values():
            changes, trouble = judge(rule, one, owed_keys.get(one.key), verdict, now)
            if changes:
                ledger.change(connection, rows, one.key, **changes)
            troubles += [trouble] if trouble else []
    ledger.insert(connection, rows, fresh)
    open_items(connection, rows, troubles, now)


def judge(
    rule: AnyRule, one: Obligation, owed: Owed | None, verdict: Verdict, now: datetime
) -> tuple[Mapping[str, Any], Trouble | None]:
    """Return the columns of an obligation that change, and what a person must see. Pure."""
    if one.state is ObligationState.LEASED:
        return {}, None  # a call is under way; its completion settles the cause again
    seen = {"cause_version": verdict.version} if one.cause_version != verdict.version else {}
    reference = verdict.proven.get(one.key)
    if reference is not None and one.state in OPEN_STATES:
        return seen | {
            "state": ObligationState.CLOSED,
            "closed_at": now,
            "receipt": reference,
            "unknown_since": None,
            "needs": None,
            "last_error": None,
        }, _changed(rule, one, owed)
    if one.key in verdict.keep:
        return seen, None
    if owed is None:
        return _withdraw(rule, one, seen)
    return _correct(rule, one, owed, seen, now)


def _withdraw(rule: AnyRule, one: Obligation, seen: dict[str, Any]) -> tuple[Mapping[str, Any], Trouble | None]:
    if one.state in UNSENT and one.unknown_since is None:
        why = {"state": ObligationState.WITHDRAWN, "reason": "its cause was corrected before it was sent", "needs": None}
        return seen | why, None
    if one.state is ObligationState.WITHDRAWN or one.state in ENDED_BY_OPS:
        return seen, None
    message = f"{one.key}: was sent to {one.platform} and is no longer owed; settle it there by hand, then resolve this"
    return seen, Trouble(
        kind=f"{rule.name}.withdrawn-after-sent",
        cause=one.key,
        subject_code=one.subject_code,
        message=message,
        before=one.payload.decode(),
        distinct=str(one.sequence),
    )


def _correct(
    rule: AnyRule, one: Obligation, owed: Owed, seen: dict[str, Any], now: datetime
) -> tuple[Mapping[str, Any], Trouble | None]:
    payload = encode_command(owed.command) if owed.command else b""
    if one.state is ObligationState.WITHDRAWN or (one.state is ObligationState.WAITING and owed.command):
        due = {"state": ObligationState.DUE if owed.command else ObligationState.WAITING, "next_at": now, "reason": None}
        return seen | due | _terms(owed, payload), None
    if one.state in {ObligationState.WAITING, ObligationState.DUE} and one.unknown_since is None:
        state = {} if owed.command else {"state": ObligationState.WAITING}
        changed = payload != one.payload or one.needs != owed.needs
        return (seen | state | _terms(owed, payload)) if changed else seen, None
    return seen, _changed(rule, one, owed)


def _terms(owed: Owed, payload: bytes) -> dict[str, Any]:
    return {
        "payload": payload,
        "needs": owed.needs,
        "subject_code": owed.subject_code,
        "due_at": owed.due.at,
        "due_provisional": owed.due.provisional,
    }


def _changed(rule: AnyRule, one: Obligation, owed: Owed | None) -> Trouble | None:
    """Return what ops must see when something material was sent otherwise than it is owed now."""
    if owed is None or owed.command is None or not one.payload or one.state in ENDED_BY_OPS or one.state is ObligationState.STUCK:
        return None
    before, after = rule.material(decode_command(one.payload)), rule.material(owed.command)
    if before == after:
        return None
    message = (
        f"{one.key}: was sent to {one.platform} with {before}, is owed now with {after}; settle it there by hand, then resolve this"
    )
    return Trouble(
        kind=f"{rule.name}.changed-after-sent",
        cause=one.key,
        subject_code=one.subject_code,
        message=message,
        before=one.payload.decode(),
        after=encode_command(owed.command).decode(),
        distinct=repr(after),
    )


def _new(rule: AnyRule, cause: str, verdict: Verdict, owed: Owed, book: Rulebook, now: datetime) -> Obligation:
    reference = verdict.proven.get(owed.key)
    state = ObligationState.CLOSED if reference is not None else ObligationState.DUE if owed.command else ObligationState.WAITING
    return Obligation(
        key=owed.key,
        number=rule.number(owed.key),
        rule=rule.name,
        platform=owed.platform,
        command=owed.kind,
        cause=cause,
        subject_code=owed.subject_code,
        state=state,
        needs=None if reference is not None else owed.needs,
        due_at=owed.due.at,
        due_provisional=owed.due.provisional,
        next_at=now,
        attempts=0,
        receipt=reference,
        last_error=None,
        policy_version=book.policy.version,
        created_at=now,
        sent_at=None,
        closed_at=now if reference is not None else None,
        decided_by=None,
        reason=None,
        chain=owed.chain,
        sequence=0,
        cause_version=verdict.version,
        payload=encode_command(owed.command) if owed.command else b"",
        unknown_since=None,
        fence=0,
        lease_until=None,
        tries=0,
    )
