"""Where our count of points and the credit platform's own figures differ (扣分对账差异): the hub's own notion, found by comparing.

What can be compared (credit.md): `regulatoryPoints` with the open points of the regulatory records of the running period, deductions
with full dozens, records of responsible persons with serious periods. Score and grade are the platform's own judgement: nothing here.
"""

from decimal import Decimal
from enum import Enum
from typing import Annotated

from schema.declare import Indexed, Instant, Says, to_many, to_one
from schema.entities.credit import Points
from schema.entities.identity import TO_SUBJECT
from schema.entity import Entity, entity


class Measure(Enum):
    """What was compared (对账项目)."""

    REGULATORY_POINTS = "REGULATORY_POINTS"
    DOZENS = "DOZENS"
    SERIOUS = "SERIOUS"


class Explanation(Enum):
    """Why figures may differ though nobody is wrong (差异说明).

    REPAIR_IN_FLIGHT: a repair was sent or seen that the records do not show yet. RECORD_IN_FLIGHT: a record of ours was sent and is
    not in the mirror yet. OWED: the ledger has what is missing, and it is open. DECIDED: people took it off the ledger or settled it
    by hand, or it was corrected after it was sent and ops was told. EARLIER_PERIOD: the platform has not judged the subject since
    the period began. STANDING: the platform counts what stands beyond full dozens.
    """

    REPAIR_IN_FLIGHT = "REPAIR_IN_FLIGHT"
    RECORD_IN_FLIGHT = "RECORD_IN_FLIGHT"
    OWED = "OWED"
    DECIDED = "DECIDED"
    EARLIER_PERIOD = "EARLIER_PERIOD"
    STANDING = "STANDING"


@entity(
    "Where our count of a subject's points and the credit platform's figure differ",
    "扣分对账差异",
    key="difference_id",
    indexes=(("ended_at", "since"),),
    scope="ops:read",
)
class ScoreDifference(Entity, frozen=True):
    """One a subject and measure: one that ended and comes again begins anew. Points are exact; dozens and serious are counts."""

    difference_id: Annotated[str, Says("Subject's code and what was compared", "差异编号")]
    code: Annotated[str, Indexed(), Says("USCC or RID code, the credit platform's present one", "统一社会信用代码或个人编码")]
    measure: Annotated[Measure, Indexed(), Says("What was compared", "对账项目")]
    period: Annotated[str, Says("Period of points, the Beijing year", "扣分周期")]
    ours: Annotated[Decimal, Points, Says("What the records in the mirror add up to", "本系统累计")]
    theirs: Annotated[Decimal | None, Points, Says("What the platform says; null where it knows no such subject", "信用平台数值")]
    difference: Annotated[Decimal, Points, Says("Ours less theirs", "差值")]
    record_ids: Annotated[tuple[str, ...], Says("The records that make ours", "构成记录")]
    others: Annotated[int, Says("How many of these records somebody else posted", "其中非本系统记录数")]
    explanation: Annotated[Explanation | None, Indexed(), Says("Why that may be; null where nothing explains it", "差异说明")]
    since: Annotated[Instant, Says("When figures first differed by so much", "差异起始")]
    compared_at: Annotated[Instant, Says("When they were last compared", "最近对账")]
    told_at: Annotated[Instant | None, Says("When ops was told, after a live read", "列入人工处理时间")]
    ended_at: Annotated[Instant | None, Says("When they agreed again; null while they differ", "差异消除时间")]

    subject = to_one("Subject", "Whose points", "监管对象", ours="code", theirs="code", through=TO_SUBJECT)
    profile = to_one("CreditProfile", "What the platform says", "综合信用", ours="code", theirs="code")
    records = to_many("CreditRecord", "All records of the subject", "信用记录", ours="code", theirs="subject_code")
    ops_items = to_many("OpsItem", "What ops was told", "人工处理事项", ours="difference_id", theirs="cause")
