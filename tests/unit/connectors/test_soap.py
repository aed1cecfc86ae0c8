"""SOAP and XML: nothing is believed that a document says about itself."""

from xml.etree import ElementTree

import pytest
from lxml import etree

from connectors.soap import DAMAGED, SoapFaultError, XmlError, build, decode, envelope, parse, returned, text_of, written
from tests.contract.cases import WIRE

GRID = WIRE / "grid"


def soap(inside: str) -> bytes:
    """Return an answer whose `<return>` holds the text as CDATA."""
    return (
        '<?xml version="1.0" encoding="GB18030"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<n:invokeResponse xmlns:n="http://grid.gov/ws"><return><![CDATA[{inside}]]></return></n:invokeResponse>'
        "</s:Body></s:Envelope>"
    ).encode("gb18030")


@pytest.mark.parametrize("declared", ["GBK", "gb2312", "GB18030", "utf-8"])
def test_bytes_are_gb18030_whatever_a_document_declares(declared: str) -> None:
    raw = f'<?xml version="1.0" encoding="{declared}"?><name>楼䶮、𬭎</name>'.encode("gb18030")

    assert text_of(parse(decode(raw))) == "楼䶮、𬭎"


def test_a_document_may_begin_with_a_byte_order_mark_and_blanks() -> None:
    assert text_of(parse(decode(b"\x84\x31\x95\x33 \n<?xml version='1.0' encoding='GBK' standalone='yes'?><a>x</a>"))) == "x"


@pytest.mark.parametrize(
    "before",
    [
        "<!DOCTYPE a>",
        '<!DOCTYPE a [<!ENTITY x "y">]>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
        "<!-- - -->\n<?pi x?><!DOCTYPE a>",
        '<?xml version="1.0" encoding="GBK"?>\n<!DOCTYPE a>',
    ],
)
def test_a_dtd_is_refused_wherever_it_hides(before: str) -> None:
    with pytest.raises(XmlError) as refused:
        parse(before + "<a/>")

    assert refused.value.reason == "DTD_FORBIDDEN"


def test_a_long_prolog_is_read_in_one_go() -> None:
    assert text_of(parse("<!-- -->" * 20_000 + "<a>x</a>")) == "x"


def test_words_that_look_like_a_dtd_are_text_inside_a_record() -> None:
    assert text_of(parse("<a><![CDATA[<!DOCTYPE a>]]></a>")) == "<!DOCTYPE a>"


def test_an_entity_is_never_expanded() -> None:
    with pytest.raises(XmlError) as refused:
        parse("<a>&x;</a>")

    assert refused.value.reason == "NOT_XML"


@pytest.mark.parametrize("spoiled", [b"\xc2", b"\x99\x33\xa9", b"\x0b", b"\xff", b"\x84\x31\xa4\x39"])
def test_what_is_no_text_spoils_only_the_place_where_it_stands(spoiled: bytes) -> None:
    root = parse(decode(b"<a><b>" + spoiled + b"</b><c>" + "䶮".encode("gb18030") + b"</c></a>"))

    assert DAMAGED in text_of(root[0])
    assert text_of(root[1]) == "䶮"


def test_an_envelope_reads_back_elsewhere_as_it_was_meant() -> None:
    xml = etree.tostring(build("request", {"opinion": "清除]]>了 <杂草> & 𬭎\r\n"}), encoding="unicode")

    raw = envelope("http://grid.gov/ws", "invoke", {"method": "FeedbackEvent", "user": "a<b"}, ("xml", xml))

    assert raw.startswith(b'<?xml version="1.0" encoding="GB18030"?>')
    # The standard library's parser knows no GB18030, so that it gets the text.
    root = ElementTree.fromstring(raw.decode("gb18030").partition("?>")[2])  # noqa: S314  (our own document)
    call = root.find("{http://schemas.xmlsoap.org/soap/envelope/}Body/{http://grid.gov/ws}invoke")
    assert call is not None
    assert [each.tag for each in call] == ["method", "user", "xml"]
    assert [each.text for each in call] == ["FeedbackEvent", "a<b", xml]
    inner = ElementTree.fromstring(xml)  # noqa: S314  (our own document)
    assert inner.findtext("opinion") == "清除]]>了 <杂草> & 𬭎\r\n"


def test_characters_that_xml_cannot_carry_become_spaces() -> None:
    assert written(build("a", {"b": "x\x00y\x0bz\ud800"})) == b"<a><b>x y z </b></a>"


@pytest.mark.parametrize("file", ["query_events.xml", "get_event.xml"])
def test_an_answer_is_found_as_cdata_and_escaped_under_any_prefix(file: str) -> None:
    answer = parse(returned((GRID / file).read_bytes()))

    assert answer.findtext("code") == "0"
    assert answer.findtext("data/event/reporter") == "楼䶮"


def test_a_fault_is_told_apart() -> None:
    with pytest.raises(SoapFaultError):
        returned((GRID / "fault.xml").read_bytes())


@pytest.mark.parametrize("raw", [b"", b"<html><body>502</body></html>", b"<a>", soap("x").replace(b"return>", b"result>")])
def test_anything_else_is_no_answer(raw: bytes) -> None:
    with pytest.raises(XmlError):
        returned(raw)


def test_a_dtd_around_an_answer_is_refused() -> None:
    with pytest.raises(XmlError) as refused:
        returned(soap("<response/>").replace(b"<s:Envelope", b"<!DOCTYPE x><s:Envelope", 1))

    assert refused.value.reason == "DTD_FORBIDDEN"
