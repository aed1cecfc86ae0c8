"""SOAP 1.1 with an XML string inside, in GB18030: envelopes out, answers in. Knows no platform and sends nothing.

XML is read without DTDs, entities or network. The bytes are always GB18030, whatever a document declares: its declaration
is taken off after decoding, so that no parser believes it.
"""

import re
from typing import Final

from lxml import etree

ENCODING: Final = "gb18030"
CONTENT_TYPE: Final = "text/xml; charset=GB18030"
DAMAGED: Final = "\ufdd0"
"""Stands where bytes were no GB18030 or no character of XML: a noncharacter of Unicode, which no sender can mean."""

_SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*\?>")
# Atomic and possessive: what stands before the root element is read once, whatever an attacker puts there.
_DOCTYPE = re.compile(r"(?>\s+|<!--.*?-->|<\?.*?\?>)*+<!DOCTYPE", re.DOTALL)
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")


class XmlError(ValueError):
    """A document that cannot be used; `reason` is NOT_XML or DTD_FORBIDDEN. The message shows nothing of its content."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class SoapFaultError(Exception):
    """The node answered with a SOAP Fault: it is down, and the call may or may not have been carried out."""


def decode(raw: bytes) -> str:
    """Return the text of a document; what is not valid in it becomes DAMAGED, so that one bad record spoils no other."""
    return _NO_XML.sub(DAMAGED, raw.decode(ENCODING, "surrogateescape").removeprefix("\ufeff"))


def parse(document: str) -> etree._Element:
    """Return the root of a decoded document, its declaration ignored; raise XmlError."""
    declaration = _DECLARATION.match(document)
    content = document[declaration.end() :] if declaration else document
    if _DOCTYPE.match(content):
        raise XmlError("DTD_FORBIDDEN", "the document carries a DTD")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content.lstrip(), parser)
    except etree.XMLSyntaxError as error:
        raise XmlError("NOT_XML", f"not well-formed in line {error.lineno}, column {error.offset}") from None
    except ValueError:  # lxml takes no text that begins like a declaration, and ours is cut off already
        raise XmlError("NOT_XML", "the declaration is not well-formed") from None
    if root.getroottree().docinfo.internalDTD is not None:  # a second lock: the text above is all that libxml2 saw
        raise XmlError("DTD_FORBIDDEN", "the document carries a DTD")
    return root


def name_of(element: etree._Element) -> str:
    """Return an element's name without namespace: prefixes are free."""
    return etree.QName(element).localname


def child(element: etree._Element, name: str) -> etree._Element | None:
    """Return the first child of that name, whatever its namespace."""
    return next((each for each in element if name_of(each) == name), None)


def text_of(element: etree._Element | None) -> str:
    """Return all text in an element, CDATA joined; "" where there is no element."""
    return "" if element is None else "".join(map(str, element.itertext()))


def written(element: etree._Element) -> bytes:
    """Return an element as bytes of the wire, without declaration."""
    return etree.tostring(element, encoding="unicode", with_tail=False).encode(ENCODING, "replace")


def build(name: str, children: dict[str, str | etree._Element]) -> etree._Element:
    """Return an element with children in the order given; characters that XML cannot carry become spaces."""
    parent = etree.Element(name)
    for child_name, content in children.items():
        if isinstance(content, str):
            etree.SubElement(parent, child_name).text = carriable(content)
        else:
            parent.append(content)
    return parent


def carriable(content: str) -> str:
    """Return text that XML can carry: control characters and the like become spaces."""
    return _NO_XML.sub(" ", content)


def envelope(namespace: str, operation: str, parts: dict[str, str], cdata: tuple[str, str]) -> bytes:
    """Return a SOAP 1.1 document: the operation's element with unqualified parts, and last one whose text is CDATA."""
    root = etree.Element(f"{{{_SOAP}}}Envelope", nsmap={"soap": _SOAP})
    body = etree.SubElement(root, f"{{{_SOAP}}}Body")
    call = etree.SubElement(body, f"{{{namespace}}}{operation}", nsmap={"ns": namespace})
    for name, content in parts.items():
        etree.SubElement(call, name).text = content
    name, content = cdata
    etree.SubElement(call, name).text = etree.CDATA(content)
    document = '<?xml version="1.0" encoding="GB18030"?>\n' + etree.tostring(root, encoding="unicode")
    return document.encode(ENCODING)


def returned(raw: bytes) -> str:
    """Return the XML string in the answer's `<return>`; raise SoapFaultError for a Fault, XmlError for anything else."""
    root = parse(decode(raw))
    body = child(root, "Body") if name_of(root) == "Envelope" else None
    if body is None:
        raise XmlError("NOT_XML", "the answer is no SOAP envelope with a Body")
    if child(body, "Fault") is not None:
        raise SoapFaultError("SOAP Fault")
    answer = next((found for each in body if (found := child(each, "return")) is not None), None)
    if answer is None:
        raise XmlError("NOT_XML", "the answer has no <return>")
    return text_of(answer)
