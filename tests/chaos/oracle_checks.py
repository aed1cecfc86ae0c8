"""Checks: each breach has its credit record, each order its recheck, what is unmended its referral; the rest is on the ops list."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime

from mocks.breaches import Breach, breaches
from mocks.reference import CASE_UNITS
from mocks.store import Document
from tests.chaos.oracle_approvals import SAID, code_of, end_of_working_day
from tests.chaos.picture import Picture

REGULATORY, COMMITMENT = "REGULATORY_POINTS", "COMMITMENT_BREACH"


def is_referral(task: Document) -> bool:
    """Return whether a recheck led to a task."""
    return task["type"] == "SPECIAL" and (task["origin"] or {}).get("platform") == "enforcement"


def _task_of(picture: Picture, breach: Breach) -> Document:
    return next(task for task in picture.tasks() if task["taskId"] == breach.ref)


def subject_of(picture: Picture, breach: Breach) -> str | None:
    """Return whose record a breach is: whom the result names, else the applicant of the approval behind it."""
    if breach.code is not None:
        return breach.code
    origin = _task_of(picture, breach)["origin"] or {}
    if origin.get("platform") != "approval":
        return None
    return code_of(picture, picture.all("approval", "record")[origin["ref"]])


def _present(picture: Picture) -> dict[str, Breach]:
    return breaches(picture.tasks(), picture.platforms.enforcement.items)


def _once(picture: Picture) -> Mapping[str, list[Breach]]:
    """Return what each breach was in any version of its check."""
    found = defaultdict[str, list[Breach]](list)
    for task in picture.tasks():
        for version in picture.versions("enforcement", "task", task["taskId"]):
            for key, breach in breaches([version], picture.platforms.enforcement.items).items():
                found[key].append(breach)
    return found


def _key(picture: Picture, record: Document) -> str:
    if record["category"] == REGULATORY:
        return f"finding {record['evidence']['finding']}"
    origin = next((task["origin"] for task in picture.tasks() if task["taskId"] == record["evidence"]["ref"]), None) or {}
    return f"approval {origin.get('ref')}"


def recorded(picture: Picture) -> Iterator[str]:
    """Every breach has one record with the right points; nothing else has, but what ops knows of."""
    wanted, once, held = _present(picture), _once(picture), defaultdict[str, list[Document]](list)
    for record in picture.all("credit", "record").values():
        if record["category"] in {REGULATORY, COMMITMENT}:
            held[_key(picture, record)].append(record)
    for key in sorted(wanted.keys() | held.keys()):
        breach, found = wanted.get(key), held.get(key, [])
        if len(found) > 1:
            yield f"{key} has {len(found)} credit records"
        if breach is not None and not found and subject_of(picture, breach) is not None:
            yield f"{key}: a breach in task {breach.ref}, and no credit record"
        for record in found:
            yield from _record(picture, key, record, breach, once.get(key, []))


def _record(picture: Picture, key: str, record: Document, breach: Breach | None, once: list[Breach]) -> Iterator[str]:
    name, made = record["recordId"], (record["category"], record["points"], record["code"])
    if made not in [(each.category, each.points, subject_of(picture, each)) for each in once]:
        yield f"{key}: record {name} says {made}, which no check ever said"
        return
    sent = {"biz_no": record["bizNo"]}
    if breach is None:
        if not record["cancelled"] and not picture.was_told("breach-record.withdrawn-after-sent", sent):
            yield f"{key}: record {name} was withdrawn by its check, and ops does not know"
        return
    now = (breach.category, breach.points, subject_of(picture, breach))
    if made != now and not picture.was_told(
        "breach-record.changed-after-sent", {**sent, "points": made[1], "code": made[2]}, {"points": now[1], "code": now[2]}
    ):
        yield f"{key}: record {name} says {made}, its check {now}, and ops does not know"
    if record["cancelled"] and not any(one.cause == _obligation(picture, breach) for one in picture.items("cancelled-though-owed")):
        yield f"{key}: record {name} was cancelled, is owed all the same, and ops does not know"
    yield from _evidence(picture, key, record, breach)


def _evidence(picture: Picture, key: str, record: Document, breach: Breach) -> Iterator[str]:
    task = _task_of(picture, breach)
    versions = picture.versions("enforcement", "task", breach.ref)
    times = {datetime.fromisoformat(result["checkedAt"]) for each in versions for result in each["results"]}
    if datetime.fromisoformat(record["occurredAt"]) not in times:
        yield f"{key}: record {record['recordId']} occurred at {record['occurredAt']}, when nothing was checked"
    finding = next((one for each in task["results"] for one in each["findings"] if one["findingId"] == breach.finding), None)
    approval = picture.all("approval", "record").get((task["origin"] or {}).get("ref", ""))
    item = finding["itemCode"] if finding else approval["SXBM"] if approval else None
    if (record["itemCode"], record["department"], record["evidence"]["ref"]) != (item, task["department"], breach.ref):
        yield f"{key}: record {record['recordId']} is for {record['itemCode']} by {record['department']}: {record['evidence']}"


def _obligation(picture: Picture, breach: Breach) -> str:
    """Return the key of the record that a breach must leave (DOMAIN.md, breach-record: finding, or approval)."""
    if breach.finding is not None:
        return f"breach-record:{breach.finding}"
    return f"breach-record:{_task_of(picture, breach)['origin']['ref']}"


def _unpriced(picture: Picture) -> Iterator[tuple[Document, Document]]:
    """Return the findings that take points which nobody names, with their tasks."""
    priced = _present(picture)
    for task in picture.tasks():
        if task["type"] in {"COMMITMENT", "RECHECK"} or is_referral(task):
            continue
        for result in task["results"]:
            for finding in result["findings"] if result["conclusion"] == "NONCONFORM" else ():
                if not finding["conform"] and f"finding {finding['findingId']}" not in priced:
                    yield task, finding


def told_of(picture: Picture) -> Iterator[str]:
    """What only a person can settle is on the ops list: nobody reached, nothing named, no price; and nothing that never was."""
    expected: defaultdict[str, set[str]] = defaultdict(set)
    ever: defaultdict[str, set[str]] = defaultdict(set)
    for task in picture.tasks():
        for version in picture.versions("enforcement", "task", task["taskId"]):
            for kind in _kinds(version):
                ever[kind].add(task["taskId"])
                if version is task:
                    expected[kind].add(task["taskId"])
    expected["unknown-points"] = {finding["findingId"] for _, finding in _unpriced(picture)}
    for kind in ("unreachable", "nonconform-without-findings", "unknown-points"):
        told = {one.cause for one in picture.items(kind)}
        for cause in sorted(expected[kind] - told):
            yield f"{kind}: {cause}, and ops does not know"
        for cause in sorted(told - ever[kind]) if kind != "unknown-points" else ():
            yield f"{kind}: ops was told of {cause}, which never was so"


def _kinds(task: Document) -> set[str]:
    said = {result["conclusion"] for result in task["results"]} if task["status"] in SAID else set()
    kinds = {"unreachable"} & {"unreachable" if each == "UNREACHABLE" else "" for each in said}
    takes_points = task["type"] not in {"COMMITMENT", "RECHECK"} and not is_referral(task)
    bare = [
        one for one in task["results"] if one["conclusion"] == "NONCONFORM" and not any(not f["conform"] for f in one["findings"])
    ]
    if takes_points and task["status"] in SAID and bare:
        kinds.add("nonconform-without-findings")
    return kinds


def orders_of(task: Document) -> dict[str, Document]:
    """Return the results that give an order to mend, by its number."""
    if task["status"] not in SAID:
        return {}
    return {result["rectification"]["orderNo"]: result for result in task["results"] if result["rectification"]}


def bad_items(result: Document) -> frozenset[str]:
    """Return the items of a result that do not conform."""
    return frozenset(finding["itemCode"] for finding in result["findings"] if not finding["conform"])


def rechecked(picture: Picture) -> Iterator[str]:
    """Each order that stands has one recheck, due the first working day after its deadline."""
    standing = {no: (task, result) for task in picture.tasks() for no, result in orders_of(task).items()}
    made = {task["origin"]["ref"]: task for task in picture.tasks("enforcement", kind="RECHECK")}
    for no in sorted(standing.keys() | made.keys()):
        found, recheck = picture.tasks("enforcement", no, "RECHECK"), made.get(no)
        if len(found) > 1:
            yield f"order {no} has {len(found)} rechecks"
        if recheck is None:
            yield f"order {no} of task {standing[no][0]['taskId']} has no recheck"
            continue
        sent = {"external_no": recheck["externalNo"]}
        if no not in standing:
            if not picture.was_told("recheck.withdrawn-after-sent", sent):
                yield f"order {no} was withdrawn, its recheck {recheck['taskId']} stands, and ops does not know"
            continue
        yield from _recheck(picture, recheck, *standing[no])


def _recheck(picture: Picture, recheck: Document, task: Document, result: Document) -> Iterator[str]:
    due = end_of_working_day(datetime.fromisoformat(result["rectification"]["deadline"]).date(), 1)
    if recheck["department"] != task["department"]:
        yield f"recheck {recheck['taskId']} is for {recheck['department']}, not {task['department']}"
    found = datetime.fromisoformat(recheck["dueAt"])
    told = picture.items("recheck.changed-after-sent")
    if found != due and not any(datetime.fromisoformat(one.after.get("due_at", "1970-01-01T00:00:00Z")) == due for one in told):
        yield f"recheck {recheck['taskId']} is due {found}, not {due}, and ops does not know"


def _referable(picture: Picture, recheck: Document) -> tuple[bool | None, frozenset[str]]:
    """Return whether what a recheck found is to be referred, None while its order is not known, and which items are new."""
    bad = [one for one in recheck["results"] if recheck["status"] == "DONE" and one["conclusion"] == "NONCONFORM"]
    if not bad:
        return False, frozenset()
    order = recheck["origin"]["ref"]
    given = [orders_of(task)[order] for task in picture.tasks() if task is not recheck and order in orders_of(task)]
    if not given:
        return None, frozenset()
    told, found = bad_items(given[0]), bad_items(bad[0])
    return not told or not found or bool(told & found), found - told if told else frozenset()


def referred(picture: Picture) -> Iterator[str]:
    """What a recheck finds unmended is referred to the case unit, once; what is new is on the ops list."""
    for recheck in picture.tasks("enforcement", kind="RECHECK"):
        wanted, new = _referable(picture, recheck)
        found = picture.tasks("enforcement", recheck["taskId"], "SPECIAL")
        if len(found) > 1:
            yield f"recheck {recheck['taskId']} has {len(found)} referrals"
        if wanted and not found:
            yield f"recheck {recheck['taskId']} found the same unmended, and nothing is referred"
        for referral in found:
            sent = {"external_no": referral["externalNo"]}
            if referral["department"] != CASE_UNITS.get(recheck["department"], recheck["department"]):
                yield f"referral {referral['taskId']} is for {referral['department']}: {recheck['department']} found it"
            if not wanted and not picture.was_told("penalty-referral.withdrawn-after-sent", sent):
                yield f"referral {referral['taskId']}: nothing is unmended any more, and ops does not know"
        if new and not picture.items("new-items-in-recheck", recheck["taskId"]):
            yield f"recheck {recheck['taskId']} found new items {sorted(new)}, and ops does not know"


def waiting(picture: Picture) -> Iterator[str]:
    """Return the keys of records that lack a code or a price, and of referrals whose order is not known."""
    records = {
        _key(picture, one) for one in picture.all("credit", "record").values() if one["category"] in {REGULATORY, COMMITMENT}
    }
    for key, breach in _present(picture).items():
        if subject_of(picture, breach) is None and key not in records:
            yield _obligation(picture, breach)
    for _, finding in _unpriced(picture):
        if f"finding {finding['findingId']}" not in records:
            yield f"breach-record:{finding['findingId']}"
    for recheck in picture.tasks("enforcement", kind="RECHECK"):
        if _referable(picture, recheck)[0] is None and not picture.tasks("enforcement", recheck["taskId"], "SPECIAL"):
            yield f"penalty-referral:{recheck['taskId']}"


RULES = (recorded, told_of, rechecked, referred)
