"""Eligibility for commitment in the graph: the same decision that the approval system gets, with every reason (告知承诺资格)."""

import re
from datetime import datetime
from decimal import Decimal

import strawberry

from schema.decision import Decision
from schema.entities import Grade
from schema.enums import graph_enum
from schema.graph_errors import BAD_USER_INPUT, GraphError
from schema.identifiers import IdentifierError, is_identity, parse_uscc

_RID = re.compile(r"RID-[0-9a-f]{64}")
MATTER_CODE_AT_MOST = 64
graph_enum(Grade)  # known before the type below names it


@strawberry.type(description="Why a subject may not use commitment (不适用原因)")
class EligibilityReason:
    """One reason."""

    code: str = strawberry.field(description="For programs, as GRADE_TOO_LOW (原因代码)")
    text: str = strawberry.field(description="For people, in Chinese (原因说明)")


@strawberry.type(description="How fresh the data of one platform is that a decision stands on (数据时效)")
class DataFreshness:
    """Age of the data of one platform."""

    source: str = strawberry.field(description="Platform (来源平台)")
    as_of: datetime | None = strawberry.field(description="When it was true; null where there is none (数据时间)")
    live: bool = strawberry.field(description="Asked just now; else from the mirror (实时)")
    stale: bool = strawberry.field(description="Missing, or too old to count (已过期)")


@strawberry.type(description="Whether a subject may use commitment for a matter (告知承诺资格)")
class Eligibility:
    """A decision of this moment; nothing of it is kept."""

    subject: str = strawberry.field(description="USCC or RID code (监管对象编码)")
    matter: str = strawberry.field(description="Code of the matter (事项编码)")
    eligible: bool = strawberry.field(description="Whether it may; the standard procedure is always open (可适用告知承诺)")
    grade: Grade | None = strawberry.field(description="The credit platform's judgement; null where it is not known (信用等级)")
    score: Decimal | None = strawberry.field(description="Comprehensive credit score; null where it is not known (综合信用分)")
    reasons: list[EligibilityReason] = strawberry.field(description="Each reason why not; empty where eligible (不适用原因)")
    as_of: datetime | None = strawberry.field(description="Time of the credit data (信用数据时间)")
    data: list[DataFreshness] = strawberry.field(description="How fresh the data of each platform is (数据时效)")


def eligibility_of(decision: Decision) -> Eligibility:
    """Return a decision as the graph shows it."""
    return Eligibility(
        subject=decision.subject,
        matter=decision.matter,
        eligible=decision.eligible,
        grade=decision.grade,
        score=decision.score,
        reasons=[EligibilityReason(code=one.code, text=one.text) for one in decision.reasons],
        as_of=decision.as_of,
        data=[DataFreshness(source=one.source, as_of=one.as_of, live=one.live, stale=one.stale) for one in decision.data],
    )


def subject_named(subject: str) -> str:
    """Return the USCC or RID code that a query names; raise GraphError for anything else, without showing what was given.

    Identity numbers are not accepted: queries are logged on their way. Whoever holds one asks by the RID code.
    """
    if _RID.fullmatch(subject):
        return subject
    if is_identity(subject):
        told = "subject: an identity number is not accepted in a query; give the person's RID code (Subject.code)"
        raise GraphError(BAD_USER_INPUT, told)
    try:
        return parse_uscc(subject)
    except IdentifierError:
        raise GraphError(BAD_USER_INPUT, "subject: no unified social credit code and no RID code; check its digits") from None


def matter_named(matter: str) -> str:
    """Return the code of a matter that a query names, without surrounding blanks; raise GraphError for what is none."""
    if 1 <= len(code := matter.strip()) <= MATTER_CODE_AT_MOST:
        return code
    raise GraphError(BAD_USER_INPUT, f"matter: the code of a matter wanted, at most {MATTER_CODE_AT_MOST} characters")
