"""The independent checker: asks the platforms themselves whether the loops are closed, and trusts nobody else.

Every granted approval has one task, every breach one credit record with the right points, every event that was sent to a
department one task a sending and an answer, every record that takes points is told to its subject once, and every row of zz_result
is marked and has its repair once. How the platforms are read is in checker_reading.py and checker_outbox.py, what a breach is in
breaches.py, what is owed to subjects in checker_notices.py and checker_repairs.py.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import msgspec

from mocks.breaches import Breach, breaches
from mocks.callbacks import Sleep
from mocks.checker_notices import judge_notices, telephones
from mocks.checker_outbox import ExchangeReader, OutboxReader
from mocks.checker_reading import ApprovalReader, CreditReader, EnforcementReader, GridReader, Line
from mocks.checker_repairs import judge_repairs
from mocks.config import AllSettings, Config, complete_settings
from mocks.credit_records import COMMITMENT_BREACH, REGULATORY_POINTS
from mocks.credit_signing import resident_code
from mocks.platform import Clock
from mocks.store import Document

_ANSWERED: Final = frozenset({"40", "50", "60", "70"})


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the platforms hold. Each shortfall is one of `problems`, a sentence that names the offender."""

    approvals_granted: int
    tasks_for_approvals: int
    approvals_without_task: int
    approvals_with_several_tasks: int
    breaches: int
    records: int
    records_missing: int
    records_doubled: int
    records_invented: int
    records_wrong: int
    events_sent: int
    events_answered: int
    event_tasks_missing: int
    event_tasks_doubled: int
    records_taking_points: int
    lines: int
    lines_missing: int
    lines_wrong: int
    messages: int
    messages_owed: int
    messages_missing: int
    messages_surplus: int
    reports: int
    reports_decided: int
    reports_unmarked: int
    reports_wrong: int
    repairs: int
    repairs_missing: int
    repairs_surplus: int
    problems: tuple[str, ...]

    @property
    def missing(self) -> int:
        """How many things are not there that must be; more time may bring them, unlike what is doubled, invented or wrong."""
        unanswered = self.events_sent - self.events_answered
        to_subjects = self.lines_missing + self.messages_missing + self.reports_unmarked + self.repairs_missing
        return self.approvals_without_task + self.records_missing + self.event_tasks_missing + unanswered + to_subjects

    def to_dict(self) -> dict[str, Any]:
        """Return the counts and problems for JSON, with `missing`."""
        return {**msgspec.to_builtins(self), "problems": list(self.problems), "missing": self.missing}


class Checker:
    """Reads everything and judges it; `run` may be called as often as one likes."""

    def __init__(
        self,
        settings: AllSettings,
        urls: Mapping[str, str],
        *,
        clock: Clock,
        sleep: Sleep,
        rng: random.Random,
        transport: httpx.AsyncBaseTransport | None = None,
        days: int = 90,
    ) -> None:
        """`settings` hold the secrets and `urls` the addresses by platform; approvals that changed in the last `days` are read."""
        self._settings = settings
        self._urls = urls
        self._clock = clock
        self._sleep = sleep
        self._rng = rng
        self._transport = transport
        self._days = days

    @classmethod
    def from_config(cls, config: Mapping[str, Any], urls: Mapping[str, str]) -> "Checker":
        """Return a checker for platforms that were started with this configuration (config.py) and listen at these addresses."""
        settings = complete_settings(msgspec.convert(config, Config))
        return cls(settings, urls, clock=lambda: datetime.now(UTC), sleep=asyncio.sleep, rng=random.Random())

    async def run(self) -> CheckResult:
        """Return what the platforms hold now; raise Unreadable where one of them cannot be read."""
        settings, urls = self._settings, self._urls
        async with httpx.AsyncClient(transport=self._transport, trust_env=False, timeout=30) as client:
            line = Line(client, clock=self._clock, sleep=self._sleep, rng=self._rng)
            # effects before causes, so that in a city that moves things look missing for a while, never invented
            messages = await OutboxReader(line, urls["sms"]).messages()
            exchange = ExchangeReader(line, settings.selfgov.database_url)
            lines = await exchange.scores()
            credit = await CreditReader(line, urls["credit"], settings.credit).everything()
            results = await exchange.results()
            await self._sleep(settings.enforcement.visible_after)
            enforcement = EnforcementReader(line, urls["enforcement"], settings.enforcement)
            tasks, items = await enforcement.tasks(), await enforcement.items()
            events = await GridReader(line, urls["grid"], settings.grid).events()
            approvals = await ApprovalReader(line, urls["approval"], settings.approval).records(self._days)
        key = settings.credit.exchange_key
        reachable = telephones(approvals, credit["subject"], lambda number: resident_code(number, key))
        return judged(
            approvals,
            tasks,
            items,
            credit["record"],
            events,
            repairs=credit["repair"],
            lines=lines,
            messages=messages,
            results=results,
            reachable=reachable,
        )


