"""Approvals: each granted one has its check, the check's result is written back, a broken promise is on the blacklist."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import chinese_calendar

from mocks.platform import BEIJING
from mocks.store import Document
from tests.chaos.picture import Picture

BEGUN = frozenset({"ACCEPTED", "IN_PROGRESS", "DONE", "TRANSFERRED"})
SAID = frozenset({"DONE", "TRANSFERRED"})


def is_granted(record: Document) -> bool:
    """Return whether a record says that its approval is granted."""
    return record["ZT"] == "02" and record.get("SPJG") == "1"


def code_of(picture: Picture, record: Document) -> str | None:
    """Return the code of an approval's applicant on the credit platform; None while only an old number is known."""
    for field in ("TYSHXYDM", "SFZHM", "ZCH"):
        if record.get(field):
            return str(record["TYSHXYDM"]) if field == "TYSHXYDM" else picture.people.get(str(record[field]))
    return None


def check_of(picture: Picture, no: str) -> Document | None:
    """Return the check that was made for an approval, the oldest if there are several."""
    return next(iter(picture.tasks("approval", no)), None)


def kept(task: Document) -> bool | None:
    """Return whether a finished check found the promise kept, None where it says nothing."""
    said = {result["conclusion"] for result in task["results"]} if task["status"] == "DONE" else set()
    if "NONCONFORM" in said:
        return False
    return True if "CONFORM" in said else None


def broken(task: Document) -> Document | None:
    """Return the result by which a check on commitment found the promise broken."""
    if task["type"] != "COMMITMENT" or task["status"] not in SAID:
        return None
    return next((result for result in task["results"] if result["conclusion"] == "NONCONFORM"), None)


def end_of_working_day(day: date, days: int) -> datetime:
    """Return the end of the n-th working day after a day, Beijing."""
    while days:
        day += timedelta(days=1)
        days -= chinese_calendar.is_workday(day)
    return datetime.combine(day, time(23, 59, 59), BEIJING)


def verified(picture: Picture) -> Iterator[str]:
    """Every approval is verified, once; nothing that was never granted is."""
    approvals = picture.all("approval", "record")
    for no, record in approvals.items():
        tasks = picture.tasks("approval", no)
        granted = [each for each in picture.versions("approval", "record", no) if is_granted(each)]
        if len(tasks) > 1:
            yield f"approval {no} has {len(tasks)} checks"
        if tasks and not granted:
            yield f"approval {no} was never granted and has a check"
        if is_granted(record) and not tasks:
            yield f"approval {no} is granted and has no check"
        for task in tasks if granted else ():
            yield from _is_right(picture, task, record, granted)
    for task in picture.tasks("approval"):
        if task["origin"]["ref"] not in approvals:
            yield f"task {task['taskId']} is about an approval that is not there"


def _is_right(picture: Picture, task: Document, record: Document, granted: list[Document]) -> Iterator[str]:
    made = (task["type"], task["department"])
    wanted = [("COMMITMENT" if each["SPFS"] == "1" else "APPROVAL", each["BMBM"]) for each in granted]
    if made not in wanted:
        yield f"task {task['taskId']} is {made}, and its approval was {wanted}"
    if is_granted(record) and made != wanted[-1]:
        before, after = {"external_no": task["externalNo"]}, {"type": wanted[-1][0], "department": wanted[-1][1]}
        if not picture.was_told("approval-verification.changed-after-sent", before, after):
            yield f"task {task['taskId']} is {made}, its approval is {wanted[-1]}, and ops does not know"
    decided = datetime.fromisoformat(granted[0]["BJSJ"]).date()
    due = end_of_working_day(decided, 20 if task["type"] == "COMMITMENT" else 60)
    if datetime.fromisoformat(task["dueAt"]) != due:
        yield f"task {task['taskId']} is due {task['dueAt']}, not {due.isoformat()}"
    subject = picture.all("enforcement", "task subjects")[task["taskId"]]["subjects"][0]["code"]
    if subject != code_of(picture, record) and not (subject is None and record.get("ZCH")):
        yield f"task {task['taskId']} is about {subject}, its approval about {code_of(picture, record)}"


def revoked(picture: Picture) -> Iterator[str]:
    """The check of a revoked approval is cancelled, or ops knows why not."""
    for no, record in picture.all("approval", "record").items():
        task = check_of(picture, no)
        if record["ZT"] != "03" or task is None or task["status"] == "CANCELLED":
            continue
        if task["status"] not in BEGUN:
            yield f"approval {no} is revoked, and its check {task['taskId']} is {task['status']}"
        elif not any(one.kind.startswith("approval-revoked.") and no in one.cause for one in picture.told):
            yield f"approval {no} is revoked, its check {task['taskId']} is {task['status']}, and ops does not know"


