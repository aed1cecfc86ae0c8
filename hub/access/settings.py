"""Settings of who may ask the graph, how often, and from where: the part of HubSettings that belongs to hub/access and hub/web."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel, Field, SecretStr

from hub.access.application_keys import ApplicationKey
from hub.access.claims import ClaimRules
from hub.access.key_sources import check_address, source_of
from hub.access.scopes import SCOPES, check_scopes
from hub.access.sign_in import SignIn
from hub.access.signing_keys import ALGORITHMS, SigningKeys
from hub.access.tokens import TokenRules, Tokens
from schema.row_limits import RowLimits, row_limits


class AccessSettings(BaseModel):
    """Read as HUB_<NAME>, with the hub's own."""

    api_keys: tuple[SecretStr, ...] = Field(
        (),
        description="Keys, each `<name>:<SHA-256 of the key, hex>:<scope>+<scope>`, scopes: graph:read graph:pii ops:read ops:act "
        "platform:<name>; behind that `;departments=<code>+<code>` and `;regions=<code>+<code>` limit the rows it sees",
    )
    region: str = Field("330782", pattern=r"^\d{6}$", description="Region code of the city, six digits")
    oidc_issuer: str | None = Field(
        None, description="Issuer of access tokens, as in their claim `iss`; without it only application keys are known"
    )
    oidc_audiences: tuple[str, ...] = Field((), description="Names of this hub in the claim `aud`, one of which a token must have")
    oidc_jwks: str | None = Field(
        None,
        description="Where the issuer's keys (JWKS) are: an https address or a file; without it the issuer's discovery document "
        "says where",
    )
    oidc_algorithms: tuple[str, ...] = Field(
        ("RS256", "PS256", "ES256", "Ed25519"), description=f"Algorithms of signatures; there are {' '.join(ALGORITHMS)}"
    )
    oidc_client_id: str | None = Field(
        None,
        min_length=1,
        description="Public client of the issuer that the console signs people in as (code flow with PKCE); without it by key only",
    )
    oidc_client_scope: str = Field("openid", min_length=1, description="Scopes that the console asks the issuer for, with blanks")
    oidc_skew_seconds: float = Field(
        30.0, ge=0, le=300, description="Seconds by which the issuer's clock may differ from ours, for exp, nbf and iat"
    )
    oidc_reload_seconds: float = Field(
        30.0, ge=1, description="Least seconds between two looks for a key that is not known; known keys go on meanwhile"
    )
    oidc_refresh_seconds: float = Field(
        600.0, ge=1, description="Seconds after which keys are read anew, so that one that was taken back is forgotten"
    )
    oidc_name_claim: str = Field("sub", min_length=1, description="Claim that names the caller, in the audit as `oidc:<name>`")
    oidc_roles_claim: str = Field(
        "roles", min_length=1, description="Claim with roles beside `scope` and `scp`; with dots into objects: realm_access.roles"
    )
    oidc_role_scopes: tuple[str, ...] = Field(
        (), description="What a role, or a scope of the issuer's own, stands for, each `<role>=<scope>+<scope>`"
    )
    oidc_departments_claim: str = Field(
        "departments", min_length=1, description="Claim with department codes that limit the rows a token sees; no claim, no limit"
    )
    oidc_regions_claim: str = Field(
        "regions", min_length=1, description="Claim with region codes that limit the rows a token sees; no claim, no limit"
    )


def access_problems(own: AccessSettings) -> list[str]:
    """Return what is wrong with the settings together, each problem with its cure."""
    found = list(application_keys(own.api_keys, own.region)[1])
    if own.oidc_issuer is None:
        given = [name for name in ("oidc_audiences", "oidc_jwks", "oidc_role_scopes", "oidc_client_id") if getattr(own, name)]
        return found + [
            f"HUB_{name.upper()}: means nothing without HUB_OIDC_ISSUER; set that too, or leave this out" for name in given
        ]
    if not own.oidc_audiences:
        found.append("HUB_OIDC_AUDIENCES: is missing; without it a token for any application of the issuer would be good here")
    addresses = {"HUB_OIDC_JWKS": own.oidc_jwks} if own.oidc_jwks else {"HUB_OIDC_ISSUER": own.oidc_issuer}
    for name, place in addresses.items():
        try:
            if name == "HUB_OIDC_ISSUER" or "://" in place:
                check_address(place)
        except ValueError as wrong:
            found.append(f"{name}: {wrong}; give an https address, or the keys as a file in HUB_OIDC_JWKS")
    try:
        _token_rules(own)
    except ValueError as wrong:
        found.append(f"HUB_OIDC_ALGORITHMS or HUB_OIDC_ROLE_SCOPES: {wrong}")
    return found


