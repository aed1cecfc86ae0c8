"""The approval system's records (办件) and its way of writing times (approval.md, "Records"); used by mocks/approval.py."""

from datetime import datetime
from typing import Final

from mocks.people import YIWU, Subject
from mocks.platform import BEIJING
from mocks.store import Document

_FORMAT: Final = "%Y-%m-%d %H:%M:%S"

ACCEPTED: Final = "01"
DECIDED: Final = "02"
REVOKED: Final = "03"
COMMITMENT: Final = "1"
STANDARD: Final = "2"


def beijing_text(moment: datetime) -> str:
    """Return an aware moment as `yyyy-MM-dd HH:mm:ss`, Beijing, cut to the second."""
    return moment.astimezone(BEIJING).strftime(_FORMAT)


def beijing_moment(text: object) -> datetime | None:
    """Return the aware moment that `yyyy-MM-dd HH:mm:ss` names in Beijing, or None where text has another shape."""
    if not isinstance(text, str) or len(text) != 19:
        return None
    try:
        return datetime.strptime(text, _FORMAT).replace(tzinfo=BEIJING)
    except ValueError:
        return None


def accepted_record(
    serial: str, subject: Subject, *, matter: tuple[str, str], department: tuple[str, str], procedure: str, accepted_at: datetime
) -> Document:
    """Return a record as it is when accepted; matter and department are (code, name), procedure is SPFS.

    GXSJ and BBH are the platform's to set. An old subject is named by ZCH alone. Which optional fields are absent, null or
    empty hangs on the serial number, so that every version of one record writes them alike.
    """
    record: Document = {
        "YWLSH": serial,
        "SXBM": matter[0],
        "SXMC": matter[1],
        "SPFS": procedure,
        "SQRMC": subject.name,
        "SQRLX": subject.kind,
        "TYSHXYDM": None if subject.old_number else subject.uscc,
        "ZCH": subject.old_number,
        "SFZHM": subject.identity_number,
        "FRXM": subject.representative,
        "FRZJHM": subject.representative_number,
        "LXDH": subject.telephone,
        "JYDZ": subject.address,
        "CNNR": f"本人承诺符合{matter[1]}的全部条件，如有不实愿承担法律责任。" if procedure == COMMITMENT else None,
        "SLSJ": beijing_text(accepted_at),
        "BJSJ": None,
        "SPJG": None,
        "ZT": ACCEPTED,
        "BMBM": department[0],
        "BMMC": department[1],
        "XZQH": YIWU,
    }
    style = sum(serial.encode()) % 3  # an optional field may be absent, null or ""
    if style == 0:
        return {field: value for field, value in record.items() if value is not None}
    return {field: "" if value is None and style == 1 else value for field, value in record.items()}
