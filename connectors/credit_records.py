"""The credit platform's subjects, records and repairs: from the JSON of credit.md to entities. Used by connectors/credit.py."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import msgspec

from connectors.base import Item, Quarantined
from connectors.json_text import is_damaged, mended
from connectors.record_fields import (
    BadFieldError,
    Fields,
    decimal,
    instant,
    member,
    observed,
    readable,
    subject_code,
    tenths,
    text,
    texts,
    whole,
    yes_no,
)
from schema.entities import CodeType, CreditProfile, CreditRecord, Grade, RecordCategory, Repair, RepairWay
from schema.entity import Mirrored, Observation, Tombstone

PLATFORM = "credit"
BEIJING = timezone(timedelta(hours=8))
KINDS = {"subject": ("CreditProfile", "code"), "record": ("CreditRecord", "recordId"), "repair": ("Repair", "repairId")}
"""By the feed's type: our entity, and the field that holds its id."""
NOTICES = {"subject.updated": "subject", "record.created": "record", "record.repaired": "record"}
"""By the webhook's type: what its data is (for record.repaired the record)."""


class Change(msgspec.Struct, frozen=True):
    """An item of the feed."""

    type: str
    op: str
    data: msgspec.Raw


class Notice(msgspec.Struct, frozen=True):
    """A webhook's body."""

    type: str
    data: msgspec.Raw


def read_notice(body: bytes, observed_at: datetime) -> Item:
    """Return what a webhook says."""
    try:
        notice = msgspec.json.decode(mended(body), type=Notice)
    except (msgspec.ValidationError, RecursionError):
        return Quarantined(reason="BAD_VALUE", detail="the webhook lacks type or data", content=body)
    except msgspec.DecodeError:
        return Quarantined(reason="NOT_JSON", detail="the webhook is no JSON", content=body)
    if notice.type not in NOTICES:
        return Quarantined(reason="UNKNOWN_TYPE", detail=f"the webhook is none of {', '.join(NOTICES)}", content=body)
    return read_object(NOTICES[notice.type], bytes(notice.data), observed_at)


