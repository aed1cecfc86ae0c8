"""Tokens of an OpenID provider: what holds, what does not and why, and keys that change in the middle."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from hub.access import tokens as tokens_module
from hub.access.application_keys import ApplicationKey, Keyring, hash_key
from hub.access.claims import ClaimRules
from hub.access.door import Door
from hub.access.key_sources import check_address
from hub.access.tokens import Tokens
from hub.access.unproven import KeysUnavailable, Unproven
from schema.row_limits import RowLimits
from tests.unit.access.provider import Provider, rsa, running_provider

FIRST, SECOND = rsa("first"), rsa("second")
STRANGER = rsa("first")
EC, ED = ECKey.generate_key("P-256", {"kid": "ec"}), OKPKey.generate_key("Ed25519", {"kid": "ed"})


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with running_provider() as provider:
        provider.shown = [FIRST, EC, ED]
        yield provider


@pytest.fixture
async def tokens(provider: Provider) -> AsyncIterator[Tokens]:
    tokens = provider.tokens()
    yield tokens
    await tokens.close()


async def refused(tokens: Tokens, token: str) -> str:
    with pytest.raises(Unproven) as wrong:
        await tokens.caller(token)
    assert "." not in token or token[:30] not in wrong.value.message
    return wrong.value.reason


async def test_a_token_that_holds_says_who_asks_and_what_they_may(provider: Provider, tokens: Tokens) -> None:
    signers: list[tuple[Any, str]] = [(FIRST, "RS256"), (FIRST, "PS256"), (EC, "ES256"), (ED, "Ed25519")]
    for key, algorithm in signers:
        caller = await tokens.caller(provider.token(key, algorithm, aud=["x", "bihuan"]))
        assert (caller.name, caller.scopes, caller.rows) == ("oidc:lou", frozenset({"graph:read"}), RowLimits())


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"iss": "https://elsewhere.example"}, "ISSUER_WRONG"),
    ({"iss": None}, "CLAIM_MISSING"),
    ({"aud": "another"}, "AUDIENCE_WRONG"),
    ({"aud": None}, "CLAIM_MISSING"),
    ({"aud": []}, "AUDIENCE_WRONG"),
    ({"exp": None}, "CLAIM_MISSING"),
    ({"exp": "soon"}, "CLAIM_UNUSABLE"),
    ({"exp": float("nan")}, "CLAIM_UNUSABLE"),
    ({"sub": None}, "CLAIM_UNUSABLE"),
    ({"sub": "  "}, "CLAIM_UNUSABLE"),
    ({"sub": "a\nb"}, "CLAIM_UNUSABLE"),
    ({"sub": "x" * 201}, "CLAIM_UNUSABLE"),
    ({"scope": 7}, "CLAIM_UNUSABLE"),
    ({"departments": {"a": 1}}, "CLAIM_UNUSABLE"),
    ({"regions": [330782]}, "CLAIM_UNUSABLE"),
]


async def test_claims_that_do_not_hold_are_refused_with_a_reason(provider: Provider, tokens: Tokens) -> None:
    for claims, reason in WRONG:
        assert (claims, await refused(tokens, provider.token(FIRST, **claims))) == (claims, reason)


async def test_times_are_held_against_our_clock_with_the_skew_that_is_allowed(provider: Provider, tokens: Tokens) -> None:
    now = int(provider.now.timestamp())
    allowed: list[dict[str, Any]] = [{"exp": now - 29}, {"nbf": now + 30}, {"iat": now + 30}]
    for good in allowed:
        await tokens.caller(provider.token(FIRST, **good))
    assert await refused(tokens, provider.token(FIRST, exp=now - 30)) == "TOKEN_EXPIRED"
    assert await refused(tokens, provider.token(FIRST, nbf=now + 31)) == "TOKEN_NOT_YET_VALID"
    assert await refused(tokens, provider.token(FIRST, iat=now + 31)) == "TOKEN_FROM_THE_FUTURE"


async def test_only_asymmetric_algorithms_of_the_list_are_looked_at(provider: Provider, tokens: Tokens) -> None:
    await tokens.caller(provider.token(FIRST))
    forged = provider.token(OctKey.import_key(b"x" * 32, {"kid": "first"}), "HS256")
    assert await refused(tokens, forged) == "ALGORITHM_REFUSED"
    body = base64.urlsafe_b64encode(json.dumps({"sub": "x"}).encode()).decode().rstrip("=")
    for header in ({"alg": "none", "kid": "first"}, {"alg": "RS512", "kid": "first"}):
        head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
        assert await refused(tokens, f"{head}.{body}.") == "ALGORITHM_REFUSED"


async def test_nobody_else_can_sign(provider: Provider, tokens: Tokens) -> None:
    assert await refused(tokens, provider.token(STRANGER)) == "SIGNATURE_WRONG"
    good = provider.token(FIRST)
    head, body, signature = good.split(".")
    other = provider.token(FIRST, scope="ops:act").split(".")[1]
    assert await refused(tokens, f"{head}.{other}.{signature}") == "SIGNATURE_WRONG"
    assert await refused(tokens, f"{head}.{body}.") == "SIGNATURE_WRONG"
    assert await refused(tokens, provider.token(EC, "ES256", header={"kid": "first"})) == "SIGNATURE_WRONG"


async def test_what_is_no_token_is_refused_without_asking_anybody(provider: Provider, tokens: Tokens) -> None:
    for token in ("", "..", "a.b.c", "e30.e30.e30", "x" * 9_000 + ".a.b", "é.é.é", provider.token(FIRST) + ".a.b"):
        assert await refused(tokens, token) == "TOKEN_UNREADABLE"
    assert provider.asked == 0


async def test_a_token_for_another_end_is_refused_by_its_type(provider: Provider, tokens: Tokens) -> None:
    assert await refused(tokens, provider.token(FIRST, header={"typ": "logout+jwt"})) == "TYPE_REFUSED"
    await tokens.caller(provider.token(FIRST, header={"typ": None}))


async def test_a_new_key_is_known_at_its_first_token_and_the_old_one_until_it_is_taken_back(
    provider: Provider, tokens: Tokens
) -> None:
    old = provider.token(FIRST, exp=int(provider.now.timestamp()) + 7_200)
    await tokens.caller(old)
    provider.shown = [FIRST, SECOND]
    provider.later(31)
    await tokens.caller(provider.token(SECOND))
    await tokens.caller(old)
    assert provider.asked == 2
    provider.shown = [SECOND]
    provider.later(601)
    await tokens.caller(old)  # answered by what is known, while it is read beside
    await until(lambda: tokens._keys.generation == 3)
    assert await refused(tokens, old) == "KEY_UNKNOWN"


async def until(true: Any) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110  (a real server is asked; it has no event of ours)
            await asyncio.sleep(0.005)


async def test_made_up_key_ids_make_the_provider_asked_once_in_a_while_only(provider: Provider, tokens: Tokens) -> None:
    reasons = await asyncio.gather(*(refused(tokens, provider.token(rsa_named(f"k{at}"))) for at in range(20)))
    assert set(reasons) == {"KEY_UNKNOWN"}
    assert provider.asked == 1
    provider.later(29)
    await refused(tokens, provider.token(rsa_named("again")))
    assert provider.asked == 1
    provider.later(2)
    await refused(tokens, provider.token(rsa_named("again")))
    assert provider.asked == 2


def rsa_named(kid: str) -> RSAKey:
    return RSAKey.import_key(STRANGER.as_dict(private=True) | {"kid": kid})


@pytest.mark.parametrize(
    ("status", "content"),
    [(503, None), (200, b"<html>"), (200, b"[]"), (200, b'{"keys": []}'), (302, None), (200, b" " * 1_000_001)],
)
async def test_a_provider_that_is_down_stops_nobody_whose_key_is_known(
    provider: Provider, tokens: Tokens, status: int, content: bytes | None
) -> None:
    await tokens.caller(provider.token(FIRST))
    provider.status, provider.content = status, content
    provider.later(601)
    await tokens.caller(provider.token(FIRST, jti="another"))
    await until(lambda: provider.asked == 2)
    with pytest.raises(KeysUnavailable):  # the key may be a new one: nobody can tell
        await tokens.caller(provider.token(SECOND))
    await tokens.caller(provider.token(FIRST, jti="a third"))


async def test_where_no_key_could_ever_be_read_nobody_is_called_a_liar(provider: Provider, tokens: Tokens) -> None:
    provider.status = 500
    with pytest.raises(KeysUnavailable):
        await tokens.caller(provider.token(FIRST))
    provider.status = 200
    provider.later(31)
    await tokens.caller(provider.token(FIRST))


async def test_a_provider_that_never_answers_holds_nobody_whose_key_is_known(
    provider: Provider, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tokens.caller(provider.token(FIRST))
    provider.hangs = asyncio.Event()
    provider.later(601)
    async with asyncio.timeout(2):
        await tokens.caller(provider.token(FIRST, jti="1"))
        await tokens.caller(provider.token(FIRST, jti="2"))
    provider.hangs.set()


async def test_only_a_few_wait_for_a_key_that_is_not_known(provider: Provider, tokens: Tokens) -> None:
    await tokens.caller(provider.token(FIRST))
    provider.hangs = asyncio.Event()
    provider.later(31)
    asked = [asyncio.create_task(tokens.caller(provider.token(SECOND, jti=str(at)))) for at in range(50)]
    done, waiting = await asyncio.wait(asked, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    await until(lambda: sum(task.done() for task in asked) == 30)
    assert all(isinstance(task.exception(), KeysUnavailable) for task in asked if task.done())
    provider.shown = [FIRST, SECOND]
    provider.hangs.set()
    let_in = await asyncio.gather(*(task for task in asked if not task.done()))
    assert [caller.name for caller in let_in] == ["oidc:lou"] * 20
    assert provider.asked == 2
    assert done
    assert waiting


async def test_a_hanging_provider_is_given_up(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.access.key_sources.SECONDS", 0.05)
    tokens, provider.hangs = provider.tokens(f"{provider.issuer}/jwks"), asyncio.Event()
    with pytest.raises(KeysUnavailable):
        await tokens.caller(provider.token(FIRST))
    provider.hangs.set()


async def test_a_discovery_document_of_somebody_else_is_not_believed(provider: Provider, tokens: Tokens) -> None:
    provider.named = "https://elsewhere.example"
    with pytest.raises(KeysUnavailable):
        await tokens.caller(provider.token(FIRST))
    assert provider.asked == 0


async def test_keys_come_from_a_file_as_well_and_are_read_again(provider: Provider, tmp_path: Path) -> None:
    page = tmp_path / "jwks.json"
    page.write_text(json.dumps({"keys": [FIRST.as_dict(private=False)]}))
    tokens = provider.tokens(str(page))
    await tokens.caller(provider.token(FIRST, header={"kid": None}))
    page.write_text(json.dumps({"keys": [FIRST.as_dict(private=False), SECOND.as_dict(private=False)]}))
    provider.later(31)
    await tokens.caller(provider.token(SECOND))
    assert await refused(tokens, provider.token(FIRST, header={"kid": None}, jti="2")) == "KEY_UNKNOWN"
    assert provider.asked == 0


async def test_keys_that_nothing_can_be_verified_with_are_passed_over(provider: Provider) -> None:
    secret = OctKey.import_key(b"y" * 32, {"kid": "secret"}).as_dict(private=True)
    with pytest.warns(SecurityWarning):
        small = rsa("small", 1024).as_dict(private=False)
    enciphers = rsa("enc").as_dict(private=False) | {"use": "enc"}
    broken = {"kty": "RSA", "kid": "broken", "n": "AQAB"}
    provider.shown = [secret, small, enciphers, broken, {"kid": "what"}, FIRST]
    tokens = provider.tokens()
    await tokens.caller(provider.token(FIRST))
    for kid in ("secret", "small", "enc", "broken", "what"):
        assert await refused(tokens, provider.token(FIRST, header={"kid": kid})) == "KEY_UNKNOWN"


async def test_a_token_is_verified_once_and_expires_all_the_same(
    provider: Provider, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, verified = provider.token(FIRST), list[str]()

    def decode(given: str, *how: Any) -> Any:
        verified.append(given)
        return jwt.decode(given, *how)

    monkeypatch.setattr("hub.access.tokens.jwt", SimpleNamespace(decode=decode, JWTClaimsRegistry=jwt.JWTClaimsRegistry))
    assert await tokens.caller(token) is await tokens.caller(token)
    assert verified == [token]
    provider.later(329)
    await tokens.caller(token)
    provider.later(1)
    assert await refused(tokens, token) == "TOKEN_EXPIRED"


async def test_no_more_tokens_are_remembered_than_there_is_room_for(
    provider: Provider, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens_module, "REMEMBERED", 3)
    for at in range(5):
        await tokens.caller(provider.token(FIRST, jti=str(at)))
    assert len(tokens._known) == 3


async def test_scopes_come_from_scope_scp_and_roles_and_names_of_the_provider_are_mapped(provider: Provider) -> None:
    rules = ClaimRules(
        name="preferred_username",
        roles="realm_access.roles",
        departments="dept",
        scopes_of={"inspector": frozenset({"graph:read", "graph:pii"}), "hub.ops": frozenset({"ops:read"})},
    )
    tokens = provider.tokens(claims=rules)
    token = provider.token(
        FIRST,
        scope="openid hub.ops",
        scp=["ops:act", "files:write"],
        realm_access={"roles": ["inspector", "cook"]},
        preferred_username="陈",
        dept="CG YJ",
        regions=[],
    )
    caller = await tokens.caller(token)
    assert caller.name == "oidc:陈"
    assert caller.scopes == {"ops:read", "ops:act", "graph:read", "graph:pii"}
    assert caller.rows == RowLimits(frozenset({"CG", "YJ"}), frozenset(), at_home=False)


async def test_a_door_knows_keys_and_tokens_and_tells_them_apart(provider: Provider, tokens: Tokens) -> None:
    key = "dotted.key.ofours"
    door = Door(Keyring([ApplicationKey("app", hash_key(key), frozenset())]), tokens=tokens)
    assert (await door.caller({"authorization": f"Bearer {key}"})).name == "app"
    assert (await door.caller({"authorization": f"Bearer {provider.token(FIRST)}"})).name == "oidc:lou"
    with pytest.raises(Unproven) as wrong:
        await door.caller({"authorization": "Bearer a.b.c"})
    assert wrong.value.challenge == 'Bearer realm="bihuan", error="invalid_token", error_description="TOKEN_UNREADABLE"'
    await door.close()


@pytest.mark.parametrize("url", ["http://idp.example/jwks", "ftp://idp.example", "https://", "http://127.0.0.1.evil.example"])
def test_keys_are_not_taken_from_where_others_could_change_them(url: str) -> None:
    with pytest.raises(ValueError, match="no https address"):
        check_address(url)