def judged(
    approvals: Iterable[Document],
    tasks: Iterable[Document],
    items: Mapping[str, Document],
    records: Iterable[Document],
    events: Iterable[Mapping[str, str]],
    *,
    repairs: Iterable[Document] = (),
    lines: Iterable[Document] = (),
    messages: Iterable[Document] = (),
    results: Iterable[Document] = (),
    reachable: Mapping[str, set[str]] | None = None,
) -> CheckResult:
    """Return the judgement on what was read; pure. `lines` and `results` are rows of zz_score and zz_result, `reachable` the
    telephones by code of subject."""
    tasks, records = list(tasks), list(records)
    problems: list[str] = []
    counts = {
        **_judge_approvals(approvals, tasks, problems),
        **_judge_breaches(tasks, items, records, problems),
        **_judge_events(events, tasks, problems),
        **judge_notices(records, lines, messages, reachable or {}, problems),
        **judge_repairs(results, records, repairs, problems),
    }
    return CheckResult(**counts, problems=tuple(problems))


def _tasks_by_origin(tasks: Iterable[Document], platform: str) -> dict[str, list[Document]]:
    found: defaultdict[str, list[Document]] = defaultdict(list)
    for task in tasks:
        if (task["origin"] or {}).get("platform") == platform:
            found[task["origin"]["ref"]].append(task)
    return dict(found)


def _judge_approvals(approvals: Iterable[Document], tasks: Iterable[Document], problems: list[str]) -> dict[str, int]:
    granted = {record["YWLSH"]: record for record in approvals if record.get("SPJG") == "1"}
    made = _tasks_by_origin(tasks, "approval")
    without = sorted(granted.keys() - made.keys())
    several = sorted(serial for serial, found in made.items() if len(found) > 1)
    problems += [f"approval {serial} is granted and has no task" for serial in without]
    problems += [f"approval {serial} has {len(made[serial])} tasks: {_ids(made[serial])}" for serial in several]
    problems += [
        f"approval {serial} was never granted and has a task: {_ids(made[serial])}"
        for serial in sorted(made.keys() - granted.keys())
    ]
    for serial in sorted(granted.keys() & made.keys()):
        wanted = "COMMITMENT" if granted[serial]["SPFS"] == "1" else "APPROVAL"
        wrong = [task for task in made[serial] if task["type"] != wanted]
        problems += [f"approval {serial} needs a task of type {wanted}, and has {task['taskId']}, {task['type']}" for task in wrong]
    return {
        "approvals_granted": len(granted),
        "tasks_for_approvals": sum(len(found) for found in made.values()),
        "approvals_without_task": len(without),
        "approvals_with_several_tasks": len(several),
    }


