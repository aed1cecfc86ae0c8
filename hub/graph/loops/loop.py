"""A chain of records as one answer: steps in order of time, what led to what, and what is owed. Called by hub/operator.py.

Of two steps in the same second the cause comes first. Beyond that the platforms' clocks are believed: a consequence that they put
before its cause is shown before it, and still names it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hub.graph.loops.causes import Causes
from hub.graph.loops.happening import Past
from hub.graph.loops.obligations import effect_of, kind_of
from hub.graph.loops.step import Step, told_by
from hub.graph.loops.tellers import happenings, is_remembered
from hub.mirror.histories import Version, versions_of
from hub.mirror.loop_links import Link
from hub.mirror.loops import RECORDS, Chain, Id, chain_of, parents_of
from hub.mirror.rows import Rows
from schema.context import Caller
from schema.entities import Campaign, Finding, Obligation, ObligationState, TaskResult, VerificationTask
from schema.entity import Entity, Mirrored
from schema.loop import Loop
from schema.step_kinds import STILL_OWED
from schema.step_kinds import StepKind as K


def loop_of(
    connection: Connection, rows: Rows, entity: str, key: str, now: datetime, caller: Caller, limit: int = RECORDS
) -> Loop | None:
    """Return the loop that a record stands in, None if the caller sees no such record; all reads are of one snapshot."""
    chain = chain_of(connection, rows, entity, key, caller, limit)
    if chain is None:
        return None
    wanted: dict[str, list[str]] = defaultdict(list)
    for (name, each), record in chain.records.items():
        if is_remembered(record):
            wanted[name].append(each)
    versions = {
        (name, each): said for name in sorted(wanted) for each, said in versions_of(connection, rows, name, wanted[name]).items()
    }
    return assemble(chain, versions, now)


def assemble(chain: Chain, versions: Mapping[Id, Sequence[Version]], now: datetime) -> Loop:
    """Return the loop that a chain makes. Pure."""
    steps = _Assembly(dict(sorted(chain.records.items())), versions).steps()
    shown = [step.shown(now) for step in steps]
    owed, awaited = (sum(step.kind in kinds for step in shown) for kinds in (STILL_OWED, {K.AWAITED}))
    late = sum(bool(step.late_seconds) for step in shown if step.kind in STILL_OWED or step.kind is K.AWAITED)
    return Loop(
        trigger=_trigger(steps),
        complete=not (owed or awaited or chain.truncated),
        owed=owed,
        awaited=awaited,
        overdue=late,
        truncated=chain.truncated,
        steps=shown,
    )


def _trigger(steps: Iterable[Step]) -> Any:
    """Return the record of the earliest step that nothing led to; where all led in a circle, of the earliest."""
    told = [step for step in steps if step.at and step.record]
    return next((step.record for step in told if not step.causes), told[0].record if told else None)


class _Assembly:
    """Puts one chain together."""

    def __init__(self, records: Mapping[Id, Entity], versions: Mapping[Id, Sequence[Version]]) -> None:
        self.records = records
        self.versions = versions
        self.steps_of: dict[Id, list[Step]] = {}
        self.parents: dict[Id, list[tuple[Id, Link]]] = parents_of(records.values())

    def steps(self) -> list[Step]:
        """Return all steps in order, with their causes."""
        with_results = {one.task_id for one in self.records.values() if isinstance(one, TaskResult)}
        drawn: dict[str, datetime] = {}
        for one in self.records.values():
            if isinstance(one, VerificationTask) and one.campaign_id:
                drawn[one.campaign_id] = min(drawn.get(one.campaign_id, one.created_at), one.created_at)
        for found, record in self.records.items():
            if isinstance(record, Mirrored):
                past = self._past(found, record, with_results, drawn)
                self.steps_of[found] = told_by(record, happenings(record, past))
        causes = Causes(self.records, self.steps_of, self.parents)
        for found, record in self.records.items():
            if isinstance(record, Obligation):
                self.steps_of[found] = self._step_of(record, causes)
        return causes.ordered()

    def _past(self, found: Id, record: Mirrored, with_results: set[str], drawn: Mapping[str, datetime]) -> Past:
        result = self.records.get(("TaskResult", record.result_id)) if isinstance(record, Finding) else None
        task = self.records.get(("VerificationTask", record.task_id)) if isinstance(record, TaskResult | Finding) else None
        return Past(
            versions=self.versions.get(found, ()),
            task=task if isinstance(task, VerificationTask) else None,
            result=result if isinstance(result, TaskResult) else None,
            has_results=isinstance(record, VerificationTask) and record.task_id in with_results,
            drawn_at=drawn.get(record.campaign_id) if isinstance(record, Campaign) else None,
        )

    def _step_of(self, one: Obligation, causes: Causes) -> list[Step]:
        """Return the step that an obligation is by itself; none where another step shows it, or nothing is left of it."""
        record = causes.record_behind(one)
        if kind := kind_of(one):
            return [Step.owed(one, kind, record)]
        if one.state is not ObligationState.CLOSED:
            return []
        effect = effect_of(one)
        if shown := causes.showing(one, effect.shown_by):
            shown.discharge(one)
            return []
        if effect.told_as in {K.WATCHED, K.UNWATCHED}:
            record = self.records.get(("KeySubject", one.cause), record)
        return [Step.done(one, effect.told_as, record)]
