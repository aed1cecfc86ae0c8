"""Application keys."""

import pytest

from hub.access.application_keys import ApplicationKey, Keyring, hash_key
from hub.access.door import Door
from schema.context import Caller
from schema.graph_errors import GraphError

CONSOLE = ApplicationKey("console", hash_key("k-console"), frozenset({"graph:read", "ops:read"}))
APP = ApplicationKey("app", hash_key("k-app").upper(), frozenset({"graph:read"}))
DOOR = Door(Keyring([CONSOLE, APP]))


@pytest.mark.parametrize(
    "headers",
    [{"authorization": "Bearer k-app"}, {"authorization": "bearer  k-app "}, {"x-api-key": "k-app"}],
)
async def test_a_key_is_known_by_either_header(headers: dict[str, str]) -> None:
    assert await DOOR.caller(headers) == Caller("app", frozenset({"graph:read"}))


async def test_each_key_has_its_own_scopes() -> None:
    assert await DOOR.caller({"x-api-key": "k-console"}) == Caller("console", frozenset({"graph:read", "ops:read"}))


async def test_no_key_is_nobody_who_may_nothing_unless_the_hub_says_so() -> None:
    assert await DOOR.caller({}) == Caller(None, frozenset())
    assert await Door(Keyring([]), frozenset({"graph:read"})).caller({}) == Caller(None, frozenset({"graph:read"}))


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": "k-ap"},
        {"x-api-key": ""},
        {"x-api-key": hash_key("k-app")},
        {"authorization": "Bearer k-other"},
        {"authorization": "Bearer "},
        {"authorization": "Basic azphcHA="},
        {"authorization": "k-app"},
        {"authorization": "Bearer k-other", "x-api-key": "k-app"},
    ],
)
async def test_a_wrong_key_is_refused_and_never_nobody(headers: dict[str, str]) -> None:
    with pytest.raises(GraphError) as refused:
        await DOOR.caller(headers)
    assert refused.value.code == "UNAUTHENTICATED"
    assert "k-" not in refused.value.message


@pytest.mark.parametrize(
    ("name", "sha256", "scopes", "told"),
    [
        ("x", "k-app", {"graph:read"}, "application key 'x': sha256 is not 64 hex digits"),
        ("x", hash_key("k"), {"graph:write"}, "application key 'x': no scope 'graph:write'; there are graph:read, "),
        (" ", hash_key("k"), {"graph:read"}, "an application key has no name"),
    ],
)
def test_a_key_that_cannot_be_meant_is_named(name: str, sha256: str, scopes: set[str], told: str) -> None:
    with pytest.raises(ValueError, match="^" + told):
        ApplicationKey(name, sha256, frozenset(scopes))


def test_two_keys_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="the same name"):
        Keyring([CONSOLE, ApplicationKey("console", hash_key("other"), frozenset())])


async def test_a_caller_has_what_its_key_has_and_nothing_more() -> None:
    (await DOOR.caller({"x-api-key": "k-console"})).require("ops:read")
    with pytest.raises(GraphError, match="'ops:act', which 'console' does not have") as refused:
        (await DOOR.caller({"x-api-key": "k-console"})).require("ops:act")
    assert refused.value.code == "FORBIDDEN"
