"""Every record can be repaired (信用修复): what self-governance approved is restored on the credit platform, and the row marked.

Key: result row and gxsj (a mark raises the row's version, never its gxsj). `/1` the repair on credit; `/2` the row's mark, which
waits for the proof of /1: the credit platform's own repair with our number. Proof of a mark: the row, marked, at that gxsj.
A row that is not decided is left alone; one that is refused, or names no record, is taken without effect; one that cannot be
repaired is refused with the reason (hub/reconcile/repair.py), also where the credit platform is the one who says so.

- A record that the mirror does not hold is waited for while our own ledger is going to make it, or while the credit platform
  was not read to its end since the row was seen; else it does not exist.
- Once the repair may exist it is not judged again: its own effect lowers the open points. Once the mark may be set it stays.
- A row that changes after its repair was sent: the same record and points need no second repair, only the new mark. Otherwise ops
  gets the repair with both versions (settle.py), and the row is taken: what becomes of it is decided by hand.
- The mark of an earlier gxsj is withdrawn if unsent; one that may have been sent is over with that gxsj, by the row's own word.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from hub.mirror import ledger as obligations
from hub.mirror import queries, repair_queries, subjects
from hub.mirror.histories import versions_of
from hub.mirror.rows import Rows, content_of
from hub.reconcile.repair import Facts, asks_for, fault_of, made_of, refusal_of, stamp_of, waits_for
from hub.reconcile.rule import Changes, Owed, Rule, Rulebook, Verdict, said_in
from hub.reconcile.score import plain
from hub.reconcile.standing import THERE, may_exist
from schema.commands import AnyCommand, MarkReport, PostRepair
from schema.entities import CreditRecord, Obligation, Repair, ReportMark, ReportState, SelfReport
from schema.entity import Observation

NAME = "repair"
ONE_DECIMAL = Decimal("0.1")  # credit.md: points that are sent are text with exactly one decimal


def key_for(report: SelfReport) -> str:
    """Return the key of a row at its gxsj, without the /1 and /2 of its two platforms."""
    return f"{NAME}:{report.report_no}:{stamp_of(report.updated_at)}"


class Repairs(Rule[Facts]):
    """A repair is approved in self-governance -> repair, credit; the row marked, self-governance; key: result row and gxsj."""

    name = NAME
    prefix = "RE"
    cause_entity = "SelfReport"

    def causes(self, observation: Observation) -> Iterable[str]:
        """A result row."""
        record = observation.record
        return [record.report_no] if isinstance(record, SelfReport) else []

    def linked(self, connection: Connection, rows: Rows, changes: Changes) -> Iterable[str]:
        """Rows that name a changed record, and those whose repair was seen."""
        said = [each.record for each in said_in(changes)]
        named = [one.biz_no for one in said if isinstance(one, CreditRecord)]
        repairs = [one.biz_no for one in said if isinstance(one, Repair)]
        return {
            *repair_queries.reports_repairing(connection, named),
            *obligations.causes_having(connection, NAME, "number", repairs),
        }

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return rows with the records that they name, and the repairs that were made of them so far."""
        reports = {no: one for no, (one,) in queries.records_where(connection, rows, SelfReport, "report_no", causes).items()}
        held = queries.obligations_of(connection, rows, NAME, reports)
        named = [one.repairs_biz_no for one in reports.values() if one.repairs_biz_no]
        records = queries.records_by_biz_no(connection, rows, named)
        earlier = self._earlier(connection, rows, [one for no, one in reports.items() if not held.get(no)], records)
        numbers = {
            no: {*earlier.get(no, ()), self.number(f"{key_for(one)}/1"), *(each.number for each in held.get(no, []))}
            for no, one in reports.items()
        }
        repairs = queries.records_where(connection, rows, Repair, "biz_no", {each for some in numbers.values() for each in some})
        to_come = repair_queries.records_to_come(connection, [number for number in named if number not in records])
        read_at = repair_queries.credit_read_at(connection)
        subjects_named = [one.subject_code for one in reports.values()]
        subjects_named += [one.subject_code for group in records.values() for one in group]
        codes = subjects.codes_for(connection, subjects_named)
        return {
            no: Facts(
                one,
                next(iter(records.get(one.repairs_biz_no or "", [])), None),
                one.repairs_biz_no in to_come,
                read_at,
                {number: repairs[number][0] for number in numbers[no] if number in repairs},
                earlier.get(no, {}),
                codes,
            )
            for no, one in reports.items()
        }

    def _earlier(
        self, connection: Connection, rows: Rows, unheld: Sequence[SelfReport], records: Mapping[str, Sequence[CreditRecord]]
    ) -> dict[str, dict[str, str]]:
        """Return, by row, the keys of repairs of its earlier versions by our number: of rows that the ledger knows nothing of
        though something of their record was repaired."""
        repaired = {no for no, group in records.items() if any(one.open_points < one.points for one in group)}
        lost = [one.report_no for one in unheld if one.repairs_biz_no in repaired]
        found: dict[str, dict[str, str]] = {}
        for no, versions in versions_of(connection, rows, "SelfReport", lost).items():
            stamps = {stamp_of(datetime.fromisoformat(each.fields["updated_at"])) for each in versions}
            keys = [f"{NAME}:{no}:{stamp}/1" for stamp in stamps]
            found[no] = {self.number(key): key for key in keys}
        return found

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe repair and mark of the row as it stands."""
        report, key = facts.report, key_for(facts.report)
        over = [one.key for one in ledger if one.command == "MarkReport" and not one.key.startswith(key) and may_exist(one)]
        numbers = {one.key: one.number for one in ledger} | {f"{key}/1": self.number(f"{key}/1")}
        numbers |= {each: number for number, each in facts.earlier.items()}
        proven = {each: facts.repairs[number].repair_id for each, number in numbers.items() if number in facts.repairs}
        proven |= dict.fromkeys(over, report.report_no)
        if report.mark is not ReportMark.NEW:
            proven[f"{key}/2"] = report.report_no
        if report.state is ReportState.WAITING:
            there = [one.key for one in ledger if one.command == "PostRepair" and one.state in THERE]
            return Verdict(version=report.version, keep=frozenset((*over, *there)), proven=proven)
        marked = [one.key for one in ledger if one.key == f"{key}/2" and may_exist(one)]
        owed = tuple(self._owed(facts, key, ledger, book, marked=bool(marked)))
        return Verdict(version=report.version, owed=owed, keep=frozenset((*over, *marked)), proven=proven)

    def _owed(self, facts: Facts, key: str, ledger: Sequence[Obligation], book: Rulebook, *, marked: bool) -> Iterable[Owed]:
        """Return what a decided row asks for; `marked` where its mark may be set already, so that nothing new begins."""
        report, made = facts.report, made_of(facts, f"{key}/1", self.number(f"{key}/1"), ledger)
        if made is not None and not asks_for(facts, f"{key}/1", made):  # the repair is ops' matter
            return (self._mark(report, key, book),)
        if made is not None:
            needs = None if made.seen else needs_repair(made.key)
            return self._repair(report, made.key, made.command, book), self._mark(report, key, book, needs=needs)
        if marked:
            return ()
        if report.mark is not ReportMark.NEW:
            return (self._mark(report, key, book, (report.mark_reason or "") if report.mark is ReportMark.REFUSED else None),)
        if report.state is ReportState.REFUSED or report.repairs_biz_no is None:
            return (self._mark(report, key, book),)
        return self._judged(facts, key, ledger, book)

    def _judged(self, facts: Facts, key: str, ledger: Sequence[Obligation], book: Rulebook) -> Iterable[Owed]:
        """Return repair and mark of a row that asks for one, or the mark that refuses it."""
        report, record, waits = facts.report, facts.record, waits_for(facts)
        fault = next(filter(None, (refusal_of(one) for one in ledger if one.key == f"{key}/1")), None)
        if fault is None and waits is None:
            fault = fault_of(facts, book.policy)
        if fault is not None:
            return (self._mark(report, key, book, fault),)
        command = None
        if record is not None and report.points is not None:
            command = PostRepair(
                biz_no=self.number(f"{key}/1"),
                record_id=record.record_id,
                points=report.points.quantize(ONE_DECIMAL),
                way=report.way,
                completed_at=report.completed_at,
            )
        return (
            self._repair(report, f"{key}/1", command, book, needs=waits),
            self._mark(report, key, book, needs=needs_repair(f"{key}/1")),
        )

    def _repair(self, report: SelfReport, key: str, command: PostRepair | None, book: Rulebook, needs: str | None = None) -> Owed:
        return Owed(
            key=key,
            platform="credit",
            kind="PostRepair",
            command=command,
            due=book.policy.due(NAME, None, report.updated_at),
            subject_code=report.subject_code,
            needs=needs,
        )

    def _mark(self, report: SelfReport, key: str, book: Rulebook, refused: str | None = None, needs: str | None = None) -> Owed:
        taken = refused is None
        command = MarkReport(report_no=report.report_no, updated_at=report.updated_at, taken=taken, reason=refused)
        return Owed(
            key=f"{key}/2",
            platform="selfgov",
            kind="MarkReport",
            command=None if needs else command,
            due=book.policy.due(NAME, None, report.updated_at),
            subject_code=report.subject_code,
            needs=needs,
        )

    def material(self, command: AnyCommand) -> str | None:
        """How many points of which record."""
        return f"{plain(command.points)} points of record {command.record_id}" if isinstance(command, PostRepair) else None

    def is_refused(self, one: Obligation) -> bool:
        """A number that came before with the same content is answered 200 "repeated" whatever is open by now (credit.md)."""
        return refusal_of(one) is not None

    def shows(self, facts: Facts) -> str | None:
        """The result row."""
        return content_of(facts.report).decode()

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Rows that are decided and not marked."""
        return repair_queries.repairs_unsettled(connection, NAME, after, limit)


def needs_repair(key: str) -> str:
    """Return what a mark waits for while its repair has not been seen."""
    return f"the repair of {key} in the mirror"
