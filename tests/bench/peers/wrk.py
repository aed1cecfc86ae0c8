"""Load from wrk: how many answers a second, and how long each took. Every answer's body is compared with the one expected."""

import asyncio
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.bench.load import WrongAnswer
from tests.bench.peers.stage import Endpoint

SCRIPT = Path(__file__).parent / "load.lua"
LONGEST = 60
"""Seconds of a round after which it is not tried once more."""


class NoWrk(Exception):
    """wrk is not here; the message says how it comes."""


@dataclass(frozen=True)
class Force:
    """How much load, and for how long in each round."""

    seconds: int
    connections: int


class Round(msgspec.Struct, frozen=True):
    """What one round of load counted; times in microseconds, as wrk measures them: from sending to the whole answer."""

    requests: int
    microseconds: int
    p50: int
    p99: int
    wrong: int
    """Answers whose status was not 200 or whose body was another one."""
    failed: int
    """Connections and answers that did not come about."""

    @property
    def rate(self) -> float:
        """Return answers a second."""
        return self.requests * 1e6 / self.microseconds


def program() -> str:
    """Return where wrk is; raise NoWrk."""
    if found := shutil.which("wrk"):
        return found
    raise NoWrk("wrk is not installed; on Debian: apt-get install wrk")


async def load(endpoint: Endpoint, query: str, expected: bytes, force: Force, folder: Path) -> Round:
    """Ask the same for some seconds; raise WrongAnswer if any answer was not the expected one, byte by byte.

    A round in which no answer came, since the machine was busy otherwise, is gone through again, twice as long.
    """
    asked, answer = folder / "asked.json", folder / "expected"
    asked.write_bytes(msgspec.json.encode({"query": query}))
    answer.write_bytes(expected)
    told = [str(asked), str(answer), *(each for header in endpoint.headers.items() for each in header)]
    seconds = force.seconds
    while True:
        found = await _run(f"-d{seconds}s", f"-c{force.connections}", endpoint.url, "--", *told)
        if found.wrong or found.failed:
            raise WrongAnswer(f"{endpoint.url}: {found}")
        if found.requests:
            return found
        if seconds > LONGEST:
            raise WrongAnswer(f"{endpoint.url} gave no answer within {seconds} s")
        seconds *= 2


async def _run(*options: str) -> Round:
    running = await asyncio.create_subprocess_exec(
        *(program(), "-t1", "--timeout", "60s", "-s", str(SCRIPT), *options), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    printed, trouble = await running.communicate()
    last = printed.strip().splitlines()[-1:]
    if running.returncode or not last or not last[0].startswith(b"{"):
        raise WrongAnswer(f"wrk: {trouble.decode()[-500:]} {printed.decode()[-500:]}")
    return msgspec.json.decode(last[0], type=Round)
