"""From an identifier to the subject it belongs to: a merge that stands leads on, else the newest word of a platform. Pure.

Where words run in a circle, the oldest of them does not count: its identifier is where the way ends. Asked by identities.py.
"""

from collections.abc import Mapping
from typing import NamedTuple

from schema.entities import IdentifierKind
from schema.identifiers import is_registration_number, is_uscc

CODES = frozenset({IdentifierKind.USCC, IdentifierKind.RESIDENT_ID})
"""What platforms know subjects by; all else is an earlier number."""


class Word(NamedTuple):
    """What a platform says of an identifier. The greatest is in force: the newest, of two at once the greater code."""

    told_at: int
    code: str
    told_by: str


class Ways(NamedTuple):
    """Where identifiers lead on: by the word in force, by the merge that stands (its id, its end)."""

    words: Mapping[str, Word]
    merges: Mapping[str, tuple[str, str]]

    def subject_of(self, identifier: str) -> str:
        """Return the code of the subject that an identifier belongs to."""
        return self.way(identifier, merged=True)[-1]

    def credit_code_of(self, identifier: str) -> str | None:
        """Return the code that the credit platform has for an identifier, None for an old number that nobody resolves.

        A merge says whose an old number is, but never takes a code away from the platform that gave it.
        """
        by_hand = None if kind_of(identifier) in CODES else self.merges.get(identifier)
        end = self.way(by_hand[1] if by_hand else identifier, merged=False)[-1]
        return end if kind_of(end) in CODES or end != identifier else None

    def way(self, identifier: str, *, merged: bool) -> list[str]:
        """Return an identifier and all that it leads to in turn, by words and, where `merged`, by merges before words."""
        passed = [identifier]
        while (following := self._next(passed[-1], merged)) is not None:
            if following in passed:
                circle = passed[passed.index(following) :]
                return [*passed, self._stands_in(circle, merged)]
            passed.append(following)
        return passed

    def _next(self, identifier: str, merged: bool) -> str | None:
        if merged and identifier in self.merges:
            return self.merges[identifier][1]
        return self.words[identifier].code if identifier in self.words else None

    def _stands_in(self, circle: list[str], merged: bool) -> str:
        """Return the identifier whose own word is the oldest of a circle's. Merges alone never make one: they are refused."""
        by_word = [each for each in circle if not (merged and each in self.merges)]
        return min(by_word, key=lambda each: (self.words[each], each))


def kind_of(identifier: str) -> IdentifierKind:
    """Return what an identifier is, by its shape."""
    if identifier.startswith("RID-"):
        return IdentifierKind.RESIDENT_ID
    if is_uscc(identifier):
        return IdentifierKind.USCC
    return IdentifierKind.REGISTRATION_NUMBER if is_registration_number(identifier) else IdentifierKind.OTHER


def is_person(identifier: str) -> bool:
    """Return whether an identifier names a natural person; all others name enterprises."""
    return kind_of(identifier) is IdentifierKind.RESIDENT_ID
