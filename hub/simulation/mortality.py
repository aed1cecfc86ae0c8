"""The life of one simulated process: it may die wherever it touches the world, and once dead it touches nothing any more."""

import asyncio
from collections.abc import Callable


class Dead(Exception):
    """The process has died: what it was about to do is not done."""


class Mortality:
    """Whether a process lives. `dies(where)` is asked at each point at which it touches the world: a commit, a call."""

    def __init__(self, dies: Callable[[str], bool] | None = None) -> None:
        self._dies = dies
        self._end = asyncio.Event()

    @property
    def dead(self) -> bool:
        """Return whether it is over."""
        return self._end.is_set()

    def pass_by(self, where: str) -> None:
        """Return if the process lives on; raise Dead otherwise, and for ever after."""
        if not self.dead and self._dies is not None and self._dies(where):
            self.die()
        if self.dead:
            raise Dead(f"the process died {where}")

    def die(self) -> None:
        """Die, from this moment on."""
        self._end.set()

    async def end(self) -> None:
        """Wait for the death."""
        await self._end.wait()
