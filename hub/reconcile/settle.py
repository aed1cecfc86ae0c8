"""Brings the ledger in line with what the rules say of a cause. Called by apply (through derive.py), sweep and worker.

owed, not in the ledger     -> written: DUE, WAITING, or CLOSED where its proof is there already
owed, in the ledger         -> woken, corrected while unsent, closed when proven; what was sent otherwise goes to ops
in the ledger, not owed     -> WITHDRAWN while unsent; what was sent goes to the ops list with both versions
A cause that can lead to nothing yet is named in the quarantine, and released when its rule no longer says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection

from connectors.base import Quarantined
from hub.domain.errors import DomainError
from hub.mirror import inbox, ledger
from hub.mirror.database import lock_names
from hub.mirror.ops_list import Trouble, open_items, resolve_all
from hub.mirror.rows import Rows
from hub.reconcile.rule import AnyRule, Owed, Rulebook, Verdict
from hub.reconcile.standing import CORRECTED, command_of, is_unsent, may_exist
from hub.tracing import closes, follows
from schema.commands import encode_command
from schema.entities import OPEN_STATES, Obligation, ObligationState

log = structlog.get_logger()


class Judgement(NamedTuple):
    """The columns of an obligation that change, and what a person must see."""

    changes: Mapping[str, Any]
    trouble: Trouble | None = None


def hold(connection: Connection, causes: Iterable[tuple[AnyRule, Iterable[str]]]) -> None:
    """Keep others from settling these causes until the transaction ends.

    Whoever settles for several rules, or touches obligations beforehand, holds all causes first, so that no two processes
    wait for each other in a circle.
    """
    lock_names(connection, [f"{rule.name}:{cause}" for rule, some in causes for cause in some])


def settle(connection: Connection, rows: Rows, rule: AnyRule, causes: Sequence[str], book: Rulebook, now: datetime) -> int:
    """Bring the ledger of one rule in line for these causes, in the caller's transaction.

    Returns how many obligations were written or changed.
    """
    wanted = sorted(set(causes))
    if not wanted:
        return 0
    hold(connection, [(rule, wanted)])
    facts = rule.load(connection, rows, wanted)
    held = ledger.by_causes(connection, rows, rule.name, wanted, lock=True)
    fresh: list[Obligation] = []
    said: dict[str, Verdict] = {}
    changed = 0
    troubles: list[Trouble] = []
    quarantined: dict[str, Quarantined | None] = {}
    mended: set[tuple[str, str]] = set()
    for cause in wanted:
        if cause not in facts:
            continue
        try:
            verdict = rule.derive(facts[cause], held.get(cause, ()), book, now)
        except DomainError as error:
            troubles.append(_refused(rule, cause, error))
            continue
        troubles += verdict.troubles
        quarantined[cause] = verdict.quarantined
        mended |= verdict.mended
        owed = {each.key: each for each in verdict.owed}
        said[cause] = verdict
        there = held.get(cause, [])
        fresh += [_new(rule, cause, verdict, owed[key], book, now) for key in owed.keys() - {one.key for one in there}]
        for one in there:
            judged = judge(rule, facts[cause], one, owed.get(one.key), verdict, book, now)
            if judged.changes:
                ledger.change(connection, rows, one.key, **judged.changes)
                changed += 1
                if judged.changes.get("state") is ObligationState.CLOSED:
                    closes("echo", one.trace, key=one.key, platform=one.platform)
            troubles += [judged.trouble] if judged.trouble else []
    if rule.shares_keys and fresh:
        for key, judged in _taken_over(connection, rows, rule, fresh, facts, said, book, now):
            ledger.change(connection, rows, key, **judged.changes)
            troubles += [judged.trouble] if judged.trouble else []
    ledger.insert(connection, rows, sorted(fresh, key=lambda one: (one.cause, one.sequence, one.key)))
    open_items(connection, rows, troubles, now)
    resolve_all(connection, rows, mended, "it is over by itself", now)
    if rule.quarantine is not None:
        inbox.keep_quarantined(connection, rows, *rule.quarantine, rule.name, quarantined, now)
    return len(fresh) + changed


def _taken_over(
    connection: Connection,
    rows: Rows,
    rule: AnyRule,
    fresh: Sequence[Obligation],
    facts: Mapping[str, Any],
    said: Mapping[str, Verdict],
    book: Rulebook,
    now: datetime,
) -> Iterable[tuple[str, Judgement]]:
    """Yield what becomes of obligations that other causes owed, and do not any more, whose keys these causes owe now."""
    for key, other in ledger.by_keys(connection, rows, [one.key for one in fresh], lock=True).items():
        if other.state is ObligationState.WITHDRAWN:
            cause = next(one.cause for one in fresh if one.key == key)
            owed = next(each for each in said[cause].owed if each.key == key)
            one = msgspec.structs.replace(other, cause=cause)
            judged = judge(rule, facts[cause], one, owed, said[cause], book, now)
            yield key, judged._replace(changes={**judged.changes, "cause": cause})


def _refused(rule: AnyRule, cause: str, error: DomainError) -> Trouble:
    log.warning("a rule cannot decide", rule=rule.name, cause=cause, error=str(error))
    message = f"{rule.name} of {cause}: {error}"
    return Trouble(kind=f"{rule.name}.undecided", cause=cause, message=message, distinct=str(error))


class _Case(NamedTuple):
    """One obligation of the ledger, and all that is said about it now."""

    rule: AnyRule
    facts: Any
    one: Obligation
    owed: Owed | None
    """What the rule owes under its key now."""
    verdict: Verdict
    book: Rulebook
    now: datetime

    @property
    def proven(self) -> bool:
        """Return whether its proof is in the mirror and it is still open."""
        return self.one.key in self.verdict.proven and self.one.state in OPEN_STATES


def judge(
    rule: AnyRule, facts: Any, one: Obligation, owed: Owed | None, verdict: Verdict, book: Rulebook, now: datetime
) -> Judgement:
    """Return what becomes of one obligation of the ledger, `owed` being what the rule owes under its key now. Pure."""
    if one.state is ObligationState.LEASED:
        return Judgement({})  # a call is under way; its completion settles the cause again
    case = _Case(rule, facts, one, owed, verdict, book, now)
    judged = Judgement({})
    if one.key not in verdict.keep:
        judged = _withdraw(case) if owed is None else _correct(case, owed)
    changes = dict(judged.changes)
    if one.cause_version != verdict.version:
        changes["cause_version"] = verdict.version
    if case.proven:
        changes |= {"state": ObligationState.CLOSED, "closed_at": now, "receipt": verdict.proven[one.key]}
        changes |= {"unknown_since": None, "needs": None, "last_error": None}
    return Judgement(changes, judged.trouble)


def _withdraw(case: _Case) -> Judgement:
    one = case.one
    if one.state is ObligationState.WITHDRAWN:
        return Judgement({})
    if case.proven or (may_exist(one) and not case.rule.is_refused(one)):
        told = _tell(case)
        if one.state not in {ObligationState.DUE, ObligationState.STUCK} or case.proven:
            return told
        # Nobody knows whether it is there. It must not be made now, so that ops looks instead of the worker.
        return Judgement(dict(told.changes) | {"state": ObligationState.WITHDRAWN, "needs": None}, told.trouble)
    why = f"{one.platform} refused it for good" if may_exist(one) else "its cause was corrected before it was sent"
    if one.state is ObligationState.WAIVED and one.reason:
        why = f"{one.reason}; then {why}"
    return Judgement({"state": ObligationState.WITHDRAWN, "reason": why, "needs": None})


def _correct(case: _Case, owed: Owed) -> Judgement:
    one, terms = case.one, _terms(owed, case.book)
    if one.state is ObligationState.WITHDRAWN:
        return _owe_again(case, owed)
    again = case.rule.replaces and one.state in {ObligationState.DUE, ObligationState.STUCK}
    if (may_exist(one) and not again) or (case.proven and one.payload):
        return _tell(case)
    if terms["payload"] == one.payload and owed.needs == one.needs:
        # What was never made has no policy to keep: its time follows its cause.
        moved = one.state is ObligationState.WAITING and owed.due.at != one.due_at
        return Judgement({name: terms[name] for name in ("due_at", "due_provisional")} if moved else {})
    if owed.command is None:
        return Judgement(terms | ({"state": ObligationState.WAITING} if is_unsent(one) else {}))
    if one.state in {ObligationState.WAITING, ObligationState.STUCK}:
        # What was refused was another command: this one has not been tried.
        return Judgement(terms | {"state": ObligationState.DUE, "next_at": case.now, "tries": 0})
    return Judgement(terms)


def _owe_again(case: _Case, owed: Owed) -> Judgement:
    if may_exist(case.one) and not case.rule.replaces:
        # What may be there is made certain as it was sent; where that is not what is owed now, ops is told once more.
        told = _tell(case)
        return Judgement(dict(told.changes) | {"state": ObligationState.DUE, "next_at": case.now, "tries": 0}, told.trouble)
    state = ObligationState.DUE if owed.command else ObligationState.WAITING
    return Judgement(_terms(owed, case.book) | {"state": state, "next_at": case.now, "reason": None, "tries": 0})


def _terms(owed: Owed, book: Rulebook) -> dict[str, Any]:
    return {
        "command": owed.kind,
        "payload": encode_command(owed.command) if owed.command else b"",
        "needs": owed.needs,
        "subject_code": owed.subject_code,
        "due_at": owed.due.at,
        "due_provisional": owed.due.provisional,
        "policy_version": book.policy.version,
    }


def _tell(case: _Case) -> Judgement:
    """Tell ops, once, that what may be on the platform is owed otherwise now, or no longer; note it in `reason`."""
    one, owed = case.one, case.owed
    own, _, _ = (one.reason or "").partition(CORRECTED)
    now_owed = _difference(case)
    note = f"{CORRECTED}; owed now: {now_owed}" if now_owed else ""
    reason = "; ".join(filter(None, (own.rstrip("; "), note))) or None
    if reason == one.reason:
        return Judgement({})
    if now_owed is None:
        return Judgement({"reason": reason})
    before = _material(case)
    message = (
        f"{one.key}: {'was sent' if one.unknown_since is None else 'may have been sent'} to {one.platform}"
        f"{f' with {before}' if before else ''}, owed now: {now_owed}; settle it there by hand, then resolve this"
    )
    trouble = Trouble(
        kind=f"{case.rule.name}.{'changed' if owed else 'withdrawn'}-after-sent",
        cause=one.key,
        subject_code=one.subject_code,
        message=message,
        before=one.payload.decode() or None,
        after=encode_command(owed.command).decode() if owed and owed.command else case.rule.shows(case.facts),
        # `reason` sees to it that a correction is told once; the same one may come again after another.
        distinct=f"{case.verdict.version} {case.now.isoformat()} {now_owed}",
    )
    return Judgement({"reason": reason}, trouble)


def _difference(case: _Case) -> str | None:
    """Return in words what is owed now, None where it is what was sent."""
    if case.owed is None:
        return "nothing"
    before = _material(case)
    after = case.rule.material(case.owed.command) if case.owed.command else None
    return None if before is None or before == after else after


def _material(case: _Case) -> str | None:
    command = command_of(case.one)
    return case.rule.material(command) if command else None


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
        sequence=owed.place,
        cause_version=verdict.version,
        payload=encode_command(owed.command) if owed.command else b"",
        unknown_since=None,
        fence=0,
        lease_until=None,
        tries=0,
        trace=follows("rule", rule=rule.name, key=owed.key, platform=owed.platform),
    )
