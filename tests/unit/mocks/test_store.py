"""The memory of the mock platforms."""

from pathlib import Path

from mocks.store import Index, Store


def test_an_index_keeps_its_order_through_changes() -> None:
    store = Store()
    store.put("a", "x", {"at": 3})
    index = store.index("a", lambda document: document["at"])
    store.put("a", "y", {"at": 1})
    store.put("a", "z", {"at": 2})
    store.put("a", "x", {"at": 0})
    store.delete("a", "z")
    assert index.between() == [(0, "x"), (1, "y")]


def test_an_index_gives_what_lies_between_and_behind() -> None:
    index = Index(lambda document: document["at"])
    for key, at in (("b", 1), ("a", 1), ("c", 2), ("d", 3)):
        index.put(key, {"at": at})
    assert index.between(1, 3) == [(1, "a"), (1, "b"), (2, "c")]
    assert index.between(after=(1, "a")) == [(1, "b"), (2, "c"), (3, "d")]
    assert index.between(after=(1, "aa")) == [(1, "b"), (2, "c"), (3, "d")]
    assert index.between(2, after=(1, "a")) == [(2, "c"), (3, "d")]


def test_what_was_flushed_is_found_by_the_next_store(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "a.sqlite"
    store = Store(path)
    store.put("a", "x", {"name": "吴䶮"})
    store.put("a", "gone", {})
    store.next_number("n", step=5)
    store.flush()
    store.delete("a", "gone")
    store.close()
    again = Store(path)
    assert dict(again.all("a")) == {"x": {"name": "吴䶮"}}
    assert again.next_number("n") == 6
    again.close()
