"""Events and coordinations of the grid platform: how they are kept and written."""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from lxml import etree

from mocks.grid_xml import element
from mocks.platform import BEIJING
from mocks.store import Document, Index

EVENT_REQUIRED: Final = ("no", "ver", "category", "town", "title", "reportTime", "level", "status", "updateTime")
COORDINATION_REQUIRED: Final = ("no", "outNo", "ver", "deptCode", "town", "category", "content", "status", "updateTime")


def stamp(moment: datetime) -> str:
    """Return a time as the platform writes it: yyyyMMddHHmmss, Beijing."""
    return moment.astimezone(BEIJING).strftime("%Y%m%d%H%M%S")


def moment(text: str) -> datetime | None:
    """Return the aware time that such a text means, or None where it is none."""
    if len(text) != 14 or not text.isascii() or not text.isdigit():
        return None
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
    except ValueError:
        return None


def event_element(event: Document, rng: random.Random) -> etree._Element:
    """Return the `<event>`; what is empty and not always filled may be absent."""
    plain = {name: value for name, value in event.items() if name != "attach"}
    root = element("event", plain, required=EVENT_REQUIRED, rng=rng)
    attach = etree.Element("attach")
    for file in event["attach"]:
        etree.SubElement(attach, "file", {name: str(file[name]) for name in ("name", "url", "md5")})
    if len(attach) or rng.random() < 0.5:
        root.append(attach)
    etree.SubElement(root, "nodeNo").text = "1"  # no field of the page: unknown ones are allowed anywhere
    return root


def coordination_element(coordination: Document, rng: random.Random) -> etree._Element:
    """Return the `<coordination>`."""
    return element("coordination", coordination, required=COORDINATION_REQUIRED, rng=rng)


def page_of(entries: Sequence[tuple[str, str]], *, number: int, size: int, rng: random.Random) -> list[str]:
    """Return the keys of one page (from 1) of entries in the order of their first value.

    Equal values come in another order at every call, so that a row at a page's edge can be skipped or repeated.
    """
    start, end = (number - 1) * size, min(number * size, len(entries))
    if start >= end:
        return []
    first, last = start, end
    while first > 0 and entries[first - 1][0] == entries[start][0]:
        first -= 1
    while last < len(entries) and entries[last][0] == entries[end - 1][0]:
        last += 1
    shuffled = sorted(entries[first:last], key=lambda entry: (entry[0], rng.random()))
    return [key for _, key in shuffled[start - first : end - first]]


def updated_between(index: Index, low: str, high: str) -> list[tuple[str, str]]:
    """Return the (updateTime, number) pairs with low <= updateTime < high; empty is open."""
    return index.between(low or None, high or None)
