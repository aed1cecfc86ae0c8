"""connectors/credit_feed.py: no item is lost, though items appear up to 5 s after a higher seq; and none comes for ever."""

from datetime import timedelta
from itertools import count

import pytest

from connectors.credit_feed import MOST_MARKS, FeedPage, FeedPlace, FeedReader, SnapshotPage, Stretch, read_place
from connectors.errors import CursorExpired, TransientError
from tests.contract.cases import FakeTime

SETTLING = timedelta(seconds=5)


class FakeFeed:
    """Feed and snapshot as the page describes them; an item is (seq, visible from)."""

    def __init__(self, time: FakeTime, page: int = 3) -> None:
        self.time, self.page = time, page
        self.visible: dict[int, float] = {}
        self.asked: list[int] = []
        self.snapshots: list[tuple[str, str | None]] = []
        self.seconds_a_call = 0.0

    def add(self, *seqs: int, late: float = 0.0) -> None:
        self.visible.update(dict.fromkeys(seqs, self.time.now.timestamp() + late))

    def now_visible(self) -> list[int]:
        return sorted(seq for seq, at in self.visible.items() if at <= self.time.now.timestamp())

    async def feed(self, since: int) -> FeedPage:
        self.asked.append(since)
        self.time.advance(self.seconds_a_call)
        found = [seq for seq in self.now_visible() if seq > since]
        given = found[: self.page]
        return FeedPage(tuple(str(seq).encode() for seq in given), max(given, default=None), len(found) > self.page)

    async def snapshot(self, kind: str, cursor: str | None) -> SnapshotPage:
        self.snapshots.append((kind, cursor))
        self.time.advance(self.seconds_a_call)
        seqs, start = self.now_visible() if kind == "subject" else [], int(cursor or 0)
        rest = str(start + self.page) if start + self.page < len(seqs) else None
        items = tuple(str(seq).encode() for seq in seqs[start : start + self.page])
        return SnapshotPage(items, rest, max(self.now_visible(), default=0))

    async def read(self, place: FeedPlace) -> list[Stretch]:
        reader = FeedReader(self.feed, self.snapshot, self.time.clock, self.time.sleep, SETTLING)
        return [stretch async for stretch in reader.read(place)]


@pytest.fixture
def feed() -> FakeFeed:
    return FakeFeed(FakeTime())


def seqs(stretches: list[Stretch]) -> set[int]:
    return {int(item) for stretch in stretches for item in stretch.items}


def resumed(stretch: Stretch) -> FeedPlace:
    """Return the place of a stretch as a restart would read it."""
    return read_place(stretch.place.write())


async def test_an_item_that_appears_behind_a_higher_seq_is_found(feed: FakeFeed) -> None:
    feed.add(10, 12)
    feed.add(11, late=4.9)
    first = await feed.read(FeedPlace(since=5))
    assert seqs(first) == {10, 12}
    feed.time.advance(5)
    assert 11 in seqs(await feed.read(resumed(first[-1])))


async def test_an_item_is_found_however_often_the_feed_was_read_before_it_appeared(feed: FakeFeed) -> None:
    feed.add(100)
    feed.add(50, late=4.9)
    place, found = FeedPlace(since=5), set[int]()
    for step in count():
        stretches = await feed.read(place)
        place, found = resumed(stretches[-1]), found | seqs(stretches)
        feed.time.advance(0.7)
        feed.add(101 + step)  # there is always something new
        if step == 20:
            break
    assert 50 in found


async def test_what_is_settled_is_not_read_again(feed: FakeFeed) -> None:
    feed.add(*range(1, 11))
    place = FeedPlace(since=0)
    for _ in range(3):
        stretches = await feed.read(place)
        place = resumed(stretches[-1])
        feed.time.advance(6)
    assert place == FeedPlace(since=10)
    assert seqs(await feed.read(place)) == set()


async def test_no_cursor_passes_what_may_still_appear_below_it(feed: FakeFeed) -> None:
    feed.add(*range(10, 40))
    feed.seconds_a_call = 0.4
    stretches = await feed.read(FeedPlace(since=5))
    assert {stretch.place.since for stretch in stretches} == {5}
    feed.add(9)  # it had been on its way all the time
    for stretch in stretches:
        assert 9 in seqs(await feed.read(resumed(stretch)))


