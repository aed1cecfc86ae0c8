"""Reads of one request that are cancelled take none of the others with them."""

import asyncio

from schema.context import Caller
from schema.entities import Approval
from schema.slices import Joined
from tests.builders import approval
from tests.unit.graph.city import READER, City


async def test_whoever_asks_after_all_others_gave_up_is_answered(city: City) -> None:
    """A field that must not be null fails at once, and its siblings are cancelled, just before what they read is asked for."""
    await city.put(approval(approval_no="YW1"), approval(approval_no="YW2"))
    reads, loop = city.context(Caller("console", READER)).reads, asyncio.get_running_loop()
    gives_up: list[asyncio.Task[Approval | None]] = []
    loop.call_soon(lambda: loop.call_soon(gives_up[0].cancel))  # between the reading and its batch
    gives_up.append(asyncio.create_task(reads.one(Approval, Joined("approval_no", "YW1"))))
    await asyncio.gather(*gives_up, return_exceptions=True)
    assert gives_up[0].cancelled()
    found = await asyncio.wait_for(reads.one(Approval, Joined("approval_no", "YW2")), 10)
    assert found is not None
    assert found.approval_no == "YW2"


async def test_whoever_reads_the_same_is_answered_though_the_other_gave_up(city: City) -> None:
    await city.put(approval(approval_no="YW1"))
    reads = city.context(Caller("console", READER)).reads
    one, other = (asyncio.create_task(reads.one(Approval, Joined("approval_no", "YW1"))) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    found = await asyncio.wait_for(other, 10)
    assert found is not None
