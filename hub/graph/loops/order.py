"""The order of a loop's steps: by time; within one second the cause before its effect, in one moment then as a case runs.

Some platforms tell whole seconds only, so that what followed within a second would seem to come before its cause.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from heapq import heapify, heappop, heappush

from hub.graph.loops.step import Step
from schema.step_kinds import RANK, STILL_OWED
from schema.step_kinds import StepKind as K

NEVER = datetime.max.replace(tzinfo=UTC)
REACH = 4
"""How far back a cause is looked for behind another one."""


def in_order(steps: Sequence[Step]) -> list[Step]:
    """Return the steps in order, of each only the causes that no other cause implies, in the same order."""
    _reduce(steps)
    depth = _depths(steps)
    moments = _moments(steps, depth)
    ordered = sorted(steps, key=lambda step: (*_place(step, moments), depth[step.id], RANK[step.kind], step.id))
    place = {step.id: at for at, step in enumerate(ordered)}
    for step in ordered:
        step.causes.sort(key=lambda cause: place[cause.id])
    return ordered


def _moments(steps: Sequence[Step], depth: Mapping[str, int]) -> dict[str, datetime]:
    """Return when each step happened; not before its causes of the same second."""
    moments: dict[str, datetime] = {}
    for step in sorted(steps, key=lambda step: (depth[step.id], step.id)):
        if step.at is not None:
            second = step.at.replace(microsecond=0)
            known = [moments[cause.id] for cause in step.causes if cause.id in moments]
            moments[step.id] = max([step.at, *(at for at in known if at.replace(microsecond=0) == second)])
    return moments


def _place(step: Step, moments: Mapping[str, datetime]) -> tuple[int, datetime]:
    if step.id in moments:
        return 0, moments[step.id]
    return (2, step.due_at or NEVER) if step.kind in STILL_OWED or step.kind is K.AWAITED else (1, NEVER)


def _reduce(steps: Sequence[Step]) -> None:
    """Drop what is named twice, and what another cause follows from."""
    told = {step.id: {cause.id: cause for cause in step.causes if cause is not step} for step in steps}
    for step in steps:
        kept = dict(sorted(told[step.id].items()))
        for cause in list(kept):
            if any(_implies(other, cause, told) for other in kept if other != cause):
                del kept[cause]
        step.causes = list(kept.values())


def _implies(later: str, earlier: str, told: Mapping[str, Mapping[str, Step]]) -> bool:
    level = {later}
    for _ in range(REACH):
        level = {cause for step in level for cause in told[step]}
        if earlier in level:
            return True
    return False


def _depths(steps: Sequence[Step]) -> dict[str, int]:
    """Return how many steps led to each at most. Where steps lead in a circle, it is cut at the one that sorts first."""
    waits = {step.id: len(step.causes) for step in steps}
    effects: dict[str, list[str]] = defaultdict(list)
    for step in steps:
        for cause in step.causes:
            effects[cause.id].append(step.id)
    depth = dict.fromkeys(waits, 0)
    ready = [step for step, count in waits.items() if not count]
    heapify(ready)
    left = sorted(waits, reverse=True)
    done: set[str] = set()
    while len(done) < len(waits):
        while not ready:
            if left[-1] not in done:
                ready.append(left[-1])
            left.pop()
        first = heappop(ready)
        if first in done:
            continue
        done.add(first)
        for effect in effects[first]:
            waits[effect] -= 1
            if effect not in done:
                depth[effect] = max(depth[effect], depth[first] + 1)
                if not waits[effect]:
                    heappush(ready, effect)
    return depth
