"""Whether platforms can post to this hub: where it listens, who may, and what stands in between."""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from connectors.base import WEBHOOKS, Connector
from hub.doctor.findings import Finding, fine, problem, skipped, warning
from hub.settings import Settings
from hub.web.webhooks import LOCAL

ANSWERS_WITHIN = 3.0


async def door_findings(settings: Settings, connectors: Mapping[str, Connector]) -> list[Finding]:
    """Return what is known of the way that webhooks take."""
    own = settings.hub
    posting = [name for name, connector in connectors.items() if WEBHOOKS in connector.secrets]
    found = [await _listens(own.host, own.port, own.base_path)]
    elsewhere = [name for name in posting if urlsplit(settings.platform(name).url).hostname not in LOCAL]
    behind_proxy = own.host in LOCAL
    if behind_proxy and elsewhere and not own.trusted_proxies:
        told = f"{own.host}: nobody but this machine can post, and {', '.join(elsewhere)} are elsewhere"
        cure = "put a reverse proxy in front and name it in HUB_TRUSTED_PROXIES (deploy/), or listen on 0.0.0.0"
        found.append(warning("webhooks", "HUB_HOST", told, cure))
    for name in posting:
        setting, allowed = f"HUB_{name.upper()}_CALLBACK_ADDRESSES", settings.platform(name).callback_addresses
        path = f"POST {own.base_path}/webhooks/{name}"
        unseen = behind_proxy and not own.trusted_proxies
        if allowed and unseen and not any(ip_address("127.0.0.1") in network for network in allowed):
            told = "all webhooks come from the reverse proxy on this machine, whose address is not allowed"
            cure = "name the proxy in HUB_TRUSTED_PROXIES, so that its X-Forwarded-For is believed"
            found.append(problem("webhooks", setting, told, cure))
        elif connectors[name].is_open_to_all:
            told = f"{path}, from any address: the platform signs with MD5 only, and its page wants callbacks from known addresses"
            found.append(warning("webhooks", setting, told, "name the addresses that its callbacks come from"))
        elif allowed:
            found.append(fine("webhooks", name, f"{path}, from {', '.join(map(str, allowed))}"))
        else:
            found.append(fine("webhooks", name, f"{path}, from any address that signs rightly; {setting} may say which"))
    return found


async def _listens(host: str, port: int, base_path: str) -> Finding:
    """Return whether a hub answers where this one would listen."""
    if port == 0:
        return skipped("webhooks", "HUB_PORT", "0: the hub listens on another port at each start")
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104  (only asked)
    address = f"http://{shown}:{port}{base_path}/livez"
    try:
        async with httpx.AsyncClient(timeout=ANSWERS_WITHIN, trust_env=False) as http:
            answer = await http.get(address)
    except httpx.HTTPError:
        return skipped("webhooks", "HUB_PORT", f"no hub answers at {address}: it does not run on this machine now")
    if answer.status_code == 200 and '"alive"' in answer.text:
        return fine("webhooks", "HUB_PORT", f"the hub answers at {address}")
    told = f"something else than the hub answers at {address} (HTTP {answer.status_code})"
    return problem("webhooks", "HUB_PORT", told, "stop it, or give the hub another port")
