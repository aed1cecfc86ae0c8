"""Callbacks of the mock grid platform."""

import httpx
import pytest
from lxml import etree

from tests.unit.mocks.city_clock import CityClock
from tests.unit.mocks.grid_caller import CALLBACK_PASSWORD, GridCaller, md5

GOOD = "<response><code>0</code><message>ok</message></response>"

GBK = '<?xml version="1.0" encoding="GBK"?><response><more>好</more><code> 0 </code></response>'.encode("gbk")


class Hub:
    """Keeps what arrives; answers with the texts laid ready, then well."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.requests: list[httpx.Request] = []
        self.times: list[str] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answers.pop(0) if self._answers else httpx.Response(200, text=GOOD)

    @property
    def notes(self) -> list[etree._Element]:
        texts = [request.content.decode("gb18030") for request in self.requests]
        return [etree.fromstring(text[text.index("?>") + 2 :]) for text in texts]


async def test_each_change_of_an_event_is_told_and_signed() -> None:
    hub = Hub()
    call = GridCaller(CityClock(), hub, gbk_share=0.5)
    no = call.reported(reporter="吴䶮", title="金𬭎家门前")
    call.platform.edit(no, content="更新")
    await call.platform.callbacks.settled()
    first, second = hub.notes
    assert (first.findtext("type"), first.findtext("event/no"), first.findtext("event/reporter")) == ("EVENT", no, "吴䶮")
    assert (first.findtext("event/ver"), second.findtext("event/ver")) == ("1", "2")
    for request in hub.requests:
        assert str(request.url) == "http://hub/webhooks/grid"
        assert request.headers["X-Grid-User"] == "grid"
        assert request.headers["X-Grid-Sign"] == md5(CALLBACK_PASSWORD, request.headers["X-Grid-Time"], request.content)
        charset = request.headers["Content-Type"].partition("charset=")[2]
        assert request.content.startswith(f'<?xml version="1.0" encoding="{charset}"?>'.encode())
    await call.close()


async def test_a_coordination_is_told_under_its_own_type() -> None:
    hub = Hub()
    call = GridCaller(CityClock(), hub)
    await call("CreateCoordination", outNo="CD1", deptCode="JT", town="佛堂镇", category="JT-03", content="x")
    await call.platform.callbacks.settled()
    (note,) = hub.notes
    assert (note.findtext("type"), note.findtext("coordination/outNo")) == ("COORDINATION", "CD1")
    await call.close()


async def test_seven_deliveries_ten_minutes_apart_each_with_a_new_id_and_time() -> None:
    hub = Hub(*[httpx.Response(500)] * 20)
    call = GridCaller(CityClock(), hub)
    call.reported()
    await call.platform.callbacks.settled()
    assert len(hub.requests) == 7
    assert len({note.findtext("id") for note in hub.notes}) == 7
    assert [request.headers["X-Grid-Time"] for request in hub.requests] == [
        f"20190815{clock}00" for clock in ("0900", "0910", "0920", "0930", "0940", "0950", "1000")
    ]
    assert call.platform.counters["callbacks.given_up"] == 1
    await call.close()


@pytest.mark.parametrize(
    ("answer", "deliveries"),
    [
        (httpx.Response(200, text=GOOD), 1),
        (
            httpx.Response(
                200, content='<?xml version="1.0" encoding="GBK"?><response><m>好</m><code> 0 </code></response>'.encode("gbk")
            ),
            1,
        ),
        (httpx.Response(200, text="<response><code>1</code></response>"), 2),
        (httpx.Response(200, text="<answer><code>0</code></answer>"), 2),
        (httpx.Response(200, text="0"), 2),
        (httpx.Response(202, text=GOOD), 2),
    ],
)
async def test_only_code_0_with_200_acknowledges(answer: httpx.Response, deliveries: int) -> None:
    hub = Hub(answer)
    call = GridCaller(CityClock(), hub)
    call.reported()
    await call.platform.callbacks.settled()
    assert len(hub.requests) == deliveries
    await call.close()