async def test_a_long_catch_up_is_settled_page_by_page_when_it_is_read_again(feed: FakeFeed) -> None:
    feed.add(*range(1, 301))
    feed.seconds_a_call = 0.2
    first = await feed.read(FeedPlace(since=0))
    assert max(len(stretch.place.marks) for stretch in first) <= MOST_MARKS
    feed.time.advance(5)
    second = await feed.read(resumed(first[-1]))
    places = [stretch.place.since or 0 for stretch in second]
    assert places == sorted(places)
    assert places[len(places) // 2] > 100
    assert places[-1] == 300


async def test_a_run_that_broke_off_half_way_goes_on_settling_from_there(feed: FakeFeed) -> None:
    feed.add(*range(1, 301))
    feed.seconds_a_call = 0.2
    half = (await feed.read(FeedPlace(since=0)))[60]
    feed.time.advance(5)
    again = await feed.read(resumed(half))
    assert seqs(again) == set(range(1, 301))
    assert (again[-1].place.since or 0) >= 150


async def test_a_clock_that_was_set_back_keeps_nothing_back_for_long(feed: FakeFeed) -> None:
    feed.add(1, 2)
    place = resumed((await feed.read(FeedPlace(since=0)))[-1])
    feed.time.advance(-86_400)
    feed.visible = dict.fromkeys(feed.visible, 0.0)
    for _ in range(3):
        place = resumed((await feed.read(place))[-1])
        feed.time.advance(6)
    assert place.since == 2


async def test_a_first_start_takes_a_snapshot_and_goes_on_from_its_smallest_seq(feed: FakeFeed) -> None:
    feed.add(*range(10, 20))
    feed.seconds_a_call = 0.1
    stretches = await feed.read(FeedPlace())
    assert [kind for kind, _ in feed.snapshots[1:]] == ["subject"] * 4 + ["record", "repair"]
    assert seqs(stretches) == set(range(10, 20))
    assert feed.asked[0] == 19
    assert [stretch.more for stretch in stretches] == [True] * (len(stretches) - 1) + [False]


async def test_what_appears_late_below_the_snapshots_seq_is_in_the_snapshot(feed: FakeFeed) -> None:
    feed.add(20)
    feed.add(15, late=4.9)
    assert seqs(await feed.read(FeedPlace())) == {15, 20}


async def test_what_happens_during_the_snapshot_comes_by_the_feed(feed: FakeFeed) -> None:
    feed.add(*range(10, 20))
    reader = FeedReader(feed.feed, feed.snapshot, feed.time.clock, feed.time.sleep, SETTLING)
    found = set[int]()
    async for stretch in reader.read(FeedPlace()):
        found |= seqs([stretch])
        if stretch.kind == "subject":
            feed.add(max(feed.visible) + 1)
    assert found == set(feed.visible)


async def test_a_snapshot_is_resumed_where_it_broke_off(feed: FakeFeed) -> None:
    feed.add(*range(10, 20))
    stretches = await feed.read(FeedPlace())
    for number, stretch in enumerate(stretches):
        assert seqs(stretches[: number + 1]) | seqs(await feed.read(resumed(stretch))) == set(range(10, 20))
    feed.snapshots.clear()
    await feed.read(resumed(stretches[1]))
    assert feed.snapshots[0] == ("subject", "6")


async def test_an_empty_platform_is_looked_at_again_from_the_beginning(feed: FakeFeed) -> None:
    stretches = await feed.read(FeedPlace())
    assert feed.asked == []  # since 0 is refused
    assert stretches[-1].more is False
    feed.add(1)
    assert seqs(await feed.read(resumed(stretches[-1]))) == {1}


async def test_more_without_an_item_is_no_end() -> None:
    async def contradicts_itself(since: int) -> FeedPage:
        return FeedPage((), None, more=True)

    time = FakeTime()
    reader = FeedReader(contradicts_itself, FakeFeed(time).snapshot, time.clock, time.sleep, SETTLING)
    with pytest.raises(TransientError):
        _ = [stretch async for stretch in reader.read(FeedPlace(since=3))]


def test_a_cursor_that_is_none_of_ours_is_expired() -> None:
    for cursor in ("", "7", '{"since":"x"}', '{"snapshot":{"kind":"x","cursor":null,"as_of":1}}'):
        with pytest.raises(CursorExpired):
            read_place(cursor)
