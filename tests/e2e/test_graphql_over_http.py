"""GraphQL over HTTP to the letter, as the audit of its reference implementation sees a running hub."""

import asyncio
import json

from tests.e2e.stage import Stage
from tests.node.packages import installed, node


async def test_the_reference_audit_finds_nothing_amiss(stage: Stage) -> None:
    folder = installed("audit")
    async with stage.hub(POLL="false") as running:
        key = stage.household.secrets["api_key"]
        found = json.loads(await asyncio.to_thread(node, folder, "audit.mjs", f"{running.address}/graphql", key))

    assert len(found) == 61
    assert [each for each in found if each["status"] != "ok"] == []
