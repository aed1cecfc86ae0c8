"""The writer: one piece of work at a time, the urgent before all that waits, and everything done before it ends."""

import threading
from collections.abc import Iterator

import pytest

from hub.mirror.writer import Writer


@pytest.fixture
def writer() -> Iterator[Writer]:
    made = Writer("writer under test")
    yield made
    made.close()


def test_what_is_urgent_is_done_next_and_the_rest_as_it_came(writer: Writer) -> None:
    begun, may_end, done = threading.Event(), threading.Event(), list[str]()

    def hold() -> None:
        begun.set()
        assert may_end.wait(10)

    holding = writer.submit(hold)
    assert begun.wait(10)
    waiting = [writer.submit(lambda name=name: done.append(name), first=name.isupper()) for name in ("a", "b", "C", "D")]  # type: ignore[misc]
    may_end.set()
    for each in (holding, *waiting):
        each.result(10)
    assert done == ["C", "D", "a", "b"]


def test_a_failure_is_told_to_whoever_waits_and_the_next_one_is_done(writer: Writer) -> None:
    failing, next_one = writer.submit(lambda: 1 // 0), writer.submit(lambda: "done")
    assert isinstance(failing.exception(10), ZeroDivisionError)
    assert next_one.result(10) == "done"


def test_what_nobody_waits_for_any_more_is_not_begun(writer: Writer) -> None:
    begun, may_end, done = threading.Event(), threading.Event(), list[str]()

    def hold() -> None:
        begun.set()
        assert may_end.wait(10)

    writer.submit(hold)
    assert begun.wait(10)
    given_up = writer.submit(lambda: done.append("given up"))
    assert given_up.cancel()
    may_end.set()
    assert writer.submit(lambda: "done").result(10) == "done"
    assert done == []


def test_all_that_was_taken_on_is_done_before_it_ends_and_then_nothing_more() -> None:
    writer, done = Writer("writer under test"), list[int]()
    for number in range(50):
        writer.submit(lambda number=number: done.append(number))  # type: ignore[misc]
    writer.close()
    assert done == list(range(50))
    with pytest.raises(RuntimeError, match="closed"):
        writer.submit(lambda: None)
    writer.close()
