"""What a live read makes of the copy that a request holds, also where the mirror could not be written in time."""

from datetime import timedelta

import pytest

from hub.live_found import Found, answer
from schema.entities import Approval
from schema.entity import Mirrored
from schema.live import LIVE_FAILED, LIVE_GONE, LIVE_OUTDATED, Trouble
from tests.builders import HOUR, approval
from tests.settable_clock import START

SECOND = timedelta(seconds=1)
OLD: Approval = approval(version=3, observed_at=START - HOUR)
NEW: Approval = approval(version=4, observed_at=START + SECOND)
SAME: Approval = approval(version=3, observed_at=START + SECOND)


def code(held: Mirrored | None, found: Found) -> tuple[Mirrored | None, str | None]:
    shown = answer("approval", held, found)
    return shown.record, shown.trouble.code if shown.trouble else None


@pytest.mark.parametrize(
    ("held", "shown", "answered", "trouble"),
    [
        (OLD, NEW, NEW, None),
        (None, NEW, NEW, None),
        (OLD, SAME, SAME, None),
        (approval(version=5, observed_at=START - HOUR), NEW, approval(version=5, observed_at=START - HOUR), LIVE_OUTDATED),
        (approval(version=5, observed_at=START + HOUR), NEW, approval(version=5, observed_at=START + HOUR), None),
        (None, None, None, None),
        (OLD, None, None, LIVE_GONE),
    ],
)
def test_where_the_mirror_cannot_be_written_the_newest_version_that_anybody_showed_is_answered(
    held: Approval | None, shown: Approval | None, answered: Approval | None, trouble: str | None
) -> None:
    assert code(held, Found(since=START, shown=shown)) == (answered, trouble)


def test_what_the_mirror_holds_behind_the_read_is_answered_before_all_else() -> None:
    written_meanwhile: Approval = approval(version=9, observed_at=START + SECOND)
    assert code(OLD, Found(since=START, shown=NEW, is_kept=True, kept=written_meanwhile)) == (written_meanwhile, None)
    assert code(OLD, Found(since=START, shown=SAME, is_kept=True, kept=OLD)) == (OLD, LIVE_OUTDATED), "another content"
    assert code(OLD, Found(since=START, shown=SAME, is_kept=True, kept=None)) == (None, LIVE_OUTDATED), "gone in a newer version"


def test_a_record_that_came_meanwhile_or_just_before_is_not_gone() -> None:
    came: Approval = approval(observed_at=START + SECOND)
    assert code(None, Found(since=START, is_kept=True, kept=came)) == (came, LIVE_OUTDATED)
    just: Approval = approval(observed_at=START - SECOND)
    assert code(just, Found(since=START, settling=3 * SECOND)) == (just, LIVE_OUTDATED)
    assert code(just, Found(since=START)) == (None, LIVE_GONE)


def test_where_nothing_was_found_out_the_copy_is_answered_with_the_reason() -> None:
    assert code(OLD, Found(Trouble("approval", LIVE_FAILED, "-", True))) == (OLD, LIVE_FAILED)
    assert code(None, Found(Trouble("approval", LIVE_FAILED, "-", True))) == (None, LIVE_FAILED)
