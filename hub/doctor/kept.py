"""What the database tells of the hub's own work: streams that fail, webhooks that were refused, data that no key opens any more."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from hub.doctor.findings import Finding, fine, problem, warning
from hub.mirror import inbox, refusals, streams
from hub.mirror.rows import Rows, micros
from hub.mirror.sealing import SealError
from hub.mirror.tables import TABLES, joined_columns
from schema.declare import ENTITIES

KEYS = "HUB_PII_KEYS"
SAMPLE = 20
LATELY = timedelta(days=1)
REFUSED_CURES = {
    "ADDRESS_NOT_ALLOWED": "if the address is the platform's, add it to HUB_{name}_CALLBACK_ADDRESSES; behind a reverse proxy name "
    "the proxy in HUB_TRUSTED_PROXIES",
    "BODY_TOO_LARGE": "raise HUB_{name}_WEBHOOK_LIMIT_BYTES if the platform's messages are so large",
}
ANY_REFUSAL = (
    "compare the secret with the platform's people (docs/secrets.md); `bihuan deliveries <their message id>` tells more of one"
)


def stream_findings(connection: Connection, rows: Rows, platforms: Sequence[str]) -> list[Finding]:
    """Return the streams whose last read failed."""
    failing = [one for one in streams.all_streams(connection, rows) if one.failure and one.platform in platforms]
    cure = "if it goes on: `bihuan sync --platform {0}` tries it at once; a refusal (401, 403) is of key or password in HUB_{1}_*"
    return [
        problem("streams", one.stream_id, f"the last read failed: {one.failure}", cure.format(one.platform, one.platform.upper()))
        for one in failing
    ]


def refusal_findings(connection: Connection, platforms: Sequence[str], now: datetime) -> list[Finding]:
    """Return which webhooks were refused in the last day; a problem where none was taken since."""
    taken, found = inbox.last_received(connection), list[Finding]()
    for refused in refusals.lately(connection, now - LATELY):
        if refused.platform not in platforms:
            continue
        told = f"{refused.times} refused in the last day, {refused.code}" + (f", from {refused.remote}" if refused.remote else "")
        cure = REFUSED_CURES.get(refused.code, ANY_REFUSAL).format(name=refused.platform.upper())
        none_since = taken.get(refused.platform, 0) < micros(refused.last_at)
        found.append((problem if none_since else warning)("webhooks", refused.platform, told, cure))
    return found


def seal_findings(connection: Connection, rows: Rows) -> list[Finding]:
    """Return whether the configured keys open what is kept, by a few rows of each kind."""
    opened, found = 0, dict[str, Finding]()
    for name, entity in ENTITIES.items():
        for column, field in entity.fields.items():
            if not field.sealed:
                continue
            kept, joined = TABLES[name].c[column], column in joined_columns(entity)
            wanted = [kept, TABLES[name].c[f"{column}_join"]] if joined else [kept]
            for row in connection.execute(select(*wanted).where(kept.is_not(None)).limit(SAMPLE)):
                opened += 1
                try:
                    clear = rows.seals.open(bytes(row[0]))
                except SealError as error:
                    found[str(error)] = problem("secrets", KEYS, f"{name}.{column}: {error}", "add the key that sealed it")
                    continue
                if joined and row[1] is not None and rows.seals.join(clear.decode()) != bytes(row[1]):
                    told = f"is another one than that which joined {name}.{column}: equal people are not found again"
                    found["join"] = problem("secrets", "HUB_PII_JOIN_KEY", told, "set the key back that the database was made with")
    return list(found.values()) or [fine("secrets", KEYS, f"open what is kept ({opened} values tried)")]
