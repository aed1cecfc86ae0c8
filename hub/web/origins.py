"""Which other origins' pages may read the graph in a browser (CORS): those that a setting names, none by default."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

ALLOWED = ("authorization", "content-type", "x-api-key")
SHOWN = ("retry-after", "ratelimit", "ratelimit-policy", "www-authenticate", "x-correlation-id")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?|https?://\[[0-9A-Fa-f:]+\](:[0-9]{1,5})?")


def check_origin(origin: str) -> str:
    """Return an origin as browsers name it; raise ValueError for anything else, so that no slip opens more than is meant."""
    if not _ORIGIN.fullmatch(origin):
        raise ValueError(
            f"'{origin}' is no origin; name each one as browsers do, https://host or https://host:port, without path or *"
        )
    return origin.lower()


def readable_from(app: ASGIApp, origins: tuple[str, ...]) -> ASGIApp:
    """Return the application as pages of these origins may read it. Callers show their keys: no cookie is ever sent or read."""
    if not origins:
        return app
    return CORSMiddleware(app, allow_origins=origins, allow_methods=("GET", "POST"), allow_headers=ALLOWED, expose_headers=SHOWN)


def is_foreign(headers: Mapping[str, str], origins: tuple[str, ...]) -> bool:
    """Return whether a page of another origin opens a WebSocket, about which browsers ask nobody (RFC 6455, 10.2).

    Pages of this very host and of these origins may. Programs name no origin. What is no address at all is foreign.
    """
    origin = headers.get("origin", "").lower()
    if not origin or origin in origins:
        return False
    try:
        return urlsplit(origin).netloc != headers.get("host", "").lower()
    except ValueError:  # as http://[
        return True
