"""SOAP, encoding and signatures of the mock grid platform; the literals were computed with iconv and openssl."""

import random
from collections.abc import AsyncIterator

import pytest

from mocks.grid_soap import answer, invocation
from mocks.grid_xml import BadXmlError, parsed, sign
from tests.unit.mocks.city_clock import CityClock
from tests.unit.mocks.grid_caller import GridCaller, Reply, returned


@pytest.fixture
async def call() -> AsyncIterator[GridCaller]:
    caller = GridCaller(CityClock())
    yield caller
    await caller.close()


def test_the_signature_is_what_iconv_and_openssl_compute() -> None:
    # (printf 'p@ss20190805090000'; iconv -f UTF-8 -t GB18030 x.xml) | openssl md5
    xml = "<request><no>YW20190805000123</no><handler>吴䶮</handler></request>"
    assert sign("p@ss", "20190805090000", xml.encode("gb18030")) == "7FC40DE2F18BC86FE8D91E1498EB0DCD"


async def test_a_wrong_password_or_an_unknown_user_is_code_2(call: GridCaller) -> None:
    request = "<request><day>20190815</day></request>"
    assert Reply(await call.raw("CountEvents", request)).code == 0
    assert Reply(await call.raw("CountEvents", request, password="other")).code == 2
    assert Reply(await call.raw("CountEvents", request, user="other")).code == 2


async def test_a_time_may_be_ten_minutes_off_and_not_more(call: GridCaller) -> None:
    request = "<request><day>20190815</day></request>"
    codes = [
        Reply(await call.raw("CountEvents", request, time=time)).code
        for time in ("20190815085000", "20190815091000", "20190815084959", "20190815091001", "2019-08-15")
    ]
    assert codes == [0, 0, 3, 3, 3]


async def test_the_signature_covers_the_text_with_its_cdata_joined(call: GridCaller) -> None:
    xml = "<request><day>20190815</day></request>"
    time = "20190815090000"
    good = sign("p@ss", time, xml.encode("gb18030"))
    parts = f"<![CDATA[{xml[:12]}]]><![CDATA[{xml[12:]}]]>"
    text = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><invoke xmlns="http://grid.gov/ws">'
        f'<method xmlns="">CountEvents</method><user xmlns="">hub</user><time xmlns="">{time}</time>'
        f'<sign xmlns="">{good}</sign><xml xmlns="">{parts}</xml></invoke></e:Body></e:Envelope>'
    )
    assert Reply(await call.post(text.encode("gb18030"))).code == 0


async def test_characters_that_only_gb18030_has_survive_in_a_document_that_declares_gbk(call: GridCaller) -> None:
    call = GridCaller(CityClock(), gbk_share=1.0)
    no = call.reported(title="金𬭎家门前", reporter="吴䶮")
    response = await call.raw("GetEvent", f"<request><no>{no}</no></request>", charset="GBK")
    assert response.headers["content-type"] == "text/xml; charset=GBK"
    assert response.content.startswith(b'<?xml version="1.0" encoding="GBK"?>')
    assert b"\xbd\xf0\x99\x33\xa9\x32" in response.content  # 金𬭎, as iconv writes it
    reply = Reply(response)
    assert (reply.value("event/title"), reply.value("event/reporter")) == ("金𬭎家门前", "吴䶮")
    await call.close()


def test_answers_change_their_prefixes_and_come_as_cdata_or_escaped() -> None:
    inner = "<response><code>0</code><message>a &amp; b ]]&gt; <![CDATA[x]]></message></response>"
    rng = random.Random(1)
    bodies = [bytes(answer(inner, rng=rng, gbk_share=0.5).body) for _ in range(100)]
    assert {returned(body) for body in bodies} == {inner}
    assert {b"<![CDATA[" in body.replace(b"&lt;![CDATA[", b"") for body in bodies} == {True, False}
    assert {body.split(b"<")[2].split(b":")[0] for body in bodies} == {b"soap", b"soapenv", b"S", b"SOAP-ENV"}
    assert any(b'<return xmlns="">' in body for body in bodies)
    assert any(b"<ns2:invokeResponse" in body for body in bodies)
    assert {body[30:37] for body in bodies} == {b'GBK"?>\n', b"GB18030"}


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
        '<?xml version="1.0"?><!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
        '<!DOCTYPE a [<!ENTITY x "xx"><!ENTITY y "&x;&x;">]><a>&y;</a>',
        "<a>",
        "",
    ],
)
def test_a_dtd_and_bad_xml_are_refused(document: str) -> None:
    with pytest.raises(BadXmlError):
        parsed(document)


async def test_what_is_no_envelope_is_code_1(call: GridCaller) -> None:
    for content in (b"", b"\xff\xff", b"<a/>", b"<!DOCTYPE a><a/>"):
        assert Reply(await call.post(content)).code == 1
    with pytest.raises(BadXmlError, match="<user> is missing"):
        invocation(
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
            '<i:invoke xmlns:i="http://grid.gov/ws"><method>GetEvent</method></i:invoke></s:Body></s:Envelope>'
        )


async def test_an_unknown_method_and_a_request_of_another_name_are_code_1(call: GridCaller) -> None:
    assert "'DropEvents'" in (await call("DropEvents")).message
    assert Reply(await call.raw("GetEvent", "<query><no>1</no></query>")).code == 1
    assert Reply(await call.raw("GetEvent", "<request>")).code == 1


async def test_a_node_that_is_down_answers_with_a_fault(call: GridCaller) -> None:
    call.platform.faults = call.platform.faults.changed({"outage": True})
    response = await call.raw("CountEvents", "<request><day>20190815</day></request>")
    assert response.status_code == 500
    assert b"<soap:Fault>" in response.content


async def test_random_errors_are_faults_or_busy_and_do_nothing(call: GridCaller) -> None:
    no = call.reported()
    call.platform.faults = call.platform.faults.changed({"error_rate": 1})
    request = f"<request><no>{no}</no><taskNo>RW1</taskNo><deptCode>JT</deptCode><time>20190815090000</time></request>"
    responses = [await call.raw("AcceptEvent", request) for _ in range(20)]
    assert {response.status_code for response in responses} == {200, 500}
    assert {Reply(response).code for response in responses if response.status_code == 200} == {9}
    assert call.platform.event(no)["status"] == "20"


async def test_a_fault_can_come_after_the_work_was_done() -> None:
    call = GridCaller(CityClock(), seed=1)
    no = call.reported()
    call.platform.faults = call.platform.faults.changed({"timeout_after_work": 1})
    request = f"<request><no>{no}</no><taskNo>RW1</taskNo><deptCode>JT</deptCode><time>20190815090000</time></request>"
    call.platform.rng.random = lambda: 0.1  # type: ignore[method-assign]  # the node faults; it does not hang
    assert (await call.raw("AcceptEvent", request)).status_code == 500
    assert call.platform.event(no)["status"] == "30"
    await call.close()
