"""The commands that stay: `bihuan serve` and `bihuan work`."""

import asyncio
import contextlib
import signal
import socket
from typing import Annotated

import typer

from hub.app import Hub
from hub.commands.base import app, fail, hub_or_fail, message, run
from hub.web.serving import CannotListen, Server, address_of, listen, serving


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (HUB_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, 0 picks a free one (HUB_PORT).")] = None,
) -> None:
    """Serve webhooks, graph and health; with the worker inside unless HUB_WORKER_INSIDE=false."""
    hub = hub_or_fail()
    try:
        own = hub.settings.hub
        listening = listen(host or own.host, own.port if port is None else port, shared=own.share_port)
        probed = None if own.probe_port is None else listen(host or own.host, own.probe_port)
    except CannotListen as error:
        fail([str(error)])
    typer.echo(f"graph: {address_of(listening)}{own.base_path}/graphql", err=True)
    if probed:
        message(f"health: {address_of(probed)}/livez")
    run(serve_on(hub, listening, probed))


async def serve_on(hub: Hub, listening: socket.socket, probed: socket.socket | None = None) -> int | None:
    """Serve until a signal comes; requests under way are answered first."""
    async with hub.opened(), serving(hub.probes(), probed) if probed else contextlib.nullcontext():
        server = Server(hub.web(), signals=True)
        await server.serve(sockets=[listening])
    return None if server.started else 3


@app.command()
def work() -> None:
    """Poll, discharge and sweep until a signal comes, beside any number of `bihuan serve` on PostgreSQL.

    Nothing is served but health and metrics, and these only where HUB_WORK_PORT is set.
    """
    hub = hub_or_fail()
    try:
        listening = None if (port := hub.settings.hub.work_port) is None else listen(hub.settings.hub.host, port)
    except CannotListen as error:
        fail([str(error)])

    async def working() -> int | None:
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        probes = serving(hub.probes(), listening) if listening else contextlib.nullcontext()
        async with hub.opened(), hub.running(intake=False), probes:
            if listening:
                message(f"health: {address_of(listening)}/livez")
            message(f"working for {', '.join(hub.connectors)}")
            await stopped.wait()
        return None

    run(working())
