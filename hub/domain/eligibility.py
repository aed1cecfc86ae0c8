"""Whether a subject may use commitment for a matter (告知承诺资格): the matter, the credit platform's own judgement, the blacklist.

Pure: hub/eligibility.py asks the platforms and the mirror, and decides by this. Every reason is named, not only the first.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from hub.domain.calendar import BEIJING, beijing_day
from hub.domain.points import full_dozens, period_of
from hub.domain.policy import Policy
from schema.decision import DataAge, Decision, Reason
from schema.entities import BlacklistEntry, CreditProfile, CreditRecord, RecordCategory


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a subject when the question comes."""

    profile: CreditProfile | None
    """None where the credit platform does not know the subject (`credit_live`), or nobody can say."""
    credit_as_of: datetime | None
    """When the profile was true; None where there is none."""
    credit_live: bool
    records: Sequence[CreditRecord]
    """The subject's credit records, of any time."""
    blacklist: Sequence[BlacklistEntry]
    """Its entries on the commitment blacklist, of any matter, removed ones too."""
    blacklist_live: bool
    """False where the approval system could not be asked. The mirror cannot stand in for it: no stream tells of the blacklist."""


def decide(subject: str, matter: str, facts: Facts, policy: Policy, now: datetime) -> Decision:
    """Return whether the subject (USCC or RID code) may use commitment for the matter (its code), with each reason why not.

    Grades are the credit platform's own judgement and never computed. Credit data of at most `max_age_seconds` counts, whether
    it was asked live or is the mirror's; blacklist entries count only as the approval system shows them now, but for an open
    one that is known, which counts in any case. Rules: 《义乌市信用监管实施暂行办法》, eligibility.toml, points.toml, matters.csv.
    """
    reasons = (
        *_of_matter(matter, policy, now),
        *_of_credit(facts, policy, now),
        *_of_points(facts, policy, now),
        *_of_blacklist(matter, facts),
    )
    profile = facts.profile
    return Decision(
        subject=subject,
        matter=matter,
        eligible=not reasons,
        grade=profile.grade if profile else None,
        score=profile.score if profile else None,
        reasons=reasons,
        as_of=facts.credit_as_of if profile else None,
        data=(
            DataAge("credit", facts.credit_as_of, facts.credit_live, stale=_is_old(facts, policy, now)),
            DataAge("approval", now if facts.blacklist_live else None, facts.blacklist_live, stale=not facts.blacklist_live),
        ),
    )


def points_taken(records: Iterable[CreditRecord], period: str) -> Decimal:
    """Return the regulatory points taken from a subject in a period: as taken, whatever was repaired; cancelled records not."""
    counted = (
        record.points
        for record in records
        if record.category is RecordCategory.REGULATORY_POINTS and not record.cancelled and period_of(record.occurred_at) == period
    )
    return sum(counted, Decimal(0))


def _of_matter(code: str, policy: Policy, now: datetime) -> Iterator[Reason]:
    matter = policy.matter(code, beijing_day(now))
    if matter is None and policy.matter(code) is None:
        yield Reason("MATTER_UNKNOWN", "该事项不在本系统的审批事项清单中")
    elif matter is None or (matter.commitment and not matter.live):
        yield Reason("MATTER_NOT_LIVE", "该事项目前未启用告知承诺")
    elif not matter.commitment:
        yield Reason("MATTER_NOT_ON_COMMITMENT", f"事项“{matter.name}”不实行告知承诺")


def _of_credit(facts: Facts, policy: Policy, now: datetime) -> Iterator[Reason]:
    profile, allowed = facts.profile, policy.eligibility
    if profile is None and facts.credit_live:
        yield Reason("SUBJECT_UNKNOWN", "信用平台没有该主体的信用信息")
    elif profile is None or facts.credit_as_of is None:
        yield Reason("CREDIT_UNREACHABLE", "信用平台暂时无法访问，本系统也没有该主体的信用数据")
    elif _is_old(facts, policy, now):
        until = facts.credit_as_of.astimezone(BEIJING)
        yield Reason("CREDIT_TOO_OLD", f"信用平台暂时无法访问，已有信用数据截至{until:%Y-%m-%d %H:%M:%S}，超过允许的时限")
    elif profile.grade.value not in allowed.grades:
        wanted = "、".join(sorted(allowed.grades))
        yield Reason("GRADE_TOO_LOW", f"信用等级为{profile.grade.value}级，告知承诺要求{wanted}级")


def _of_points(facts: Facts, policy: Policy, now: datetime) -> Iterator[Reason]:
    """A serious period (严重) stays open until it is over: a repair reopens no dozen."""
    period = period_of(now)
    points = points_taken(facts.records, period)
    # The platform's own count knows what the feed has not told yet; of another period it says nothing of this one.
    if facts.profile and facts.credit_as_of and period_of(facts.credit_as_of) == period:
        points = max(points, facts.profile.regulatory_points)
    if full_dozens(points, policy.points):
        yield Reason("SERIOUS_PERIOD", f"{period}年度监管信用扣分累计{_plain(points)}分，达到严重程度，本年度内不适用告知承诺")


def _of_blacklist(matter: str, facts: Facts) -> Iterator[Reason]:
    here = sorted(entry.since for entry in facts.blacklist if entry.matter_code == matter and entry.removed_on is None)
    if here:
        yield Reason("BLACKLISTED", f"自{here[0]}起列入该事项告知承诺黑名单")
    elif not facts.blacklist_live:
        yield Reason("BLACKLIST_UNREACHABLE", "无法向审批系统核实告知承诺黑名单")


def _is_old(facts: Facts, policy: Policy, now: datetime) -> bool:
    return facts.credit_as_of is None or (now - facts.credit_as_of).total_seconds() > policy.eligibility.max_age_seconds


def _plain(points: Decimal) -> str:
    return f"{points:f}".removesuffix(".0")
