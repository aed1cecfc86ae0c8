"""What the credit platform checks in a posted record, repair or subject, and how it compares two of them (credit.md, "Records").

Pure functions over wire dictionaries; mocks/credit.py calls them. A failed check raises `Unprocessable` with the errors list.
"""

import calendar
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from mocks.credit_signing import is_resident_code
from mocks.people import is_uscc
from mocks.platform import BEIJING
from mocks.store import Document

COMMITMENT_BREACH: Final = "COMMITMENT_BREACH"
REGULATORY_POINTS: Final = "REGULATORY_POINTS"
COMPREHENSIVE_DEDUCTION: Final = "COMPREHENSIVE_DEDUCTION"
RESPONSIBLE_PERSON: Final = "RESPONSIBLE_PERSON"
CAUSED: Final = {COMPREHENSIVE_DEDUCTION: "DOZEN", RESPONSIBLE_PERSON: "SERIOUS"}
"""The two categories that another record causes, with the itemCode each must carry."""

CATEGORIES: Final = (COMMITMENT_BREACH, REGULATORY_POINTS, COMPREHENSIVE_DEDUCTION, RESPONSIBLE_PERSON)
WAYS: Final = ("SELF_CHECK", "SELF_REPORT", "STUDY", "EXAM")
_POINTS: Final = re.compile(r"^\d{1,4}\.\d$", re.ASCII)
_REGION: Final = re.compile(r"^\d{6}$", re.ASCII)


class Unprocessable(Exception):
    """The posted document breaks the page's rules; `errors` is the list of `{field, reason}` that the answer carries."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__(", ".join(f"{error['field']}: {error['reason']}" for error in errors))
        self.errors = errors


def zoned(value: object) -> datetime | None:
    """Return the aware moment of an ISO 8601 text with offset, or None where value is no such text."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def points_of(text: object) -> Decimal | None:
    """Return points sent as text with exactly one decimal, or None where they are not."""
    return Decimal(text) if isinstance(text, str) and _POINTS.match(text) else None


def points_text(points: Decimal) -> str:
    """Return points as the platform sends them: text with exactly one decimal."""
    return f"{points:.1f}"


def is_code(value: object) -> bool:
    """Tell whether value names a subject on this interface: a USCC or an RID- code, never an identity number."""
    return isinstance(value, str) and (is_uscc(value) or is_resident_code(value))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_biz_no(value: object) -> bool:
    return isinstance(value, str) and 8 <= len(value) <= 64


def _is_region(value: object) -> bool:
    return isinstance(value, str) and _REGION.match(value) is not None


_RECORD_FIELDS: Final[dict[str, Callable[[object], bool]]] = {
    "bizNo": _is_biz_no,
    "code": is_code,
    "category": lambda value: value in CATEGORIES,
    "points": lambda value: points_of(value) is not None,
    "itemCode": _is_text,
    "itemName": _is_text,
    "occurredAt": lambda value: zoned(value) is not None,
    "department": _is_text,
    "region": _is_region,
    "evidence": lambda value: isinstance(value, dict),
    "causedBy": lambda value: value is None or _is_biz_no(value),
}
_REPAIR_FIELDS: Final[dict[str, Callable[[object], bool]]] = {
    "bizNo": _is_biz_no,
    "recordId": _is_text,
    "points": lambda value: (points_of(value) or 0) > 0,
    "way": lambda value: value in WAYS,
    "completedAt": lambda value: zoned(value) is not None,
}


def _picked(body: object, fields: Mapping[str, Callable[[object], bool]]) -> tuple[Document, list[dict[str, str]]]:
    if not isinstance(body, dict):
        raise Unprocessable([{"field": "", "reason": "NOT_AN_OBJECT"}])
    errors = [{"field": field, "reason": "MISSING"} for field in fields if field not in body]
    errors += [{"field": field, "reason": "MALFORMED"} for field, good in fields.items() if field in body and not good(body[field])]
    return {field: body[field] for field in fields if field in body}, errors


def _evidence_errors(evidence: object) -> list[dict[str, str]]:
    if not isinstance(evidence, dict):
        return []
    errors = []
    if evidence.get("platform") != "enforcement":
        errors.append({"field": "evidence.platform", "reason": "MALFORMED"})
    if not _is_text(evidence.get("ref")):
        errors.append({"field": "evidence.ref", "reason": "MALFORMED"})
    if "finding" not in evidence:
        errors.append({"field": "evidence.finding", "reason": "MISSING"})
    elif evidence["finding"] is not None and not _is_text(evidence["finding"]):
        errors.append({"field": "evidence.finding", "reason": "MALFORMED"})
    return errors


