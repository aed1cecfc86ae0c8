"""GraphiQL at /explorer/: files that its build made (hub/explorer/dist), for people who write queries. Wired by app.py.

It asks this hub's graph and nobody else, and tells the browser so. It is served where the graph may be introspected, nowhere else.
"""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from hub.web.console import ASK_FIRST, ConsoleFiles

BUILT = Path(__file__).parents[1] / "explorer" / "dist"
RULES = (
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self'",
    "style-src 'self' 'unsafe-inline'",  # its editor writes its styles into the page
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
POLICY = "; ".join(RULES)
HEADERS = {"content-security-policy": POLICY, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Bihuan</title>
<h1>The explorer is not built</h1>
<p>This hub was installed where npm or its registry could not be reached. Everything else works. In a checkout of the project, with
Node 20.19 or newer:</p><pre>npm --prefix hub/explorer ci
npm --prefix hub/explorer run build</pre><p>and start the hub again.</p></html>
"""


def explorer_routes(folder: Path = BUILT) -> list[BaseRoute]:
    """Return the routes /explorer and /explorer/...; `folder` holds what was built, if anything."""

    async def to_folder(request: Request) -> Response:
        return RedirectResponse(f"{request.scope.get('root_path', '')}/explorer/", headers={"cache-control": ASK_FIRST})

    async def not_built(_request: Request) -> Response:
        return HTMLResponse(NOT_BUILT, 503, headers={**HEADERS, "cache-control": "no-store"})

    if not (folder / "index.html").exists():
        return [Route("/explorer", to_folder), Route("/explorer/{path:path}", not_built)]
    return [Route("/explorer", to_folder), Mount("/explorer", ConsoleFiles(folder, HEADERS))]
