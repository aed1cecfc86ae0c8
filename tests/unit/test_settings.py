"""Settings: a missing or wrong one is named with its cure, secrets are shown nowhere, and docs/settings.md lists all."""

import base64
from pathlib import Path

import pytest
from pydantic import BaseModel

from connectors.registry import CONNECTORS
from hub.access.settings import application_keys
from hub.settings import HubSettings, Settings, SettingsError, load_settings
from hub.settings_page import reference
from schema.row_limits import RowLimits

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
SECRET = "a-secret-of-31-characters-or-so"
SECRET_KEY = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"a webhook secret, not shown").decode()
API_HASH = "ab" * 32


def complete(**changes: str | None) -> dict[str, str]:
    """Return settings that are enough to start, some of them changed, or left out with None."""
    given: dict[str, str | None] = {
        "HUB_PII_KEYS": f"k1:{SECRET_KEY}",
        "HUB_PII_JOIN_KEY": SECRET,
        "HUB_APPROVAL_URL": "http://127.0.0.1:1",
        "HUB_APPROVAL_APP_KEY": "bihuan",
        "HUB_APPROVAL_APP_SECRETS": f"{SECRET},{SECRET}-before",
        "HUB_APPROVAL_EXCHANGE_KEY": SECRET,
        "HUB_CREDIT_URL": "https://credit.example/prefix",
        "HUB_CREDIT_CLIENT_ID": "bihuan",
        "HUB_CREDIT_CLIENT_SECRET": SECRET,
        "HUB_CREDIT_EXCHANGE_KEY": SECRET,
        "HUB_CREDIT_WEBHOOK_SECRETS": WEBHOOK_SECRET,
        "HUB_GRID_URL": "http://[::1]:8080",
        "HUB_GRID_USER": "bihuan",
        "HUB_GRID_PASSWORD": SECRET,
        "HUB_GRID_CALLBACK_USER": "grid",
        "HUB_GRID_CALLBACK_PASSWORDS": SECRET,
        "HUB_ENFORCEMENT_URL": "http://enforcement.example",
        "HUB_ENFORCEMENT_ACCESS_KEY": "bihuan",
        "HUB_ENFORCEMENT_SECRETS": SECRET,
        "HUB_ENFORCEMENT_CALLBACK_ACCESS_KEY": "enforcement",
        "HUB_ENFORCEMENT_CALLBACK_SECRETS": SECRET,
        "HUB_SELFGOV_URL": f"postgresql://hub:{SECRET}@exchange.example/zizhi",
        "HUB_SMS_URL": "http://sms.example",
        "HUB_SMS_ACCOUNT": "bihuan",
        "HUB_SMS_SECRETS": SECRET,
    }
    return {name: value for name, value in {**given, **changes}.items() if value is not None}


def problems(**changes: str | None) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load_settings(complete(**changes))
    assert str(refused.value) == "\n".join(refused.value.problems)
    return refused.value.problems


def test_complete_settings_are_read_and_lists_are_separated_by_commas() -> None:
    settings = load_settings(complete(HUB_PORT="0", HUB_GRID_CALLBACK_ADDRESSES="10.0.0.0/8, 192.168.1.7", OTHER="ignored"))
    assert settings.hub.port == 0
    assert [secret.get_secret_value() for secret in settings.platform("approval").app_secrets] == [SECRET, f"{SECRET}-before"]  # type: ignore[attr-defined]
    assert [str(each) for each in settings.platform("grid").callback_addresses] == ["10.0.0.0/8", "192.168.1.7/32"]


def test_every_missing_setting_is_named_with_what_it_is() -> None:
    told = problems(HUB_APPROVAL_APP_SECRETS=None, HUB_GRID_PASSWORD="  ", HUB_PII_JOIN_KEY=None)
    assert [problem.partition(":")[0] for problem in told] == ["HUB_PII_JOIN_KEY", "HUB_APPROVAL_APP_SECRETS", "HUB_GRID_PASSWORD"]
    assert all("is missing, and has no default; it is: " in problem for problem in told)


