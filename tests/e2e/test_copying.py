"""An embedded hub that a morning in the city filled moves up to PostgreSQL and goes on there: nothing missing, nothing doubled."""

from hub.mirror import ledger
from hub.mirror.copying import copy_database
from tests.e2e.city_life import all_closed, assert_guaranteed, begin, obligations_of, officers_work
from tests.e2e.eventually import eventually
from tests.e2e.stage import Stage
from tests.servers import PostgreSQLServer


async def test_a_deployment_moves_up_in_the_middle_of_the_morning(stage: Stage, postgresql: PostgreSQLServer) -> None:
    async with stage.hub() as embedded:
        morning = begin(stage)
        await eventually(lambda: len(stage.enforcement.store.all("task")) >= 2, within=240, or_say="the first tasks")
        source = embedded.hub.settings.hub.database_url
    made = len(stage.enforcement.store.all("task"))
    async with postgresql.fresh("template1") as url:
        copied = await copy_database(source, url)
        assert copied["obligation"].rows > 0
        async with stage.hub(DATABASE_URL=url) as moved:
            assert await moved.hub.database.read(ledger.backlog)
            await officers_work(stage, morning, within=300)
            await all_closed(moved, obligations_of(morning), within=300)
    assert made <= len(morning.refs)
    assert_guaranteed(stage, morning)
