"""Ctrl-C: a command ends in order, with one exit code, however often it is pressed."""

import asyncio
import signal

import pytest
import typer

from hub.commands.base import run


def test_ctrl_c_once_more_does_not_break_off_the_end_of_a_command() -> None:
    happened: list[str] = []

    async def work() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            for _ in range(3):
                signal.raise_signal(signal.SIGINT)
                await asyncio.sleep(0)
            happened.append("ended in order")

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(typer.Exit) as ended:
        run(work())
    assert (ended.value.exit_code, happened) == (130, ["ended in order"])
    assert signal.getsignal(signal.SIGINT) is before


def test_a_command_says_itself_how_it_ends_on_ctrl_c() -> None:
    async def work() -> None:
        signal.raise_signal(signal.SIGINT)
        await asyncio.Event().wait()

    run(work(), interrupted=0)
