"""The officers of the mock enforcement platform: six in each department, the first of them its head."""

import random
from collections.abc import Sequence
from typing import Final

from mocks.store import Document

# 䶮 and 𬭎 are real names of people, and outside what older systems can write.
_NAMES: Final = ("王建国", "吴䶮", "陈晓红", "金𬭎", "楼志强", "骆文静")


def officers_of(department: str) -> list[Document]:
    """Return the department's officers as `{"id", "name", "department", "isHead"}`."""
    return [
        {"id": f"ZF-{department}-{number:02d}", "name": name, "department": department, "isHead": number == 1}
        for number, name in enumerate(_NAMES, start=1)
    ]


def drawn_officers(departments: Sequence[str], count: int, *, head: bool, rng: random.Random) -> list[Document]:
    """Return so many officers drawn from the departments in turn; with `head` the first department's head leads."""
    drawn: list[Document] = officers_of(departments[0])[:1] if head else []
    rest = {department: officers_of(department)[1:] for department in departments}
    for officers in rest.values():
        rng.shuffle(officers)
    while len(drawn) < count and any(rest.values()):
        department = departments[len(drawn) % len(departments)]
        if rest[department]:
            drawn.append(rest[department].pop())
        else:
            rest = {name: officers for name, officers in rest.items() if officers}
            departments = [name for name in departments if name in rest]
    return drawn
