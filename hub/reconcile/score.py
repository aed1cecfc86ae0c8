"""What a subject is told of the points that a credit record takes: its own list (zz_score), and the words of the short message.

Pure; asked by rules/score_notice.py and rules/score_state.py, which share one chain a record so that its states keep their order.
"""

from datetime import datetime
from decimal import Decimal

from hub.domain.calendar import beijing_day
from hub.domain.points import repair_until
from hub.domain.policy import Policy
from schema.commands import PutScore
from schema.entities import CreditRecord, RecordCategory, ScoreState
from schema.identifiers import redact

PLACES = {ScoreState.OPEN: 1, ScoreState.EXPIRED: 2, ScoreState.REPAIRED: 3}
"""The order in which the states of one record may follow each other: a repair completed in time can come after the expiry."""
ITEM_LENGTH = 120
"""Of an item's name in a short message, so that the whole stays within 350 characters (sms.md)."""


def takes_points(record: CreditRecord) -> bool:
    """Return whether a record takes points and stands: one of a responsible person takes none, a cancelled one no more."""
    return record.points > 0 and not record.cancelled


def can_be_repaired(record: CreditRecord, policy: Policy, now: datetime) -> bool:
    """Return whether points of a record are open and the time for repairing them is not over."""
    return takes_points(record) and record.open_points > 0 and now <= repair_until(record.occurred_at, policy)


def chain_of(record: CreditRecord) -> str:
    """Return the chain in which a record's entry on the subject's list is kept in order."""
    return f"score:{record.biz_no}"


def entry_of(record: CreditRecord, state: ScoreState, policy: Policy) -> PutScore:
    """Return the entry of a record on its subject's list: points as taken at first, whatever was repaired since."""
    return PutScore(
        biz_no=record.biz_no,
        code=record.subject_code,
        points=record.points,
        item_code=record.item_code,
        item_name=record.item_name,
        occurred_at=record.occurred_at,
        repair_until=repair_until(record.occurred_at, policy),
        state=state,
    )


def message_of(record: CreditRecord, policy: Policy) -> str:
    """Return the short message: for what, how many points, how and until which Beijing day to repair. No name, no number.

    It stays within 350 characters; an item's name that is too long is cut with an ellipsis.
    """
    item = redact(record.item_name)
    if len(item) > ITEM_LENGTH:
        item = item[: ITEM_LENGTH - 1] + "…"
    kind = "监管信用分" if record.category is RecordCategory.REGULATORY_POINTS else "综合信用分"
    return (
        f"您（单位）于{in_chinese(record.occurred_at)}因“{item}”被扣{kind}{plain(record.points)}分。"
        f"请在{in_chinese(repair_until(record.occurred_at, policy))}前（含当日）登录“浙里办”主体自治系统，"
        "通过自查、自主申报、学习或考试修复。"
    )


def in_chinese(at: datetime) -> str:
    """Return the Beijing date as 2019年9月2日."""
    day = beijing_day(at)
    return f"{day.year}年{day.month}月{day.day}日"


def plain(points: Decimal) -> str:
    """Return points without needless zeros: 4, 0.5."""
    return f"{points.normalize():f}"
