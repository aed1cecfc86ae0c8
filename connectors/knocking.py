"""A sign of life of a platform that is called over HTTP: does anything answer at its address, and by whose certificate?

Used by http.py. Nothing is signed, and any answer will do but that of a gateway with nobody behind it.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx

from connectors.base import Knocked
from connectors.errors import TransientError

NOBODY_BEHIND = {502, 503, 504}


async def answered(platform: str, http: httpx.AsyncClient, deadline_seconds: float) -> tuple[httpx.Response, Knocked]:
    """Return what the base address answers to a plain GET, its body unread; raise TransientError with what stood in the way."""
    try:
        async with asyncio.timeout(deadline_seconds), http.stream("GET", "") as response:
            told = Knocked(says=f"HTTP {response.status_code}", certificate_until=_certificate_until(response))
    except (httpx.HTTPError, OSError) as error:
        code, reason = _reason(error, deadline_seconds)
        raise TransientError(platform, code, f"{http.base_url}: {reason}") from error
    if (status := response.status_code) in NOBODY_BEHIND:
        raise TransientError(platform, f"HTTP_{status}", f"{http.base_url}: HTTP {status}, so that nothing behind it answers")
    return response, told


def _certificate_until(response: httpx.Response) -> datetime | None:
    """Return until when the certificate holds; to be asked while the connection is open."""
    stream: Any = response.extensions.get("network_stream")
    secured: ssl.SSLObject | None = None if stream is None else stream.get_extra_info("ssl_object")
    shown = None if secured is None else secured.getpeercert()
    return None if not shown else datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)


def _reason(error: BaseException, deadline_seconds: float) -> tuple[str, str]:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "BAD_CERTIFICATE", f"its certificate is not trusted ({cause.verify_message})"
        if isinstance(cause, socket.gaierror):
            return "NO_SUCH_HOST", "no such host"
        if isinstance(cause, ConnectionRefusedError):
            return "NOTHING_LISTENS", "nothing listens there"
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return "TIMEOUT", f"no answer in {deadline_seconds:g} s"
    return "UNREACHABLE", str(error) or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and all that is behind it; several addresses of one host may have failed for several reasons."""
    while error is not None:
        yield error
        for each in getattr(error, "exceptions", ()):
            yield from _causes(each)
        error = error.__cause__ or error.__context__
