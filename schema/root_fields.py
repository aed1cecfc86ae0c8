"""The graph's plain entry points: a record by its key, the list of an entity, a record by its id."""

from typing import Annotated, Any

import strawberry
from strawberry import UNSET, Info
from strawberry.utils.str_converters import to_camel_case

from schema.connection import connection_field
from schema.context import Context
from schema.declare import Declared, Record, declared
from schema.live import fresh_one, with_max_age
from schema.reads import READS, ReadsMany, ReadsOne
from schema.slices import Joined


async def read_one(context: Context, entity: Declared, key: str) -> Any:
    """Return a record by its key, or by what leads to it (`Declared.found_through`), or None.

    Raises GraphError if the caller may not read such records.
    """
    context.caller.require_read(entity)
    return await context.reads.one(entity.record, Joined(entity.key, key, entity.found_through))


def one(record: Record) -> Any:
    """Return a root field that finds a record by its key; null if there is none."""
    entity = declared(record)

    async def read(info: Info[Context, None], key: str) -> Any:
        return await read_one(info.context, entity, key)

    async def read_live(info: Info[Context, None], key: str, max_age: Any = UNSET) -> Any:
        return await fresh_one(info, entity, await read_one(info.context, entity, key), key, max_age)

    resolve = with_max_age(read_live) if entity.live else read
    resolve.__annotations__["key"] = Annotated[
        str, strawberry.argument(name=to_camel_case(entity.key), description=str(entity.fields[entity.key].says))
    ]
    reads = {READS: ReadsOne(entity)}
    return strawberry.field(resolver=resolve, graphql_type=record | None, description=str(entity.says), metadata=reads)


def many(record: Record) -> Any:
    """Return a root field that lists records; null with an error where it is refused, so that its neighbours stand."""
    entity = declared(record)
    return connection_field(entity, str(entity.says), lambda _: None, nullable=True, metadata={READS: ReadsMany(entity)})
