"""Whether a PostgreSQL server keeps what it was told to keep, and has room for the hub's connections."""

from collections.abc import Mapping

from sqlalchemy import Connection, text

from hub.doctor.findings import Finding, fine, problem, warning
from hub.mirror.database import DatabaseUnavailable, PostgreSQLDatabase
from hub.settings import HubSettings

OLDEST = 14
"""Older versions get no corrections any more (postgresql.org/support/versioning)."""
BESIDE = 2
"""Connections of a process beside the pool: one for webhooks, one for wake-ups (docs/operations.md)."""
ASKED = (
    "server_version_num",
    "synchronous_commit",
    "fsync",
    "full_page_writes",
    "max_connections",
    "superuser_reserved_connections",
    "server_encoding",
    "default_transaction_read_only",
)
FACTS = text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names)")
IN_RECOVERY = text("SELECT pg_is_in_recovery()")


def server_findings(connection: Connection, own: HubSettings) -> list[Finding]:
    """Return what is wrong with the server, or that nothing is."""
    facts = {row.name: row.setting for row in connection.execute(FACTS, {"names": list(ASKED)})}
    standby = bool(connection.execute(IN_RECOVERY).scalar_one())
    return judged(facts, standby=standby, wanted=own.database_connections + BESIDE)


def judged(facts: Mapping[str, str], *, standby: bool, wanted: int) -> list[Finding]:
    """Return what the server's settings mean; `wanted` are the connections of one process."""
    version = int(facts["server_version_num"]) // 10_000
    found = [*_not_kept(facts)]
    if version < OLDEST:
        told = f"version {version}, which gets no corrections any more"
        found.append(problem("database", "PostgreSQL", told, f"upgrade it to {OLDEST} or newer"))
    if standby or facts["default_transaction_read_only"] == "on":
        told = "a standby" if standby else "read-only (default_transaction_read_only)"
        cure = "name the primary in HUB_DATABASE_URL, or all hosts: the one that takes writes is found (docs/many-processes.md)"
        found.append(problem("database", "HUB_DATABASE_URL", f"the server is {told}: nothing can be stored", cure))
    if facts["server_encoding"] != "UTF8":
        told = f"the database keeps text in {facts['server_encoding']}, which does not hold every name"
        found.append(problem("database", "PostgreSQL", told, "make the database anew with ENCODING 'UTF8' and copy it there"))
    room = int(facts["max_connections"]) - int(facts["superuser_reserved_connections"])
    if wanted > room:
        cure = f"set HUB_DATABASE_CONNECTIONS to less than {room - BESIDE + 1}, or raise max_connections"
        told = f"one process may use {wanted} connections, and the server has {room} for everybody"
        found.append(problem("database", "HUB_DATABASE_CONNECTIONS", told, cure))
    told = f"version {version}, synchronous_commit {facts['synchronous_commit']}, {room} connections"
    return found or [fine("database", "PostgreSQL", told)]


def _not_kept(facts: Mapping[str, str]) -> list[Finding]:
    """Return which settings let a commit be lost that was acknowledged."""
    found = []
    if facts["synchronous_commit"] == "off":
        told = "synchronous_commit is off: a crash of the server loses webhooks that were acknowledged"
        cure = "ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf()  (or remote_apply with a synchronous standby)"
        found.append(problem("database", "PostgreSQL", told, cure))
    for name in ("fsync", "full_page_writes"):
        if facts[name] == "off":
            told = f"{name} is off: a power cut can destroy the database"
            found.append(
                problem("database", "PostgreSQL", told, f"ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf(); then check it")
            )
    return found


async def standby_findings(own: HubSettings) -> list[Finding]:
    """Return how the standby does that the graph reads; nothing where none is configured."""
    if own.database_read_url is None:
        return []
    about = "HUB_DATABASE_READ_URL"
    standby = PostgreSQLDatabase(own.database_read_url, connections=1, wanted="any")
    try:
        recovering = await standby.read(lambda connection: connection.execute(IN_RECOVERY).scalar_one())
    except DatabaseUnavailable as error:
        told = f"{error}; the graph reads the database itself meanwhile"
        return [problem("database", about, told, "is the address right, and the standby up?")]
    finally:
        await standby.close()
    if not recovering:
        return [warning("database", about, "is no standby", "name a streaming standby of HUB_DATABASE_URL, or leave it out")]
    return [fine("database", about, "the standby answers")]
