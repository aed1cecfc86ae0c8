"""People sign in at the organisation's OpenID provider, in a real browser: code flow with PKCE, and what their role allows."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.console.browser import Seen, opened
from tests.console.city import ConsoleCity
from tests.console.provider import CLIENT, SignInProvider, sign_in_provider
from tests.e2e.processes import bihuan, quick, serves
from tests.unit.access.provider import AUDIENCE

pytestmark = pytest.mark.asyncio(loop_scope="module")
BUTTON = "Sign in with the organisation's account"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncIterator[SignInProvider]:
    async with sign_in_provider() as ready:
        yield ready


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(city: ConsoleCity, provider: SignInProvider) -> AsyncIterator[str]:
    """Another hub, which knows the provider, and no key."""
    settings = quick(
        city.stage,
        f"sqlite:///{city.folder / 'signed.db'}",
        WORKER_INSIDE="false",
        GRAPH_ANONYMOUS="false",
        OIDC_ISSUER=provider.issuer,
        OIDC_AUDIENCES=AUDIENCE,
        OIDC_CLIENT_ID=CLIENT,
        OIDC_ROLES_CLAIM="roles",
        OIDC_ROLE_SCOPES="operator=graph:read+ops:read+ops:act,inspector=graph:read",
    )
    async with bihuan("serve", settings=settings, log=city.folder / "signed.log") as running:
        found = await serves(running)
        provider.redirect = f"{found}/console/"
        yield found


async def at_the_provider(seen: Seen, provider: SignInProvider, *, answer: str = "Continue") -> None:
    """Leave for the provider's page, and answer there."""
    await seen.go("")
    await seen.page.get_by_role("button", name=BUTTON).click()
    await seen.page.wait_for_url(re.compile(re.escape(f"{provider.issuer}/auth")))
    await seen.page.get_by_label("Name").fill("lou")
    await seen.page.get_by_role("button", name=answer).click()
    await seen.page.wait_for_url(re.compile(r"/console/#?"))


def foreign(seen: Seen, provider: SignInProvider) -> list[str]:
    """Return who was asked beside the hub and the provider."""
    return [each for each in seen.foreign if not each.startswith(provider.issuer)]


async def test_an_operator_signs_in_with_their_organisation(browser: Browser, address: str, provider: SignInProvider) -> None:
    provider.roles = ["operator"]
    async with opened(browser, address, None) as seen:
        await seen.go("")
        await expect(seen.page.get_by_role("button", name=BUTTON)).to_be_visible()
        assert await seen.violations() == []
        await seen.picture("console-sign-in")
        await at_the_provider(seen, provider)
        await expect(seen.page.get_by_role("button", name="oidc:lou · Sign out")).to_be_visible()
        await expect(seen.page.get_by_role("navigation").get_by_role("link", name="Obligations")).to_be_visible()
        assert "code=" not in seen.page.url, "the code does not stay in the address"
        assert provider.asked_for["code_challenge_method"] == "S256"
        assert (foreign(seen, provider), seen.errors, provider.refused) == ([], [], [])
        await seen.page.reload()
        await expect(seen.page.get_by_role("button", name="oidc:lou · Sign out")).to_be_visible()
        await seen.page.get_by_role("button", name="oidc:lou · Sign out").click()
        await expect(seen.page.get_by_role("button", name=BUTTON)).to_be_visible()


async def test_what_their_role_does_not_allow_is_not_offered(browser: Browser, address: str, provider: SignInProvider) -> None:
    provider.roles = ["inspector"]
    async with opened(browser, address, None) as seen:
        await at_the_provider(seen, provider)
        await expect(seen.page.get_by_role("navigation").get_by_role("link")).to_have_text(["Loop", "Subject", "Statistics"])


async def test_who_is_refused_by_the_provider_is_told_so_and_may_try_again(
    browser: Browser, address: str, provider: SignInProvider
) -> None:
    async with opened(browser, address, None) as seen:
        await at_the_provider(seen, provider, answer="Cancel")
        await expect(seen.page.get_by_role("alert").first).to_contain_text("they did not want to")
        await expect(seen.page.get_by_role("button", name=BUTTON)).to_be_visible()


async def test_a_code_that_was_asked_for_elsewhere_signs_nobody_in(browser: Browser, address: str) -> None:
    async with opened(browser, address, None) as seen:
        await seen.page.goto(f"{address}/console/?code=stolen&state=made-up")
        await expect(seen.page.get_by_role("alert").first).to_contain_text("was not begun here")
        assert "stolen" not in seen.page.url
