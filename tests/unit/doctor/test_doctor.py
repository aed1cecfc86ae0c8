"""`bihuan doctor` beside real platforms: each thing that is wrong is named with its cure, and nothing is changed by looking."""

import json
import shutil
import socket
import sqlite3
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.registry import CONNECTORS
from hub.demo_household import Household
from hub.domain.policy import DEFAULT_FOLDER
from tests.command_line import NOWHERE, PLATFORMS, Bihuan, City
from tests.servers import PostgreSQLServer, lent

Doctor = Callable[..., tuple[int, list[dict[str, Any]]]]


@pytest.fixture
def doctor(bihuan: Bihuan, city: City) -> Doctor:
    """Run `bihuan doctor --json` beside the city's platforms; return the exit code and the findings."""

    def run(urls: dict[str, str] | None = None, **changes: str) -> tuple[int, list[dict[str, Any]]]:
        given = {"HUB_PORT": "0"} | changes
        told = bihuan("doctor", "--json", urls=city.urls | (urls or {}), **given)
        report = json.loads(told.stdout)
        assert set(report) == {"healthy", "findings"}
        assert report["healthy"] is (told.exit_code == 0)
        return told.exit_code, report["findings"]

    return run


def wrong(findings: list[dict[str, Any]], state: str = "problem") -> list[tuple[str, str]]:
    """Return check and object of all that is in a state; each has a cure."""
    assert all(each["cure"] for each in findings if each["state"] in {"problem", "warning"})
    return [(each["check"], each["about"]) for each in findings if each["state"] == state]


def told_of(findings: list[dict[str, Any]], about: str) -> str:
    return "\n".join(f"{each['found']} -> {each['cure']}" for each in findings if each["about"] == about and each["cure"])


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_healthy_hub_has_no_problem_and_looking_changes_nothing(doctor: Doctor, bihuan: Bihuan, household: Household) -> None:
    assert bihuan("db", "upgrade").exit_code == 0
    before = contents(household.folder)
    code, found = doctor()
    assert (code, wrong(found)) == (0, []), found
    assert contents(household.folder) == before
    seen = {each["check"] for each in found}
    assert seen == {"settings", "secrets", "policy", "calendar", "database", "disk", "platforms", "webhooks"}
    assert {each["about"] for each in found if each["check"] == "platforms"} == set(PLATFORMS)
    assert {each["about"] for each in found if "its clock is within" in each["found"]} == set(PLATFORMS) - {"selfgov"}


def test_before_the_first_start_it_makes_no_file(doctor: Doctor, household: Household) -> None:
    code, found = doctor()
    assert code == 0
    assert any("the first start makes it" in each["found"] for each in found)
    assert not (household.folder / "hub.db").exists()


def test_wrong_settings_end_with_2_and_each_has_its_cure(bihuan: Bihuan) -> None:
    told = bihuan("doctor", "--json", HUB_PII_KEYS="k1:short")
    assert (told.exit_code, wrong(json.loads(told.stdout)["findings"])) == (2, [("settings", "HUB_PII_KEYS")])
    told = bihuan("doctor", "--json", HUB_GRID_PASSWORD="", HUB_PROT="1")
    found = json.loads(told.stdout)["findings"]
    assert (told.exit_code, wrong(found)) == (2, [("settings", "HUB_GRID_PASSWORD"), ("settings", "HUB_PROT")])
    assert "did you mean HUB_PORT?" in told_of(found, "HUB_PROT")


def test_platforms_that_give_no_sign_of_life_are_named_with_why(doctor: Doctor) -> None:
    with silent() as hangs, answering(503) as closed:
        urls = {"approval": NOWHERE, "credit": hangs, "grid": closed, "sms": "http://no-such-host.invalid"}
        code, found = doctor(urls, HUB_SELFGOV_URL="sqlite:////nowhere/exchange.sqlite", HUB_CREDIT_DEADLINE_SECONDS="1")
    assert code == 1
    assert set(wrong(found)) == {("platforms", name) for name in ("approval", "credit", "grid", "sms", "selfgov")}
    assert "nothing listens there" in told_of(found, "approval")
    assert "HUB_APPROVAL_URL" in told_of(found, "approval")
    assert "no answer in 1 s" in told_of(found, "credit")
    assert "HTTP 503" in told_of(found, "grid")
    assert "no such host" in told_of(found, "sms")
    warned = [each for each in wrong(found, "warning") if each[0] != "calendar"]  # near the end of a year that is one more
    assert warned == [
        ("webhooks", "HUB_HOST"),  # the gateway is elsewhere, and nobody but this machine can post
        ("webhooks", "HUB_GRID_CALLBACK_ADDRESSES"),
    ]
    assert "HUB_SELFGOV_URL" in told_of(found, "selfgov")


