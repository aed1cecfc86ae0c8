"""What operators decide about who is who. Called by hub/operator.py, each function in one transaction.

A merge outranks what platforms say, and undone it leaves what they say now; nothing of it is sent to a platform
(docs/decisions/one-subject-many-identifiers.md). Repeated without harm; noted in the merge itself and in the audit.
"""

import re
from datetime import datetime

from sqlalchemy import Connection

from hub.mirror import audit, identities, merges
from hub.mirror.audit import Entry
from hub.mirror.ways import is_person
from hub.reconcile.derive import Derivation
from schema.entities import SubjectIdentifier, SubjectMerge
from schema.identifiers import (
    IdentifierError,
    canonical_identifier,
    is_identity,
    is_registration_number,
    mask_identity,
    parse_uscc,
    redact,
)
from schema.operations import Outcome
from schema.user_errors import (
    AlreadyMerged,
    CircularMerge,
    InvalidIdentifier,
    PersonWithEnterprise,
    ReasonMissing,
    SameSubject,
    UnknownMerge,
    UnknownSubject,
    UserError,
)

RID_CODE = re.compile(r"RID-[0-9a-f]{64}")


def merge(
    connection: Connection, derivation: Derivation, identifier: str, into: str, reason: str, by: str, now: datetime
) -> Outcome:
    """Merge what an identifier names, with all that belongs to it, into the subject of `into`; done is the merge's id.

    What was merged so before counts as done. Refuses ReasonMissing, InvalidIdentifier, UnknownSubject, AlreadyMerged,
    PersonWithEnterprise, CircularMerge, SameSubject.
    """
    rows, wrong = derivation.rows, _blank(reason)
    identifier, into = canonical_identifier(identifier), canonical_identifier(into)
    wrong = wrong or _invalid(identifier, "from") or _invalid(into, "into")
    if wrong is not None:
        return Outcome(refused=(wrong,))
    identities.hold(connection)
    known = merges.identifiers(connection, rows, {identifier, into})
    code = known[into].credit_code if into in known else None
    if identifier not in known:
        return Outcome(refused=(_unknown(identifier, "from"),))
    if code is None or not merges.has_subject(connection, code):
        return Outcome(refused=(_unknown(into, "into"),))
    standing = merges.merge_of(connection, rows, known[identifier].merge_id or "")
    if standing is not None and identities.credit_codes(connection, [standing.into_code]).get(standing.into_code) == code:
        return Outcome((standing.merge_id,))
    wrong = _refusal(connection, known[identifier], code, standing)
    if wrong is not None:
        return Outcome(refused=(wrong,))
    made = merges.add(connection, rows, identifier, code, by, reason.strip(), now)
    _note(connection, derivation, now, by, "mergeSubjects", made, f"into {code}", reason)
    _settle(connection, derivation, identifier, now)
    return Outcome((made.merge_id,))


def split(connection: Connection, derivation: Derivation, merge_id: str, reason: str, by: str, now: datetime) -> Outcome:
    """Undo a merge, so that all stands as if it had never been; what was undone before counts as done.

    Refuses ReasonMissing, UnknownMerge.
    """
    if (wrong := _blank(reason)) is not None:
        return Outcome(refused=(wrong,))
    identities.hold(connection)
    found = merges.merge_of(connection, derivation.rows, merge_id)
    if found is None:
        message = f"no merge '{redact(merge_id)}'; subjectMerges lists them"
        return Outcome(refused=(UnknownMerge(message=message, path=["mergeId"], merge_id=redact(merge_id)),))
    if found.undone_at is None:
        merges.undo(connection, derivation.rows, found, by, reason.strip(), now)
        _note(connection, derivation, now, by, "splitSubjects", found, f"out of {found.into_code}", reason)
        _settle(connection, derivation, found.from_identifier, now)
    return Outcome((merge_id,))


def _note(
    connection: Connection,
    derivation: Derivation,
    now: datetime,
    by: str,
    action: str,
    merge: SubjectMerge,
    outcome: str,
    reason: str,
) -> None:
    entry = Entry(at=now, by=by, action=action, kind="SubjectMerge", target=merge.merge_id, reason=reason.strip(), outcome=outcome)
    audit.note(connection, derivation.rows, entry)


def _settle(connection: Connection, derivation: Derivation, identifier: str, now: datetime) -> None:
    """Ask the rules again about approvals under an old number: whose it is may be known now. A merged code sends nothing."""
    if is_registration_number(identifier):
        derivation.settle_obligations(connection, merges.obligations_named_by(connection, derivation.rows, identifier), now)


def _refusal(connection: Connection, merged: SubjectIdentifier, code: str, standing: SubjectMerge | None) -> UserError | None:
    """Return why an identifier cannot be merged into a code, None where it can."""
    identifier = merged.identifier
    if standing is not None:
        message = f"'{identifier}' was merged into {standing.into_code} by {standing.merged_by}; undo that merge first"
        return AlreadyMerged(message=message, path=["from"], merge_id=standing.merge_id, into_code=standing.into_code)
    if is_person(identifier) != is_person(code):
        message = f"'{identifier}' and {code}: a person and an enterprise are never one subject; RID codes name persons"
        return PersonWithEnterprise(message=message, path=["into"])
    way = identities.ways_from(connection, [code]).way(code, merged=True)
    if identifier in way and identifier != code:
        message = f"{code} belongs to '{identifier}' already, by {' -> '.join(way)}; merge the other way round, or undo that first"
        return CircularMerge(message=message, path=["into"], way=way)
    if merged.code == way[-1]:
        message = f"'{identifier}' and {code} name one subject already: {way[-1]}"
        return SameSubject(message=message, path=["into"], code=way[-1])
    return None


def _invalid(identifier: str, name: str) -> UserError | None:
    if is_registration_number(identifier) or RID_CODE.fullmatch(identifier):
        return None
    if is_identity(identifier):
        shown = mask_identity(identifier)
        message = f"{shown} is an identity number: give the person's RID code instead"
        return InvalidIdentifier(message=message, path=[name], identifier=shown)
    try:
        parse_uscc(identifier)
    except IdentifierError as wrong:
        message = f"{wrong}; an identifier is a USCC, a RID code or an old number of 15 digits"
        return InvalidIdentifier(message=message, path=[name], identifier=redact(identifier))
    return None


def _unknown(identifier: str, name: str) -> UserError:
    message = f"no subject is known by '{identifier}'; subjectIdentifiers lists what is known, with its code"
    return UnknownSubject(message=message, path=[name], identifier=identifier)


def _blank(reason: str) -> UserError | None:
    return None if reason.strip() else ReasonMissing(message="reason is blank: say why, for the record", path=["reason"])
