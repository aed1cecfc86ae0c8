"""hub/loops.py: a loop that ends, with an error or without one, is begun again after a pause."""

import pytest

from hub.loops import keep_running


class Over(BaseException):
    """Ends what would go on for ever."""


@pytest.mark.parametrize("error", [None, ValueError("wrong")])
async def test_a_loop_that_ends_is_begun_again_after_a_pause(error: Exception | None) -> None:
    happened: list[str] = []

    async def loop() -> None:
        happened.append("begun")
        if len(happened) > 10:
            raise Over
        if error:
            raise error

    async def sleep(_seconds: float) -> None:
        happened.append("paused")
        if len(happened) == 6:
            raise Over

    with pytest.raises(Over):
        await keep_running(loop, sleep)
    assert happened == ["begun", "paused"] * 3
