"""A step while a loop is put together, and how it is shown in the end."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import strawberry

from hub.graph.loops.happening import Happening
from hub.graph.loops.obligations import effect_of
from schema.entities import Obligation, late_seconds, seconds_late
from schema.entity import Entity, Mirrored, key_of
from schema.identifiers import redact
from schema.loop import LoopObligation, LoopStep, Wording
from schema.step_kinds import StepKind as K


@dataclass
class Step:
    """Compared by identity; `causes` and `obligation` are filled in on the way."""

    id: str
    kind: K
    at: datetime | None
    platform: str
    key: str
    en: str
    zh: str
    record: Entity | None
    subject_code: str | None
    due_at: datetime | None
    obligation: Obligation | None = None
    causes: list["Step"] = field(default_factory=list)

    __hash__ = object.__hash__

    @classmethod
    def owed(cls, one: Obligation, kind: K, record: Entity | None) -> "Step":
        """Return the step of an obligation that is open, or that a person took off, and when."""
        effect, needs = effect_of(one), one.needs if kind is K.WAITING else None
        en, zh = (f"{effect.en}, {needs}", f"{effect.zh}，{needs}") if needs else (effect.en, effect.zh)
        at = one.decided_at if kind in {K.SETTLED, K.WAIVED} else None
        return cls._of(one, kind, at, record, en, zh)

    @classmethod
    def done(cls, one: Obligation, kind: K, record: Entity | None) -> "Step":
        """Return the step of an obligation that is closed and that no record shows: when the platform accepted it."""
        effect = effect_of(one)
        words = (effect.en, effect.zh) if kind is K.DISCHARGED else ("", "")
        return cls._of(one, kind, one.sent_at or one.closed_at, record, *words)

    @classmethod
    def _of(cls, one: Obligation, kind: K, at: datetime | None, record: Entity | None, en: str, zh: str) -> "Step":
        name = f"Obligation/{one.key}/{kind.name}"
        return cls(name, kind, at, one.platform, one.cause, en, zh, record, one.subject_code, one.due_at, one)

    def discharge(self, one: Obligation) -> None:
        """Note that this step closed an obligation, whose term counts from now on."""
        self.obligation, self.due_at = one, one.due_at
        if self.kind is K.BLACKLISTED and one.sent_at:  # the platform tells the day only
            self.at = one.sent_at

    def shown(self, now: datetime) -> LoopStep:
        """Return it as the graph shows it; whatever a platform wrote is masked."""
        record: Any = self.record
        return LoopStep(
            id=strawberry.ID(self.id),
            at=self.at,
            kind=self.kind,
            platform=self.platform,
            title=_titled(self.kind, self.en, self.zh),
            record=record,
            key=self.key,
            subject_code=self.subject_code,
            causes=[strawberry.ID(step.id) for step in self.causes],
            due_at=self.due_at,
            late_seconds=self._late(now),
            obligation=_public(self.obligation) if self.obligation else None,
        )

    def _late(self, now: datetime) -> int | None:
        """What has happened was late by its own time, whenever the hub saw it; what has not, is late so far."""
        if self.obligation and (self.at is None or self.kind is K.WAIVED):
            return late_seconds(self.obligation, now)
        return None if self.due_at is None else seconds_late(self.due_at, self.at or now)


def _titled(kind: K, en: str, zh: str) -> Wording:
    words = kind.value
    return Wording(
        en=redact(f"{words.en}: {en}" if en else words.en),
        zh=redact(f"{words.zh}：{zh}" if zh else words.zh),
    )


def _public(one: Obligation) -> LoopObligation:
    needs = None if one.needs is None else redact(one.needs)
    return LoopObligation(
        key=one.key, rule=one.rule, state=one.state, needs=needs, due_provisional=one.due_provisional, closed_at=one.closed_at
    )


def told_by(record: Mirrored, happened: Iterable[Happening]) -> list[Step]:
    """Return a record's steps. Each but the first follows from the one before; what a check found, from the check itself."""
    steps: list[Step] = []
    times: Counter[K] = Counter()
    for one in happened:
        times[one.kind] += 1
        again = f"/{times[one.kind]}" if times[one.kind] > 1 else ""
        step = Step(
            id=f"{type(record).__name__}/{key_of(record)}/{one.kind.name}{again}",
            kind=one.kind,
            at=one.at,
            platform=record.source,
            key=one.key,
            en=one.detail,
            zh=one.detail if one.detail_zh is None else one.detail_zh,
            record=record,
            subject_code=one.subject_code,
            due_at=one.due_at,
        )
        if steps:
            step.causes.append(steps[0] if steps[0].kind is K.CHECKED else steps[-1])
        steps.append(step)
    return steps
