"""One history from its first day to the comparison: hub and platforms in simulated time, then the oracle's word on it."""

import asyncio
import base64
import hashlib
import json
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from hub.demo_household import Household
from hub.simulation.clock import in_simulated_time, simulated_now
from hub.simulation.stage import Stage, staged
from tests.chaos.history import History
from tests.chaos.life import Life
from tests.chaos.oracle import differences
from tests.chaos.picture import Chronicle, owed_by, take_picture

PACE = {
    "IDLE_SECONDS": "7200",
    "RESCUE_SECONDS": "1800",
    "WAITING_SECONDS": "43200",
    "SWEEP_SECONDS": "86400",
    "SEAL_SECONDS": "43200",
    "FULL_SWEEP_SECONDS": "86400",
    "ECHO_SECONDS": "3600",
    "BACKOFF_MOST_SECONDS": "900",
    "SELFGOV_POLL_SECONDS": "3600",
}
"""The hub looks by itself rarely, so that days cost little: what comes at once comes by webhooks and by what wakes it."""
POLL_SECONDS = 43200.0
A_YEAR = timedelta(days=390)
"""Everything that a history of days left is past its time for repair."""
PATIENCE_SECONDS = 4 * 86400


def perform(history: History, folder: Path, template: Path, *, around: Callable[[Stage], None] = lambda _: None) -> Sequence[str]:
    """Carry a history out in a folder that holds nothing yet; return what differs from the oracle's word, in sentences.

    `around` may put something around hub and platforms before anything happens.
    """
    keep_secrets(folder, history.seed)
    (folder / "hub.db").write_bytes(template.read_bytes())
    return in_simulated_time(_performed(history, folder, around), datetime.fromisoformat(history.begins))


async def _performed(history: History, folder: Path, around: Callable[[Stage], None]) -> Sequence[str]:
    async with staged(folder, history.seed, POLL_SECONDS, **PACE) as stage:
        around(stage)
        chronicle, life = Chronicle(stage.platforms), Life(stage, history)
        await life.go()
        if history.a_year_later:
            await at_rest(stage)
            await stage.until(datetime.fromisoformat(history.begins) + A_YEAR)
        await at_rest(stage)
        credit = history.weather[1]
        calm = not (credit.lost or credit.shuffled or credit.callbacks_off) and not any(
            one.kind == "hub" for one in history.stories
        )
        return differences(await take_picture(stage, life, chronicle, strict=calm))


async def at_rest(stage: Stage) -> None:
    """Return once all streams were read once more, a sweep was done and nothing came of that; or patience is over."""
    until, before = simulated_now().timestamp() + PATIENCE_SECONDS, None
    while simulated_now().timestamp() < until:
        await _idle(stage, until)
        owed = await owed_by(stage.hub)
        if owed == before:
            return
        before = owed
        await asyncio.sleep(70)  # what the platforms commit late is there by now (selfgov.md: 60 s)
        for connector in stage.hub.connectors.values():
            for stream in connector.streams:
                await stage.hub.poller.read_on(connector.platform, stream.name)
        await stage.hub.sweep.everything()
        stage.hub.worker.wake()


async def _idle(stage: Stage, until: float) -> None:
    pause = 2.0
    while await _under_way(stage) and simulated_now().timestamp() < until:
        await asyncio.sleep(pause)
        pause = min(pause * 2, 1800.0)


async def _under_way(stage: Stage) -> bool:
    owed = await owed_by(stage.hub)
    return any(not state.startswith(("WAITING", "STUCK")) for state in owed.values())


def keep_secrets(folder: Path, seed: int) -> None:
    """Make up the secrets of hub and platforms by the seed: what is signed, encrypted and keyed is the same again."""
    rng = random.Random(f"secrets {seed}")
    household = Household.of(folder)
    made = {name: hashlib.sha256(rng.randbytes(16)).hexdigest()[:32] for name in sorted(household.secrets)}
    made["pii"] = base64.b64encode(rng.randbytes(32)).decode()
    made["credit_webhook"] = "whsec_" + base64.b64encode(rng.randbytes(24)).decode()
    (folder / "secrets.json").write_text(json.dumps(made))
