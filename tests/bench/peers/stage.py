"""What all servers of one run share: a PostgreSQL with the records, a file with the same, and processes of their own."""

import asyncio
import contextlib
import json
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.bench.load import WrongAnswer
from tests.bench.peers.question import NESTED, Normalised, as_it_is
from tests.bench.processor import seconds_of

STARTS_WITHIN = 120
"""Seconds that a server may take until it says where it listens."""
ENDS_WITHIN = 15


class Missing(Exception):
    """A peer cannot be run here; the message says why, and stands in the table."""


class DidNotStart(AssertionError):
    """A server ended before it listened; the message is what it said."""


@dataclass(frozen=True)
class Stage:
    """What a server may be given."""

    folder: Path
    """A folder for this run."""
    postgresql: str
    """URL of a migrated database that holds the records."""
    records: Path
    """The same records as JSON (records.in_memory)."""
    server: int | None = None
    """First process of the PostgreSQL."""


@dataclass(frozen=True)
class Endpoint:
    """Where a server answers GraphQL, and what it wants to be told."""

    url: str
    processes: tuple[int, ...]
    """All that work for an answer, without their children."""
    headers: Mapping[str, str] = field(default_factory=dict)

    def seconds(self) -> float:
        """Return the processor seconds that they have used so far."""
        return sum(map(seconds_of, self.processes))


@dataclass(frozen=True)
class Running:
    """A process that has said what it was to say."""

    said: str
    pid: int


@dataclass(frozen=True)
class Peer:
    """A kind of server: how it is opened on a stage, and what the nested query is called there."""

    name: str
    given: str
    """What it reads the records from."""
    opened: Callable[[Stage], AbstractAsyncContextManager[Endpoint]]
    query: str = NESTED
    normalised: Normalised = as_it_is


@contextlib.asynccontextmanager
async def process(
    command: Sequence[str], says: Callable[[str], str | None], folder: Path, environment: Mapping[str, str]
) -> AsyncIterator[Running]:
    """Run a server beside us, and yield it with what `says` makes of the first line in which it finds something.

    Raise DidNotStart where it ends before that. All that it prints is read as long as it lives, and its last words are kept.
    """
    running = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=os.environ | dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert running.stdout is not None
    words: list[str] = []
    reading: asyncio.Task[None] | None = None
    try:
        async with asyncio.timeout(STARTS_WITHIN):
            while line := (await running.stdout.readline()).decode():
                words = [*words[-40:], line]
                if found := says(line):
                    break
            else:
                raise DidNotStart(f"{' '.join(command[:3])} ended: {''.join(words)[-3000:]}")
        reading = asyncio.create_task(_read_on(running.stdout))
        yield Running(found, running.pid)
    finally:
        await _ended(running)
        if reading is not None:
            await reading


async def _read_on(stream: asyncio.StreamReader) -> None:
    while await stream.read(65536):
        pass


async def _ended(running: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        running.terminate()
    try:
        await asyncio.wait_for(running.wait(), ENDS_WITHIN)
    except TimeoutError:
        running.kill()
        await running.wait()


async def asked(endpoint: Endpoint, query: str) -> bytes:
    """Return the body of an answer; raise AssertionError if it is not one with data and without errors."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        answer = await client.post(endpoint.url, json={"query": query}, headers=dict(endpoint.headers))
    assert answer.status_code == 200, f"{endpoint.url}: {answer.status_code} {answer.text[:500]}"
    told: dict[str, Any] = json.loads(answer.content)
    assert "errors" not in told, f"{endpoint.url}: {told['errors'][:3]}"
    return answer.content


async def cost(endpoint: Endpoint, query: str, expected: bytes, count: int) -> float:
    """Return milliseconds of the processor for an answer, its database or REST servers included; asked so often, one by one.

    By an exact number of answers, so that nothing under way is counted to none. Raise WrongAnswer if any body is another one.
    """
    async with httpx.AsyncClient(trust_env=False, timeout=60, headers=dict(endpoint.headers)) as client:
        before = endpoint.seconds()
        for _ in range(count):
            answer = await client.post(endpoint.url, json={"query": query})
            if answer.content != expected:
                raise WrongAnswer(f"{endpoint.url}: {answer.status_code} {answer.text[:200]}")
        return (endpoint.seconds() - before) * 1000 / count
