"""Several `bihuan serve` on one port of one machine (HUB_SHARE_PORT): the system spreads connections over them."""

import re
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import httpx

from tests.e2e.eventually import eventually
from tests.e2e.hasty_clock import true_clock
from tests.e2e.processes import STARTS_WITHIN, Running, bihuan, quick, serves
from tests.e2e.signed import signed
from tests.e2e.stage import Stage, staged
from tests.servers import PostgreSQLServer, free_ports

COUNT = 40
"""Connections, each of its own: that one process gets all of them happens once in 2 to the 39th."""


async def post(stage: Stage, address: str, numbers: Sequence[int]) -> None:
    """Post webhooks, each over a connection of its own, all of which must be acknowledged."""
    for number in numbers:
        body = b'{"type":"record.created","data":{"recordId":"CR-%d"}}' % number
        made = signed(stage, "credit", body, nonce=f"shared-{number:06}")
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"{address}{made.path}", headers=made.headers, content=body, timeout=30)
        assert answer.is_success, answer.text


async def counted(server: Running) -> float:
    """Return how many webhooks a server says that it took, on the port that is its own."""
    probe = re.search(r"health: (\S+)/livez", server.said)
    assert probe, server.said
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"{probe[1]}/readyz")).is_success
        shown = (await client.get(f"{probe[1]}/metrics")).text
    return sum(float(line.split()[-1]) for line in shown.splitlines() if line.startswith('bihuan_webhooks_total{outcome="stored"'))


async def test_two_servers_share_a_port_and_one_alone_goes_on(postgresql: PostgreSQLServer, tmp_path: Path) -> None:
    async with postgresql.fresh() as url, staged(tmp_path / "house", true_clock()) as stage, AsyncExitStack() as stack:
        settings = quick(stage, url, WORKER_INSIDE="false", SHARE_PORT="true", PORT=str(free_ports(1)[0]), PROBE_PORT="0")
        servers = [
            await stack.enter_async_context(bihuan("serve", settings=settings, log=tmp_path / f"serve-{n}.log")) for n in range(2)
        ]
        for each in servers:
            address = await serves(each)
            await eventually(lambda each=each: "/livez" in each.said, within=STARTS_WITHIN, or_say="the port for probes")
        await post(stage, address, range(COUNT))
        each_took = [await counted(server) for server in servers]
        assert sum(each_took) == COUNT
        assert min(each_took) > 0
        await servers[0].stop()
        await post(stage, address, range(COUNT, COUNT + 10))
        assert await counted(servers[1]) == each_took[1] + 10
        alone = settings | {"HUB_SHARE_PORT": "false"}
        async with bihuan("serve", settings=alone, log=tmp_path / "alone.log") as refused:
            assert await refused.process.wait() != 0
        assert f"cannot listen on 127.0.0.1 port {settings['HUB_PORT']}" in refused.said
