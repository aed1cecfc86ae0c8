"""The JSON that each command prints with `--json`. docs/commands.md is made from it, and tests hold what is printed against it.

Times are ISO 8601 with a zone. Names are snake_case; the columns of tables are these names with blanks.
"""

from typing import Annotated, Any

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on only

STRICT = ConfigDict(extra="forbid", strict=True)


@with_config(STRICT)
class PlatformLine(TypedDict):
    """One platform."""

    platform: str
    last_success: Annotated[str | None, "when its slowest stream was last read to the end"]
    lag_seconds: Annotated[float | None, "seconds since then"]
    backlog: Annotated[int, "open obligations towards it"]
    stuck: Annotated[int, "of these, those that wait for a person"]
    drift: Annotated[int, "differences that the hub cannot repair by itself"]
    gone: Annotated[int, "records that it does not show any more, and an operator has to decide about"]
    differences: Annotated[int, "figures of points that differ from ours"]
    failure: Annotated[str | None, "streams whose last read failed, and why"]
    paused: Annotated[str | None, "since when, by whom and why"]
    maintenance: Annotated[str | None, "until when and why"]
    clock_seconds: Annotated[str | None, "its clock against ours, `!` behind it where that is a warning"]
    old_secret_last_used: Annotated[str | None, "when each secret that is not the newest was last used"]
    alerts: Annotated[str | None, "names of the alerts about it that stand now"]


@with_config(STRICT)
class AlertLine(TypedDict):
    """One alert that stands now."""

    alert: Annotated[str, "its name, and that of its runbook"]
    severity: Annotated[str, "critical or warning"]
    platform: Annotated[str | None, "null where it is about the hub itself"]
    since: str
    what: str
    runbook: Annotated[str, "its page, from the top of the source"]


@with_config(STRICT)
class StreamRead(TypedDict):
    """One stream that was read."""

    stream: Annotated[str, "platform/stream"]
    applied: Annotated[int | None, "records that changed something; null where it was not read"]
    quarantined: Annotated[int | None, "records that could not be used"]
    read: Annotated[bool, "whether it was read to its end"]


@with_config(STRICT)
class Reconciled(TypedDict):
    """What a sweep and a turn of the worker did."""

    causes: Annotated[dict[str, int], "rule: causes that it was asked about"]
    discharged: Annotated[dict[str, int], "platform: obligations that were sent"]
    stuck: Annotated[int, "obligations that wait for a person"]
    miscounted: Annotated[int, "statistics that differed from the mirror, and are right now"]


@with_config(STRICT)
class Done(TypedDict):
    """What was done, and what was refused."""

    done: Annotated[list[str], "keys of what was done; what had been done before counts"]
    refused: Annotated[list[str], "why something was not done, with the way out"]


@with_config(STRICT)
class ForeseenLine(TypedDict):
    """One record that was read again."""

    entity: str | None
    key: str | None
    version: int | None
    held_version: Annotated[int | None, "version that the mirror held before"]
    outcome: Annotated[str, "NEW, NEWER, UNCHANGED, OLDER, CONFLICT or QUARANTINED"]
    detail: str | None


@with_config(STRICT)
class Difference(TypedDict):
    """What reading again changes."""

    counts: Annotated[dict[str, int], "outcome: records"]
    records: Annotated[list[ForeseenLine], "200 at most, those that change something first; `--skip` shows the next"]
    obligation_keys: Annotated[list[str], "obligations that come of it, 200 at most"]
    obligations: int
    complete: Annotated[bool, "false: there was more than is read at once"]
    exact: Annotated[bool, "false: obligations may be others"]
    dry_run: bool


@with_config(STRICT)
class DriftReport(TypedDict):
    """One comparison."""

    report: Annotated[str, "platform/entity/DIGEST or FULL_READ"]
    ended: str | None
    checked: int
    differing: int
    missing_here: int
    missing_there: int
    outdated_here: int
    newer_here: int
    unexplained: int
    repaired: int
    waiting: int
    failure: str | None


From = TypedDict("From", {"from": str | None})
"""The address that a delivery came from."""
Begin = TypedDict("Begin", {"from": str})
"""When a window begins."""