def _judge_breaches(
    tasks: list[Document], items: Mapping[str, Document], records: Iterable[Document], problems: list[str]
) -> dict[str, int]:
    wanted = breaches(tasks, items)
    approval_of = {str(task["taskId"]): str((task["origin"] or {}).get("ref", task["taskId"])) for task in tasks}
    held: defaultdict[str, list[Document]] = defaultdict(list)
    for record in records:
        if record["category"] in {COMMITMENT_BREACH, REGULATORY_POINTS} and not record["cancelled"]:
            held[_key_of(record, approval_of)].append(record)
    counts: Counter[str] = Counter()
    for key in sorted(wanted.keys() | held.keys()):
        breach, found = wanted.get(key), held.get(key, [])
        numbers = ", ".join(record["recordId"] for record in found)
        if breach is None:
            counts["invented"] += len(found)
            problems.append(f"{key}: no breach, and recorded all the same: {numbers}")
            continue
        if not found:
            counts["missing"] += 1
            problems.append(f"{key}: a breach in task {breach.ref}, and no credit record")
        if len(found) > 1:
            counts["doubled"] += 1
            problems.append(f"{key}: recorded {len(found)} times: {numbers}")
        wrong = [f"{record['recordId']} {said}" for record in found if (said := _wrong(record, breach))]
        counts["wrong"] += len(wrong)
        problems += [f"{key}: {said}" for said in wrong]
    return {
        "breaches": len(wanted),
        "records": sum(len(found) for found in held.values()),
        **{f"records_{kind}": counts[kind] for kind in ("missing", "doubled", "invented", "wrong")},
    }


def _key_of(record: Document, approval_of: Mapping[str, str]) -> str:
    """Return the key of the breach that a record stands for, by its evidence."""
    evidence = record["evidence"]
    if record["category"] == COMMITMENT_BREACH:
        return f"approval {approval_of.get(evidence['ref'], evidence['ref'])}"
    return f"finding {evidence['finding']}"


def _wrong(record: Document, breach: Breach) -> str:
    """Return what is wrong with the record of a breach, "" where nothing is."""
    if record["category"] != breach.category:
        return f"is {record['category']}, not {breach.category}"
    if record["points"] != breach.points:
        return f"takes {record['points']} points, not {breach.points}"
    if breach.code is not None and record["code"] != breach.code:
        return f"is under {record['code']}, not {breach.code}"
    if breach.finding is not None and record["evidence"]["ref"] != breach.ref:
        return f"names task {record['evidence']['ref']}, not {breach.ref}"
    return ""


def _judge_events(events: Iterable[Mapping[str, str]], tasks: Iterable[Document], problems: list[str]) -> dict[str, int]:
    sent = {event["no"]: event["status"] for event in events if event["status"] != "10"}
    made = _tasks_by_origin(tasks, "grid")
    counts: Counter[str] = Counter()
    for no, status in sorted(sent.items()):
        found = made.get(no, [])
        # each task that found nobody, or was cancelled, went back to the town; unless it lies there, it was sent once more
        wanted = sum(_returned(task) for task in found) + (status != "60")
        if len(found) < wanted:
            counts["missing"] += 1
            problems.append(f"event {no} was sent {wanted} times and has {len(found)} tasks: {_ids(found)}")
        if len(found) > wanted or len({task["externalNo"] for task in found}) < len(found):
            counts["doubled"] += 1
            problems.append(f"event {no} was sent {wanted} times and has {len(found)} tasks: {_ids(found)}")
        if status not in _ANSWERED:
            problems.append(f"event {no} has status {status}: it is not answered")
    problems += [f"event {no} was never sent and has a task: {_ids(found)}" for no, found in sorted(made.items()) if no not in sent]
    return {
        "events_sent": len(sent),
        "events_answered": sum(status in _ANSWERED for status in sent.values()),
        "event_tasks_missing": counts["missing"],
        "event_tasks_doubled": counts["doubled"],
    }


def _returned(task: Document) -> bool:
    unreachable = any(result["conclusion"] == "UNREACHABLE" for result in task["results"])
    return task["status"] == "CANCELLED" or (task["status"] == "DONE" and unreachable)


def _ids(tasks: Iterable[Document]) -> str:
    return ", ".join(task["taskId"] for task in tasks) or "none"
