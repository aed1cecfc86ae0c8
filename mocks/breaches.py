"""What counts as a breach (DOMAIN.md, "What counts as a breach"), read from tasks as the enforcement platform answers them.

Used by the city, which says how many records it expects, and by the checker, which looks for them. Shares nothing with the hub.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

COMMITMENT_POINTS: Final = "6.0"
TIERS: Final = {"MINOR": "1.0", "GENERAL": "3.0", "MAJOR": "6.0", "SERIOUS": "12.0"}


class Breach(msgspec.Struct, frozen=True):
    """One breach and the credit record that it must leave: `code` is None where the result names nobody."""

    key: str
    category: str
    points: str
    ref: str
    finding: str | None
    code: str | None


def points_of_finding(finding: Mapping[str, Any], items: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the points of a finding as text with one decimal: its own, else its item's, else its tier's; None without any."""
    item = items.get(finding["itemCode"], {})
    named = finding.get("points") or item.get("points")
    if named is None:
        named = TIERS.get(finding.get("severity") or item.get("severity") or "")
    return None if named is None else f"{Decimal(named):.1f}"


def breaches(tasks: Iterable[Mapping[str, Any]], items: Mapping[str, Mapping[str, Any]]) -> dict[str, Breach]:
    """Return the breaches that tasks show, by key.

    A NONCONFORM result of a COMMITMENT task is one for its approval, however many findings and tasks; in other tasks each
    finding that does not conform is one. Rechecks and referrals (origin enforcement) take no points a second time, nobody
    reached is no breach, and a finding that has no price is for people to settle.
    """
    found: dict[str, Breach] = {}
    for task in tasks:
        origin = task["origin"] or {}
        if task["type"] == "RECHECK" or origin.get("platform") == "enforcement":
            continue
        for result in task["results"]:
            if result["conclusion"] != "NONCONFORM":
                continue
            code, ref = result["subjectCode"], task["taskId"]
            if task["type"] == "COMMITMENT":
                key = f"approval {origin.get('ref', ref)}"
                found.setdefault(key, Breach(key, "COMMITMENT_BREACH", COMMITMENT_POINTS, ref, None, code))
                continue
            for finding in result["findings"]:
                points = None if finding["conform"] else points_of_finding(finding, items)
                if points is not None:
                    key = f"finding {finding['findingId']}"
                    found[key] = Breach(key, "REGULATORY_POINTS", points, ref, finding["findingId"], code)
    return found
