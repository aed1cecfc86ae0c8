"""Results of checks as the enforcement platform writes them, completed from what a scenario says.

A scenario names what matters (`{"findings": [{"itemCode": "SCJG-001"}]}`); names, points, tiers, numbers and photos are filled in.
"""

from collections.abc import Callable, Mapping, Sequence

from mocks.store import Document

Numbers = Callable[[str], str]
"""Gives the next number of a sequence, by its prefix."""


def completed_results(
    given: Sequence[Mapping[str, object]],
    *,
    subjects: Sequence[Mapping[str, object]],
    items: Mapping[str, Mapping[str, object]],
    before: Sequence[Document],
    next_number: Numbers,
    checked_at: str,
) -> list[Document]:
    """Return whole results: the i-th one is for the i-th subject unless it names a subjectCode or subjectName.

    `before` are the results of the version before: a finding of the same subject and item keeps its findingId, and a subject
    that no result is given for keeps its own; without one it conforms.
    Raise ValueError when there are more results than subjects.
    """
    if len(given) > len(subjects):
        raise ValueError(f"{len(given)} results for {len(subjects)} subjects; there is one result per subject")
    rest = [before[place] if place < len(before) else {} for place in range(len(given), len(subjects))]
    return [
        _result(result, subject, items=items, before=before, next_number=next_number, checked_at=checked_at)
        for result, subject in zip([*given, *rest], subjects, strict=True)
    ]


def _result(
    given: Mapping[str, object],
    subject: Mapping[str, object],
    *,
    items: Mapping[str, Mapping[str, object]],
    before: Sequence[Document],
    next_number: Numbers,
    checked_at: str,
) -> Document:
    code, name = given.get("subjectCode", subject["code"]), given.get("subjectName", subject["name"])
    earlier = next((result for result in before if (result["subjectCode"], result["subjectName"]) == (code, name)), None)
    kept = {finding["itemCode"]: finding["findingId"] for finding in earlier["findings"]} if earlier else {}
    findings = given.get("findings", ())
    if not isinstance(findings, Sequence):
        raise TypeError("findings must be a list")
    whole = [_finding(finding, items, kept, next_number) for finding in findings]
    broken = any(not finding["conform"] for finding in whole)
    at = str(given.get("checkedAt", checked_at))
    return {
        "subjectCode": code,
        "subjectName": name,
        "conclusion": given.get("conclusion", "NONCONFORM" if broken else "CONFORM"),
        "checkedAt": at,
        "findings": whole,
        "rectification": _rectification(given.get("rectification"), earlier, next_number),
        "caseNo": given.get("caseNo"),
        "transferredTo": given.get("transferredTo"),
        "photos": given.get("photos", [{"url": f"https://photos.enforcement.example/{next_number('P')}.jpg", "takenAt": at}]),
        "signedBySubject": given.get("signedBySubject", True),
        "signedByOfficers": given.get("signedByOfficers", True),
        "remarks": given.get("remarks", ""),
    }


def _finding(
    given: Mapping[str, object],
    items: Mapping[str, Mapping[str, object]],
    kept: Mapping[str, str],
    next_number: Numbers,
) -> Document:
    code = str(given["itemCode"])
    item = items.get(code, {"itemName": code, "points": None, "severity": None})
    return {
        "findingId": given.get("findingId") or kept.get(code) or next_number("F"),
        "itemCode": code,
        "itemName": given.get("itemName", item["itemName"]),
        "conform": given.get("conform", False),
        "points": given.get("points", item["points"]),
        "severity": given.get("severity", item["severity"]),
        "note": given.get("note", ""),
    }


def _rectification(given: object, earlier: Document | None, next_number: Numbers) -> Document | None:
    if not isinstance(given, Mapping):
        return None
    before = (earlier or {}).get("rectification") or {}
    return {"orderNo": given.get("orderNo") or before.get("orderNo") or next_number("ZG"), "deadline": given["deadline"]}
