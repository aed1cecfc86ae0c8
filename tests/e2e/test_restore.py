"""A hub on SQLite in real processes: backed up in use, killed later, put back as docs/backup.md says; nothing is doubled."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hub.mirror import ledger
from hub.mirror.database import SQLiteDatabase
from tests.e2e.city_life import BROKEN_PROMISE
from tests.e2e.eventually import eventually
from tests.e2e.hasty_clock import true_clock
from tests.e2e.processes import bihuan, quick, serves, start_bihuan
from tests.e2e.stage import Stage, staged

WITHIN = 120.0


async def test_what_platforms_did_since_the_backup_comes_back_and_is_not_done_again(tmp_path: Path) -> None:
    async with staged(tmp_path / "house", true_clock()) as stage:
        live, backup = stage.household.folder / "hub.db", tmp_path / "backup.db"
        settings = quick(stage, f"sqlite:///{live}")

        async def run(*arguments: str) -> str:
            command = await start_bihuan(*arguments, settings=settings, log=tmp_path / f"{arguments[-2]}.log")
            assert await command.process.wait() == 0, command.said
            return command.said

        async with bihuan("serve", settings=settings, log=tmp_path / "first.log") as first:
            await _called_at(stage, await serves(first))
            before = [stage.approval.grant(procedure="1") for _ in range(3)]
            await _checked(stage, before[:1])
            await run("db", "backup", str(backup))
            since = [stage.approval.grant(procedure="1") for _ in range(3)]
            await _checked(stage, [*before[1:], *since])
            await eventually(_all_closed, live, within=WITHIN, or_say="all closed before the restore")
            held = _held(stage)
            await first.kill()
        assert "is the backup now" in await run("db", "restore", str(backup))
        await run("sync", "--json")
        async with bihuan("serve", settings=settings, log=tmp_path / "second.log") as second:
            await _called_at(stage, await serves(second))
            await eventually(_all_closed, live, within=WITHIN, or_say="all closed after the restore")
            assert _held(stage) == held
            after = [stage.approval.grant(procedure="1")]
            await _checked(stage, after)
            await eventually(_all_closed, live, within=WITHIN, or_say="all closed in the end")
        serials = [*before, *since, *after]
        assert {serial: len(stage.tasks_for(serial)) for serial in serials} == dict.fromkeys(serials, 1)
        assert len(stage.credit.store.all("record")) == len(serials)
        assert stage.twins() == {}
        assert "nothing differs from what was sealed" in await run("audit", "verify")


async def _called_at(stage: Stage, address: str) -> None:
    for platform in stage.platforms:
        platform.set_hub(address)


async def _checked(stage: Stage, serials: Sequence[str]) -> None:
    """Let the checks of approvals find a broken promise, and its record come."""
    for serial in serials:
        (task,) = await eventually(stage.tasks_for, serial, within=WITHIN, or_say=f"the task of {serial}")
        stage.enforcement.finish(task["taskId"], BROKEN_PROMISE)
        await eventually(stage.records_for, task["taskId"], within=WITHIN, or_say=f"the record of {task['taskId']}")


async def _all_closed(path: Path) -> bool:
    database = SQLiteDatabase(str(path))
    try:
        counts = await database.read(ledger.backlog)
    finally:
        await database.close()
    return {state for _, state in counts} == {"CLOSED"}


def _held(stage: Stage) -> dict[str, object]:
    """Return what stands on the platforms, as numbers of ours and how often each stands there."""
    return {
        "tasks": Counter(task["externalNo"] for task in stage.enforcement.store.all("task").values()),
        "records": Counter(record["bizNo"] for record in stage.credit.store.all("record").values()),
        "blacklist": len(stage.approval.store.all("hmd")),
        "results": {no: record["HCJG"] for no, record in stage.approval.store.all("record").items()},
        "messages": len(stage.sms.store.all("message")),
        "lines": sorted(row["bizno"] for row in stage.selfgov.rows("zz_score")),
        "key subjects": len(stage.enforcement.store.all("key subject")),
    }
