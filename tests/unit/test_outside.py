"""The hub as it is served, wired from settings alone: who is let in, which rows they see, base path, origins, trusted proxies."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.access.application_keys import hash_key
from tests.builders import approval, observed
from tests.contract.approval_cases import SAMPLE, sign
from tests.settable_clock import SettableClock
from tests.unit.access.provider import AUDIENCE, rsa, running_provider
from tests.unit.test_app import new_hub
from tests.unit.test_settings import SECRET

KEYS = {
    "whole": f"{hash_key('k-whole')}:graph:read",
    "market": f"{hash_key('k-market')}:graph:read;departments=SC",
}
ORIGIN = "https://front.example"


@contextlib.asynccontextmanager
async def served(folder: Path, clock: SettableClock, **settings: str) -> AsyncIterator[httpx.AsyncClient]:
    keys = ",".join(f"{name}:{rest}" for name, rest in KEYS.items())
    hub = new_hub(folder, clock, **({"HUB_API_KEYS": keys, "HUB_POLL": "false", "HUB_WORKER_INSIDE": "false"} | settings))
    app = hub.web()
    async with app.router.lifespan_context(app):
        said = [observed(approval(approval_no=f"Y{code}", department_code=code)) for code in ("SC", "YJ")]
        await hub.applier.apply("approval", "approvals", said)
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 9))
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            yield client


async def seen(client: httpx.AsyncClient, path: str = "/graphql", **headers: str) -> Any:
    query = {"query": "{ approvals { totalCount edges { node { approvalNo } } } }"}
    answer = await client.post(path, json=query, headers={name.replace("_", "-"): value for name, value in headers.items()})
    if answer.status_code != 200:
        return answer.status_code
    found = answer.json()["data"]["approvals"]
    return found and sorted(edge["node"]["approvalNo"] for edge in found["edges"])


async def test_keys_and_tokens_see_the_rows_that_settings_and_claims_say(tmp_path: Path, clock: SettableClock) -> None:
    async with running_provider() as provider:
        key = rsa("k")
        provider.shown, provider.now = [key], clock()
        oidc = {
            "HUB_OIDC_ISSUER": provider.issuer,
            "HUB_OIDC_AUDIENCES": AUDIENCE,
            "HUB_OIDC_ROLE_SCOPES": "inspector=graph:read",
        }
        async with served(tmp_path, clock, **oidc) as client:
            assert await seen(client, x_api_key="k-whole") == ["YSC", "YYJ"]
            assert await seen(client, x_api_key="k-market") == ["YSC"]
            assert await seen(client) is None
            token = provider.token(key, roles=["inspector"], departments=["YJ"], scope=None)
            assert await seen(client, authorization=f"Bearer {token}") == ["YYJ"]
            assert await seen(client, authorization=f"Bearer {token}x") == 401


@pytest.mark.parametrize("base", ["", "/city/bihuan"])
async def test_a_proxy_may_pass_the_base_path_on_or_take_it_away(tmp_path: Path, clock: SettableClock, base: str) -> None:
    async with served(tmp_path, clock, HUB_BASE_PATH=base) as client:
        body = json.dumps(SAMPLE, ensure_ascii=False).encode()
        for at, prefix in enumerate({base, ""}):
            assert await seen(client, f"{prefix}/graphql", x_api_key="k-market") == ["YSC"]
            assert (await client.get(f"{prefix}/livez")).status_code == 200
            headers = {"x-app-key": "bihuan", "x-timestamp": str(int(clock().timestamp() * 1000)), "x-nonce": f"nonce-{at:08}"}
            headers["x-sign"] = sign(SECRET, headers, f"{base}/webhooks/approval", body)  # of where the platform posted to
            answer = await client.post(f"{prefix}/webhooks/approval", content=body, headers=headers)
            assert (answer.status_code, answer.json()) == (200, {"code": "0", "msg": "success"})
        assert (await client.get("/elsewhere/livez")).status_code == 404


async def test_pages_of_other_origins_may_read_the_graph_only_where_a_setting_names_them(
    tmp_path: Path, clock: SettableClock
) -> None:
    asks = {"origin": ORIGIN, "access-control-request-method": "POST", "access-control-request-headers": "content-type,x-api-key"}
    async with served(tmp_path / "a", clock) as client:
        preflight = await client.options("/graphql", headers=asks)
        assert (preflight.status_code, "access-control-allow-origin" in preflight.headers) == (405, False)
        answer = await client.post("/graphql", json={"query": "{ __typename }"}, headers={"origin": ORIGIN})
        assert "access-control-allow-origin" not in answer.headers
    async with served(tmp_path / "b", clock, HUB_CORS_ORIGINS=f"{ORIGIN},http://127.0.0.1:5173") as client:
        preflight = await client.options("/graphql", headers=asks)
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, ORIGIN)
        assert "access-control-allow-credentials" not in preflight.headers
        other = await client.options("/graphql", headers=asks | {"origin": "https://front.example.evil.example"})
        assert (other.status_code, "access-control-allow-origin" in other.headers) == (400, False)
        answer = await client.post("/graphql", json={"query": "{ __typename }"}, headers={"origin": ORIGIN})
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "ratelimit" in answer.headers["access-control-expose-headers"]
        hooked = await client.options("/webhooks/approval", headers=asks)
        assert "access-control-allow-origin" not in hooked.headers


async def test_forwarding_is_believed_of_trusted_proxies_only(tmp_path: Path, clock: SettableClock) -> None:
    slow = {"HUB_GRAPH_BURST": "1", "HUB_GRAPH_RATE_PER_SECOND": "0.001", "HUB_GRAPH_ANONYMOUS": "true"}
    async with served(tmp_path / "a", clock, **slow) as client:
        assert await seen(client, x_forwarded_for="192.0.2.1") == ["YSC", "YYJ"]
        assert await seen(client, x_forwarded_for="192.0.2.2") == 429  # one client, whatever it says
    async with served(tmp_path / "b", clock, HUB_TRUSTED_PROXIES="127.0.0.0/8", **slow) as client:
        assert await seen(client, x_forwarded_for="192.0.2.1") == ["YSC", "YYJ"]
        assert await seen(client, x_forwarded_for="192.0.2.2") == ["YSC", "YYJ"]
        assert await seen(client, x_forwarded_for="192.0.2.9, 192.0.2.2") == 429
