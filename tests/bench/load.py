"""A small HTTP/1.1 load generator: keep-alive connections that send prepared requests and check every body."""

import asyncio
from collections.abc import Callable, Sequence


class WrongAnswer(AssertionError):
    """An answer was not the one expected: the round does not count."""


def request(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """Return a whole request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "host: bench", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


Check = Callable[[int, bytes], bool]
"""Told status and body of an answer; says whether it is the one expected."""


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, prepared: bytes, check: Check) -> None:
    writer.write(prepared)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
    status, body = int(head[9:12]), await reader.readexactly(length)
    if not check(status, body):
        raise WrongAnswer(f"{status} {body[:200]!r}")


async def send_all(port: int, requests: Sequence[bytes], check: Check, connections: int = 32) -> None:
    """Send every request once over so many connections; raise WrongAnswer at the first answer that `check` refuses."""
    waiting = iter(requests)

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for prepared in waiting:
                await _ask(reader, writer, prepared, check)
        finally:
            writer.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(min(connections, len(requests))):
            group.create_task(client())


async def send_at(port: int, requests: Sequence[bytes], check: Check, rate: float, connections: int = 64) -> list[float]:
    """Send requests at a steady rate a second; return how long each took, in seconds from the moment it was to be sent.

    So what is sent late, because answers came late, counts as late: nothing is left out (coordinated omission).
    """
    loop, took = asyncio.get_running_loop(), list[float]()
    begin = loop.time() + 0.05
    waiting = enumerate(requests)

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for place, prepared in waiting:
                due = begin + place / rate
                await asyncio.sleep(max(0.0, due - loop.time()))
                await _ask(reader, writer, prepared, check)
                took.append(loop.time() - due)
        finally:
            writer.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(min(connections, len(requests))):
            group.create_task(client())
    return took