def application_keys(texts: Sequence[SecretStr], home: str) -> tuple[list[ApplicationKey], list[str]]:
    """Return the application keys of HUB_API_KEYS, and a problem for each wrong one; it names the position, never the text."""
    keys, problems = [], []
    for position, text in enumerate(texts, 1):
        told, *limits = text.get_secret_value().split(";")
        name, _, rest = told.partition(":")
        digest, _, scopes = rest.partition(":")
        try:
            rows = _row_limits(limits, home)
            keys.append(ApplicationKey(name, digest, frozenset(scopes.split("+")) if scopes else frozenset(), rows))
        except ValueError:  # what it says quotes a name, and that may be the key itself, put in the wrong place
            problems.append(
                f"HUB_API_KEYS: key {position} is not <name>:<SHA-256 of the key, 64 hex digits>:<scope>+<scope>, with "
                f";departments=<code>+<code> or ;regions=<code>+<code> behind it if need be; scopes: {SCOPES}; "
                "a key with limits has none of ops: and platform:"
            )
    if len({key.name for key in keys}) < len(keys):
        problems.append("HUB_API_KEYS: two keys have the same name; the audit could not tell them apart")
    return keys, problems


def _row_limits(texts: Sequence[str], home: str) -> RowLimits:
    """Return limits of rows as a key has them; raise ValueError for what is none, so that no limit is lost by a slip."""
    found: dict[str, frozenset[str]] = {}
    for text in texts:
        name, _, codes = text.partition("=")
        if name not in {"departments", "regions"} or name in found or not all(codes.split("+")):
            raise ValueError(name)
        found[name] = frozenset(codes.split("+"))
    return row_limits(found.get("departments"), found.get("regions"), home)


def _token_rules(own: AccessSettings) -> TokenRules:
    scopes_of: dict[str, frozenset[str]] = {}
    for text in own.oidc_role_scopes:
        role, _, scopes = text.partition("=")
        if not role or not scopes:
            raise ValueError(f"'{text}' is not <role>=<scope>+<scope>")
        check_scopes(scopes.split("+"), f"role '{role}'")
        scopes_of[role] = scopes_of.get(role, frozenset()) | frozenset(scopes.split("+"))
    departments, regions = own.oidc_departments_claim, own.oidc_regions_claim
    departments, regions = own.oidc_departments_claim, own.oidc_regions_claim
    claims = ClaimRules(own.oidc_name_claim, own.oidc_roles_claim, departments, regions, own.region, scopes_of)
    skew = timedelta(seconds=own.oidc_skew_seconds)
    return TokenRules(own.oidc_issuer or "", own.oidc_audiences, own.oidc_algorithms, skew, claims)


def tokens_of(own: AccessSettings, clock: Callable[[], datetime]) -> Tokens | None:
    """Return what verifies tokens; None where no issuer is set."""
    if own.oidc_issuer is None:
        return None
    keys = SigningKeys(
        source_of(own.oidc_issuer, own.oidc_jwks),
        clock=clock,
        reload_every=timedelta(seconds=own.oidc_reload_seconds),
        refresh_every=timedelta(seconds=own.oidc_refresh_seconds),
    )
    return Tokens(_token_rules(own), keys, clock)


def sign_in_of(own: AccessSettings, monotonic: Callable[[], float]) -> SignIn | None:
    """Return where people sign in for the console; None where they do so by application key only."""
    if own.oidc_issuer is None or own.oidc_client_id is None:
        return None
    return SignIn(own.oidc_issuer, own.oidc_client_id, own.oidc_client_scope, monotonic)
