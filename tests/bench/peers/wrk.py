"""Load from wrk: how many answers a second, and how long each took. Every answer's body is compared with the one expected."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import msgspec

from tests.bench.load import WrongAnswer
from tests.bench.peers.stage import Endpoint

SCRIPT = Path(__file__).parent / "load.lua"
CONNECTIONS = 16


class NoWrk(Exception):
    """wrk is not here; the message says how it comes."""


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


async def load(
    endpoint: Endpoint, query: str, expected: bytes, seconds: int, folder: Path, connections: int = CONNECTIONS
) -> Round:
    """Ask the same for so many seconds; raise WrongAnswer if any answer was not the expected one, byte by byte."""
    asked, answer = folder / "asked.json", folder / "expected"
    asked.write_bytes(msgspec.json.encode({"query": query}))
    answer.write_bytes(expected)
    told = [each for header in endpoint.headers.items() for each in header]
    running = await asyncio.create_subprocess_exec(
        *(program(), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s", str(SCRIPT), endpoint.url, "--"),
        *(str(asked), str(answer), *told),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    printed, trouble = await running.communicate()
    last = printed.strip().splitlines()[-1:]
    if running.returncode or not last or not last[0].startswith(b"{"):
        raise WrongAnswer(f"wrk: {trouble.decode()[-500:]} {printed.decode()[-500:]}")
    found = msgspec.json.decode(last[0], type=Round)
    if found.wrong or found.failed or not found.requests:
        raise WrongAnswer(f"{endpoint.url}: {found}")
    return found
