"""`{ __typename }` over HTTP against the bare framework's POST (same server, same client): what a request costs by itself.

The generator (load.py) is Python and shares the cores: its own ceiling is the floor's rate.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from hub.demo_household import Household
from tests.bench.hub_process import process
from tests.bench.load import request, send_all
from tests.bench.rounds import Contender, Measured, interleaved

COUNT, CONNECTIONS = 10_000, 64


async def measure(rounds: int) -> tuple[Measured, Measured]:
    """Return the rates of hub and bare framework, in requests a second."""
    with TemporaryDirectory() as folder:
        headers = {"content-type": "application/json", "authorization": f"Bearer {Household.of(Path(folder)).secrets['api_key']}"}
        asked = [request("POST", "/graphql", headers, b'{"query":"{ __typename }"}')] * COUNT
        async with process("hub", Path(folder)) as hub, process("bare", Path(folder)) as bare:

            async def ask_hub() -> None:
                await send_all(
                    hub, asked, lambda status, body: status == 200 and body == b'{"data":{"__typename":"Query"}}', CONNECTIONS
                )

            async def ask_bare() -> None:
                await send_all(bare, asked, lambda status, body: status == 200 and body == b"{}", CONNECTIONS)

            found = await interleaved([Contender("graph", COUNT, ask_hub), Contender("bare framework", COUNT, ask_bare)], rounds)
    return found["graph"], found["bare framework"]
