"""What departments may ask the engine to do through the graph for self-governance: push notices, check reported figures."""

from dataclasses import dataclass
from typing import Protocol

from schema.operations import Outcome


@dataclass(frozen=True)
class NoticeWanted:
    """A notice for chosen subjects, or for all of an industry: one of both is given."""

    request_no: str
    subjects: tuple[str, ...]
    """Codes with right check characters, each once."""
    industry: str | None
    title: str
    content: str
    department: str


@dataclass(frozen=True)
class FiguresCheckWanted:
    """What the on-line check of a report's figures came to, and whether a check on site is wanted."""

    report_no: str
    holds: bool
    """Whether the figures hold."""
    remarks: str | None
    department: str
    inspect: bool


class NoticeOperations(Protocol):
    """`by` is the name of the caller. Texts are never blank: the schema has refused those. The same again is the same answer."""

    async def push_notice(self, wanted: NoticeWanted, by: str) -> Outcome:
        """Keep a request for notices; refuse UnknownDepartment, RequestConflict. Done is its number."""
        ...

    async def record_figures_check(self, wanted: FiguresCheckWanted, by: str) -> Outcome:
        """Keep the check of a report's figures as they are now; refuse UnknownReport, FiguresMissing, UnknownDepartment,
        RequestConflict. Done is the check's number."""
        ...