@with_config(STRICT)
class DeliveryLine(From):
    """One record of a delivery, or a refusal."""

    delivery: Annotated[str | None, "our id; null where it was refused"]
    message: Annotated[str | None, "the platform's id"]
    times: int
    first: str
    last: str
    secret: str | None
    state: str
    record: str | None
    version: int | None
    outcome: str | None
    detail: str | None


@with_config(STRICT)
class WindowLine(Begin):
    """One maintenance window."""

    window: str
    until: str
    reason: str
    by: str


@with_config(STRICT)
class Found(TypedDict):
    """One thing that the doctor looked at."""

    check: Annotated[str, "settings, secrets, policy, calendar, documents, database, disk, platforms, webhooks or streams"]
    about: Annotated[str, "setting, platform, file or folder"]
    state: Annotated[str, "fine, warning, problem or skipped"]
    found: str
    cure: Annotated[str | None, "what to do"]


@with_config(STRICT)
class Report(TypedDict):
    """All that the doctor found."""

    healthy: Annotated[bool, "whether there is no problem"]
    findings: list[Found]


@with_config(STRICT)
class Head(TypedDict):
    """The last block that was sealed."""

    block: int
    hash: Annotated[str, "SM3, hex"]
    head: Annotated[str, "both, as `bihuan audit verify --head` takes them"]


@with_config(STRICT)
class NotAsSealed(TypedDict):
    """Something that is not as it was sealed."""

    block: int | None
    says: str


@with_config(STRICT)
class Checked(TypedDict):
    """What a check of the chain found."""

    blocks: int
    changes: int
    pruned: Annotated[int, "changes that were deleted by retention"]
    head: str | None
    differences: list[NotAsSealed]


@with_config(STRICT)
class Exported(TypedDict):
    """A file of the chain."""

    file: str
    changes: int
    head: str | None


@with_config(STRICT)
class Copied(TypedDict):
    """One table that was copied."""

    table: str
    rows: int
    digest: str


@with_config(STRICT)
class SchemaChange(TypedDict):
    """One change of the graph."""

    severity: Annotated[str, "breaking, dangerous or safe"]
    change: str
    what: str


@with_config(STRICT)
class Pruned(TypedDict, total=False):
    """One kind of what is kept for a time."""

    kind: str
    gone: Annotated[int, "without --dry-run"]
    would_go: Annotated[int, "with --dry-run"]


@with_config(STRICT)
class Upgraded(TypedDict):
    """The tables."""

    revision: str


@with_config(STRICT)
class BackedUp(TypedDict):
    """A backup."""

    file: str
    bytes: int


@with_config(STRICT)
class Marked(TypedDict):
    """What was marked after a restore."""

    looked_up_first: Annotated[int, "open obligations that are looked up before they are sent"]


@with_config(STRICT)
class Restored(Marked):
    """A backup in the place of the database."""

    database: str
    aside: Annotated[str | None, "what stood there"]


@with_config(STRICT)
class TombstonesSettled(Done):
    """What became of an item of the ops list."""

    settled: int
    waiting: Annotated[list[str], "what goes on by itself"]


SHAPES: dict[str, tuple[Any, ...]] = {
    "status": (list[PlatformLine],),
    "alerts": (list[AlertLine],),
    "doctor": (Report,),
    "sync": (list[StreamRead],),
    "reconcile": (Reconciled,),
    "replay": (Done, Difference),
    "backfill": (Difference,),
    "drift": (list[DriftReport], TombstonesSettled),
    "deliveries": (list[DeliveryLine],),
    "pause": (Done,),
    "resume": (Done,),
    "maintenance plan": (Done,),
    "maintenance cancel": (Done,),
    "maintenance list": (list[WindowLine],),
    "audit head": (Head,),
    "audit verify": (Checked,),
    "audit export": (Exported,),
    "db upgrade": (Upgraded,),
    "db prune": (list[Pruned],),
    "db copy": (list[Copied],),
    "db backup": (BackedUp,),
    "db restore": (Restored,),
    "db restored": (Marked,),
    "schema check": (list[SchemaChange],),
}
"""Command -> what it prints; the second where another option asks for something else (`--dry-run`, `--approve`)."""
