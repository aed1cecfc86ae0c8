"""A hub, or the bare framework, in a process of its own: `python -m tests.bench.hub_process bare|hub FOLDER`."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from hub.app import Hub
from hub.demo_household import Household
from hub.settings import load_settings
from hub.telemetry import configure_logs
from hub.web.serving import Server, listen

NOWHERE = dict.fromkeys(("approval", "credit", "grid", "enforcement", "sms"), "http://127.0.0.1:9")


def bare() -> Starlette:
    """Return the floor: the framework reads the body and answers."""

    async def answer(request: Request) -> JSONResponse:
        await request.body()
        return JSONResponse({})

    return Starlette(routes=[Route("/webhooks/{platform}", answer, methods=["POST"]), Route("/graphql", answer, methods=["POST"])])


def settings_of(folder: Path) -> dict[str, str]:
    """Return settings of a hub that polls nothing, has no platforms to call, and counts requests by client but refuses none."""
    return Household.of(folder).environment(NOWHERE) | {"HUB_POLL": "false", "HUB_GRAPH_RATE_PER_SECOND": "1000000"}


async def main(kind: str, folder: Path) -> None:
    """Serve until the parent ends us; the first line printed is the port."""
    configure_logs("error", as_json=True)
    app = bare() if kind == "bare" else Hub(load_settings(settings_of(folder))).web()
    listening = listen("127.0.0.1", 0)
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    await Server(app, signals=True).serve(sockets=[listening])


@contextlib.asynccontextmanager
async def process(kind: str, folder: Path) -> AsyncIterator[int]:
    """Run one beside us and yield its port."""
    command = [sys.executable, "-m", "tests.bench.hub_process", kind, str(folder)]
    running = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, env=dict(os.environ))
    try:
        assert running.stdout is not None
        yield int(await running.stdout.readline())
    finally:
        running.terminate()
        await running.wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], Path(sys.argv[2])))
