"""SOAP 1.1 around the grid platform's XML strings: one operation in, answers in the changing handwriting of its nodes out."""

import random
from html import escape
from typing import Final

import msgspec
from lxml import etree
from starlette.responses import Response

from mocks.grid_xml import BadXmlError, document, parsed

SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE: Final = "http://grid.gov/ws"


class Invocation(msgspec.Struct, frozen=True):
    """What an `invoke` carries; `xml` is the text after parsing, CDATA joined, untrimmed: the signature covers it."""

    method: str
    user: str
    time: str
    sign: str
    xml: str


def invocation(text: str) -> Invocation:
    """Return the one `invoke` of an envelope; raise BadXmlError for anything else."""
    root = parsed(text)
    invoke = root.find(f"{{{SOAP}}}Body/{{{SERVICE}}}invoke")
    if root.tag != f"{{{SOAP}}}Envelope" or invoke is None:
        raise BadXmlError(f"no soap:Envelope with soap:Body and invoke of {SERVICE}")
    values = {name: _text(invoke, name) for name in ("method", "user", "time", "sign")}
    return Invocation(**{name: value.strip() for name, value in values.items()}, xml=_text(invoke, "xml"))


def _text(invoke: etree._Element, name: str) -> str:
    child = invoke.find(name)
    if child is None:
        raise BadXmlError(f"<{name}> is missing in invoke")
    return "".join(str(part) for part in child.itertext())


def answer(inner: str, *, rng: random.Random, gbk_share: float) -> Response:
    """Return the envelope with an XML string as its `return`.

    Prefixes, CDATA or escaping, and the charset that is declared (GBK in a share of the answers) change from one to the next.
    """
    soap = rng.choice(("soap", "soapenv", "S", "SOAP-ENV"))
    text = _cdata(inner, rng) if rng.random() < 0.5 else escape(inner, quote=False)
    service = rng.choice(("ns", "ns2", "tns", ""))
    if service:
        invoke = f'<{service}:invokeResponse xmlns:{service}="{SERVICE}"><return>{text}</return></{service}:invokeResponse>'
    else:  # the child is unqualified all the same
        invoke = f'<invokeResponse xmlns="{SERVICE}"><return xmlns="">{text}</return></invokeResponse>'
    return _envelope(soap, invoke, status=200, charset=_charset(rng, gbk_share))


def fault(words: str, *, rng: random.Random, gbk_share: float) -> Response:
    """Return a SOAP Fault with HTTP 500: the node is down, and nobody says whether the call was carried out."""
    body = f"<soap:Fault><faultcode>soap:Server</faultcode><faultstring>{escape(words)}</faultstring></soap:Fault>"
    return _envelope("soap", body, status=500, charset=_charset(rng, gbk_share))


def _cdata(inner: str, rng: random.Random) -> str:
    # a node may begin a new section anywhere, and must where "]]>" stands
    middle = rng.randrange(len(inner) + 1)
    parts = [part.replace("]]>", "]]]]><![CDATA[>") for part in (inner[:middle], inner[middle:])]
    return "".join(f"<![CDATA[{part}]]>" for part in parts)


def _charset(rng: random.Random, gbk_share: float) -> str:
    return "GBK" if rng.random() < gbk_share else "GB18030"


def _envelope(prefix: str, body: str, *, status: int, charset: str) -> Response:
    text = f'<{prefix}:Envelope xmlns:{prefix}="{SOAP}"><{prefix}:Body>{body}</{prefix}:Body></{prefix}:Envelope>'
    return Response(document(text, charset), status, headers={"Content-Type": f"text/xml; charset={charset}"})
