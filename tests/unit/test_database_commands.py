"""`bihuan db backup`, `restore`, `restored` and `prune` on an embedded database."""

import json
from pathlib import Path

from hub.demo_household import Household
from hub.mirror.database import SQLiteDatabase
from hub.mirror.rows import Rows
from hub.mirror.sealing import Seals
from schema.entities import DeliveryState
from tests.builders import delivery
from tests.command_line import Bihuan
from tests.servers import elsewhere
from tests.unit.test_keeping import put


def test_a_backup_is_put_back_and_the_audit_says_so(bihuan: Bihuan, household: Household, tmp_path: Path) -> None:
    assert bihuan("db", "upgrade").exit_code == 0
    backup = tmp_path / "backup.db"
    assert bihuan("db", "backup", str(backup)).exit_code == 0
    refused = bihuan("db", "backup", str(backup))
    assert (refused.exit_code, "exists already" in refused.stderr) == (1, True)
    told = bihuan("db", "restore", str(backup))
    assert told.exit_code == 0, told.output
    assert "is the backup now" in told.stdout
    assert "0 open obligations are looked up before they are sent" in told.stdout
    assert [path.name for path in household.folder.glob("hub.db.before-*")]
    assert bihuan("audit", "verify").exit_code == 0


def test_a_server_is_copied_by_its_own_tools(bihuan: Bihuan, tmp_path: Path) -> None:
    refused = bihuan("db", "backup", str(tmp_path / "backup.db"), HUB_DATABASE_URL="postgresql://hub@db.invalid/hub")
    assert (refused.exit_code, "pg_basebackup" in refused.stderr) == (2, True)
    assert not (tmp_path / "backup.db").exists()


def test_a_dry_run_of_prune_counts_and_removes_nothing(bihuan: Bihuan, household: Household) -> None:
    bihuan("db", "upgrade")

    async def fill() -> None:
        database = SQLiteDatabase(str(household.folder / "hub.db"))
        rows = Rows(Seals([("test", bytes(32))], b"a join key for tests"))
        await put(database, rows, delivery(state=DeliveryState.APPLIED))
        await database.close()

    elsewhere(fill())
    for _ in range(2):
        told = json.loads(bihuan("db", "prune", "--dry-run", "--json").stdout)
        assert {"kind": "deliveries", "would_go": 1} in told
    assert {"kind": "deliveries", "gone": 1} in json.loads(bihuan("db", "prune", "--json").stdout)
    assert {"kind": "deliveries", "gone": 0} in json.loads(bihuan("db", "prune", "--json").stdout)
