"""What reaches subjects: messages and their own lists, repairs and marks, notices and campaigns that front ends asked for."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from mocks.platform import BEIJING
from mocks.store import Document
from tests.chaos.oracle_approvals import code_of
from tests.chaos.picture import Picture, number


def repair_until(record: Document) -> datetime:
    """Return the end of the same calendar day a year after a record occurred, Beijing (29 February: the 28th)."""
    at = datetime.fromisoformat(record["occurredAt"]).astimezone(BEIJING)
    day = 28 if (at.month, at.day) == (2, 29) else at.day
    return at.replace(year=at.year + 1, day=day, hour=23, minute=59, second=59, microsecond=0)


def telephones_of(picture: Picture, code: str) -> list[str | None]:
    """Return the telephone that each approval of a subject names, the newest application first."""
    found = [one for one in picture.all("approval", "record").values() if code_of(picture, one) == code]
    return [one.get("LXDH") or None for one in sorted(found, key=lambda one: (one["SLSJ"], one["YWLSH"]), reverse=True)]


def listed(picture: Picture) -> Iterator[str]:
    """Every record that takes points stands on its subject's own list, in its present state."""
    rows = {row["bizno"]: row for row in picture.platforms.selfgov.rows("zz_score")}
    records = {record["bizNo"]: record for record in picture.all("credit", "record").values()}
    for biz_no in sorted(rows.keys() - records.keys()):
        yield f"zz_score {biz_no} stands for no record"
    for biz_no, record in records.items():
        row = rows.get(biz_no)
        if Decimal(record["points"]) == 0:
            if row:
                yield f"zz_score {biz_no} stands for a record without points"
        elif row is None:
            if not record["cancelled"]:
                yield f"record {record['recordId']} is not on its subject's list"
        else:
            yield from _row(picture, row, record)


def _row(picture: Picture, row: Document, record: Document) -> Iterator[str]:
    said = (row["tyshxydm"], Decimal(str(row["points"])), row["itemcode"])
    if said != (record["code"], Decimal(record["points"]), record["itemCode"]):
        yield f"zz_score {row['bizno']} says {said}"
    if record["cancelled"]:
        if not picture.was_told("score-notice.withdrawn-after-sent", {"biz_no": row["bizno"]}):
            yield f"record {record['recordId']} was cancelled, stands on its subject's list, and ops does not know"
        return
    wanted = "repaired" if Decimal(record["openPoints"]) == 0 else "expired" if picture.now > repair_until(record) else "open"
    if row["state"] != wanted:
        yield f"zz_score {row['bizno']} is {row['state']}, the record is {wanted}"


def messaged(picture: Picture) -> Iterator[str]:
    """Every such record was told by one short message, to the telephone that the newest approval named; else ops knows."""
    sent = {one["extno"]: one for one in picture.platforms.sms.outbox()}
    for record in picture.all("credit", "record").values():
        message = sent.pop(number("SN", f"score-notice:{record['recordId']}/1"), None)
        phones = telephones_of(picture, record["code"])
        takes = Decimal(record["points"]) > 0
        stands = takes and not record["cancelled"] and Decimal(record["openPoints"]) > 0 and picture.now <= repair_until(record)
        if message and (not takes or message["mobile"] not in phones):
            yield f"message {message['extno']} went to {message['mobile']}; approvals name {phones}"
        if message is None and stands and phones and phones[0]:
            yield f"record {record['recordId']}: nobody was told, and there is a telephone"
        if message is None and stands and not (phones and phones[0]) and not picture.items("no-telephone", record["recordId"]):
            yield f"record {record['recordId']}: nobody was told, and ops does not know"
        if message and not _words(message["content"], record):
            yield f"record {record['recordId']}: the message says {message['content']}"
    for extno in sorted(sent):
        yield f"message {extno} is about no record"


def _words(content: str, record: Document) -> bool:
    until, points = repair_until(record), f"{Decimal(record['points']).normalize():f}分"
    return all(each in content for each in (record["itemName"], points, f"{until.year}年{until.month}月{until.day}日"))


def repaired(picture: Picture) -> Iterator[str]:
    """Every row that asks for a repair has it, once, or is refused with a reason that holds; and every decided row is marked."""
    repairs = {repair["bizNo"]: repair for repair in picture.all("credit", "repair").values()}
    records = {record["bizNo"]: record for record in picture.all("credit", "record").values()}
    for number_, row in picture.results.items():
        stamps = {_stamp(each): each for each in [*picture.rows.get(number_, ()), row]}
        mine = {stamp: repairs.pop(number("RE", f"repair:{number_}:{stamp}/1"), None) for stamp in stamps}
        made = {stamp: repair for stamp, repair in mine.items() if repair}
        if len(made) > 1:
            yield f"row {number_} has {len(made)} repairs"
        for stamp, repair in made.items():
            yield from _repair(picture, number_, stamps[stamp], repair, row)
        yield from _mark(picture, number_, row, records.get(row["jf_bizno"] or ""), list(made.values()))
    for biz_no in sorted(repairs):
        yield f"repair {biz_no} is for no row"


