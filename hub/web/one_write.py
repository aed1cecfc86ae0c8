"""A response in one write: headers and body of a short answer leave together. Used by serving.py.

uvicorn writes headers when an answer begins and the body when it is there, and uvloop hands each to the system at once: two calls
and two packets an answer. What is written is held here until the next write, or until the loop has done what is ready now,
whichever comes first: a stream's headers wait for nothing.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Gathering:
    """A transport that holds one piece back for the piece that follows it at once; all else is the transport's own."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held: bytes | None = None
        self._soon = asyncio.get_running_loop().call_soon

    def write(self, data: bytes) -> None:
        """Hold a first piece; write a second together with it."""
        if self._held is not None:
            held, self._held = self._held, None
            self._transport.writelines((held, data))
        elif data:
            self._held = data
            self._soon(self.flush)

    def flush(self) -> None:
        """Write what is held; where the connection is gone by now there is nobody to write to, and uvloop would raise."""
        held, self._held = self._held, None
        if held is not None and not self._transport.is_closing():
            self._transport.write(held)

    def close(self) -> None:
        """Close when everything is written."""
        self.flush()
        self._transport.close()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand the connection over, as to WebSockets, behind what is held."""
        self.flush()
        self._transport.set_protocol(protocol)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class OneWrite(HttpToolsProtocol):
    """uvicorn's protocol, over such a transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        super().connection_made(cast(asyncio.Transport, Gathering(transport)))