def test_no_settings_at_all_name_everything_that_is_required() -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({})
    named = {problem.partition(":")[0] for problem in refused.value.problems}
    assert {"HUB_PII_KEYS", "HUB_CREDIT_URL", "HUB_CREDIT_CLIENT_SECRET", "HUB_ENFORCEMENT_ACCESS_KEY"} <= named


@pytest.mark.parametrize(
    "url", ["ftp://approval.example", "approval.example", "http://", "http:///api", "http://a b", "http://u:p@host"]
)
def test_a_wrong_url_is_named_with_the_form_that_it_must_have(url: str) -> None:
    (told,) = problems(HUB_APPROVAL_URL=url)
    assert told.startswith("HUB_APPROVAL_URL: ")
    assert "http(s)://host[:port][/prefix]" in told


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("HUB_DATABASE_URL", "mysql://root:geheim@host/db", "sqlite:///path, or postgresql://"),
        ("HUB_SELFGOV_URL", "http://selfgov.example", "postgresql://user:password@host/name"),
        ("HUB_SELFGOV_URL", "sqlite:///:memory:", "in memory"),
        ("HUB_SELFGOV_URL", "sqlite+aiosqlite:///:memory:?cache=shared", "in memory"),
        ("HUB_SELFGOV_URL", "postgresql://hub:a@b@host:none/x", "is no SQLAlchemy URL"),
        ("HUB_PORT", "80a", "integer"),
        ("HUB_PORT", "70000", "65535"),
        ("HUB_WORKER_INSIDE", "perhaps", "boolean"),
        ("HUB_LEASE_SECONDS", "-1", "greater than 0"),
        ("HUB_LOG_LEVEL", "loud", "level"),
        ("HUB_TRUSTED_PROXIES", "127.0.0.1,localhost", "value 2"),
        ("HUB_PLATFORMS", "approval,taxes", f"no connector 'taxes'; there are {', '.join(CONNECTORS)}"),
        ("HUB_API_KEYS", f"console:{API_HASH}:everything", "key 1"),
        ("HUB_API_KEYS", f"console:{API_HASH}:graph:read,console:{API_HASH}:ops:read", "same name"),
        ("HUB_GRID_DEADLINE_SECONDS", "soon", "number"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(name: str, value: str, says: str) -> None:
    (told,) = problems(**{name: value})
    assert told.startswith(f"{name}: ")
    assert says in told


@pytest.mark.parametrize("lease", ["HUB_LEASE_SECONDS", "HUB_POLL_LEASE_SECONDS"])
def test_a_lease_that_is_no_longer_than_a_deadline_is_refused(lease: str) -> None:
    (told,) = problems(**{lease: "30", "HUB_CREDIT_DEADLINE_SECONDS": "30"})
    assert told.startswith(f"{lease}: 30 s is not longer than HUB_CREDIT_DEADLINE_SECONDS, 30 s: ")
    assert told.endswith("make one longer or the other shorter")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("HUB_APPROVAL_APP_SECRET", "HUB_APPROVAL_APP_SECRETS"),
        ("HUB_DATABSE_URL", "HUB_DATABASE_URL"),
        ("HUB_GRID_CALLBACK_PASSWORD", "HUB_GRID_CALLBACK_PASSWORDS"),
    ],
)
def test_a_misspelt_name_is_met_with_the_one_that_is_meant(name: str, meant: str) -> None:
    (told,) = problems(**{name: SECRET})
    assert told == f"{name}: no such setting; did you mean {meant}?"


def test_a_setting_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{SECRET}\r\n")
    settings = load_settings(complete(HUB_GRID_PASSWORD=None, HUB_GRID_PASSWORD_FILE=str(tmp_path / "password")))
    assert settings.platform("grid").password.get_secret_value() == SECRET  # type: ignore[attr-defined]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    told = problems(HUB_GRID_PASSWORD=None, HUB_GRID_PASSWORD_FILE=str(tmp_path / "nowhere"))
    assert told[0].startswith("HUB_GRID_PASSWORD_FILE: cannot read ")
    assert str(tmp_path / "nowhere") in told[0]
    (tmp_path / "latin").write_bytes(b"\xff\xfe")
    assert "UnicodeDecodeError" in problems(HUB_GRID_PASSWORD=None, HUB_GRID_PASSWORD_FILE=str(tmp_path / "latin"))[0]