def _stamp(row: Document) -> str:
    return "".join(character for character in str(row["gxsj"]) if character.isdigit())


def _asked(row: Document) -> tuple[object, ...]:
    points = None if row["xffs"] is None else Decimal(str(row["xffs"]))
    return (row["shzt"], row["jf_bizno"], points)


def _repair(picture: Picture, name: int, asked: Document, repair: Document, row: Document) -> Iterator[str]:
    record = picture.all("credit", "record")[repair["recordId"]]
    if _asked(asked) != ("1", record["bizNo"], Decimal(repair["points"])):
        yield f"row {name} asked {_asked(asked)}, and got {repair['points']} points of {record['bizNo']}"
    if record["code"] != row["tyshxydm"]:
        yield f"row {name} of {row['tyshxydm']} repaired a record of {record['code']}"
    told = any(picture.was_told(f"repair.{kind}-after-sent", {"biz_no": repair["bizNo"]}) for kind in ("withdrawn", "changed"))
    if _asked(row) != _asked(asked) and not told and row["shzt"] != "0":
        yield f"row {name} asked {_asked(asked)} and got it, asks {_asked(row)} now, and ops does not know"


def _mark(picture: Picture, name: int, row: Document, record: Document | None, made: list[Document]) -> Iterator[str]:
    if row["shzt"] == "0":
        if row["clbz"] != "0":
            yield f"row {name} is not decided, and marked {row['clbz']}"
        return
    repairable = row["shzt"] == "1" and row["jf_bizno"] is not None
    fault = _fault(row, record) if repairable and not made else None
    if row["clbz"] == "0":
        yield f"row {name} is decided, and not marked"
    elif row["clbz"] == "9" and (not repairable or fault is None or not row["clsm"]):
        yield f"row {name} is refused for {row['clsm']!r}; it has {len(made)} repairs, and its fault is {fault}"
    elif row["clbz"] == "1" and repairable and not made:
        yield f"row {name} is taken, and has no repair; its fault is {fault}"


def _fault(row: Document, record: Document | None) -> str | None:
    """Return why a repair that was not made cannot be made now, None where it can."""
    if record is None or record["code"] != row["tyshxydm"] or record["cancelled"]:
        return "no such record"
    if row["xffs"] is None or not 0 < Decimal(str(row["xffs"])) <= Decimal(record["openPoints"]):
        return "points"
    completed = datetime.fromisoformat(row["wcsj"]).replace(tzinfo=BEIJING)
    return "too late" if completed > repair_until(record) else None


def asked_for(picture: Picture) -> Iterator[str]:
    """Every notice and campaign that was asked for is there, once, however often it was asked for."""
    requests = {one["requestNo"]: one for one in picture.asked if "requestNo" in one}.values()
    wanted = [one for one in requests if one["name"] == "pushNotice"]
    notices = Counter((code, None, one["title"]) for one in wanted for code in one.get("subjects") or ())
    notices += Counter((None, one["industry"], one["title"]) for one in wanted if one.get("industry"))
    found = Counter((row["tyshxydm"], row["industry"], row["title"]) for row in picture.platforms.selfgov.rows("zz_notice"))
    if notices != found:
        yield f"notices asked for: {notices}; there are {found}"
    drawn = Counter(one["title"] for one in requests if one["name"] == "requestCampaign")
    held = Counter(one["title"] for one in picture.all("enforcement", "campaign").values())
    if drawn != held:
        yield f"campaigns asked for: {drawn}; there are {held}"


def figures_checked(picture: Picture) -> Iterator[str]:
    """Reported figures that do not hold and are to be seen on site have one task each, and no others have."""
    checks = {one["reportNo"]: one for one in picture.asked if one["name"] == "recordFiguresCheck"}
    tasks = Counter(task["origin"]["ref"] for task in picture.tasks("selfgov"))
    for report in sorted(checks.keys() | tasks.keys()):
        check = checks.get(report)
        wanted = int(check is not None and check["conclusion"] == "NONCONFORM" and check["inspect"])
        if tasks[report] != wanted:
            yield f"report {report} was checked as {check}, and has {tasks[report]} tasks"


def waiting(_picture: Picture) -> Iterator[str]:
    """Return nothing: a repair that waits for its record is decided once the credit platform was read to its end."""
    yield from ()


RULES = (listed, messaged, repaired, asked_for, figures_checked)
