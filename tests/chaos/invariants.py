"""What must hold beside the oracle's word: quotas are kept, versions never go back, nothing is sent once its cause is gone."""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection, select

from hub.mirror.tables import CHANGE, TABLES
from hub.simulation.stage import Stage
from tests.chaos.picture import Picture
from tests.chaos.rough_network import RoughNetwork

CALLS_A_SECOND: Mapping[str, int] = {"hub>approval": 20, "hub>credit": 20, "hub>enforcement": 20}
"""What the platforms' pages allow (approval.md, credit.md); the enforcement gateway's own is that of its mock."""
MIRRORED: Mapping[str, tuple[str, str, str, str]] = {
    "Approval": ("approval_no", "approval", "record", "BBH"),
    "VerificationTask": ("task_id", "enforcement", "task", "version"),
    "CreditRecord": ("record_id", "credit", "record", "version"),
    "GridEvent": ("event_no", "grid", "event", "ver"),
}
"""Entity -> its key here, and the platform, kind and version of its document there."""


async def broken(stage: Stage, picture: Picture, network: RoughNetwork) -> Sequence[str]:
    """Return a sentence for everything that does not hold."""
    read = stage.hub.database.read
    return [
        *_quotas(network),
        *await read(_went_back),
        *await read(_differs, picture),
        *await read(_sent_for_nothing),
    ]


def _quotas(network: RoughNetwork) -> Iterator[str]:
    """No second holds more calls than its platform allows, all processes together; tokens are not counted (credit.md)."""
    for way, limit in CALLS_A_SECOND.items():
        sent = network.sent.get(way, [])
        for first, last in zip(sent, sent[limit:], strict=False):
            if last - first < 1.0:
                yield f"{way}: {limit + 1} calls between {first:.3f} s and {last:.3f} s"
                break


def _went_back(connection: Connection) -> list[str]:
    """Each version that was applied is higher than the one before it."""
    told = select(CHANGE.c.entity, CHANGE.c.key, CHANGE.c.version, CHANGE.c.deleted).order_by(CHANGE.c.sequence)
    found, last = [], dict[tuple[str, str], int]()
    for entity, key, version, deleted in connection.execute(told):
        if not deleted and version <= last.get((entity, key), -1):
            found.append(f"{entity} {key} went from version {last[entity, key]} to {version}")
        last[entity, key] = -1 if deleted else version
    return found


def _differs(connection: Connection, picture: Picture) -> list[str]:
    """What the mirror holds is what the platforms say now."""
    found = []
    for entity, (key, platform, kind, version) in MIRRORED.items():
        table = TABLES[entity]
        here = {str(row[0]): int(row[1]) for row in connection.execute(select(table.c[key], table.c.version))}
        there = {number: int(document[version]) for number, document in picture.all(platform, kind).items()}
        found += [
            f"{entity} {number} is at {here.get(number)} here, at {there.get(number)} on its platform"
            for number in sorted(here.keys() | there.keys())
            if here.get(number) != there.get(number)
        ]
    return found


def _sent_for_nothing(connection: Connection) -> list[str]:
    """No attempt at a verification begins once its approval is known to be revoked."""
    obligation, attempt, approval = TABLES["Obligation"], TABLES["Attempt"], TABLES["Approval"]
    tried = (
        select(obligation.c.key, attempt.c.started_at, approval.c.observed_at)
        .join(attempt, attempt.c.obligation_key == obligation.c.key)
        .join(approval, approval.c.approval_no == obligation.c.cause)
        .where(obligation.c.rule == "approval-verification", approval.c.state == "REVOKED")
    )
    return [
        f"{key} was tried at {at}, and its approval was known to be revoked at {seen}"
        for key, at, seen in connection.execute(tried)
        if at > seen
    ]
