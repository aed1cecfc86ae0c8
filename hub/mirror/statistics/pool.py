"""How many subjects a pool for graded supervision holds, by what the mirror knows of them: grade, key supervision, permits."""

from sqlalchemy import Connection, func, select

from hub.mirror.tables import TABLES
from hub.mirror.visibility import visible
from schema.context import Caller
from schema.counting import PoolCounted, PoolQuestion
from schema.declare import declared
from schema.entities import Approval, ApprovalState, CodeType

PROFILE, KEY_SUBJECT, APPROVAL = (TABLES[name].c for name in ("CreditProfile", "KeySubject", "Approval"))


def answer(connection: Connection, question: PoolQuestion, caller: Caller) -> PoolCounted:
    """Return the subjects of a pool by grade, and those under key supervision; companies only, as campaigns draw no persons."""
    joined = TABLES["CreditProfile"].outerjoin(TABLES["KeySubject"], KEY_SUBJECT.code == PROFILE.code)
    wanted = [PROFILE.code_type == CodeType.USCC.value]
    if question.grades is not None:
        wanted.append(PROFILE.grade.in_(question.grades))
    if question.watched is not None:
        wanted.append(KEY_SUBJECT.code.is_not(None) if question.watched else KEY_SUBJECT.code.is_(None))
    if question.matters is not None:
        seen = visible(declared(Approval), caller)
        permit = (APPROVAL.subject_code == PROFILE.code) & (APPROVAL.state == ApprovalState.GRANTED.value)
        wanted.append(select(1).where(permit, APPROVAL.matter_code.in_(question.matters), *seen).exists())
    counted = select(PROFILE.grade, func.count(), func.count(KEY_SUBJECT.code)).select_from(joined).where(*wanted)
    return PoolCounted({row[0]: (int(row[1]), int(row[2])) for row in connection.execute(counted.group_by(PROFILE.grade))})