def test_an_exchange_database_without_its_tables_is_named(doctor: Doctor, tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "other.sqlite").execute("CREATE TABLE something (id)").connection.close()
    code, found = doctor(HUB_SELFGOV_URL=f"sqlite:///{tmp_path}/other.sqlite")
    assert (code, wrong(found)) == (1, [("platforms", "selfgov")])
    assert "there is no table zz_result" in told_of(found, "selfgov")


def test_certificates_that_nobody_vouches_for_or_that_end_soon_are_named(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = self_signed(tmp_path / "it.pem", datetime.now(UTC) + timedelta(days=5))
    with answering(404, secured=made) as url:
        code, found = doctor({"grid": url})
        assert (code, wrong(found)) == (1, [("platforms", "grid")])
        assert "its certificate is not trusted (self-signed certificate)" in told_of(found, "grid")
        trusting = ssl.create_default_context(cafile=str(made))
        monkeypatch.setattr("connectors.http._trusted", lambda url: trusting)
        code, found = doctor({"grid": url})
        assert (code, ("platforms", "grid") in wrong(found, "warning")) == (0, True)
        assert "its certificate ends on " in told_of(found, "grid")


@pytest.mark.parametrize(("hours", "says"), [(1, "ahead of ours"), (-1, "behind ours")])
def test_a_clock_that_is_wrong_is_named_with_what_it_breaks(doctor: Doctor, hours: int, says: str) -> None:
    with answering(404, datetime.now(UTC) + timedelta(hours=hours)) as late:
        code, found = doctor({"grid": late})
    assert (code, wrong(found)) == (1, [("platforms", "grid")])
    assert says in told_of(found, "grid")
    assert "NTP" in told_of(found, "grid")


def test_bad_policy_rows_are_named_by_file_and_line(doctor: Doctor, tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    shutil.copytree(DEFAULT_FOLDER, folder)
    with (folder / "items.csv").open("a") as items:
        items.write("XX-001,新事项,NO-SUCH,two,MINOR,test\n")
    count = len((folder / "items.csv").read_text().splitlines())
    code, found = doctor(HUB_POLICY_DIR=str(folder))
    assert code == 1
    assert ("policy", f"items.csv, line {count}") in wrong(found)


def test_weak_secrets_and_one_that_is_used_twice_are_named_and_never_shown(doctor: Doctor) -> None:
    code, found = doctor(
        HUB_GRID_PASSWORD="Password123",
        HUB_SMS_SECRETS="changeme-changeme-changeme",
        HUB_ENFORCEMENT_SECRETS="aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        HUB_PII_KEYS="k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        HUB_API_KEYS="console:057ba03d6c44104863dc7361fe4578965d1887360f90a0895882e58a6248fc86:graph:read",  # of "changeme"
    )
    named = {about for _, about in wrong(found)}
    assert (code, named) == (
        1,
        {"HUB_GRID_PASSWORD", "HUB_SMS_SECRETS", "HUB_ENFORCEMENT_SECRETS", "HUB_PII_KEYS", "HUB_API_KEYS"},
    )
    assert "'console' is a word that everybody tries first" in told_of(found, "HUB_API_KEYS")
    same = "6Ipv0cCNDOIEQv5aqUmlQy3rEUbrFoYX"
    code, found = doctor(HUB_GRID_PASSWORD=same, HUB_SMS_SECRETS=same)
    assert (code, wrong(found)) == (1, [("secrets", "HUB_GRID_PASSWORD and HUB_SMS_SECRETS")])
    assert not any(word in json.dumps(found) for word in ("Password123", "changeme-", same))


def test_a_file_that_is_no_database_or_has_no_wal_or_older_tables_is_named(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is a letter, and no database at all" * 10)
    code, found = doctor(HUB_DATABASE_URL=f"sqlite:///{tmp_path}/text.db")
    assert (code, wrong(found)) == (1, [("database", f"{tmp_path}/text.db")])
    with sqlite3.connect(tmp_path / "old.db") as old:
        old.execute("CREATE TABLE alembic_version (version_num TEXT)")
        old.execute("INSERT INTO alembic_version VALUES ('0001')")
    old.close()
    code, found = doctor(HUB_DATABASE_URL=f"sqlite:///{tmp_path}/old.db")
    assert "is not written by WAL" in told_of(found, f"{tmp_path}/old.db")
    assert ("database", "tables") in wrong(found, "warning")
    assert "bihuan db backup" in told_of(found, "tables")
    code, found = doctor(HUB_DATABASE_URL=f"sqlite:///{tmp_path}/no/folder/hub.db")
    assert (code, wrong(found)) == (1, [("database", f"{tmp_path}/no/folder/hub.db")])
    with sqlite3.connect(tmp_path / "old.db") as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.close()
    assert ("database", "tables") in wrong(doctor(HUB_DATABASE_URL=f"sqlite:///{tmp_path}/old.db")[1])


def test_a_database_whose_pages_are_damaged_is_named(doctor: Doctor, bihuan: Bihuan, household: Household, tmp_path: Path) -> None:
    assert bihuan("db", "upgrade").exit_code == 0
    pages = (household.folder / "hub.db").read_bytes()
    (tmp_path / "damaged.db").write_bytes(pages[:100] + b"\xff" * 4000 + pages[4100:])
    code, found = doctor(HUB_DATABASE_URL=f"sqlite:///{tmp_path}/damaged.db")
    assert (code, wrong(found)) == (1, [("database", f"{tmp_path}/damaged.db")])
    assert "restore a backup" in told_of(found, f"{tmp_path}/damaged.db")


def test_a_manifest_of_documents_that_cannot_be_used_is_named(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("no manifest")
    code, found = doctor(HUB_GRAPH_DOCUMENTS=f"{tmp_path}/manifest.json")
    assert (code, wrong(found)) == (1, [("documents", "HUB_GRAPH_DOCUMENTS")])
    assert "bihuan documents FOLDER" in told_of(found, "HUB_GRAPH_DOCUMENTS")


def test_a_running_hubs_database_is_read_with_what_stands_in_its_log(doctor: Doctor, bihuan: Bihuan, household: Household) -> None:
    assert bihuan("db", "upgrade").exit_code == 0
    writing = sqlite3.connect(household.folder / "hub.db")
    writing.execute("UPDATE alembic_version SET version_num = '9999'")
    writing.commit()  # in the log only, and the connection stays open
    assert ("database", "tables") in wrong(doctor()[1])
    writing.close()


def test_a_server_that_forgets_what_it_acknowledged_is_named(doctor: Doctor, postgresql: PostgreSQLServer) -> None:
    with lent(postgresql.fresh()) as url:  # servers of tests wait for no disk
        code, found = doctor(HUB_DATABASE_URL=url, HUB_DATABASE_CONNECTIONS="200")
    assert code == 1
    assert set(wrong(found)) == {("database", "PostgreSQL"), ("database", "HUB_DATABASE_CONNECTIONS")}
    told = told_of(found, "PostgreSQL")
    assert "synchronous_commit is off: a crash of the server loses webhooks" in told
    assert "fsync is off" in told
    assert "full_page_writes is off" in told


def test_a_server_without_tables_wants_to_be_upgraded_and_one_that_is_away_is_named(
    doctor: Doctor, postgresql: PostgreSQLServer
) -> None:
    with lent(postgresql.fresh("template1")) as url:
        code, found = doctor(HUB_DATABASE_URL=url, HUB_DATABASE_READ_URL=url)
        assert ("database", "tables") in wrong(found)
        assert "bihuan db upgrade" in told_of(found, "tables")
        assert ("database", "HUB_DATABASE_READ_URL") in wrong(found, "warning")
    code, found = doctor(HUB_DATABASE_URL="postgresql://bihuan@127.0.0.1:9/bihuan")
    assert (code, wrong(found)) == (1, [("database", "HUB_DATABASE_URL")])


def test_streams_that_fail_and_keys_that_open_nothing_are_named(doctor: Doctor, bihuan: Bihuan, city: City) -> None:
    assert bihuan("sync", "--platform", "credit", urls=city.urls | {"credit": NOWHERE}).exit_code == 1
    assert bihuan("sync", "--platform", "approval", urls=city.urls).exit_code == 0
    code, found = doctor()
    assert (code, wrong(found)) == (1, [("streams", "credit/changes")])
    assert "bihuan sync --platform credit" in told_of(found, "credit/changes")
    other = {"HUB_PII_KEYS": "new:Lq8m0S5pY1ZgT5y2Jm3nH0w6q4c7r9u2x5v8b1e4d7A="}
    assert ("secrets", "HUB_PII_KEYS") in wrong(doctor(**other)[1])
    assert ("secrets", "HUB_PII_JOIN_KEY") in wrong(doctor(HUB_PII_JOIN_KEY="0xwbXb6CkTfVn8RI6mCKl9Gx")[1])


def test_another_program_on_the_hubs_port_is_named(doctor: Doctor) -> None:
    with answering(404) as other:
        code, found = doctor(HUB_PORT=other.rpartition(":")[2])
    assert (code, wrong(found)) == (1, [("webhooks", "HUB_PORT")])


def test_a_way_on_which_no_webhook_can_come_is_named(doctor: Doctor, bihuan: Bihuan) -> None:
    code, found = doctor(HUB_GRID_CALLBACK_ADDRESSES="10.0.0.0/8")
    assert (code, wrong(found)) == (1, [("webhooks", "HUB_GRID_CALLBACK_ADDRESSES")])
    assert "HUB_TRUSTED_PROXIES" in told_of(found, "HUB_GRID_CALLBACK_ADDRESSES")
    assert doctor(HUB_GRID_CALLBACK_ADDRESSES="10.0.0.0/8", HUB_TRUSTED_PROXIES="127.0.0.1")[0] == 0


def test_weakly_signed_webhooks_from_any_address_are_warned_of(doctor: Doctor) -> None:
    code, found = doctor()
    assert (code, [about for check, about in wrong(found, "warning") if check == "webhooks"]) == (
        0,
        ["HUB_GRID_CALLBACK_ADDRESSES"],
    )
    assert "MD5" in told_of(found, "HUB_GRID_CALLBACK_ADDRESSES")


def test_people_read_lines_with_the_cure_below(bihuan: Bihuan, city: City) -> None:
    told = bihuan("doctor", urls=city.urls | {"grid": NOWHERE}, HUB_PORT="0")
    assert told.exit_code == 1
    lines = told.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("problem"))
    assert lines[at].startswith("problem platforms: grid: ")
    assert lines[at + 1].startswith("        cure: correct the port in HUB_GRID_URL")
    assert lines[-1].startswith("1 problem, ")
    assert "\x1b" not in told.stdout


def test_every_connector_can_be_asked_for_a_sign_of_life(doctor: Doctor) -> None:
    _, found = doctor()
    assert {each["about"] for each in found if each["found"].startswith("answers: ")} == set(CONNECTORS)


@contextmanager
def answering(status: int, date: datetime | None = None, secured: Path | None = None) -> Iterator[str]:
    """Serve one status to every request, with a Date of its own; over TLS with a file of key and certificate."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def date_time_string(self, timestamp: float | None = None) -> str:
            moment = date or datetime.now(UTC)
            return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        if secured is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(secured)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"{'http' if secured is None else 'https'}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def silent() -> Iterator[str]:
    """Accept connections and say nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def self_signed(path: Path, until: datetime) -> Path:
    """Write a key and its own certificate for 127.0.0.1."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), datetime(2019, 9, 2, tzinfo=UTC), until)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(plain + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_the_servers_of_this_page_do_what_they_say() -> None:
    with answering(404, datetime(2019, 9, 2, tzinfo=UTC)) as url:
        answer = httpx.get(url)
    assert (answer.status_code, answer.headers["date"]) == (404, "Mon, 02 Sep 2019 00:00:00 GMT")
