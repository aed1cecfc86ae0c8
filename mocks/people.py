"""Made-up subjects of a city: companies, individual businesses and natural persons with numbers whose check digits are right.

The mocks check the numbers that reach them with these functions, and the city (city.py) takes its inhabitants from `subjects`.
Nothing here belongs to a living person or an existing company: names, numbers and addresses come from a random source passed in.
"""

import random
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

import msgspec

from mocks.reference import TOWNS

USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
ORGANISATION_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
IDENTITY_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
YIWU: Final = "330782"
FORMER_YIWU: Final = "330725"

_SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN: Final = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂"
# Real characters of people's names outside GBK: U+4DAE is in GB18030's four-byte part, U+2CB4E outside the basic plane.
_RARE: Final = "䶮𬭎"
_TRADES: Final = ("面馆", "小商品商行", "印刷厂", "宾馆", "培训学校", "物流园", "五金店", "超市", "服饰店", "餐饮店")
_SUFFIXES: Final = ("贸易有限公司", "印务有限公司", "酒店管理有限公司", "教育咨询有限公司", "物流有限公司", "食品有限公司")
_IDENTITY: Final = re.compile(r"^\d{17}[\dX]$", re.ASCII)
_OLD_NUMBER: Final = re.compile(r"^\d{15}$", re.ASCII)


class Subject(msgspec.Struct, frozen=True):
    """One subject; `kind` is SQRLX: "1" legal person, "2" natural person, "3" individual business.

    `uscc` is set for kinds 1 and 3, `identity_number` for kind 2. `old_number` marks an old firm: its approvals name
    only these 15 digits.
    """

    kind: str
    name: str
    uscc: str | None = None
    identity_number: str | None = None
    old_number: str | None = None
    representative: str | None = None
    representative_number: str | None = None
    telephone: str | None = None
    address: str = ""

    @property
    def code(self) -> str:
        """Return the number that names the subject: its USCC, or the identity number of a natural person."""
        code = self.uscc or self.identity_number
        if code is None:
            raise ValueError(f"subject {self.name!r} has neither uscc nor identity_number: give it one")
        return code


def organisation_check_digit(body: str) -> str:
    """Return the mod-11 check digit of eight characters of an organisation code (GB 11714)."""
    total = sum(
        ORGANISATION_ALPHABET.index(character) * weight for character, weight in zip(body, ORGANISATION_WEIGHTS, strict=True)
    )
    return "0123456789X0"[11 - total % 11]


def uscc_check_digit(body: str) -> str:
    """Return the check digit of the first 17 characters of a unified social credit code (GB 32100-2015)."""
    total = sum(USCC_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(body))
    return USCC_ALPHABET[(31 - total % 31) % 31]


def is_uscc(text: str) -> bool:
    """Tell whether text is a unified social credit code with both check digits right; any first character is accepted."""
    if len(text) != 18 or any(character not in USCC_ALPHABET for character in text):
        return False
    return text[16] == organisation_check_digit(text[8:16]) and text[17] == uscc_check_digit(text[:17])


def identity_check_digit(body: str) -> str:
    """Return the check digit of the first 17 digits of a resident identity number (GB 11643-1999)."""
    return "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, IDENTITY_WEIGHTS, strict=True)) % 11]


def is_identity_number(text: str) -> bool:
    """Tell whether text is a resident identity number with a real birthday and the right check digit, upper-case X."""
    if not _IDENTITY.match(text):
        return False
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    return text[17] == identity_check_digit(text[:17])


def is_old_number(text: str) -> bool:
    """Tell whether text has the shape of an old registration number: 15 digits."""
    return _OLD_NUMBER.match(text) is not None


def make_uscc(rng: random.Random, *, kind: str = "1", region: str = YIWU) -> str:
    """Return a valid unified social credit code: 91... for a company, 92... for an individual business (kind 3)."""
    while True:
        body = "".join(rng.choice(USCC_ALPHABET) for _ in range(8))
        head = ("92" if kind == "3" else "91") + region + body + organisation_check_digit(body)
        code = head + uscc_check_digit(head)
        if not is_identity_number(code):  # a code of digits only must not also read as an identity number
            return code


def make_identity_number(rng: random.Random, *, region: str | None = None) -> str:
    """Return a valid resident identity number; without a region one in five carries Yiwu's former 330725."""
    birthday = date(1955, 1, 1) + timedelta(days=rng.randrange(365 * 45))
    place = region or (FORMER_YIWU if rng.random() < 0.2 else YIWU)
    body = f"{place}{birthday:%Y%m%d}{rng.randrange(1000):03d}"
    return body + identity_check_digit(body)


def make_old_number(rng: random.Random) -> str:
    """Return an old registration number: region, eight digits and the mod-11,10 check digit (GS 15-2006)."""
    body = f"{YIWU}{rng.randrange(10**8):08d}"
    carry = 10
    for digit in body:
        carry = ((carry + int(digit)) % 10 or 10) * 2 % 11
    return f"{body}{(11 - carry) % 10}"


def person_name(rng: random.Random) -> str:
    """Return a person's name; one in twelve holds a character that GBK cannot write."""
    given = rng.choice(_RARE) if rng.random() < 1 / 12 else rng.choice(_GIVEN) + rng.choice(["", rng.choice(_GIVEN)])
    return rng.choice(_SURNAMES) + given


def _company_name(rng: random.Random, kind: str) -> str:
    rare = rng.choice(_RARE) if rng.random() < 1 / 12 else ""
    stem = f"{rare}{rng.choice(_GIVEN)}{rng.choice(_GIVEN)}"
    return f"义乌市{stem}{rng.choice(_SUFFIXES)}" if kind == "1" else f"义乌市{stem}{rng.choice(_TRADES)}"


def _address(rng: random.Random) -> str:
    return f"义乌市{rng.choice(TOWNS)}{rng.choice(_GIVEN)}{rng.choice(_GIVEN)}路{rng.randrange(1, 400)}号"


def make_subject(rng: random.Random, kind: str, *, old: bool = False) -> Subject:
    """Return a new subject of that kind (SQRLX); an old one (kinds 1 and 3) also has its 15-digit number."""
    telephone = f"1{rng.choice('3578')}{rng.randrange(10**9):09d}" if rng.random() < 0.9 else None
    if kind == "2":
        name, number = person_name(rng), make_identity_number(rng)
        return Subject("2", name, identity_number=number, telephone=telephone, address=_address(rng))
    return Subject(
        kind=kind,
        name=_company_name(rng, kind),
        uscc=make_uscc(rng, kind=kind),
        old_number=make_old_number(rng) if old else None,
        representative=person_name(rng),
        representative_number=make_identity_number(rng),
        telephone=telephone,
        address=_address(rng),
    )


def subjects(rng: random.Random) -> Iterator[Subject]:
    """Yield subjects without end, no number twice: of ten 5 companies, 3 businesses, 2 persons; one firm in 12 is old."""
    seen: set[str] = set()
    while True:
        kind = rng.choices("132", weights=(5, 3, 2))[0]
        subject = make_subject(rng, kind, old=kind != "2" and rng.random() < 1 / 12)
        numbers = {number for number in (subject.uscc, subject.identity_number, subject.old_number) if number}
        if not numbers & seen:
            seen |= numbers
            yield subject
