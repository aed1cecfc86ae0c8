"""Live reads (实时查询): a field with `maxAge` is answered by the mirror while that is fresh enough, else by the platform itself.

Resolvers call `fresh_one` and `fresh_many`. The engine's part is `LiveReads`; what one request remembers is `LiveAnswers`.
Where the platform cannot be asked the mirror answers, marked stale, and an error beside the data says why (docs/live-reads.md).
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Protocol

import msgspec
import strawberry
from graphql import GraphQLError
from strawberry import UNSET, Info

from schema.declare import ENTITIES, Declared
from schema.graph_errors import BAD_USER_INPUT, GraphError
from schema.slices import Joined

if TYPE_CHECKING:
    from schema.context import Context

LIVE_TIMEOUT = "LIVE_TIMEOUT"
LIVE_FAILED = "LIVE_FAILED"
LIVE_PLATFORM_DOWN = "LIVE_PLATFORM_DOWN"
LIVE_PAUSED = "LIVE_PAUSED"
LIVE_NOT_BRIDGED = "LIVE_NOT_BRIDGED"
LIVE_QUOTA = "LIVE_QUOTA"
LIVE_OUTDATED = "LIVE_OUTDATED"
LIVE_BAD_RECORD = "LIVE_BAD_RECORD"
LIVE_BAD_KEY = "LIVE_BAD_KEY"
LIVE_GONE = "LIVE_GONE"

MaxAge = Annotated[
    int | None,
    strawberry.argument(
        name="maxAge",
        description="Seconds that the hub's copy may be old; an older one is asked of the platform itself, which is dear. "
        "null: the copy, however old (允许的最大时效，秒；超过则实时查询来源平台)",
    ),
]
MAX_AGE = "maxAge"
"""The argument's name in the graph; no other argument is called so."""


class Trouble(NamedTuple):
    """Why a record was not answered live."""

    platform: str
    code: str
    message: str
    """For people; names the way out."""
    retryable: bool
    """Whether the same question may be answered live later, without anybody doing anything."""
    reason: str | None = None
    """The platform's own reason, or that of its connector, where there is one."""


class Shown(NamedTuple):
    """What is answered: a record, or None where there is none; and why it is not as fresh as was asked."""

    record: Any
    trouble: Trouble | None = None
    renewed: object | None = None
    """Equal for all that one write brought into the mirror; None where the mirror stayed as it was."""


class LiveReads(Protocol):
    """Asks platforms. Lives as long as the process: equal questions under way are asked once, others of one tick together."""

    async def read(self, entity: Declared, key: str, held: Any, begun: float) -> Shown:
        """Return a record as its platform has it now; `held`, marked by a trouble, where that cannot be known in time.

        The time is the platform's live deadline, counted from `begun` (the loop's time). Nothing is raised.
        """
        ...


@dataclass
class LiveAnswers:
    """What one request asked live: since when, which of its answers are too old, and what to tell of that."""

    errors: list[GraphQLError] = field(default_factory=list)
    """Stand in the answer beside its data."""
    _begun: float | None = None
    _overdue: dict[int, Any] = field(default_factory=dict)
    _renewed: set[object] = field(default_factory=set)

    def begin(self) -> float:
        """Return when the request first asked live, on the loop's clock: deadlines count from then, so that they do not add up."""
        if self._begun is None:
            self._begun = asyncio.get_running_loop().time()
        return self._begun

    def forget(self) -> None:
        """Begin anew: what was asked live for one event of a subscription says nothing of the next."""
        self.errors.clear()
        self._overdue.clear()
        self._begun = None

    def mark(self, record: Any) -> Any:
        """Return a copy of the record that is known to be too old; the same record asked for elsewhere is not marked."""
        copy = msgspec.structs.replace(record)
        self._overdue[id(copy)] = copy
        return copy

    def is_overdue(self, record: Any) -> bool:
        """Return whether this very answer is older than was asked for."""
        return id(record) in self._overdue

    def is_news(self, renewed: set[object]) -> bool:
        """Return whether the request hears for the first time of one of these writes to the mirror."""
        news = renewed - self._renewed
        self._renewed |= news
        return bool(news)


