"""What platforms hold and what the hub holds of it, version by version, for tests in simulated time."""

from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from hub.mirror.tables import CHANGE, TABLES
from hub.simulation.stage import Stage
from schema.declare import ENTITIES

KINDS: Mapping[str, tuple[str, str, str]] = {
    "Approval": ("approval", "record", "BBH"),
    "CreditProfile": ("credit", "subject", "version"),
    "GridEvent": ("grid", "event", "ver"),
    "VerificationTask": ("enforcement", "task", "version"),
}
"""Entity -> platform, what its mock calls the kind, and the field that holds the version."""


def versions_there(stage: Stage, entity: str) -> dict[str, int]:
    """Return the versions that the platform holds, by key: out of its store, past everything that a hub could be told."""
    name, kind, version = KINDS[entity]
    (platform,) = (one for one in stage.platforms if one.name == name)
    return {key: int(document[version]) for key, document in platform.store.all(kind).items()}


async def versions_here(stage: Stage, entity: str) -> dict[str, int]:
    """Return the versions that the mirror holds of what platforms said, by key."""
    table = TABLES[entity]
    wanted = select(table.c[ENTITIES[entity].key], table.c.version)
    return await stage.hub.database.read(lambda connection: {row[0]: row[1] for row in connection.execute(wanted)})


async def gaps(stage: Stage, entity: str) -> list[str]:
    """Return a sentence for each record that is missing here, or here in another version."""
    here = await versions_here(stage, entity)
    there = versions_there(stage, entity)
    return [f"{entity} {key}: {version} there, {here.get(key)} here" for key, version in there.items() if here.get(key) != version]


async def changes(stage: Stage) -> int:
    """Return how many versions were ever applied."""

    def count(connection: Connection) -> int:
        return connection.execute(select(func.count()).select_from(CHANGE)).scalar_one()

    return await stage.hub.database.read(count)