def test_a_setting_from_two_sources_is_refused(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("another")
    (told,) = problems(HUB_GRID_PASSWORD_FILE=str(tmp_path / "password"))
    assert told == "HUB_GRID_PASSWORD_FILE: HUB_GRID_PASSWORD is set too; keep one of them"


def test_secrets_are_shown_by_no_text_of_the_settings() -> None:
    settings = load_settings(
        complete(HUB_DATABASE_URL=f"postgresql://hub:{SECRET}@db.example/hub", HUB_API_KEYS=f"console:{API_HASH}:ops:read")
    )
    shown = " ".join((repr(settings), str(settings), f"{settings}", repr(settings.platforms), repr(settings.hub)))
    for secret in (SECRET, SECRET_KEY, WEBHOOK_SECRET, API_HASH):
        assert secret not in shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"HUB_API_KEYS": SECRET},
        {"HUB_API_KEYS": f"{SECRET}:console:ops:read"},
        {"HUB_API_KEYS": f"console:{SECRET}:ops:read"},
        {"HUB_PII_JOIN_KEY": SECRET[:8]},
        {"HUB_CREDIT_WEBHOOK_SECRETS": f"{SECRET}!"},
        {"HUB_DATABASE_URL": f"postgres//hub:{SECRET}@host"},
        {"HUB_APPROVAL_URL": f"http://hub:{SECRET}@host"},
        {"HUB_SELFGOV_URL": f"oracle://hub:{SECRET}@host/db"},
        {"HUB_SELFGOV_URL": f"postgresql://hub:{SECRET}@host:{SECRET}/db"},
        {"HUB_GRID_PASSWORDS": SECRET},
    ],
)
def test_errors_quote_no_secret(wrong: dict[str, str]) -> None:
    assert SECRET[:8] not in "\n".join(problems(**wrong))


def test_every_setting_says_what_it_is_and_every_interval_names_its_unit() -> None:
    models: list[type[BaseModel]] = [HubSettings, *(connector.settings_class for connector in CONNECTORS.values())]
    for model in models:
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
            if field.annotation is float:
                assert name.endswith(("_seconds", "_per_second")), f"{model.__name__}.{name} has no unit"


def test_the_page_of_settings_is_complete_and_up_to_date() -> None:
    assert PAGE.read_text() == reference(), "run `bihuan settings > docs/settings.md`"
    models: dict[str, type[BaseModel]] = {f"HUB_{name.upper()}_": each.settings_class for name, each in CONNECTORS.items()}
    models["HUB_"] = HubSettings
    for prefix, model in models.items():
        for name in model.model_fields:
            assert f"`{prefix}{name.upper()}`" in PAGE.read_text()


def test_settings_cannot_be_changed_once_they_are_read() -> None:
    settings: Settings = load_settings(complete())
    with pytest.raises(ValueError, match="frozen"):
        settings.hub.port = 1


