"""Atheris at the connectors: `python -m tests.chaos.fuzz_parse [-runs=N]`. Whatever a body holds, only BadSignature is raised."""

import contextlib
import random
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import atheris

with atheris.instrument_imports(include=["connectors", "schema.identifiers"]):
    from connectors.base import Connector, Delivery, Surroundings
    from connectors.errors import BadSignature
    from connectors.registry import CONNECTORS

from hub.demo_household import Household
from hub.settings import load_settings

AT = datetime(2019, 9, 2, 1, tzinfo=UTC)
NAMES = ("approval", "credit", "enforcement", "grid", "sms")


class _NoQuota:
    async def acquire(self, platform: str, per_second: float) -> None:
        raise NotImplementedError(platform, per_second)


async def _no_sleep(seconds: float) -> None:
    raise NotImplementedError(seconds)


def made(household: Household) -> dict[str, Connector]:
    """Return the connectors that webhooks come to."""
    settings = load_settings(household.environment(dict.fromkeys(NAMES, "http://127.0.0.1:9")))
    surroundings = Surroundings(lambda: AT, _no_sleep, random.Random(7), _NoQuota())
    return {name: CONNECTORS[name](settings.platform(name), surroundings) for name in NAMES}


def entry(connectors: dict[str, Connector]) -> Callable[[bytes], None]:
    """Return what Atheris calls: the first byte chooses the platform, the rest is the body."""

    def one(data: bytes) -> None:
        connector = connectors[NAMES[data[0] % len(NAMES)]] if data else connectors["credit"]
        delivery = Delivery(
            platform=connector.platform, path=f"/webhooks/{connector.platform}", headers={}, body=data[1:], received_at=AT
        )
        with contextlib.suppress(BadSignature):
            connector.verify(delivery)
        connector.claimed_id(delivery)
        connector.parse(delivery)
        connector.acknowledge(delivery, stored=True)

    return one


if __name__ == "__main__":
    import tempfile
    from pathlib import Path

    from tests.chaos.bodies import SAMPLES

    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for place, name in enumerate(NAMES):
            for number, sample in enumerate(SAMPLES[name]):
                (corpus / f"{name}-{number}").write_bytes(bytes([place]) + sample)
        atheris.Setup([*sys.argv, str(corpus)], entry(made(Household.of(Path(folder)))))
        atheris.Fuzz()
