"""Over a real connection: who sees some rows only is told of their changes, and of no others."""

from hub.access.application_keys import ApplicationKey, Keyring, hash_key
from hub.mirror.database import Database
from hub.mirror.rows import Rows
from schema.row_limits import RowLimits
from tests.builders import credit_record, repair, task
from tests.unit.web.subscribers import KEYS, Graph, client

D1 = ApplicationKey("d1", hash_key("k-d1"), frozenset({"graph:read"}), RowLimits(frozenset({"D1"})))
CHANGES = """subscription($after: String) { recordChanges(types: [CREDIT_RECORD, REPAIR, VERIFICATION_TASK], after: $after) {
    cursor key record { id ... on Repair { record { recordId } } } } }"""
MINE = credit_record(record_id="mine", biz_no="B1", department_code="D1")
OTHER = credit_record(record_id="other", biz_no="B2", department_code="D2")
REPAIRS = [repair(repair_id=f"of-{one}", biz_no=f"R{one}", record_id=one) for one in ("mine", "other", "nothing")]
TASKS = [
    task(task_id="led", department_code="D1"),
    task(task_id="joint", department_code="D2", participants=("D3", "D1")),
    task(task_id="elsewhere", department_code="D2", participants=("D3",)),
]


async def test_a_department_is_told_of_its_rows_of_what_hangs_on_them_and_of_checks_in_which_it_takes_part(
    database: Database, rows: Rows
) -> None:
    graph = Graph(database, rows, keyring=Keyring((*KEYS, D1)))
    await graph.say(credit_record(record_id="first", biz_no="B0", department_code="D1"))
    async with graph.served(), client(graph.address) as limited, client(graph.address) as whole:
        for one, key in ((whole, "k-app"), (limited, "k-d1")):
            await one.greet(key)
            await one.subscribe(CHANGES, after=None)
            await one.say(type="ping")
            assert await one.hear() == {"type": "pong"}
        while graph.feeds.listeners < 2:
            await graph.say()
        await graph.say(MINE, OTHER)
        await graph.say(*REPAIRS)
        await graph.say(*TASKS)
        heard = [await whole.event("recordChanges") for _ in range(8)]
        assert {each["key"] for each in heard} >= {"mine", "other", "of-other", "of-nothing", "elsewhere"}
        told = [await limited.event("recordChanges") for _ in range(4)]
        assert {each["key"] for each in told} == {"mine", "of-mine", "led", "joint"}
        (of_mine,) = (each["record"] for each in told if each["key"] == "of-mine")
        assert of_mine["record"] == {"recordId": "mine"}
        await graph.say(credit_record(record_id="last", biz_no="B9", department_code="D1"))
        assert (await limited.event("recordChanges"))["key"] == "last", "nothing else was told in between"
