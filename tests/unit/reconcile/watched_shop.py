"""A subject that breaks promises and becomes serious, for the tests of the key supervision list."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from hub.reconcile.rules.approval_verification import task_number
from schema.commands import PutKeySubject, RemoveKeySubject
from schema.entities import Conclusion, KeySubject, Obligation, TaskResult, TaskStatus, TaskType
from schema.entity import Observation, Tombstone
from schema.identifiers import outgoing_number
from tests.builders import SHOP_CODE, approval, gone, key_subject, observed, task, task_result
from tests.settable_clock import BEIJING, START
from tests.unit.reconcile.city import City, check, observation, taken

A, B, YEAR = "YW-A", "YW-B", "serious-2019"
A_WORDS, B_WORDS, YEAR_WORDS = "未履行告知承诺：YW-A", "未履行告知承诺：YW-B", "严重失信：2019年度"
NEW_YEAR = datetime(2020, 1, 1, tzinfo=BEIJING)
LATER = {A: timedelta(0), B: timedelta(hours=1)}


def put(cause: str, number: int = 1, code: str = SHOP_CODE) -> str:
    """Return the key of a cause's being put on the list for the n-th time."""
    return f"key-supervision:{code}:{cause}" + (f":round-{number}" if number > 1 else "")


def off(cause: str, number: int = 1, code: str = SHOP_CODE) -> str:
    """Return the key of a cause's being taken off for the n-th time."""
    return f"key-supervision-off:{code}:{cause}" + (f":round-{number}" if number > 1 else "")


def granted(number: str, **fields: Any) -> Observation:
    """An approval that the shop was granted on commitment."""
    return observed(approval(approval_no=number, **fields))


def checked(
    number: str, conclusion: Conclusion = Conclusion.NONCONFORM, version: int = 1, order: str | None = "", **fields: Any
) -> Observation:
    """The finished check of that approval, with a rectification order `ZG-<number>` where it did not conform."""
    of = task(
        task_id=f"T-{number}",
        external_no=task_number(number),
        origin_ref=number,
        status=TaskStatus.DONE,
        version=version,
    )
    told = f"ZG-{number}" if order == "" and conclusion is Conclusion.NONCONFORM else order or None
    plain = {"checked_at": START + LATER.get(number, timedelta(0)), "order_no": told}
    return observation(check(of, _result(of.task_id, conclusion, version, **plain | fields)))


def rechecked(
    number: str, conclusion: Conclusion = Conclusion.CONFORM, version: int = 1, order: str | None = None, **fields: Any
) -> Observation:
    """The finished recheck of that approval's order, or of another order."""
    of = task(
        task_id=f"R-{order or number}",
        external_no=None,
        type=TaskType.RECHECK,
        origin_platform="enforcement",
        origin_ref=order or f"ZG-{number}",
        status=TaskStatus.DONE,
        version=version,
    )
    plain = {"checked_at": START + timedelta(days=5)}
    return observation(check(of, _result(of.task_id, conclusion, version, **plain | fields)))


def _result(task_id: str, conclusion: Conclusion, version: int, **fields: Any) -> TaskResult:
    return task_result(task_id=task_id, result_id=f"{task_id}/0", conclusion=conclusion, version=version, **fields)


async def break_promise(city: City, *numbers: str) -> None:
    """Let promises be broken."""
    for number in numbers:
        await city.say(granted(number), checked(number))


async def become_serious(city: City, **fields: Any) -> None:
    """Let twelve points be taken."""
    await city.say(observed(taken(1, "12", **fields)))


async def supervision(city: City) -> dict[str, str]:
    """Return the states of what puts on the list and takes off it."""
    return {key: state for key, state in (await city.lines()).items() if key.startswith("key-supervision")}


async def entry(city: City, key: str) -> str | None:
    """Return the reason that an obligation's command gives to the entry, None where it takes it off."""
    command = await city.command(key)
    if isinstance(command, RemoveKeySubject):
        return None
    assert isinstance(command, PutKeySubject)
    return command.reason


class Platform:
    """The list as the enforcement platform keeps it: carries out commands, and shows what it has."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.version = 0

    async def carry_out(self, key: str) -> None:
        """Accept an obligation, and let the mirror see what came of it."""
        await self.city.accept(key)
        await self.show(await entry(self.city, key), await self._ref(key))

    async def show(self, reason: str | None, ref: str = "SOMEBODY") -> None:
        """Let the mirror see an entry, or that it is gone."""
        self.version += 1
        record = key_subject(reason=reason or "", ref=ref, version=self.version)
        await self.city.say(observed(record) if reason else off_the_list(record))

    async def _ref(self, key: str) -> str:
        command = await self.city.command(key)
        return command.ref if isinstance(command, PutKeySubject) else ""


def off_the_list(record: KeySubject) -> Tombstone:
    """Return the list's word that an entry is gone."""
    return msgspec.structs.replace(gone(record), counts_anew=True)


def number(key: str) -> str:
    """Return our number for putting a cause on the list."""
    return outgoing_number("KS", key)


async def one(city: City, key: str) -> Obligation:
    """Return an obligation."""
    return (await city.ledger())[key]
