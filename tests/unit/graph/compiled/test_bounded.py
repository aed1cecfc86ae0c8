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
