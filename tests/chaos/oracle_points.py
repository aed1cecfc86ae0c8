"""Points: each full dozen has its deduction, a serious subject's person in charge a record, key supervision names every cause."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from mocks.platform import BEIJING
from mocks.store import Document
from tests.chaos.oracle_approvals import broken, check_of, code_of, kept
from tests.chaos.oracle_checks import REGULATORY, orders_of
from tests.chaos.picture import Picture, number

DOZEN = Decimal(12)
Period = tuple[str, int]


def year_of(record: Document) -> int:
    """Return the period of a record: the Beijing year in which it occurred."""
    return datetime.fromisoformat(record["occurredAt"]).astimezone(BEIJING).year


def periods(picture: Picture) -> Mapping[Period, Sequence[Document]]:
    """Return the records that took regulatory points, in the order in which the credit platform accepted them."""
    found = defaultdict[Period, list[Document]](list)
    for record in picture.all("credit", "record").values():
        if record["category"] == REGULATORY:
            found[record["code"], year_of(record)].append(record)
    return {key: sorted(some, key=lambda one: (one["createdAt"], one["recordId"])) for key, some in found.items()}


def fillers(records: Sequence[Document]) -> list[Document]:
    """Return the record that filled each full dozen; a cancelled one counts no more."""
    filled, taken = list[Document](), Decimal(0)
    for record in records:
        taken += Decimal(record["points"]) if not record["cancelled"] else 0
        filled += [record] * (int(taken // DOZEN) - len(filled))
    return filled


def dozens(picture: Picture) -> Iterator[str]:
    """Each full dozen of a subject's period has one deduction of 2."""
    found = _caused(picture, "COMPREHENSIVE_DEDUCTION")
    taken = periods(picture)
    for period in sorted(taken.keys() | found.keys()):
        records, made = taken.get(period, []), found.get(period, [])
        wanted = fillers(records)
        numbers = {number("CD", f"comprehensive-deduction:{period[0]}:{period[1]}:{n}"): n for n in range(1, 40)}
        for record in made:
            n = numbers.pop(record["bizNo"], 0)
            yield from _deduction(picture, record, n, wanted, records)
        for n in range(1, len(wanted) + 1):
            if n in numbers.values():
                yield f"{period}: dozen {n} of {len(wanted)} has no deduction"


def _caused(picture: Picture, category: str) -> Mapping[Period, list[Document]]:
    found = defaultdict[Period, list[Document]](list)
    by_number = {record["bizNo"]: record for record in picture.all("credit", "record").values()}
    for record in picture.all("credit", "record").values():
        if record["category"] == category:
            found[by_number[record["causedBy"]]["code"], year_of(record)].append(record)
    return found


def _deduction(picture: Picture, record: Document, n: int, wanted: list[Document], records: Sequence[Document]) -> Iterator[str]:
    name = f"deduction {record['recordId']} of {record['code']}"
    if n == 0:
        yield f"{name} is for no dozen, or for one that has another"
        return
    if (record["points"], record["itemCode"]) != ("2.0", "DOZEN"):
        yield f"{name} takes {record['points']} for {record['itemCode']}"
    if n > len(wanted):
        if not record["cancelled"] and not picture.was_told(
            "comprehensive-deduction.withdrawn-after-sent", {"biz_no": record["bizNo"]}
        ):
            yield f"{name}: dozen {n} is not full any more, and ops does not know"
    elif record["cancelled"]:
        if not any(one.after == {} and record["recordId"] in one.message for one in picture.items("cancelled-though-owed")):
            yield f"{name} was cancelled, is owed all the same, and ops does not know"
    else:
        yield from _filled_by(picture, name, record, wanted[n - 1], records)


def _filled_by(picture: Picture, name: str, record: Document, wanted: Document, records: Sequence[Document]) -> Iterator[str]:
    """Say where the record that a dozen names cannot have filled it; one that the hub saw first may have."""
    if any(one["cancelled"] for one in records):
        return
    numbers = [one["bizNo"] for one in records]
    at, filled = numbers.index(wanted["bizNo"]), numbers.index(record["causedBy"])
    if filled < at or (picture.strict and filled != at):
        yield f"{name} was caused by {record['causedBy']}, the dozen was filled by {wanted['bizNo']}"


def representative_of(picture: Picture, code: str) -> set[str]:
    """Return the codes of the legal representatives whom a subject's approvals name."""
    people = set()
    for record in picture.all("approval", "record").values():
        if record.get("FRZJHM") and code_of(picture, record) == code:
            people.add(picture.platforms.credit.resident_code(record["FRZJHM"]))
    return people


def in_charge(picture: Picture) -> Iterator[str]:
    """The person in charge of a serious subject has one record, without points."""
    found = _caused(picture, "RESPONSIBLE_PERSON")
    taken = periods(picture)
    for period in sorted(taken.keys() | found.keys()):
        code, made = period[0], found.get(period, [])
        serious, people = bool(fillers(taken.get(period, []))), representative_of(picture, code)
        if len(made) > 1:
            yield f"{period} has {len(made)} records of the person in charge"
        if serious and not code.startswith("RID-") and people and not made:
            yield f"{period} is serious, and the person in charge has no record"
        for record in made:
            if record["code"] not in people or record["points"] != "0.0" or code.startswith("RID-"):
                yield f"record {record['recordId']} of {record['code']} for {period}: in charge are {people}"
            sent = {"biz_no": record["bizNo"]}
            if not serious and not record["cancelled"] and not picture.was_told("responsible-person.withdrawn-after-sent", sent):
                yield f"{period} is not serious any more, the person in charge has a record, and ops does not know"


def causes_of(picture: Picture, code: str) -> set[str]:
    """Return why a subject is to be watched now: approvals whose promise was broken and not mended, its serious period."""
    causes = set()
    for no, record in picture.all("approval", "record").items():
        task = check_of(picture, no)
        if code_of(picture, record) == code and task and broken(task) and not _is_mended(picture, task):
            causes.add(f"未履行告知承诺：{no}")
    for (owner, year), records in periods(picture).items():
        if owner == code and fillers(records) and year >= picture.now.astimezone(BEIJING).year:
            causes.add(f"严重失信：{year}年度")
    return causes


def _is_mended(picture: Picture, task: Document) -> bool:
    orders, seen = set(orders_of(task)), set[str]()
    while orders - seen:
        order = (orders - seen).pop()
        seen.add(order)
        for recheck in picture.tasks("enforcement", order, "RECHECK"):
            if kept(recheck):
                return True
            orders |= set(orders_of(recheck))
    return False


def watched(picture: Picture) -> Iterator[str]:
    """A subject with open causes has one entry that names them all; nobody else has one."""
    entries = picture.all("enforcement", "key subject")
    codes = set(picture.people.values()) | entries.keys()
    for code in sorted(codes):
        wanted, entry = causes_of(picture, code), entries.get(code)
        named = set(entry["reason"].split("；")) if entry else set()
        if named != wanted:
            yield f"key supervision of {code} names {sorted(named)}, open are {sorted(wanted)}"


def waiting(picture: Picture) -> Iterator[str]:
    """Return the keys of records of a person in charge whom no approval names."""
    for (code, year), records in periods(picture).items():
        owed = fillers(records) and not code.startswith("RID-") and not representative_of(picture, code)
        if owed and not _caused(picture, "RESPONSIBLE_PERSON").get((code, year)):
            yield f"responsible-person:{code}:{year}"


RULES = (dozens, in_charge, watched)
