"""The commands of `bihuan`. Each reads the settings, builds a `Hub` and does one thing; cli.py loads them all.

Exit codes and the shapes of JSON are in docs/commands.md.
"""

from hub.commands import (
    alerts,
    audit,
    backup,
    database,
    deliveries,
    demo,
    doctor,
    documents,
    drifting,
    levers,
    looking,
    manual,
    moments,
    schemas,
    serving,
    syncing,
)
from hub.commands.base import app

__all__ = [
    "alerts",
    "app",
    "audit",
    "backup",
    "database",
    "deliveries",
    "demo",
    "doctor",
    "documents",
    "drifting",
    "levers",
    "looking",
    "manual",
    "moments",
    "schemas",
    "serving",
    "syncing",
]
