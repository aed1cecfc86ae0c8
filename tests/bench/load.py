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


async def send_all(port: int, requests: Sequence[bytes], check: Callable[[int, bytes], bool], connections: int = 32) -> None:
    """Send every request once over so many connections; raise WrongAnswer at the first answer that `check` refuses."""
    waiting = iter(requests)

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for prepared in waiting:
                writer.write(prepared)
                head = await reader.readuntil(b"\r\n\r\n")
                status = int(head[9:12])
                length = int(head.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
                body = await reader.readexactly(length)
                if not check(status, body):
                    raise WrongAnswer(f"{status} {body[:200]!r}")
        finally:
            writer.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(min(connections, len(requests))):
            group.create_task(client())
