"""What led to what among the steps of a loop."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from hub.graph.loops.order import NEVER, in_order
from hub.graph.loops.step import Step
from hub.mirror.loop_links import OUR_NUMBERS, Link
from hub.mirror.loops import Id, id_of
from schema.entities import GridEvent, Obligation
from schema.entity import Entity
from schema.step_kinds import StepKind as K


class Causes:
    """Finds, by the links between records, which steps of one led to another."""

    def __init__(
        self, records: Mapping[Id, Entity], steps_of: Mapping[Id, list[Step]], parents: Mapping[Id, Sequence[tuple[Id, Link]]]
    ) -> None:
        self._records = records
        self._steps_of = steps_of
        self._before: dict[Id, list[tuple[Id, Link]]] = defaultdict(list)
        self._after: dict[Id, list[Id]] = defaultdict(list)
        self._discharging: dict[str, Step] = {}
        """By the key of the obligation that it is, or that it closed."""
        for child, links in parents.items():
            for parent, link in links:
                earlier, later = self._in_time(parent, child)
                self._before[later].append((earlier, link))
                self._after[earlier].append(later)

    def _in_time(self, parent: Id, child: Id) -> tuple[Id, Id]:
        """Two events that are linked may name each other: what was reported later was found by following the earlier one."""
        first, second = self._records[parent], self._records[child]
        if isinstance(first, GridEvent) and isinstance(second, GridEvent):
            earlier, later = sorted((first, second), key=lambda event: (event.reported_at, event.event_no))
            return id_of(earlier), id_of(later)
        return parent, child

    def record_behind(self, one: Obligation) -> Entity | None:
        """Return the record that caused an obligation, None while none is in the mirror."""
        found = (self._records[before] for before, _ in self._before[id_of(one)])
        return next((record for record in found if not isinstance(record, Obligation)), None)

    def showing(self, one: Obligation, kinds: Sequence[K]) -> Step | None:
        """Return the step by which a record shows what an obligation made true: of what it made, else of its cause; each once."""
        if one.command in OUR_NUMBERS:
            steps = [step for after in self._after[id_of(one)] for step in self._steps_of.get(after, ())]
        else:
            steps = [step for before, _ in self._before[id_of(one)] for step in self._following(before, kinds)]
        free = [step for step in steps if step.kind in kinds and step.at and not step.obligation]
        when = one.sent_at or one.closed_at or one.created_at
        return min(free, key=lambda step: (abs((step.at or NEVER) - when), step.id), default=None)

    def ordered(self) -> list[Step]:
        """Return all steps, their causes filled in: what happened by time, what people took off, what is to come by its term."""
        steps = [step for some in self._steps_of.values() for step in some]
        self._discharging = {step.obligation.key: step for step in steps if step.obligation}
        for found, some in self._steps_of.items():
            for at, step in enumerate(some):
                if at == 0:
                    step.causes += self._leading_to(found, step.at)
                if step.obligation and found != id_of(step.obligation):
                    step.causes += self._leading_to(id_of(step.obligation), step.at)
        return in_order(steps)

    def _leading_to(self, found: Id, until: datetime | None) -> list[Step]:
        """Return the steps of other records that led to a record, or to an obligation, by a time."""
        led: list[Step] = []
        for before, link in self._before[found]:
            record = self._records[before]
            if isinstance(record, Obligation):
                led += self._by_obligation(record, link, until)
            elif told := self._following(before, link.after, link.within):
                led += _latest(told, until)
            else:
                led += _latest([step for step in self._steps_of.get(before, ()) if step.at], until, strictly=bool(link.after))
        return led

    def _by_obligation(self, one: Obligation, link: Link, until: datetime | None) -> list[Step]:
        """Return the step that an obligation is, or that discharged it. What carries its number was made by it: that follows from
        what caused the obligation."""
        if link.known_by != "number" and one.key in self._discharging:
            return [self._discharging[one.key]]
        return self._leading_to(id_of(one), until)

    def _following(self, found: Id, kinds: Sequence[K], within: int | None = None) -> list[Step]:
        """Return the steps of these kinds of a record and of what follows from it: of the nearest that have any, or all within."""
        steps: list[Step] = []
        seen, level, links = {found}, [found], 0
        while level and kinds and not (steps if within is None else links > within):
            steps += [step for each in level for step in self._steps_of.get(each, ()) if step.kind in kinds and step.at]
            level = sorted({after for each in level for after in self._after[each]} - seen)
            seen.update(level)
            links += 1
        return steps


def _latest(steps: Sequence[Step], until: datetime | None, *, strictly: bool = False) -> list[Step]:
    """Return the last of the steps that were there by then, all of one moment. Where none was a clock lies: then the first one, and
    none where it is `strictly` asked."""
    there = [step for step in steps if until is None or (step.at or NEVER) <= until]
    if there:
        last = max(step.at or NEVER for step in there)
        return [step for step in there if step.at == last]
    return [] if strictly else sorted(steps, key=lambda step: (step.at or NEVER, step.id))[:1]
