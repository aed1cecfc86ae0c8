"""Everything that the doctor looks at, in order. Called by `bihuan doctor` and by tests."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from sqlalchemy.engine import make_url

from connectors.base import Clock, Notices
from hub.doctor.databases import examined
from hub.doctor.doors import door_findings
from hub.doctor.file_systems import room_finding
from hub.doctor.findings import Finding, State, fine, problem, skipped
from hub.doctor.kept import KEYS, refusal_findings, seal_findings, stream_findings
from hub.doctor.platforms import connectors_of, platform_findings
from hub.doctor.policies import policy_findings
from hub.doctor.secrets import secret_findings
from hub.graph.trusted import DocumentsUnusable, trusted_documents
from hub.mirror.rows import Rows
from hub.mirror.sealing import SealError, Seals
from hub.settings import Settings, SettingsError, load_settings


def settings_read(environ: Mapping[str, str]) -> tuple[list[Finding], Settings | None]:
    """Return what is wrong with the settings, or that they are right, with them."""
    try:
        settings = load_settings(environ)
        Seals.from_text([key.get_secret_value() for key in settings.hub.pii_keys], settings.hub.pii_join_key.get_secret_value())
    except SettingsError as error:
        return [_setting(told) for told in error.problems], None
    except SealError as error:
        return [_setting(str(error))], None
    return [fine("settings", "all", f"are complete, for {', '.join(settings.platforms)}")], settings


def _setting(told: str) -> Finding:
    name, _, what = told.partition(": ")
    found, _, cure = what.partition("; ")
    return problem("settings", name, found, cure or "docs/settings.md says what it may be")


async def examination(settings: Settings, clock: Clock) -> list[Finding]:
    """Return all that is found with settings that could be read."""
    own, found = settings.hub, list[Finding]()
    found += secret_findings(settings)
    found += policy_findings(own.policy_dir, clock())
    found += _documents(settings)
    async with examined(own) as (of_database, look):
        found += of_database
        found.append(_room(own.database_url))
        found += await platform_findings(settings, clock)
        found += await door_findings(settings, connectors_of(settings, clock, Notices()))
        if look is None:
            return [
                *found,
                skipped("webhooks", "history", "what was refused lately stands in the database, which could not be read"),
            ]
        rows = Rows(Seals.from_text([key.get_secret_value() for key in own.pii_keys], own.pii_join_key.get_secret_value()))
        sealed = await look(partial(seal_findings, rows=rows))
        found += sealed
        if any(each.about == KEYS and each.state is State.PROBLEM for each in sealed):
            return [*found, skipped("streams", "history", "what went wrong lately stands in the database, sealed")]
        names = list(settings.platforms)
        found += await look(partial(stream_findings, rows=rows, platforms=names))
        found += await look(partial(refusal_findings, platforms=names, now=clock()))
    return found


def _room(url: str) -> Finding:
    if url.startswith("postgresql"):
        return skipped("disk", "HUB_DATABASE_URL", "how much room the server has is not known from here")
    folder = Path(make_url(url).database or "").resolve().parent
    return room_finding(folder) if folder.is_dir() else skipped("disk", str(folder), "is no folder")


def _documents(settings: Settings) -> list[Finding]:
    own = settings.hub
    if own.graph_documents is None:
        return []
    try:
        known = trusted_documents(own.graph_documents, only=own.graph_documents_only).documents
    except DocumentsUnusable as error:
        return [problem("documents", "HUB_GRAPH_DOCUMENTS", str(error), "make the manifest anew: `bihuan documents FOLDER`")]
    return [fine("documents", "HUB_GRAPH_DOCUMENTS", f"{len(known)} trusted documents")]
