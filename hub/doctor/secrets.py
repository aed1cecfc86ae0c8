"""Whether secrets are hard to guess, and each is used for one thing only. A finding names the setting, never the secret."""

import base64
import binascii
import hashlib
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import BaseModel, SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from hub.access.settings import application_keys
from hub.doctor.findings import Finding, fine, problem
from hub.settings import Settings

GUESSES_OF_KEY, GUESSES_OF_PASSWORD = 16, 10
"""How many guesses a secret must take, as powers of ten: a signing key can be tried without asking us, a password cannot."""
LONGEST = 72
"""Characters that zxcvbn looks at; a secret is judged by its first ones."""
PLACEHOLDER = re.compile(r"change.?(me|it|this)|placeholder|replace.?(me|this|with)|your[-_ ]|example|x{5,}|<.*>", re.IGNORECASE)
SHARED = "EXCHANGE_KEY"
"""The key of the city's exchange is one and the same on several platforms by its nature (credit.md)."""
MAKE = 'python -c "import secrets; print(secrets.token_urlsafe(32))"'
DIFFERENCES = 8
"""Fewer different steps between the bytes of a key than this are no chance."""


class _Secret(NamedTuple):
    setting: str
    text: str
    least: int
    ours: bool
    """Whether we choose it; else the platform's people do."""


def secret_findings(settings: Settings) -> list[Finding]:
    """Return what is weak or used twice; one line where nothing is."""
    secrets = list(_secrets(settings))
    found = [each for secret in secrets if (each := _weakness(secret)) is not None]
    found += _reused(secrets)
    found += _weak_rings(settings)
    found += _guessed_application_keys(settings)
    return found or [fine("secrets", "all", f"{len(secrets)} secrets are hard to guess, and none is used twice")]


def _secrets(settings: Settings) -> Iterator[_Secret]:
    yield _Secret("HUB_PII_JOIN_KEY", settings.hub.pii_join_key.get_secret_value(), GUESSES_OF_KEY, True)
    yield from _of_address("HUB_DATABASE_URL", settings.hub.database_url)
    if settings.hub.database_read_url:
        yield from _of_address("HUB_DATABASE_READ_URL", settings.hub.database_read_url)
    for name in settings.platforms:
        prefix, own = f"HUB_{name.upper()}_", settings.platform(name)
        for setting, secret in _of_model(own):
            least = GUESSES_OF_PASSWORD if "password" in setting else GUESSES_OF_KEY
            yield _Secret(prefix + setting.upper(), secret.get_secret_value(), least, False)
        yield from _of_address(f"{prefix}URL", own.url)


def _of_model(model: BaseModel) -> Iterator[tuple[str, SecretStr]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, SecretStr):
                yield name, each


def _of_address(setting: str, url: str) -> Iterator[_Secret]:
    try:
        password = make_url(url).password
    except (ArgumentError, ValueError):  # several hosts: the part before them is enough
        found = re.match(r"^[^/]+://[^/?@:]*:([^/?@]*)@", url)
        password = found[1] if found else None
    if password:
        yield _Secret(setting, str(password), GUESSES_OF_PASSWORD, True)


def _weakness(secret: _Secret) -> Finding | None:
    found = _why_weak(secret.text, secret.least)
    if found is None:
        return None
    who = f"make a new one: {MAKE}" if secret.ours else f"ask the platform's people for a new one, made so: {MAKE}"
    return problem("secrets", secret.setting, found, f"{who}; docs/secrets.md says how to change it while the hub runs")


def _why_weak(text: str, least: int) -> str | None:
    from zxcvbn import zxcvbn  # noqa: PLC0415  (its word lists take a while to load, and only the doctor wants them)

    if PLACEHOLDER.search(text):
        return "is a placeholder of an example"
    if len(text) < 8:
        return f"has {len(text)} characters"
    guesses = float(zxcvbn(text[:LONGEST])["guesses_log10"])
    return None if guesses >= least else f"is guessed in some 10^{guesses:.0f} tries; 10^{least} are the least that is safe"


def _reused(secrets: list[_Secret]) -> list[Finding]:
    users: defaultdict[str, set[str]] = defaultdict(set)
    for secret in secrets:
        if not secret.setting.endswith(SHARED):
            users[secret.text].add(secret.setting)
    cure = "give each its own: who learns one must not have the other"
    return [
        problem("secrets", " and ".join(sorted(names)), "hold the same secret", cure) for names in users.values() if len(names) > 1
    ]


def _weak_rings(settings: Settings) -> Iterator[Finding]:
    """Yield the keys of personal data that no chance made."""
    make = 'python -c "import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())"'
    for position, secret in enumerate(settings.hub.pii_keys, 1):
        try:
            raw = base64.b64decode(secret.get_secret_value().partition(":")[2], validate=True)
        except binascii.Error:  # the settings' own check has named it
            continue
        if len({(after - before) % 256 for before, after in itertools.pairwise(raw)}) < DIFFERENCES:
            cure = f"put a new key first ({make}); the old one stays behind it, so that what it sealed can be read"
            yield problem("secrets", "HUB_PII_KEYS", f"key {position} was not made by chance", cure)


def _guessed_application_keys(settings: Settings) -> Iterator[Finding]:
    """Yield the application keys whose digest is that of a word that everybody tries first."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415  (as above)

    keys, _ = application_keys(settings.hub.api_keys, settings.hub.region)
    words = [*FREQUENCY_LISTS["passwords"], *(key.name for key in keys), "changeme", "bihuan", "secret", "demo", "console", ""]
    known = {hashlib.sha256(word.encode()).hexdigest(): word for word in words} if keys else {}
    for key in keys:
        if key.sha256.lower() in known:
            cure = f"make a new key ({MAKE}), and put its SHA-256 there"
            yield problem("secrets", "HUB_API_KEYS", f"the key of '{key.name}' is a word that everybody tries first", cure)
