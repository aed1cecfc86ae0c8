"""What the credit platform knows: subjects, records and repairs, and how it judges a subject anew after each of them.

The judgement (score, grade, points) is the platform's own and nobody else's business; `CreditRegister` is used by credit.py alone.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

from mocks.approval_signing import sm3_hex
from mocks.credit_records import (
    COMMITMENT_BREACH,
    COMPREHENSIVE_DEDUCTION,
    REGULATORY_POINTS,
    RESPONSIBLE_PERSON,
    points_of,
    points_text,
    zoned,
)
from mocks.platform import BEIJING
from mocks.store import Document, Store

KINDS: Final = {"subject": "code", "record": "recordId", "repair": "repairId"}
"""The kinds of the feed, with the field that identifies each."""

_GRADES: Final = ((90, "A"), (80, "B"), (70, "C"), (60, "D"), (0, "E"))
_UNKNOWN_SCORE: Final = 85.0

Changed = Callable[[str, str, Document], None]
"""Told of every change: kind, "upsert" or "delete", data."""


class CreditRegister:
    """Subjects, records and repairs in the store, with what is needed to find them; each change is told to `changed`."""

    def __init__(self, store: Store, *, now: Callable[[], datetime], changed: Changed, person_deduction: float) -> None:
        """`person_deduction` is what a RESPONSIBLE_PERSON record takes from a person's score, the platform's own rule."""
        self._store = store
        self._now = now
        self._changed = changed
        self._person_deduction = person_deduction
        self._by_biz_no: dict[tuple[str, str], str] = {}
        self._records_of: defaultdict[str, list[str]] = defaultdict(list)
        self._buckets: dict[str, list[set[str]]] = {kind: [set() for _ in range(256)] for kind in KINDS}
        self._order = {kind: store.index(kind, lambda _document: 0) for kind in KINDS}
        for kind in KINDS:
            for key, document in store.all(kind).items():
                self._enter(kind, key, document)

    # --- finding

    def get(self, kind: str, key: str) -> Document | None:
        """Return the document of that kind as the platform shows it, or None."""
        document = self._store.get(kind, key)
        return None if document is None else _shown(document)

    def by_biz_no(self, kind: str, biz_no: str) -> Document | None:
        """Return the record or repair that came with that bizNo, or None."""
        key = self._by_biz_no.get((kind, biz_no))
        return None if key is None else self.get(kind, key)

    def after(self, kind: str, key: str, count: int, code: str | None = None) -> list[Document]:
        """Return up to so many documents behind that key, in the order of keys; with a code the records of that subject only."""
        if code is not None:
            keys = [found for found in sorted(self._records_of.get(code, ())) if found > key][:count]
        else:
            keys = [found for _, found in self._order[kind].between(after=(0, key))[:count]]
        return [_shown(self._store.all(kind)[found]) for found in keys]

    def digest(self, kind: str, bucket: int) -> tuple[int, str]:
        """Return count and SM3 of the lines `id:version` over the ids whose own SM3 begins with that byte."""
        keys = sorted(self._buckets[kind][bucket])
        lines = "".join(f"{key}:{self._store.all(kind)[key]['version']}\n" for key in keys)
        return len(keys), sm3_hex(lines.encode())

    # --- changing

    def know(self, content: Document, *, base_score: float | None = None, old_codes: list[str] | None = None) -> bool:
        """Make a subject known, or give a known one its new name; return whether it is new."""
        before = self._store.get("subject", content["code"])
        if before is None:
            score = _UNKNOWN_SCORE if base_score is None else base_score
            new: Document = {**content, "score": score, "grade": _grade(score), "regulatoryPoints": 0.0, "version": 1}
            self._put("subject", {**new, "updatedAt": self._stamp(), "oldCodes": old_codes or [], "_base": score})
            return True
        if before["name"] != content["name"]:
            self._next("subject", before, name=content["name"])
        return False

    def add_record(self, content: Document) -> Document:
        """Enter a checked record of a known subject, judge the subject anew, return the record."""
        stamp = self._stamp()
        record = {
            **content,
            "recordId": f"CR{self._store.next_number('record'):012d}",
            "version": 1,
            "openPoints": content["points"],
            "createdAt": stamp,
            "updatedAt": stamp,
            "cancelled": False,
        }
        self._put("record", record)
        self.judge(record["code"])
        return record

    def add_repair(self, content: Document) -> Document:
        """Enter a checked repair: its points leave the record's open ones; return the repair."""
        repair = {
            **content,
            "repairId": f"CX{self._store.next_number('repair'):012d}",
            "version": 1,
            "createdAt": self._stamp(),
        }
        record = self._store.all("record")[content["recordId"]]
        self._put("repair", repair)
        self._next("record", record, openPoints=points_text(_points(record["openPoints"]) - _points(content["points"])))
        self.judge(record["code"])
        return repair

    def cancel(self, record_id: str) -> Document:
        """Cancel a record: it counts no longer; return it. Twice equals once."""
        record = self._store.all("record")[record_id]
        if not record["cancelled"]:
            self._next("record", record, cancelled=True, openPoints="0.0")
            self.judge(record["code"])
        return self._store.all("record")[record_id]

    def set_base(self, code: str, score: float) -> None:
        """Set the score that the subject has before its records are counted, and judge it anew."""
        subject = self._store.all("subject")[code]
        self._store.put("subject", code, {**subject, "_base": score})
        self.judge(code)

    def delete(self, kind: str, key: str) -> None:
        """Take a document away: the feed gets a delete with nothing but its id; raise LookupError where there is none."""
        document = self._store.get(kind, key)
        if document is None:
            raise LookupError(f"credit platform: no {kind} {key!r}")
        self._store.delete(kind, key)
        self._buckets[kind][_bucket(key)].discard(key)
        self._by_biz_no.pop((kind, document.get("bizNo", "")), None)
        if kind == "record":
            self._records_of[document["code"]].remove(key)
        self._changed(kind, "delete", {KINDS[kind]: key})
        if kind == "record":
            self.judge(document["code"])

    def contradict(self, kind: str, key: str, fields: Document) -> None:
        """Platform fault for tests: other content under the same version."""
        self._put(kind, {**self._store.all(kind)[key], **fields})

    def judge_all(self) -> None:
        """Judge every subject anew, as at the turn of a period."""
        for code in list(self._store.all("subject")):
            self.judge(code)

    def judge(self, code: str) -> None:
        """Re-evaluate a subject; only a changed judgement makes a new version."""
        subject = self._store.get("subject", code)
        if subject is None:
            return
        year, taken, standing = self._now().astimezone(BEIJING).year, Decimal(0), Decimal(0)
        for record in self._counting(code):
            if record["category"] in {COMMITMENT_BREACH, COMPREHENSIVE_DEDUCTION}:
                taken += _points(record["openPoints"])
            elif record["category"] == RESPONSIBLE_PERSON:
                taken += Decimal(str(self._person_deduction))
            elif record["category"] == REGULATORY_POINTS and _beijing_year(record["occurredAt"]) == year:
                standing += _points(record["openPoints"])
        score = max(0.0, subject["_base"] - float(taken))
        judged = {"score": score, "grade": _grade(score), "regulatoryPoints": float(standing)}
        if any(subject[field] != value for field, value in judged.items()):
            self._next("subject", subject, **judged)

    # --- keeping

    def _counting(self, code: str) -> Iterator[Document]:
        for key in self._records_of.get(code, ()):
            record = self._store.all("record")[key]
            if not record["cancelled"]:
                yield record

    def _next(self, kind: str, before: Document, **fields: object) -> None:
        self._put(kind, {**before, **fields, "version": before["version"] + 1, "updatedAt": self._stamp()})

    def _put(self, kind: str, document: Document) -> None:
        key = document[KINDS[kind]]
        if self._store.get(kind, key) is None:
            self._enter(kind, key, document)
        self._store.put(kind, key, document)
        self._changed(kind, "upsert", _shown(document))

    def _enter(self, kind: str, key: str, document: Document) -> None:
        self._buckets[kind][_bucket(key)].add(key)
        if "bizNo" in document:
            self._by_biz_no[kind, document["bizNo"]] = key
        if kind == "record":
            self._records_of[document["code"]].append(key)

    def _stamp(self) -> str:
        return self._now().isoformat(timespec="milliseconds")


def _bucket(key: str) -> int:
    return int(sm3_hex(key.encode())[:2], 16)


def _shown(document: Document) -> Document:
    return {field: value for field, value in document.items() if not field.startswith("_")}


def _grade(score: float) -> str:
    return next(grade for least, grade in _GRADES if score >= least)


def _points(text: str) -> Decimal:
    points = points_of(text)
    if points is None:
        raise ValueError(f"points {text!r} are no text with one decimal")
    return points


def _beijing_year(text: str) -> int:
    moment = zoned(text)
    if moment is None:
        raise ValueError(f"{text!r} is no time with offset")
    return moment.astimezone(BEIJING).year
