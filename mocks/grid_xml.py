"""XML and signatures of the grid platform: bytes are GB18030 whatever they declare, and no DTD, entity or network is touched."""

import hashlib
import random
import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from lxml import etree

ENCODING: Final = "gb18030"
_DECLARATION: Final = re.compile(r"^\s*<\?xml[^>]*\?>")

Fields: TypeAlias = Mapping[str, object]


class BadXmlError(ValueError):
    """The text is no XML that this platform takes."""


def parsed(text: str) -> etree._Element:
    """Return the root of an XML text, with its declaration or without; raise BadXmlError for bad XML and for any DTD."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False)
    try:
        root = etree.fromstring(_DECLARATION.sub("", text, count=1), parser)
    except (etree.XMLSyntaxError, ValueError) as bad:
        raise BadXmlError(f"not well-formed: {bad}") from bad
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadXmlError("a document type declaration is an attack")
    return root


def decoded(body: bytes) -> str:
    """Return the text of a document; raise BadXmlError where the bytes are no GB18030."""
    try:
        return body.decode(ENCODING)
    except UnicodeDecodeError as bad:
        raise BadXmlError(f"not GB18030: {bad}") from bad


def document(text: str, charset: str) -> bytes:
    """Return the bytes of a document that declares a charset: they are GB18030 also where it declares GBK."""
    return f'<?xml version="1.0" encoding="{charset}"?>\n{text}'.encode(ENCODING)


def sign(password: str, time: str, content: bytes) -> str:
    """Return the upper-case hex MD5 of password, time and content in GB18030."""
    return hashlib.md5(password.encode(ENCODING) + time.encode(ENCODING) + content).hexdigest().upper()


def element(tag: str, fields: Fields, *, required: Sequence[str] = (), rng: random.Random | None = None) -> etree._Element:
    """Return an element with a child for each field.

    With `rng` an empty field that is not required is left out half of the time: callers must take both.
    """
    root = etree.Element(tag)
    for name, value in fields.items():
        text = "" if value is None else str(value)
        if rng is not None and not text and name not in required and rng.random() < 0.5:
            continue
        etree.SubElement(root, name).text = text or None
    return root


def written(root: etree._Element) -> str:
    """Return the element as text, without a declaration."""
    return etree.tostring(root, encoding="unicode")


def child_text(root: etree._Element, name: str) -> str:
    """Return the trimmed text of a child, CDATA joined; empty where it is absent."""
    child = root.find(name)
    return "" if child is None else "".join(str(part) for part in child.itertext()).strip()
