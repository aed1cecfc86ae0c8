"""The console at /console/: files that its build made (hub/console/dist), or a page that says how to build it. Wired by app.py.

Every file but index.html has the digest of its content in its name and may be kept for ever. What was compressed by the build is
sent as it is. The console finds everything by relative addresses, so that a public base path needs no build of its own.
"""

import mimetypes
import os
from collections.abc import Mapping
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from hub.access.sign_in import SignIn

BUILT = Path(__file__).parents[1] / "console" / "dist"
FOR_EVER = "public, max-age=31536000, immutable"
ASK_FIRST = "no-cache"
ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""What the build left beside a file, the smaller first."""
NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Bihuan</title>
<h1>The console is not built</h1>
<p>This hub was installed where npm or its registry could not be reached. Everything else works.
In a checkout of the project, with Node 20.19 or newer:</p>
<pre>npm --prefix hub/console ci
npm --prefix hub/console run build</pre>
<p>Then start the hub again. Where it came as a wheel, install one that was built with npm at hand.</p>
<h1 lang="zh">控制台尚未构建</h1>
<p lang="zh">安装时无法访问 npm，其余功能不受影响。请在项目目录中运行上面的命令，然后重新启动。</p>
</html>
"""


def policy(connect: tuple[str, ...] = ()) -> str:
    """Return the Content-Security-Policy: nothing but this hub, and `connect`, the origins that sign people in.

    Styles may stand in the page: Ant Design and ECharts write theirs there, and without foreign addresses a style can tell nobody.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            " ".join(("connect-src 'self'", *connect)),
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


class ConsoleFiles(StaticFiles):
    """The built files."""

    def __init__(self, folder: Path, headers: Mapping[str, str]) -> None:
        super().__init__(directory=folder, html=True)
        self._headers = headers

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, as small as the browser takes it."""
        for encoding, ending in ENCODINGS.items():
            if encoding not in _accepted(Headers(scope=scope)):
                continue
            name = "index.html" if path == "." else path
            try:
                response = await super().get_response(name + ending, scope)
            except HTTPException:
                continue
            response.headers["content-encoding"] = encoding
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            response.headers["content-type"] = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
            return self._told(name, response)
        return self._told(path, await super().get_response(path, scope))

    def _told(self, path: str, response: Response) -> Response:
        headers: MutableHeaders = response.headers
        headers["cache-control"] = FOR_EVER if path.startswith(f"assets{os.sep}") else ASK_FIRST
        headers.add_vary_header("accept-encoding")
        headers.update(self._headers)
        return response


def console_routes(folder: Path = BUILT, sign_in: SignIn | None = None) -> list[BaseRoute]:
    """Return the routes /console and /console/...; `folder` holds what was built, if anything.

    Without `sign_in` people come in by application key only.
    """
    headers = {
        "content-security-policy": policy(() if sign_in is None else (sign_in.origin,)),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }

    async def to_folder(request: Request) -> Response:
        return RedirectResponse(f"{request.scope.get('root_path', '')}/console/", headers={"cache-control": ASK_FIRST})

    async def not_built(_request: Request) -> Response:
        return HTMLResponse(NOT_BUILT, 503, headers={**headers, "cache-control": "no-store"})

    async def ways_in(_request: Request) -> Response:
        return JSONResponse(None if sign_in is None else await sign_in(), headers={"cache-control": "no-store"})

    if not (folder / "index.html").exists():
        return [Route("/console", to_folder), Route("/console/{path:path}", not_built)]
    files = Mount("/console", ConsoleFiles(folder, headers))
    return [Route("/console", to_folder), Route("/console/sign-in", ways_in), files]


def _accepted(headers: Headers) -> set[str]:
    """Return the encodings that are taken; one with q=0 is not."""
    found = set()
    for part in headers.get("accept-encoding", "").lower().split(","):
        name, _, quality = part.partition(";")
        if quality.strip().removeprefix("q=").strip("0.") or not quality:
            found.add(name.strip())
    return found
