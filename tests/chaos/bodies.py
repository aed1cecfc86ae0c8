"""Bodies of webhooks that nobody expects: samples of all platforms with something wrong in them, and things that are none."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st

WIRE = Path(__file__).parents[1] / "wire"
PLATFORMS = ("approval", "credit", "enforcement", "grid", "sms")
WRONG = (
    b"\x00",
    b"\\u0000",
    b"\xff\xfe",
    b"\\ud800",
    b"\x84\x31\xa4\x37",  # a character that GB18030 alone has
    b"null",
    b"-1",
    b"1e999",
    b"NaN",
    b"9" * 25,
    b"[" * 3000,
    b'{"a":' * 3000,
    b"<a>" * 500,
    b"<!DOCTYPE x [<!ENTITY y 'z'>]>",
    b"&y;",
    b"]]>",
    b"\r\n\r\n",
    "９１３３０７８２ＭＡ２８".encode(),
    "一".encode() * 3000,
    b"2019-02-30T25:61:61+99:99",
    b"0000-00-00",
    b"%00",
    b"&status=X&status=Y",
)
ODD_VALUES: tuple[Any, ...] = (None, True, 0, -1, 2**63, 2**64, 1e308, "", " ", "\x00", "x" * 5000, "𬭎", [], {}, [[]], {"a": None})


class Unexpected(NamedTuple):
    """One webhook: whose it says it is, its body, and how it is signed: signed, tampered, headers (with these laid over)."""

    platform: str
    body: bytes
    how: str
    headers: dict[str, str]


def _samples() -> dict[str, list[bytes]]:
    found = {name: [path.read_bytes() for path in sorted((WIRE / name).iterdir())] for name in PLATFORMS}
    return {name: [b"", *samples] for name, samples in found.items()}


SAMPLES = _samples()
HEADER_NAMES = ("Content-Type", "X-Timestamp", "webhook-timestamp", "webhook-signature", "x-bg-date", "X-Grid-Time", "X-Sign")


@st.composite
def unexpected(draw: st.DrawFn) -> Unexpected:
    """Draw one."""
    platform = draw(st.sampled_from((*PLATFORMS * 4, "selfgov", "taxes")))
    sample = draw(st.sampled_from(SAMPLES.get(platform, [b"{}"])))
    body = draw(st.one_of(cut(sample), cut(sample), revalued(sample), st.binary(max_size=200), some_json()))
    how = draw(st.sampled_from(("signed",) * 6 + ("tampered", "headers")))
    headers = draw(st.dictionaries(st.sampled_from(HEADER_NAMES), odd_header(), max_size=2)) if how == "headers" else {}
    return Unexpected(platform, body, how, headers)


@st.composite
def cut(draw: st.DrawFn, sample: bytes) -> bytes:
    """Draw a sample with up to five places changed: something wrong put in, a piece taken out or doubled, a byte flipped."""
    body = bytearray(sample)
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(body)))
        length = draw(st.integers(0, 40))
        kind = draw(st.integers(0, 3))
        if kind == 0:
            body[at:at] = draw(st.sampled_from(WRONG))
        elif kind == 1:
            del body[at : at + length]
        elif kind == 2:
            body[at:at] = body[at : at + length]
        elif at < len(body):
            body[at] ^= 1 << draw(st.integers(0, 7))
    return bytes(body)


@st.composite
def revalued(draw: st.DrawFn, sample: bytes) -> bytes:
    """Draw a JSON sample in which one value is another one; what is no JSON is changed as bytes."""
    try:
        told = json.loads(sample)
    except (UnicodeDecodeError, ValueError):
        return draw(cut(sample))
    places = list(_places(told))
    if not places:
        return sample
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from(places))
        holder[key] = draw(st.sampled_from(ODD_VALUES))
    return json.dumps(told, ensure_ascii=draw(st.booleans())).encode(errors="surrogatepass")


def _places(told: Any) -> Any:
    for key, value in told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ():
        yield told, key
        yield from _places(value)


def some_json() -> st.SearchStrategy[bytes]:
    """Return a strategy of any JSON."""
    plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    nested = st.recursive(
        plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    )
    return nested.map(lambda told: json.dumps(told).encode())


def odd_header() -> st.SearchStrategy[str]:
    """Return a strategy of header values that HTTP lets through."""
    odd = st.sampled_from(("", "9" * 40, "-1", "Thu, 30 Feb 2019 25:00:00 GMT"))
    return odd | st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=40)
