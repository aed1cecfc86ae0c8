"""An answer read to its end, as long as it is of any sensible size: a platform must not fill our memory. Used by http.py."""

from typing import Final

import httpx

ANSWER_AT_MOST = 64_000_000
"""Bytes of one answer's body, unpacked. The largest that the pages allow, a snapshot of 1,000 objects, has some megabytes."""
_PACKED: Final = {"content-encoding", "content-length", "transfer-encoding"}


class AnswerTooLargeError(Exception):
    """More came than any answer of a platform has."""


async def read_whole(response: httpx.Response) -> httpx.Response:
    """Return a streamed answer with its body, unpacked, and close it; raise AnswerTooLargeError as soon as it grows too large."""
    body = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            if len(body) + len(chunk) > ANSWER_AT_MOST:
                raise AnswerTooLargeError(f"more than {ANSWER_AT_MOST:,} bytes")
            body += chunk
    finally:
        await response.aclose()
    return httpx.Response(
        response.status_code,
        headers=[(name, value) for name, value in response.headers.multi_items() if name.lower() not in _PACKED],
        content=bytes(body),
        request=response.request,
        extensions=response.extensions,
    )
