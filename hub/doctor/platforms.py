"""Whether each platform gives a sign of life, by whose certificate, and what its clock shows."""

import asyncio
import random
from collections.abc import Mapping
from datetime import datetime, timedelta

from connectors.base import Clock, Connector, Notices, Surroundings
from connectors.errors import ConnectorError
from connectors.registry import CONNECTORS
from hub.conditions import COMPARE_CLOCKS, clock_off
from hub.doctor.findings import Finding, fine, problem, warning
from hub.mirror.conditions import ClockReading
from hub.settings import Settings

CERTIFICATE_ENDS_SOON = timedelta(days=21)
CURES = {
    "NO_SUCH_HOST": "correct {setting}, or this machine's DNS",
    "NOTHING_LISTENS": "correct the port in {setting}, or ask the platform's people whether it runs",
    "TIMEOUT": "is {setting} right, and does a firewall stand between? Ask the platform's people to let this machine in",
    "BAD_CERTIFICATE": "ask the platform's people for a certificate that a public authority signed, or correct {setting}",
    "UNREACHABLE": "is {setting} right, and does a firewall stand between?",
}
ANYTHING_ELSE = "ask the platform's people what is wrong there; what is owed to it waits meanwhile"


class _NoLimit:
    """Implements `Quota` for the one question that is asked."""

    async def acquire(self, platform: str, per_second: float) -> None:
        """Let it pass."""


class _Clocks(Notices):
    def __init__(self) -> None:
        self.read: dict[str, tuple[float, float]] = {}

    def clock(self, platform: str, ahead: timedelta, within: timedelta) -> None:
        self.read[platform] = (ahead.total_seconds(), within.total_seconds())


def connectors_of(settings: Settings, clock: Clock, notices: Notices) -> Mapping[str, Connector]:
    """Return connectors that ask once, beside the hub's own."""
    around = Surroundings(clock=clock, sleep=asyncio.sleep, rng=random.Random(), quota=_NoLimit(), notices=notices)
    once = {"read_attempts": 1}
    return {name: CONNECTORS[name](settings.platform(name).model_copy(update=once), around) for name in settings.platforms}


async def platform_findings(settings: Settings, clock: Clock) -> list[Finding]:
    """Return how each platform answers, all asked at once; each within its own deadline."""
    clocks = _Clocks()
    connectors = connectors_of(settings, clock, clocks)
    try:
        found = await asyncio.gather(*(_answers(name, connector, clock()) for name, connector in connectors.items()))
    finally:
        for connector in connectors.values():
            await connector.close()
    readings = [(name, ClockReading(*clocks.read[name], 1, clock())) for name in connectors if name in clocks.read]
    warns_from = settings.hub.clock_warning_seconds
    return [
        *(each for several in found for each in several),
        *(_clock(connectors[name], reading, warns_from) for name, reading in readings),
    ]


async def _answers(name: str, connector: Connector, now: datetime) -> list[Finding]:
    try:
        knocked = await connector.knock()
    except ConnectorError as error:
        told = str(error).removeprefix(f"{name}: ").removeprefix("knock: ")
        cure = CURES.get(error.code, ANYTHING_ELSE).format(setting=f"HUB_{name.upper()}_URL")
        return [problem("platforms", name, told, cure)]
    found = [fine("platforms", name, f"answers: {knocked.says}")]
    until = knocked.certificate_until
    if until is not None and until - now < CERTIFICATE_ENDS_SOON:
        told = f"its certificate ends on {until:%Y-%m-%d}; from then on no call is made"
        found.append(warning("platforms", name, told, "tell the platform's people to renew it"))
    return found


def _clock(connector: Connector, reading: ClockReading, warns_from: float) -> Finding:
    name = connector.platform
    off = clock_off(name, reading, connector.clock_limit, warns_from)
    if off is not None:
        return problem("platforms", name, off.removeprefix(f"{name}: "), COMPARE_CLOCKS)
    return fine("platforms", name, f"its clock is within {abs(reading.ahead_seconds) + reading.within_seconds:.1f} s of ours")