def read_change(raw: bytes, observed_at: datetime) -> Item:
    """Return what an item of the feed says: a record, or that it is gone."""
    try:
        change = msgspec.json.decode(raw, type=Change)
    except (msgspec.DecodeError, RecursionError):
        return Quarantined(reason="BAD_VALUE", detail="the feed's item lacks type, op or data", content=raw)
    if change.type not in KINDS or change.op not in {"upsert", "delete"}:
        return Quarantined(reason="UNKNOWN_TYPE", detail="the feed's item is of an unknown type or op", content=raw)
    if change.op == "upsert":
        return read_object(change.type, bytes(change.data), observed_at)
    entity, id_field = KINDS[change.type]
    try:
        named = msgspec.json.decode(change.data, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        named = {}
    key = readable(named.get(id_field)) or readable(named.get("id"))
    if is_damaged(raw):
        return Quarantined(reason="BAD_ENCODING", detail="the delete is no UTF-8", content=raw, entity=entity)
    if key is None:
        return Quarantined(reason="MISSING_FIELD", detail=f"the delete lacks {id_field}", content=raw, entity=entity)
    return Tombstone(entity=entity, key=key, source=PLATFORM, observed_at=observed_at)


def read_object(kind: str, raw: bytes, observed_at: datetime) -> Item:
    """Return a subject, record or repair, cut out of an answer or a webhook that was `mended`; why it cannot be used otherwise."""
    entity, id_field = KINDS[kind]
    try:
        values = msgspec.json.decode(raw, type=dict[str, object] | None)
    except (msgspec.DecodeError, RecursionError):
        return Quarantined(reason="BAD_VALUE", detail=f"the {kind} is no JSON object", content=raw, entity=entity)
    if values is None:
        return Quarantined(reason="MISSING_FIELD", detail=f"the {kind} is missing", content=raw, entity=entity)
    fields = Fields(values)

    def observation() -> Observation:
        if is_damaged(raw):
            raise BadFieldError("BAD_ENCODING", f"the {kind} is no UTF-8")
        return Observation(record=_MAKERS[kind](fields, observed_at))

    return observed(observation, entity=entity, key=values.get(id_field), content=raw)


def _profile(row: Fields, observed_at: datetime) -> CreditProfile:
    code, code_type = row.required("code", subject_code), row.required("codeType", member(CodeType))
    if code.startswith("RID-") != (code_type is CodeType.RESIDENT_ID):
        raise BadFieldError("BAD_VALUE", f"field code: is no {code_type.value}")
    return CreditProfile(
        source=PLATFORM,
        observed_at=observed_at,
        version=row.required("version", whole()),
        code=code,
        code_type=code_type,
        name=row.required("name", text),
        score=row.required("score", tenths),
        grade=row.required("grade", member(Grade)),
        regulatory_points=row.required("regulatoryPoints", tenths),
        old_codes=row.optional("oldCodes", texts) or (),
        updated_at=row.required("updatedAt", instant),
    )


def _record(row: Fields, observed_at: datetime) -> CreditRecord:
    evidence = row.part("evidence") or Fields({})
    return CreditRecord(
        source=PLATFORM,
        observed_at=observed_at,
        version=row.required("version", whole()),
        record_id=row.required("recordId", text),
        biz_no=row.required("bizNo", text),
        subject_code=row.required("code", subject_code),
        category=row.required("category", member(RecordCategory)),
        points=row.required("points", decimal),
        open_points=row.required("openPoints", decimal),
        item_code=row.required("itemCode", text),
        item_name=row.required("itemName", text),
        occurred_at=row.required("occurredAt", instant),
        department_code=row.required("department", text),
        region=row.required("region", text),
        evidence_platform=evidence.optional("platform", text),
        evidence_ref=evidence.optional("ref", text),
        evidence_finding=evidence.optional("finding", text),
        caused_by=row.optional("causedBy", text),
        created_at=row.required("createdAt", instant),
        updated_at=row.required("updatedAt", instant),
        cancelled=row.required("cancelled", yes_no),
    )


def _repair(row: Fields, observed_at: datetime) -> Repair:
    return Repair(
        source=PLATFORM,
        observed_at=observed_at,
        version=row.required("version", whole()),
        repair_id=row.required("repairId", text),
        biz_no=row.required("bizNo", text),
        record_id=row.required("recordId", text),
        points=row.required("points", decimal),
        way=row.required("way", member(RepairWay)),
        completed_at=row.required("completedAt", instant),
        created_at=row.required("createdAt", instant),
    )


_MAKERS: dict[str, Callable[[Fields, datetime], Mirrored]] = {"subject": _profile, "record": _record, "repair": _repair}


_TENTH = Decimal("0.1")


def points_text(points: Decimal) -> str:
    """Return points as they travel: text with exactly one decimal; raise ValueError for finer ones."""
    if points != (rounded := points.quantize(_TENTH)):
        raise ValueError(f"{points} points: the credit platform takes one decimal")
    return str(rounded)


def problem_reason(body: bytes) -> tuple[str | None, str]:
    """Return (reason code of the first error, what is said for people) of a problem document; whatever the body is."""
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None, body[:200].decode(errors="replace")
    said = " ".join(str(part) for part in (problem.title, problem.detail) if part)
    said += "".join(f"; {error.field}: {error.reason}" for error in problem.errors or ())
    first = problem.errors[0].reason if problem.errors else ""
    return (first if re.fullmatch(r"[A-Z][A-Z0-9_]{2,40}", first) else None), said


class _FieldError(msgspec.Struct, frozen=True):
    field: str = ""
    reason: str = ""


class _Problem(msgspec.Struct, frozen=True):
    title: str | None = None
    detail: str | None = None
    errors: tuple[_FieldError, ...] | None = None
