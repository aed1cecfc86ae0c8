"""Known personal numbers, a new one for each place where it is put, and the search for any trace of them."""

import base64
import hashlib
import random
from collections.abc import Iterator, Mapping

from mocks.people import make_identity_number


class KnownNumbers:
    """Gives out identity and telephone numbers and remembers where each was put."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._given: dict[str, str] = {}

    def identity(self, place: str) -> str:
        """Return a resident identity number."""
        return self._remember(make_identity_number(self._rng), place)

    def mobile(self, place: str) -> str:
        """Return a mobile number."""
        return self._remember(f"1{self._rng.choice('3578')}{self._rng.randrange(10**9):09d}", place)

    def landline(self, place: str) -> str:
        """Return a telephone number with Yiwu's area code."""
        return self._remember(f"0579-8{self._rng.randrange(10**7):07d}", place)

    def both(self, place: str, said: str = "联系") -> str:
        """Return a text with numbers of all kinds in it."""
        return f"{said}{self.mobile(place)}，座机{self.landline(place)}，身份证{self.identity(place)}。"

    def _remember(self, number: str, place: str) -> str:
        self._given[number] = place
        return number

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def found_in(self, haystacks: Mapping[str, bytes]) -> list[str]:
        """Return where a number stands, in clear, in another writing or as a hash that anybody can try out: always empty."""
        found = []
        for number, place in self._given.items():
            for form, needle in forms_of(number).items():
                found += [f"{place}: {form} in {name}" for name, content in haystacks.items() if needle in content]
        return found


def forms_of(number: str) -> dict[str, bytes]:
    """Return the writings of a number that must not be found anywhere, by name."""
    plain = number.encode()
    forms = {
        "clear": plain,
        "GB18030, full width": "".join(chr(ord(each) + 0xFEE0) for each in number).encode("gb18030"),
        "UTF-8, full width": "".join(chr(ord(each) + 0xFEE0) for each in number).encode(),
        "JSON, escaped": "".join(f"\\u{ord(each):04x}" for each in number).encode(),
        "UTF-16": number.encode("utf-16-le"),
        "hex": plain.hex().encode(),
    }
    for shift in range(3):
        # Of base64 the characters that hang on what stands around the number are left out.
        whole = base64.b64encode(b"\0" * shift + plain + b"\0" * 3)
        forms[f"base64, shifted by {shift}"] = whole[-(-shift * 8 // 6) : (shift + len(plain)) * 8 // 6]
    for name in ("md5", "sha1", "sha256", "sm3"):
        digest = hashlib.new(name, plain)
        forms[f"{name}, raw"], forms[f"{name}, hex"] = digest.digest(), digest.hexdigest().encode()
    return forms