def _category_errors(content: Document) -> list[dict[str, str]]:
    """Return what the category forbids: wrong itemCode, points or causedBy."""
    category, points, errors = content.get("category"), points_of(content.get("points")), []
    if category in CAUSED:
        if content.get("itemCode") != CAUSED[str(category)]:
            errors.append({"field": "itemCode", "reason": f"MUST_BE_{CAUSED[str(category)]}"})
        if content.get("causedBy") is None:
            errors.append({"field": "causedBy", "reason": "REQUIRED"})
    elif category in CATEGORIES and content.get("causedBy") is not None:
        errors.append({"field": "causedBy", "reason": "MUST_BE_NULL"})
    if points is None:
        return errors
    if category == RESPONSIBLE_PERSON and points != 0:
        errors.append({"field": "points", "reason": "MUST_BE_0.0"})
    if category != RESPONSIBLE_PERSON and points == 0:
        errors.append({"field": "points", "reason": "MUST_BE_POSITIVE"})
    if category == REGULATORY_POINTS and points % Decimal("0.5") != 0:
        errors.append({"field": "points", "reason": "NOT_IN_STEPS_OF_0.5"})
    return errors


def check_record(body: object) -> Document:
    """Return the page's fields of a posted record, unknown ones left out; raise Unprocessable naming each bad field."""
    content, errors = _picked(body, _RECORD_FIELDS)
    errors += _evidence_errors(content.get("evidence")) + _category_errors(content)
    if errors:
        raise Unprocessable(errors)
    evidence = content["evidence"]
    assert isinstance(evidence, dict)  # noqa: S101 - checked above; tells mypy
    content["evidence"] = {field: evidence[field] for field in ("platform", "ref", "finding")}
    return content


def check_cause(content: Document, cause: Document | None) -> None:
    """Raise Unprocessable unless the causing record is known and evidence, department and occurredAt are taken from it."""
    if cause is None:
        raise Unprocessable([{"field": "causedBy", "reason": "UNKNOWN_RECORD"}])
    differing = [field for field in ("evidence", "department") if content[field] != cause[field]]
    if zoned(content["occurredAt"]) != zoned(cause["occurredAt"]):
        differing.append("occurredAt")
    if differing:
        raise Unprocessable([{"field": field, "reason": "DIFFERS_FROM_CAUSE"} for field in differing])


def check_repair(body: object) -> Document:
    """Return the page's fields of a posted repair; raise Unprocessable naming each bad field."""
    content, errors = _picked(body, _REPAIR_FIELDS)
    if errors:
        raise Unprocessable(errors)
    return content


def check_repairable(repair: Document, record: Document) -> None:
    """Raise Unprocessable EXCEEDS_RECORD beyond the record's open points, EXPIRED more than a calendar year after it."""
    wanted, still_open = points_of(repair["points"]), points_of(record["openPoints"])
    completed, occurred = zoned(repair["completedAt"]), zoned(record["occurredAt"])
    assert wanted is not None  # noqa: S101 - check_repair looked
    assert completed is not None  # noqa: S101 - check_repair looked
    assert occurred is not None  # noqa: S101 - check_record looked
    errors = []
    if still_open is None or wanted > still_open:
        errors.append({"field": "points", "reason": "EXCEEDS_RECORD"})
    if completed.astimezone(BEIJING).date() > _a_year_after(occurred.astimezone(BEIJING).date()):
        errors.append({"field": "completedAt", "reason": "EXPIRED"})
    if errors:
        raise Unprocessable(errors)


def _a_year_after(day: date) -> date:
    last = calendar.monthrange(day.year + 1, day.month)[1]
    return day.replace(year=day.year + 1, day=min(day.day, last))


def check_subject(body: object, code: str) -> Document:
    """Return the page's fields of a subject put under code; raise Unprocessable naming each bad field."""
    kinds = {"USCC": is_uscc, "RESIDENT_ID": is_resident_code}
    if not isinstance(body, dict):
        raise Unprocessable([{"field": "", "reason": "NOT_AN_OBJECT"}])
    errors = [{"field": field, "reason": "MALFORMED"} for field in ("code", "codeType", "name") if not _is_text(body.get(field))]
    if not errors and body["code"] != code:
        errors.append({"field": "code", "reason": "DIFFERS_FROM_PATH"})
    elif not errors and (body["codeType"] not in kinds or not kinds[body["codeType"]](code)):
        errors.append({"field": "codeType", "reason": "DOES_NOT_FIT_CODE"})
    if errors:
        raise Unprocessable(errors)
    return {field: body[field] for field in ("code", "codeType", "name")}


def same_content(first: Document, second: Document) -> bool:
    """Tell whether two checked submissions say the same; moments count as moments, however their offset is written."""
    return _comparable(first) == _comparable(second)


def _comparable(content: Document) -> Document:
    return {field: zoned(value) if field in {"occurredAt", "completedAt"} else value for field, value in content.items()}
