"""What a happening is, and how states that keep no time of their own get one. Used by the files beside, which tell of each record.

A state that leaves no time in its record (when an event was accepted) has the time of the version that first showed it, from the
change history; where that was never seen, the time at which the platform last changed the record.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from hub.domain.calendar import BEIJING
from hub.mirror.histories import Version
from schema.entities import RepairWay, TaskResult, VerificationTask
from schema.entity import Mirrored
from schema.step_kinds import StepKind as K

LAST = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)
"""Later than this no other zone can tell a time."""


class Happening(NamedTuple):
    """One thing that happened to a record, or that its platform's people have still to do (`at` None)."""

    kind: K
    at: datetime | None
    key: str
    detail: str = ""
    """What stands behind the words of the kind, as the platform said it."""
    detail_zh: str | None = None
    """The same in Chinese, where it differs."""
    subject_code: str | None = None
    due_at: datetime | None = None


class Past(NamedTuple):
    """What is known of a record beside itself."""

    versions: Sequence[Version] = ()
    task: VerificationTask | None = None
    """The check that a result or a finding is part of."""
    result: TaskResult | None = None
    """The result that a finding is part of."""
    has_results: bool = False
    """Whether a check told of any subject."""
    drawn_at: datetime | None = None
    """When a campaign's tasks were made."""


def entered(record: Mirrored, past: Past, field: str, states: Mapping[Any, K]) -> Iterator[tuple[K, datetime]]:
    """Yield each state that a record came into, and when: by the versions seen, the record itself being the last one."""
    for state, changed_at, seen_at in changes_of(record, past, field):
        kind = next((kind for each, kind in states.items() if each.value == state), None)
        if kind is not None:
            yield kind, changed_at or seen_at


def changes_of(record: Mirrored, past: Past, field: str) -> Iterator[tuple[str, datetime | None, datetime]]:
    """Yield each value that a field came to have, when the platform changed it, and when the hub saw it."""
    told = [(one.fields.get(field), one.fields.get("updated_at"), one.seen_at) for one in past.versions]
    told.append((getattr(record, field).value, getattr(record, "updated_at", None), record.observed_at))
    before = None
    for value, changed_at, seen_at in told:
        if value is not None and value != before:
            before = value
            yield value, moment_of(changed_at), seen_at


def moment_of(said: object) -> datetime | None:
    """Return the aware time of a record, or of a kept version, which has it as text; None where there is none."""
    if isinstance(said, str):
        said = datetime.fromisoformat(said)
    return said.astimezone(UTC) if isinstance(said, datetime) else None


def day_shown(at: datetime) -> str:
    """Return the Beijing date of a moment; of one at the very end of all calendars the day before."""
    return min(at, LAST).astimezone(BEIJING).date().isoformat()


def shown(points: Decimal) -> str:
    """Return points without needless zeros: 4, 2.5."""
    return f"{points.normalize():f}"


WAYS = {
    RepairWay.SELF_CHECK: ("self-check", "自检自查"),
    RepairWay.SELF_REPORT: ("self-report", "自主申报"),
    RepairWay.STUDY: ("study", "自治学习"),
    RepairWay.EXAM: ("exam", "在线考试"),
}