def cancelled(picture: Picture) -> Iterator[str]:
    """A check of ours that somebody cancelled there is on the ops list."""
    records = picture.all("approval", "record")
    for task in picture.tasks():
        origin = task["origin"] or {}
        theirs = task["status"] == "CANCELLED" and task["externalNo"] and origin.get("platform") != "grid"
        is_revoked = origin.get("platform") == "approval" and records[origin["ref"]]["ZT"] == "03"
        told = picture.items("task-cancelled", task["taskId"])
        if theirs and not is_revoked and not told:
            yield f"task {task['taskId']} was cancelled there, and ops does not know"
        if told and task["status"] != "CANCELLED":
            yield f"ops was told that task {task['taskId']} was cancelled, which it was not"


def written_back(picture: Picture) -> Iterator[str]:
    """The approval carries the result of its check; what no longer holds is on the ops list."""
    for no, record in picture.all("approval", "record").items():
        task = check_of(picture, no)
        said = kept(task) if task else None
        wanted, found = {True: "1", False: "2", None: None}[said], record.get("HCJG")
        if wanted is not None and (found, record.get("HCRWBH")) != (wanted, task["taskId"] if task else None):
            yield f"approval {no} has result {found} of {record.get('HCRWBH')}, its check says {wanted}"
        if wanted is None and found is not None:
            if task is None or (found == "1") not in {
                kept(each) for each in picture.versions("enforcement", "task", task["taskId"])
            }:
                yield f"approval {no} has result {found}, and its check never said so"
            elif not picture.was_told("verification-result.withdrawn-after-sent", {"approval_no": no, "kept": found == "1"}):
                yield f"approval {no} has result {found}, its check says nothing any more, and ops does not know"


def blacklisted(picture: Picture) -> Iterator[str]:
    """Each broken promise has one entry for its matter; what no longer holds is on the ops list."""
    entries = {entry["yy"]: entry for entry in picture.all("approval", "hmd").values()}
    found = {no: list[Document]() for no in picture.all("approval", "record")}
    for entry in picture.all("approval", "hmd").values():
        no = next((each for each in found if each in entry["yy"]), None)
        if no is None:
            yield f"blacklist entry {entry['wybh']} is for no approval: {entry['yy']}"
        else:
            found[no].append(entry)
    if len(entries) < len(picture.all("approval", "hmd")):
        yield "two blacklist entries give the same reason"
    for no, mine in found.items():
        if len(mine) > 1:
            yield f"approval {no} has {len(mine)} blacklist entries"
        yield from _entry(picture, no, mine[0] if mine else None)


def _entry(picture: Picture, no: str, entry: Document | None) -> Iterator[str]:
    record, task = picture.all("approval", "record")[no], check_of(picture, no)
    holder = record.get("SFZHM") or code_of(picture, record)
    versions = picture.versions("enforcement", "task", task["taskId"]) if task else ()
    wanted = [(holder, record["SXBM"], bad["checkedAt"][:10]) for each in versions if (bad := broken(each))]
    now = (holder, record["SXBM"], bad["checkedAt"][:10]) if task and (bad := broken(task)) else None
    made = (entry["dxbs"], entry["sxbm"], entry["rdrq"]) if entry else None
    if entry is None:
        if now is not None and holder is not None:
            yield f"approval {no}: a broken promise, and no blacklist entry"
        return
    if made not in wanted:
        yield f"blacklist entry {entry['wybh']} says {made}, which no check ever said: {wanted}"
    elif now is None and not picture.was_told("commitment-blacklist.withdrawn-after-sent", {"entry_no": entry["wybh"]}):
        yield f"blacklist entry {entry['wybh']}: the promise is not broken any more, and ops does not know"
    elif now is not None and now != made:
        before, after = {"entry_no": entry["wybh"], "since": entry["rdrq"]}, {"since": now[2]}
        if not picture.was_told("commitment-blacklist.changed-after-sent", before, after):
            yield f"blacklist entry {entry['wybh']} says {made}, the check {now}, and ops does not know"


def waiting(picture: Picture) -> Iterator[str]:
    """Return the keys of blacklist entries whose holder is not known."""
    for no, record in picture.all("approval", "record").items():
        task = check_of(picture, no)
        if task and broken(task) and not (record.get("SFZHM") or code_of(picture, record)):
            yield f"commitment-blacklist:{no}"


RULES = (verified, revoked, cancelled, written_back, blacklisted)
