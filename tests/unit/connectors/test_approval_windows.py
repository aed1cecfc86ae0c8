"""connectors/approval_windows.py: no row is lost, whatever happens to the list while it is read."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from connectors.approval_windows import LONGEST, Listing, RestlessError, Row, Stretch, WindowReader
from tests.contract.cases import NOW, FakeTime

SETTLING = timedelta(seconds=120)
PAGE = 5


class FakeList:
    """`/api/spsl/list` as the page describes it: rows by GXSJ and YWLSH, cut into pages at each call anew."""

    def __init__(self, time: FakeTime) -> None:
        self.time = time
        self.updated: dict[str, datetime] = {}
        self.unreadable: set[str] = set()
        self.calls: list[tuple[datetime, datetime, int]] = []
        self.after_call: Callable[[int], None] = lambda number: None

    def put(self, *serials: str, at: datetime | None = None) -> None:
        self.updated.update(dict.fromkeys(serials, at or self.time.now))

    async def __call__(self, start: datetime, end: datetime, page: int) -> Listing:
        assert end - start <= LONGEST
        self.calls.append((start, end, page))
        found = sorted((at, serial) for serial, at in self.updated.items() if start <= at < end)
        rows = tuple(
            Row(f"{serial} {at}".encode(), serial, None if serial in self.unreadable else at)
            for at, serial in found[(page - 1) * PAGE : page * PAGE]
        )
        self.after_call(len(self.calls))
        return Listing(len(found), rows)

    def reader(self, passes: int = 10) -> WindowReader:
        return WindowReader(self, lambda: self.time.now - SETTLING, lambda: self.time.now, page_size=PAGE, passes=passes)

    async def read(self, start: datetime, passes: int = 10) -> list[Stretch]:
        return [stretch async for stretch in self.reader(passes).read(start)]


def serials(stretches: list[Stretch]) -> set[str]:
    return {row.serial for stretch in stretches for row in stretch.rows if row.serial is not None}


@pytest.fixture
def listing() -> FakeList:
    return FakeList(FakeTime())


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


async def test_years_without_a_row_cost_one_call_a_month(listing: FakeList) -> None:
    listing.put("a", at=ago(3600))
    stretches = await listing.read(NOW - timedelta(days=365 * 4))
    assert serials(stretches) == {"a"}
    assert len(listing.calls) <= 4 * 12
    assert [bool(stretch.rows) for stretch in stretches] == [False] * 3 + [True]
    assert stretches[1].resume_at > NOW - timedelta(days=365 * 3)


async def test_more_rows_than_a_page_are_read_by_their_time_and_never_by_page_number(listing: FakeList) -> None:
    for number in range(40):
        listing.put(f"r{number:02}", at=ago(4000 - number))
    assert len(serials(await listing.read(ago(5000)))) == 40
    assert {page for _, _, page in listing.calls} == {1}


async def test_a_second_with_more_rows_than_a_page_is_paged_to_its_end(listing: FakeList) -> None:
    listing.put(*(f"r{number:02}" for number in range(23)), at=ago(4000))
    listing.put("later", at=ago(3999))
    assert len(serials(await listing.read(ago(5000)))) == 24


async def test_a_row_that_leaves_a_crowded_second_while_it_is_paged_hides_no_other(listing: FakeList) -> None:
    listing.put(*(f"r{number:02}" for number in range(23)), at=ago(4000))

    def first_row_changes(number: int) -> None:
        # After the second page of the first pass: every later row moves up by one, r10 from page 3 to page 2.
        if listing.calls[-1][2] == 2 and listing.updated["r00"] == ago(4000):
            listing.put("r00")

    listing.after_call = first_row_changes
    stretches = await listing.read(ago(5000))
    assert len(serials(stretches)) == 23


async def test_a_second_that_never_holds_still_is_left_for_later(listing: FakeList) -> None:
    listing.put(*(f"r{number:02}" for number in range(50)), at=ago(4000))
    left = iter(range(50))

    def one_more_leaves(number: int) -> None:
        if listing.calls[-1][2] == 2:
            listing.put(f"r{next(left):02}")

    listing.after_call = one_more_leaves
    with pytest.raises(RestlessError):
        await listing.read(ago(5000), passes=4)


async def test_a_total_without_rows_is_not_taken_for_an_end(listing: FakeList) -> None:
    async def contradicts_itself(start: datetime, end: datetime, page: int) -> Listing:
        return Listing(7, ())

    reader = WindowReader(contradicts_itself, lambda: ago(120), lambda: NOW, page_size=PAGE, passes=3)
    with pytest.raises(RestlessError):
        _ = [stretch async for stretch in reader.read(ago(5000))]


async def test_rows_whose_time_cannot_be_read_stop_nothing(listing: FakeList) -> None:
    listing.put(*(f"r{number:02}" for number in range(12)), at=ago(4000))
    listing.unreadable = {f"r{number:02}" for number in range(12)}
    listing.put("good", at=ago(3990))
    assert len(serials(await listing.read(ago(4002)))) == 13


async def test_a_row_that_moves_while_the_rest_is_read_is_seen_again(listing: FakeList) -> None:
    for number in range(20):
        listing.put(f"r{number:02}", at=ago(4000 - number))

    def moves(number: int) -> None:
        if number == 1:
            listing.put("r15")

    listing.after_call = moves
    stretches = await listing.read(ago(5000))
    assert len(serials(stretches)) == 20


async def test_a_late_commit_behind_what_was_read_is_found_by_the_next_read(listing: FakeList) -> None:
    listing.put("a", at=ago(1))
    first = await listing.read(ago(5000))
    listing.put("late", at=ago(119))
    assert first[-1].resume_at == ago(120)
    assert "late" in serials(await listing.read(first[-1].resume_at))


async def test_every_place_to_resume_stays_behind_what_was_not_settled_when_it_was_passed(listing: FakeList) -> None:
    for number in range(30):
        listing.put(f"r{number:02}", at=ago(100 - number))

    def slow(number: int) -> None:
        listing.time.advance(10)  # the last pages are read long after the first

    listing.after_call = slow
    stretches = await listing.read(ago(5000))
    assert len(stretches) > 3
    assert all(stretch.resume_at <= ago(120) for stretch in stretches)


async def test_settled_history_is_not_read_again(listing: FakeList) -> None:
    for number in range(30):
        listing.put(f"r{number:02}", at=ago(4000 - number))
    stretches = await listing.read(ago(5000))
    assert [stretch.resume_at for stretch in stretches] == sorted(stretch.resume_at for stretch in stretches)
    again = await listing.read(stretches[-1].resume_at)
    assert serials(again) == set()
    assert [stretch.more for stretch in stretches] == [True] * (len(stretches) - 1) + [False]


async def test_the_newest_month_can_be_read_ahead_and_moves_no_place(listing: FakeList) -> None:
    listing.put("new", at=ago(3600))
    listing.put("old", at=ago(86_400 * 60))
    start = NOW - timedelta(days=3650)
    stretches = [stretch async for stretch in listing.reader().read_recent(start)]
    assert serials(stretches) == {"new"}
    assert len(listing.calls) == 1
    assert {(stretch.resume_at, stretch.more) for stretch in stretches} == {(start, True)}


async def test_a_place_in_the_future_is_brought_back(listing: FakeList) -> None:
    listing.put("a", at=ago(60))
    stretches = await listing.read(NOW + timedelta(days=400))
    assert serials(stretches) == {"a"}
    assert stretches[-1].resume_at == ago(120)
