"""The oracle: what must exist on the platforms after a history, by DOMAIN's rules alone; no code of the hub decides here.

Each function looks at the whole picture and yields a sentence for everything that is missing, doubled, wrong or extra. What was
sent before its correction came may stay, and must be on the ops list with both versions. Each rule is in the module of its family.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.chaos import oracle_approvals, oracle_checks, oracle_grid, oracle_points, oracle_subjects
from tests.chaos.picture import Picture

FAMILIES = (oracle_approvals, oracle_checks, oracle_points, oracle_grid, oracle_subjects)


def differences(picture: Picture) -> Sequence[str]:
    """Return what differs from what must be; nothing where the loops are closed."""
    found = [said for family in FAMILIES for rule in family.RULES for said in rule(picture)]
    return [*found, *_doubled(picture), *_owed(picture), *_told_twice(picture)]


def _doubled(picture: Picture) -> Iterator[str]:
    numbers = Counter(task["externalNo"] for task in picture.tasks() if task["externalNo"])
    for number, times in numbers.items():
        if times > 1:
            yield f"{times} tasks carry our number {number}"
    for task in picture.tasks():
        if task["externalNo"] and (task["origin"] or {}).get("platform") not in {"approval", "grid", "enforcement"}:
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