async def fresh_one(info: "Info[Context, None]", entity: Declared, held: Any, key: str | None, max_age: int | None) -> Any:
    """Return a record no older than `max_age` seconds, asked of its platform where the mirror's is older; None if there is none.

    `key` names it where the mirror holds none; None: then nothing is asked. What could not be had so fresh is the mirror's
    record, marked, with an error beside the data. Who sees some rows only is answered live about those rows, and nothing else is
    asked for them. Raises GraphError for a negative age, and for records that nobody asks live.
    """
    if max_age is None or max_age is UNSET:
        return held
    if entity.live is None:
        names = ", ".join(name for name, each in ENTITIES.items() if each.live)
        raise GraphError(BAD_USER_INPUT, f"maxAge: a {entity.name} is not asked of its platform; these are: {names}")
    (shown,) = await _shown(info, entity, [(held, None if info.context.caller.rows else key)], max_age)
    return shown


async def fresh_many(info: "Info[Context, None]", entity: Declared, records: Sequence[Any], max_age: int | None) -> list[Any]:
    """Return the records of a list, in order, each as `fresh_one` does; None in the place of one that its platform has no more."""
    if max_age is None or max_age is UNSET:
        return list(records)
    return await _shown(info, entity, [(record, None) for record in records], max_age)


async def _shown(
    info: "Info[Context, None]", entity: Declared, wanted: Sequence[tuple[Any, str | None]], max_age: int
) -> list[Any]:
    if max_age < 0:
        raise GraphError(BAD_USER_INPUT, f"maxAge is {max_age}; give seconds, 0 or more, or leave it out for the hub's copy")
    context, now = info.context, info.context.hub.clock()
    answers: list[Any] = [held for held, _ in wanted]
    asked = [at for at, (held, key) in enumerate(wanted) if _is_asked(held, key, now, max_age)]
    if not asked:
        return answers
    begun = context.live.begin()
    reads = (context.hub.live.read(entity, _key(entity, *wanted[at]), wanted[at][0], begun) for at in asked)
    found = await asyncio.gather(*reads)
    if context.live.is_news({shown.renewed for shown in found} - {None}):
        context.reads.forget()
    if context.caller.rows:
        found = [await _still_seen(context, entity, wanted[at][0], shown) for at, shown in zip(asked, found, strict=True)]
    for at, shown in zip(asked, found, strict=True):
        is_held = shown.trouble is not None and shown.record is not None
        answers[at] = context.live.mark(shown.record) if is_held else shown.record
    context.live.errors += _errors(info, [(answers[at] or wanted[at][0], shown) for at, shown in zip(asked, found, strict=True)])
    return answers


async def _still_seen(context: "Context", entity: Declared, held: Any, shown: Shown) -> Shown:
    """Return an answer for a caller who sees some rows only: a record that has gone to another department is theirs no more.

    Only the very row that was held is known to be theirs: with a trouble too a newer one may be answered.
    """
    if shown.record is None or shown.record is held:
        return shown
    key = str(getattr(shown.record, entity.key))
    return shown._replace(record=await context.reads.one(entity.record, Joined(entity.key, key)))


def _is_asked(held: Any, key: str | None, now: datetime, max_age: int) -> bool:
    if held is None:
        return key is not None
    return bool((now - held.observed_at).total_seconds() > max_age)


def _key(entity: Declared, held: Any, key: str | None) -> str:
    return str(getattr(held, entity.key)) if held is not None else key or ""


def _errors(info: "Info[Context, None]", found: Sequence[tuple[Any, Shown]]) -> list[GraphQLError]:
    """Return an error of this field for each kind of trouble; of a list it says how many records it is about."""
    kinds: dict[tuple[str, str, str | None], list[tuple[Any, Trouble]]] = {}
    for record, shown in found:
        if (trouble := shown.trouble) is not None:
            kinds.setdefault((trouble.platform, trouble.code, trouble.reason), []).append((record, trouble))
    return [_error(info, same) for same in kinds.values()]


def _error(info: "Info[Context, None]", same: Sequence[tuple[Any, Trouble]]) -> GraphQLError:
    trouble = same[0][1]
    ages = [record.observed_at for record, _ in same if record is not None]
    about = {
        "code": trouble.code,
        "platform": trouble.platform,
        "retryable": trouble.retryable,
        "asOf": min(ages).isoformat() if ages else None,
        "correlationId": info.context.correlation_id,
    }
    more = ({"reason": trouble.reason} if trouble.reason else {}) | ({"records": len(same)} if len(same) > 1 else {})
    nodes = info._raw_info.field_nodes  # Strawberry shows what is selected, and hides where it is written
    return GraphQLError(trouble.message, nodes, path=info.path.as_list(), extensions=about | more)


def with_max_age(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """Return the resolver, its parameter `max_age` shown in the graph as `maxAge`."""
    resolve.__annotations__["max_age"] = MaxAge
    return resolve
