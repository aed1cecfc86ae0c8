"""The oracle: what must exist on the platforms after a history, by DOMAIN's rules alone; no code of the hub decides here.

Each function looks at the whole picture and yields a sentence for everything that is missing, doubled, wrong or extra. What was
sent before its correction came may stay, and must be on the ops list with both versions. Each rule is in the module of its family.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tests.chaos import oracle_approvals, oracle_checks, oracle_grid, oracle_points, oracle_subjects
from tests.chaos.picture import Picture, Told

FAMILIES = (oracle_approvals, oracle_checks, oracle_points, oracle_grid, oracle_subjects)


def differences(picture: Picture) -> Sequence[str]:
    """Return what differs from what must be; nothing where the loops are closed."""
    found = [said for family in FAMILIES for rule in family.RULES for said in rule(picture)]
    return [*found, *_doubled(picture), *_owed(picture), *_told_twice(picture), *_told_for_nothing(picture)]


def _doubled(picture: Picture) -> Iterator[str]:
    numbers = Counter(task["externalNo"] for task in picture.tasks() if task["externalNo"])
    for number, times in numbers.items():
        if times > 1:
            yield f"{times} tasks carry our number {number}"
    for task in picture.tasks():
        if task["externalNo"] and (task["origin"] or {}).get("platform") not in {"approval", "grid", "enforcement", "selfgov"}:
            yield f"task {task['taskId']} has our number and no origin that any rule has"


def _owed(picture: Picture) -> Iterator[str]:
    """Nothing is under way; what waits is what must wait."""
    expected = {key for family in FAMILIES for key in family.waiting(picture)}
    for key, state in picture.owed.items():
        if not state.startswith("WAITING"):
            yield f"{key} is still {state}"
        elif key not in expected:
            yield f"{key} is {state}, and nothing is missing"
    for key in sorted(expected - picture.owed.keys()):
        yield f"{key} must wait, and is not in the ledger as open"


def _told_twice(picture: Picture) -> Iterator[str]:
    for one, times in Counter(
        (item.kind, item.cause, item.message) for item in picture.told if "after-sent" not in item.kind
    ).items():
        if times > 1:
            yield f"ops was told {times} times: {one[0]} of {one[1]}: {one[2]}"


def _told_for_nothing(picture: Picture) -> Iterator[str]:
    """Ops is told of a correction only where something was corrected."""
    for one in picture.told:
        rule, _, kind = one.kind.partition(".")
        if kind in {"changed-after-sent", "withdrawn-after-sent"} and not _was_corrected(picture, rule, one):
            yield f"ops was told {one.kind} of {one.cause}, and nothing was corrected: {one.message}"


def _was_corrected(picture: Picture, rule: str, one: Told) -> bool:
    return rule in CORRECTED_BY and CORRECTED_BY[rule](picture, one.before)


def _a_check(picture: Picture, kind: str | None = None) -> bool:
    return any(_has_versions(picture, task["taskId"]) for task in picture.tasks(kind=kind))


def _cancelled(picture: Picture, biz_no: str | None = None) -> bool:
    records = picture.all("credit", "record").values()
    return any(record["cancelled"] and biz_no in {None, record["bizNo"]} for record in records)


def _notice_of_cancelled(picture: Picture, sent: Mapping[str, Any]) -> bool:
    """An SMS does not name its record; the row of the exchange table does."""
    return _cancelled(picture, sent.get("biz_no"))


def _revoked(picture: Picture) -> bool:
    return any(record["ZT"] == "03" for record in picture.all("approval", "record").values())


def _rerouted(picture: Picture, sent: Mapping[str, Any]) -> bool:
    """An event that waited for the hub was edited so that another department is meant."""
    versions = picture.versions("grid", "event", sent.get("origin_ref") or sent["event_no"])
    return len({oracle_grid.route_of(each) for each in versions if each["status"] == "20"}) > 1


CORRECTED_BY: Mapping[str, Callable[[Picture, Mapping[str, Any]], bool]] = {
    "approval-verification": lambda picture, sent: len(picture.versions("approval", "record", sent["origin_ref"])) > 2,
    "approval-revoked": lambda picture, _: _revoked(picture),
    "verification-result": lambda picture, sent: _has_versions(picture, sent["task_id"]),
    "breach-record": lambda picture, sent: _has_versions(picture, sent["evidence_ref"]),
    "comprehensive-deduction": lambda picture, _: _cancelled(picture),
    "responsible-person": lambda picture, _: _cancelled(picture),
    "commitment-blacklist": lambda picture, _: _a_check(picture, "COMMITMENT"),
    "key-supervision": lambda picture, _: _a_check(picture, "COMMITMENT") or _cancelled(picture),
    "grid-dispatch": _rerouted,
    "grid-feedback": lambda picture, sent: _has_versions(picture, sent["task_id"]),
    "recheck": lambda picture, _: _a_check(picture),
    "penalty-referral": lambda picture, _: _a_check(picture),
    "score-notice": _notice_of_cancelled,
    "score-state": lambda picture, sent: _cancelled(picture, sent["biz_no"]),
    "repair": lambda picture, _: any(len(versions) > 1 for versions in picture.rows.values()),
}
"""Rule -> whether there is anything that can have corrected what it sent."""


def _has_versions(picture: Picture, task_id: str) -> bool:
    """Return whether the results of a task were corrected."""
    said = [each["results"] for each in picture.versions("enforcement", "task", task_id) if each["results"]]
    return any(each != said[0] for each in said)
