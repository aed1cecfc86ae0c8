"""What is asked, and how answers of servers that name or write a thing differently are made comparable."""

from collections.abc import Callable
from typing import Any

TYPENAME = "{ __typename }"
NESTED = """{ approvals(first: 50) { edges { node {
  approvalNo matterName state
  subject { code name
    profile { score grade }
    creditRecords { edges { node { recordId category points } } } }
  tasks { edges { node { taskId status
    results { edges { node { resultId conclusion
      findings { edges { node { findingId itemName conform } } } } } } } } } } } } }"""
OVER_REST = """{ approvals(first: 50) { items {
  approvalNo matterName state
  subject { code name
    profile { score grade }
    creditRecords { items { recordId category points } } }
  tasks { items { taskId status
    results { items { resultId conclusion
      findings { items { findingId itemName conform } } } } } } } } }"""
"""The same, where a list is `{ items }`."""
POINTS = frozenset({"score", "points"})

Normalised = Callable[[Any], Any]
"""Makes of an answer the one that the hub would give; nothing is left out and nothing added."""


def as_it_is(answer: Any) -> Any:
    """Return an answer that needs no change."""
    return answer


def from_tenths(answer: Any) -> Any:
    """Read points as the tables keep them, in tenths: "865" is 86.5."""
    if isinstance(answer, list):
        return [from_tenths(each) for each in answer]
    if not isinstance(answer, dict):
        return answer
    return {
        name: f"{int(value) / 10:.1f}" if name in POINTS and value is not None else from_tenths(value)
        for name, value in answer.items()
    }


def from_items(answer: Any) -> Any:
    """Read a REST list, `{"items": [...]}`, as a connection."""
    if isinstance(answer, list):
        return [from_items(each) for each in answer]
    if not isinstance(answer, dict):
        return answer
    if set(answer) == {"items"}:
        return {"edges": [{"node": from_items(each)} for each in answer["items"]]}
    return {name: from_items(value) for name, value in answer.items()}
