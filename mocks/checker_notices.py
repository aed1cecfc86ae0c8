"""The checker's judgement on notices: each record that takes points is told to its subject once, on its list and by short message.

The line of zz_score goes by the record's bizNo. A message is owed where an approval names a telephone of the subject, and goes to
it, with the item and the points; which record it tells of is known by these. Pure.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from mocks.store import Document

_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
RID: Final = "RID-"


def takes_points(record: Document) -> bool:
    """Return whether a credit record takes points and stands."""
    return float(record["points"]) > 0 and not record["cancelled"]


def telephones(
    approvals: Iterable[Document], subjects: Iterable[Document], resident_code: Callable[[str], str]
) -> dict[str, set[str]]:
    """Return the mobile telephones that approvals name, by the credit platform's code of their subject."""
    codes = {old: str(subject["code"]) for subject in subjects for old in subject["oldCodes"] or ()}
    found: defaultdict[str, set[str]] = defaultdict(set)
    for record in approvals:
        if not _MOBILE.fullmatch(record.get("LXDH") or ""):
            continue
        if record["SQRLX"] == "2":
            found[resident_code(record["SFZHM"])].add(record["LXDH"])
        elif (code := record.get("TYSHXYDM") or codes.get(record.get("ZCH") or "")) is not None:
            found[code].add(record["LXDH"])
    return dict(found)


def judge_notices(
    records: Iterable[Document],
    lines: Iterable[Document],
    messages: Iterable[Document],
    reachable: Mapping[str, set[str]],
    problems: list[str],
) -> dict[str, int]:
    """Return the counts; `reachable` are the telephones by code of subject."""
    records = list(records)
    taking = [record for record in records if takes_points(record)]
    return {
        "records_taking_points": len(taking),
        **_judge_lines(records, taking, lines, problems),
        **_judge_messages(taking, messages, reachable, problems),
    }


def _judge_lines(
    records: Sequence[Document], taking: Sequence[Document], lines: Iterable[Document], problems: list[str]
) -> dict[str, int]:
    held, counts = {line["bizno"]: line for line in lines}, Counter[str]()
    for record in taking:
        line = held.get(record["bizNo"])
        if line is None:
            counts["missing"] += 1
            problems.append(f"record {record['recordId']} takes points and has no line in zz_score")
            continue
        wanted = "repaired" if float(record["openPoints"]) == 0 else "open"
        if line["state"] != wanted:
            counts["missing"] += 1
            problems.append(f"record {record['recordId']}: its line in zz_score is {line['state']}, not {wanted}")
        said = (line["tyshxydm"], float(line["points"]), line["itemcode"], line["itemname"])
        if said != (record["code"], float(record["points"]), record["itemCode"], record["itemName"]):
            counts["wrong"] += 1
            problems.append(f"record {record['recordId']}: its line in zz_score says something else: {said}")
    for biz_no in sorted(held.keys() - {record["bizNo"] for record in records}):
        counts["wrong"] += 1
        problems.append(f"zz_score has a line {biz_no} of no credit record")
    return {"lines": len(held), "lines_missing": counts["missing"], "lines_wrong": counts["wrong"]}


def _judge_messages(
    taking: Sequence[Document], messages: Iterable[Document], reachable: Mapping[str, set[str]], problems: list[str]
) -> dict[str, int]:
    left: defaultdict[str, list[Document]] = defaultdict(list)
    for message in messages:
        left[message["mobile"]].append(message)
    sent, missing = sum(map(len, left.values())), 0
    to_tell = [record for record in taking if reachable.get(record["code"])]
    for record in to_tell:
        to = reachable[record["code"]]
        found = next((each for mobile in sorted(to) for each in left[mobile] if _tells_of(each, record)), None)
        if found is None:
            missing += 1
            problems.append(f"record {record['recordId']} takes points, and no short message tells its subject")
        else:
            left[found["mobile"]].remove(found)
    surplus = sorted(message["extno"] for some in left.values() for message in some)
    problems += [f"message {extno} tells of no record that takes points, or of one once more" for extno in surplus]
    return {
        "messages": sent,
        "messages_owed": len(to_tell),
        "messages_missing": missing,
        "messages_surplus": len(surplus),
    }


def _tells_of(message: Document, record: Document) -> bool:
    """Return whether a message names what a record was for, and the points that it takes."""
    points = re.escape(f"{float(record['points']):g}")
    return record["itemName"] in message["content"] and re.search(rf"(?<![\d.]){points}分", message["content"]) is not None