ISSUER = {"HUB_OIDC_ISSUER": "https://idp.example/realms/city", "HUB_OIDC_AUDIENCES": "bihuan"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"HUB_OIDC_JWKS": "/etc/jwks.json"}, "HUB_OIDC_JWKS: means nothing without HUB_OIDC_ISSUER"),
        (ISSUER | {"HUB_OIDC_AUDIENCES": None}, "HUB_OIDC_AUDIENCES: is missing"),
        (ISSUER | {"HUB_OIDC_ISSUER": "http://idp.example"}, "HUB_OIDC_ISSUER: 'http://idp.example' is no https address"),
        (ISSUER | {"HUB_OIDC_JWKS": "http://idp.example/jwks"}, "HUB_OIDC_JWKS: 'http://idp.example/jwks' is no https address"),
        (ISSUER | {"HUB_OIDC_ALGORITHMS": "RS256,HS256"}, "HUB_OIDC_ALGORITHMS or HUB_OIDC_ROLE_SCOPES: no algorithm 'HS256'"),
        (ISSUER | {"HUB_OIDC_ALGORITHMS": "none"}, "HUB_OIDC_ALGORITHMS or HUB_OIDC_ROLE_SCOPES: no algorithm 'none'"),
        (ISSUER | {"HUB_OIDC_ROLE_SCOPES": "boss=graph:all"}, "HUB_OIDC_ALGORITHMS or HUB_OIDC_ROLE_SCOPES: role 'boss': no scope"),
        (ISSUER | {"HUB_OIDC_ROLE_SCOPES": "boss"}, "HUB_OIDC_ALGORITHMS or HUB_OIDC_ROLE_SCOPES: 'boss' is not <role>="),
        (ISSUER | {"HUB_OIDC_SKEW_SECONDS": "301"}, "HUB_OIDC_SKEW_SECONDS: Input should be less than"),
    ],
)
def test_a_provider_of_tokens_that_cannot_be_meant_is_named_with_the_cure(given: dict[str, str | None], told: str) -> None:
    (problem,) = problems(**given)
    assert problem.startswith(told)


def test_keys_from_a_file_excuse_an_issuer_without_https() -> None:
    load_settings(complete(**ISSUER | {"HUB_OIDC_ISSUER": "http://idp.example", "HUB_OIDC_JWKS": "/etc/bihuan/jwks.json"}))


@pytest.mark.parametrize(
    "limits",
    [";department=CG", ";departments=", ";departments=CG+", ";departments=CG;departments=YJ", ";", "+ops:read;regions=330782"],
)
def test_a_limit_of_rows_that_cannot_be_read_is_refused_and_never_left_out(limits: str) -> None:
    (problem,) = problems(HUB_API_KEYS=f"app:{API_HASH}:graph:read{limits}")
    assert problem.startswith("HUB_API_KEYS: key 1 is not <name>")


def test_a_key_may_see_the_rows_of_some_departments_and_regions_only() -> None:
    text = f"app:{API_HASH}:graph:read+graph:pii;departments=CG+YJ;regions=330782"
    ((key,), wrong) = application_keys(load_settings(complete(HUB_API_KEYS=text)).hub.api_keys, "330782")
    assert (key.rows, wrong) == (RowLimits(frozenset({"CG", "YJ"}), frozenset({"330782"})), [])


def test_nothing_but_trusted_documents_needs_some() -> None:
    (problem,) = problems(HUB_GRAPH_DOCUMENTS_ONLY="true")
    assert problem.startswith("HUB_GRAPH_DOCUMENTS_ONLY: no operation could be executed; set HUB_GRAPH_DOCUMENTS")


@pytest.mark.parametrize("path", ["bihuan", "/bihuan/", "/", "//", "/a b", "/a?x=1"])
def test_a_base_path_begins_with_a_slash_and_does_not_end_with_one(path: str) -> None:
    (problem,) = problems(HUB_BASE_PATH=path)
    assert problem.startswith("HUB_BASE_PATH: has another form than it must have; it is: Path below which")


@pytest.mark.parametrize(
    "origin", ["*", "null", "front.example", "https://front.example/", "https://*.example", "ftp://front.example"]
)
def test_each_origin_is_named_as_browsers_do(origin: str) -> None:
    (problem,) = problems(HUB_CORS_ORIGINS=origin)
    assert problem.startswith(f"HUB_CORS_ORIGINS: value 1: Value error, '{origin}' is no origin; name each one as browsers do")


def test_only_processes_on_a_server_share_a_port() -> None:
    [told] = problems(HUB_SHARE_PORT="true")
    assert told.startswith("HUB_SHARE_PORT: a file is one process's own; set HUB_DATABASE_URL")
    load_settings(complete(HUB_SHARE_PORT="true", HUB_DATABASE_URL="postgresql://bihuan@db/bihuan"))
