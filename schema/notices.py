"""What departments ask for through the graph, for self-governance: notices pushed to subjects, checks of reported figures.

Nothing is decided here: the shape of the input is checked, all else is the engine's.
"""

import re
from typing import Annotated

import strawberry
from strawberry import Info

from schema.acting import Asked, actor, blank, refused, told, too_many
from schema.context import Context
from schema.entities import FiguresCheck, FiguresConclusion, NoticeRequest
from schema.enums import graph_enum
from schema.identifiers import IdentifierError, is_identity, mask_identity, parse_subject_code
from schema.notice_operations import FiguresCheckWanted, NoticeWanted
from schema.payloads import Payload, read_each
from schema.resolver import mutation, resolver
from schema.user_errors import BadCode, BadNumber, InputMissing, UserError

SUBJECTS_LIMIT = 1000
"""Subjects of one request: each becomes an obligation in one transaction."""
_NUMBER = re.compile(r"[^\s:\x00-\x1f]{1,64}")  # a colon parts the keys of obligations
graph_enum(FiguresConclusion)


@strawberry.input(description="A notice, law or rule, and to whom: chosen subjects, or all of an industry (通知推送输入)")
class PushNoticeInput:
    """Input of pushNotice."""

    request_no: str = strawberry.field(
        description="Number that you give this request, up to 64 characters without blank or colon; done once (下达编号)"
    )
    subjects: list[str] | None = strawberry.field(
        default=None, description=f"USCC or RID codes of at most {SUBJECTS_LIMIT} subjects; or give an industry (监管对象编码)"
    )
    industry: str | None = strawberry.field(default=None, description="All of this industry; or give subjects (行业)")
    title: str = strawberry.field(description="Title; not blank (标题)")
    content: str = strawberry.field(description="Text; not blank (内容)")
    department: str = strawberry.field(description="Code of the department that issues it (部门)")


@strawberry.input(description="What the on-line check of reported figures came to (申报数据核查输入)")
class RecordFiguresCheckInput:
    """Input of recordFiguresCheck."""

    report_no: str = strawberry.field(description="Number of the report (自治结果编号)")
    conclusion: FiguresConclusion = strawberry.field(description="Whether the figures hold (核查结论)")
    remarks: str | None = strawberry.field(default=None, description="Remarks (备注)")
    department: str = strawberry.field(description="Code of the department that checked (部门)")
    inspect: bool = strawberry.field(
        default=False, description="Whether a check on site is wanted where they do not hold (是否现场检查)"
    )


@strawberry.type(description="What became of a request for notices (通知推送结果)")
class PushNoticePayload(Payload):
    """Answer of pushNotice."""

    @resolver("The request as it is kept; null if refused", "通知推送下达")
    async def notice_request(self, info: Info[Context, None]) -> NoticeRequest | None:
        """Read it, which asks for the right to."""
        return next(iter(await read_each(info.context, NoticeRequest, self.outcome.done)), None)


@strawberry.type(description="What became of a check of figures (申报数据核查结果)")
class FiguresCheckPayload(Payload):
    """Answer of recordFiguresCheck."""

    @resolver("The check as it is kept; null if refused", "申报数据在线核查")
    async def figures_check(self, info: Info[Context, None]) -> FiguresCheck | None:
        """Read it, which asks for the right to."""
        return next(iter(await read_each(info.context, FiguresCheck, self.outcome.done)), None)


@strawberry.type
class NoticeActions:
    """What departments do for self-governance."""

    @mutation("Push a notice, law or rule to chosen subjects, or to all of an industry; once under its number", "推送通知与法规")
    async def push_notice(
        self, info: Asked, input_: Annotated[PushNoticeInput, strawberry.argument(name="input")]
    ) -> PushNoticePayload | None:
        """Ask the engine, after a look at the shape of the input."""
        by, given = actor(info), input_
        codes, errors = _codes(given.subjects or [])
        errors = [*_wrong_number(given.request_no), *_to_whom(given), *errors, *_unusable(given)]
        if errors:
            return PushNoticePayload(outcome=told(info, refused(*errors)))
        wanted = NoticeWanted(
            given.request_no.strip(),
            codes,
            (given.industry or "").strip() or None,
            given.title.strip(),
            given.content.strip(),
            given.department.strip(),
        )
        return PushNoticePayload(outcome=told(info, await info.context.hub.push_notice(wanted, by)))

    @mutation("Record the on-line check of a report's figures; once for each state of the report", "登记申报数据核查")
    async def record_figures_check(
        self, info: Asked, input_: Annotated[RecordFiguresCheckInput, strawberry.argument(name="input")]
    ) -> FiguresCheckPayload | None:
        """Ask the engine, after a look at the shape of the input."""
        by, given = actor(info), input_
        if errors := [*blank(given.report_no, "reportNo"), *_no_text(given.remarks or "", "remarks")]:
            return FiguresCheckPayload(outcome=told(info, refused(*errors)))
        wanted = FiguresCheckWanted(
            given.report_no.strip(),
            given.conclusion is FiguresConclusion.CONFORM,
            (given.remarks or "").strip() or None,
            given.department.strip(),
            given.inspect,
        )
        return FiguresCheckPayload(outcome=told(info, await info.context.hub.record_figures_check(wanted, by)))


def _wrong_number(number: str) -> list[UserError]:
    if _NUMBER.fullmatch(number.strip()):
        return []
    message = f"request number {number[:80]!r}: give 1 to 64 characters without blank, colon or control character"
    return [BadNumber(message=message, path=["requestNo"], number=number[:80])]


def _to_whom(given: PushNoticeInput) -> list[UserError]:
    """Return what is wrong where neither or both of subjects and industry are given, or too many subjects."""
    industry = (given.industry or "").strip()
    if bool(given.subjects) == bool(industry):
        return [InputMissing(message="give either subjects or an industry", path=[])]
    return [*too_many(given.subjects or [], "subjects", SUBJECTS_LIMIT), *_no_text(industry, "industry")]


def _codes(given: list[str]) -> tuple[tuple[str, ...], list[UserError]]:
    """Return the codes, each once, and the errors of those that no subject can have."""
    codes: dict[str, None] = {}
    errors: list[UserError] = []
    for at, text in enumerate(given[: SUBJECTS_LIMIT + 1]):
        try:
            codes[parse_subject_code(text)] = None
        except IdentifierError as error:
            shown = mask_identity(text.strip()) if is_identity(text) else text[:80]
            errors.append(BadCode(message=str(error), path=["subjects", str(at)], code=shown))
    return tuple(codes), errors


def _unusable(given: PushNoticeInput) -> list[UserError]:
    texts = {"title": given.title, "content": given.content}
    return [error for name, text in texts.items() for error in (*blank(text, name), *_no_text(text, name))]


def _no_text(text: str, name: str) -> list[UserError]:
    """Return the error of a text that no database keeps."""
    return [InputMissing(message=f"{name} holds a NUL character", path=[name])] if "\x00" in text else []
