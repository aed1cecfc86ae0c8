"""What is remembered is bounded, and what was used last stays."""

import pytest

from hub.graph.compiled.bounded import Bounded


def refuse() -> int:
    raise ValueError("not now")


def test_the_least_used_is_forgotten() -> None:
    kept: Bounded[str, int] = Bounded(2)
    kept.get("a", lambda: 1)
    kept.get("b", lambda: 2)
    assert kept.get("a", refuse) == 1
    kept.get("c", lambda: 3)
    assert kept.get("a", refuse) == 1
    assert kept.get("b", lambda: 4) == 4
    assert len(kept) == 2


def test_what_could_not_be_made_is_not_kept() -> None:
    kept: Bounded[str, int] = Bounded(2)
    with pytest.raises(ValueError, match="not now"):
        kept.get("a", refuse)
    assert kept.get("a", lambda: 1) == 1


def test_all_together_takes_no_more_than_its_size() -> None:
    kept: Bounded[str, str] = Bounded(10, size=10, weigh=lambda key, value: len(value))
    made: list[str] = []

    def get(key: str, value: str) -> str:
        def make() -> str:
            made.append(key)
            return value

        return kept.get(key, make)

    for key, value in (("a", "1234"), ("b", "1234"), ("a", ""), ("c", "1234"), ("a", ""), ("b", "12")):
        get(key, value)
    assert made == ["a", "b", "c", "b"]  # the third made the second go, which was used last the longest ago
    assert get("much", "x" * 11) == "x" * 11
    assert len(kept) == 3  # what has no room by itself makes nothing else go
