"""Deliveries in any order and with repetitions end in the same current records and the same required obligations.

What was delivered in the ten cases of the city is kept, and given to hubs with nothing in them: to one as it came, to the others
shuffled, 30% of it twice: half of that as it was, half of it signed anew.
"""

import asyncio
import random
import shutil
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from connectors.base import Delivery, Verified
from hub.app import Hub
from hub.cases import CASES
from hub.cases.play import BEIJING, Play
from hub.demo_household import Household
from hub.mirror import inbox
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES, TOMBSTONE
from hub.parts import World
from hub.settings import load_settings
from hub.simulation.clock import in_simulated_time
from hub.simulation.stage import staged
from schema.declare import ENTITIES
from schema.entities import OPEN_STATES, Obligation, ObligationState
from schema.entities import Delivery as KeptDelivery
from schema.entity import Mirrored
from tests.chaos.door import NOWHERE
from tests.chaos.histories import IN_MEMORY, make_template
from tests.chaos.shown import Form, Shown

SEEDS = {Form.SHORT: 3, Form.FULL: 200}
PLAYED = {Form.SHORT: (5,), Form.FULL: tuple(CASES)}
REPEATED = 0.3
AFTERWARDS = datetime(2020, 6, 1, 9, tzinfo=BEIJING)
"""When the deliveries are given to the hubs; the same moment for all."""
End = tuple[dict[str, Any], dict[str, Any]]
"""Current records by entity and key, and obligations by key."""


def show(form: Form) -> Shown:
    """Play cases, then shuffle what was delivered in them, a seed at a time."""
    losses, deliveries, records, obligations = list[str](), 0, 0, 0
    cases, each = PLAYED[form], SEEDS[form] // len(PLAYED[form])
    with tempfile.TemporaryDirectory(prefix="shuffled-", dir=IN_MEMORY) as folder:
        template = make_template(Path(folder) / "hub.db")
        for number in cases:
            came = delivered_in(number)
            ordered = asyncio.run(_end_of([(one, f"{place}") for place, one in enumerate(came)], template, random.Random(0)))
            deliveries, records, obligations = deliveries + len(came), records + len(ordered[0]), obligations + len(ordered[1])
            if not ordered[0] or not ordered[1]:
                losses.append(f"case {number}: nothing came of {len(came)} deliveries in their own order")
            for seed in range(each):
                rng = random.Random(f"{number} {seed}")
                end = asyncio.run(_end_of(shuffled(came, rng), template, rng))
                losses += [f"case {number}, seed {seed}: {difference}" for difference in differences(ordered, end)]
    scale = f"{each * len(cases)} seeds over {deliveries} deliveries of {len(cases)} cases, 30% repeated, shuffled"
    return Shown(scale, f"{records} current records and {obligations} obligations, the same each time", losses)


def delivered_in(number: int) -> list[Delivery]:
    """Return what was delivered to the hub while a case was played, in order of arrival."""
    case = CASES[number]

    async def play() -> list[Delivery]:
        with tempfile.TemporaryDirectory(prefix="case-") as folder:
            async with staged(Path(folder), 7, poll_seconds=60.0) as stage:
                await case.play(Play(stage, lambda told: None))
                await stage.settled()
                return await stage.hub.database.read(_kept, stage.hub.rows)

    return in_simulated_time(play(), datetime.fromisoformat(case.begins).replace(tzinfo=BEIJING))


def _kept(connection: Connection, rows: Rows) -> list[Delivery]:
    read = rows.reader(KeptDelivery)
    statement = select(*inbox.COLUMNS).order_by(TABLES["Delivery"].c.received_at, TABLES["Delivery"].c.sequence)
    return [inbox.raw_of(read(row)) for row in connection.execute(statement)]


def shuffled(came: Sequence[Delivery], rng: random.Random) -> list[tuple[Delivery, str]]:
    """Return deliveries with what each is signed with, in any order, 30% of them twice."""
    signed = [(one, f"{place}") for place, one in enumerate(came)]
    again = [
        (one, signature if rng.random() < 0.5 else f"{signature} anew")
        for one, signature in rng.sample(signed, round(len(signed) * REPEATED))
    ]
    together = signed + again
    rng.shuffle(together)
    return together


async def _end_of(coming: Sequence[tuple[Delivery, str]], template: Path, rng: random.Random) -> End:
    """Give deliveries to a hub with nothing in it, some at a time, and return how it ends."""
    with tempfile.TemporaryDirectory(prefix="hub-", dir=IN_MEMORY) as name:
        shutil.copy(template, Path(name) / "hub.db")
        # All hubs have the same keys: a person's code is made of the number and a key.
        own = Household.of(template.parent).environment(NOWHERE) | {"HUB_DATABASE_URL": f"sqlite:///{name}/hub.db"}
        settings = load_settings(own)
        hub = Hub(settings, World(clock=lambda: AFTERWARDS, rng=rng, inline_database=True))
        async with hub.opened():
            left = [inbox.kept(one, Verified(signature=signature), 0) for one, signature in coming]
            while left:
                some = rng.randint(1, 40)
                await hub.database.write(inbox.store, hub.rows, left[:some])
                left = left[some:]
                while await hub.applier.apply_deliveries(rng.randint(1, 20)):
                    pass
            await hub.sweep.everything()
            return await hub.database.read(_looked_at, hub.rows)


def _looked_at(connection: Connection, rows: Rows) -> End:
    records: dict[str, Any] = {}
    for entity in ENTITIES.values():
        if issubclass(entity.record, Mirrored):
            table, read = TABLES[entity.name], rows.reader(entity.record)
            for row in connection.execute(select(*(table.c[column] for column in entity.fields))):
                record = msgspec.structs.asdict(read(row))
                del record["observed_at"]
                records[f"{entity.name} {record[entity.key]}"] = record
    for row in connection.execute(select(TOMBSTONE.c.entity, TOMBSTONE.c.key, TOMBSTONE.c.version)):
        records[f"deleted {row[0]} {row[1]}"] = row[2]
    obligations: dict[str, Any] = {}
    read_obligation = rows.reader(Obligation)
    table = TABLES["Obligation"]
    for row in connection.execute(select(*(table.c[column] for column in ENTITIES["Obligation"].fields))):
        one = read_obligation(row)
        if one.state in OPEN_STATES or one.state is ObligationState.CLOSED:
            obligations[one.key] = (one.state, one.platform, one.command, one.payload, one.needs, one.subject_code, one.chain)
    return records, obligations


def differences(wanted: End, found: End) -> list[str]:
    """Return what differs between two ends, a sentence each, at most ten of each kind."""
    said = []
    for what, here, there in (("record", wanted[0], found[0]), ("obligation", wanted[1], found[1])):
        wrong = sorted(key for key in here.keys() | there.keys() if here.get(key) != there.get(key))
        said += [f"{what} {key} is {_apart(there.get(key), here.get(key))}" for key in wrong[:10]]
    return said


def _apart(found: Any, wanted: Any) -> str:
    """Return in what two differ, short."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        found, wanted = ({name: side[name] for name in wanted if found[name] != wanted[name]} for side in (found, wanted))
    return f"{str(found)[:300]}, not {str(wanted)[:300]}"
