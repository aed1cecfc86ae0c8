"""The public base path: where a reverse proxy shows the hub to the outside below a path of its own, as /bihuan/graphql.

Whether the proxy passes that path on or takes it away, the hub answers, and takes the path for what the outside asked for: the
signatures of platforms cover the path that they posted to.
"""

from starlette.types import ASGIApp, Receive, Scope, Send


class BasePath:
    """Middleware; `base` begins with a slash and does not end with one."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        self._app, self._base = app, base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application see the whole path, and the base as its root."""
        if scope["type"] in {"http", "websocket"}:
            path = scope["path"]
            whole = path if path.startswith(f"{self._base}/") else self._base + path
            scope = {**scope, "path": whole, "root_path": self._base}
        await self._app(scope, receive, send)
