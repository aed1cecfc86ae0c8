"""The numbers that name subjects and our own writings: unified social credit codes, identity numbers, old registration
numbers, keyed RID codes and outgoing numbers; and how personal numbers are masked.

Connectors call the parsers while they parse, rules and connectors ask for RID codes and outgoing numbers, and whatever
shows or logs text goes through the masks. Nothing here reads a clock, a setting or a list of region codes.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable
from datetime import date

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015: no I O S V Z
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714-1997
_IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
_IDENTITY_CHECKS = "10X98765432"
_OUTGOING_LENGTH = 64  # enforcement.md: externalNo; credit.md: bizNo
_RECORD_NUMBER_AT_MOST = 128


class IdentifierError(ValueError):
    """A number that is not what it claims to be. Its message never holds a clear identity number."""


class Sm3Missing(RuntimeError):
    """This Python's OpenSSL offers no SM3, so that no RID code and no platform signature can be made."""


# --- Unified social credit code (统一社会信用代码) -------------------------------------------------------------------


def organisation_check_character(body: str) -> str:
    """Return the check character of an organisation code's eight characters (GB 11714-1997, mod 11)."""
    total = sum(int(character, 36) * weight for character, weight in zip(body, _ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X"[-total % 11]


def uscc_check_character(first17: str) -> str:
    """Return the check character of a code's first seventeen characters (GB 32100-2015, weights 3^i mod 31)."""
    total = sum(USCC_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(first17))
    return USCC_ALPHABET[-total % 31]


def parse_uscc(text: str) -> str:
    """Return the 18-character code in upper case, surrounding blanks removed.

    Both check characters must hold (GB 32100-2015 and, for the organisation part, GB 11714-1997). Any first character is
    taken: 1 5 9 Y A N and others are in real use. Raise IdentifierError otherwise; a wrong code is never mended.
    """
    code = text.strip().upper() if text.isascii() else text
    if len(code) != 18:
        raise IdentifierError(f"unified social credit code {_offender(text)}: has {len(code)} characters; it needs 18")
    strange = sorted(set(code) - set(USCC_ALPHABET))
    if strange:
        raise IdentifierError(
            f"unified social credit code {_offender(text)}: {' '.join(strange)} cannot stand in it (GB 32100: no I O S V Z)"
        )
    if code[16] != organisation_check_character(code[8:16]):
        raise IdentifierError(
            f"unified social credit code {_offender(text)}: character 17, the organisation's check character, is wrong"
        )
    if code[17] != uscc_check_character(code[:17]):
        raise IdentifierError(f"unified social credit code {_offender(text)}: the last character, its check character, is wrong")
    return code


def canonical_identifier(text: str) -> str:
    """Return an identifier as it is kept: a USCC in upper case, all without surrounding blanks; nothing else is changed."""
    return parse_uscc(text) if is_uscc(text) else text.strip()


def is_uscc(text: str) -> bool:
    """Return whether parse_uscc would take the text."""
    return _holds(parse_uscc, text)


_RID = re.compile(r"RID-[0-9a-f]{64}")


def is_rid(text: str) -> bool:
    """Return whether the text has the shape of a person's RID code (credit.md, Subjects)."""
    return _RID.fullmatch(text) is not None


def parse_subject_code(text: str) -> str:
    """Return the code of a subject, a USCC as `parse_uscc` gives it or a RID code; raise IdentifierError otherwise."""
    code = text.strip()
    if is_identity(code):
        raise IdentifierError(f"subject {mask_identity(code)} is an identity number; a person goes by the RID code")
    return code if is_rid(code) else parse_uscc(code)


def is_subject_code(text: str) -> bool:
    """Return whether the text is a subject's code just as platforms write it: a USCC, or a RID code; no other number."""
    return _holds(parse_subject_code, text) and parse_subject_code(text) == text


def is_record_number(text: str) -> bool:
    """Return whether a platform's own number of a record can look so: printable, without blanks, and nobody's identity number."""
    return 1 <= len(text) <= _RECORD_NUMBER_AT_MOST and text.isprintable() and " " not in text and not is_identity(text)


# --- Resident identity number (公民身份号码) and the old registration number (工商注册号) -----------------------------


def identity_check_character(first17: str) -> str:
    """Return the check character of an identity number's first seventeen digits (GB 11643-1999)."""
    total = sum(int(digit) * weight for digit, weight in zip(first17, _IDENTITY_WEIGHTS, strict=True))
    return _IDENTITY_CHECKS[total % 11]


def parse_identity(text: str) -> str:
    """Return the 18-character identity number with an upper-case X, surrounding blanks removed.

    Checked are shape, birth date (1800 to 2099) and check character (GB 11643-1999). Region codes are not looked up: former
    ones such as 330725 live on in real numbers. Raise IdentifierError otherwise, showing the number masked.
    """
    number = text.strip().upper() if text.isascii() else text
    if not re.fullmatch(r"[1-9][0-9]{16}[0-9X]", number):
        raise IdentifierError(f"identity number {mask_identity(number)}: needs 17 digits and a digit or X (GB 11643)")
    if not _is_birth_date(number[6:14]):
        raise IdentifierError(f"identity number {mask_identity(number)}: characters 7 to 14 are no birth date")
    if number[17] != identity_check_character(number[:17]):
        raise IdentifierError(f"identity number {mask_identity(number)}: its check character is wrong")
    return number


def is_identity(text: str) -> bool:
    """Return whether parse_identity would take the text."""
    return _holds(parse_identity, text)


def parse_registration_number(text: str) -> str:
    """Return an old 15-digit registration number (ZCH), surrounding blanks removed; raise IdentifierError otherwise.

    Only the shape is judged: whose number it is, the credit platform's oldCodes say.
    """
    number = text.strip()
    if not re.fullmatch(r"[0-9]{15}", number):
        raise IdentifierError(f"registration number {_offender(text)}: needs 15 digits")
    return number


def is_registration_number(text: str) -> bool:
    """Return whether parse_registration_number would take the text."""
    return _holds(parse_registration_number, text)


def _is_birth_date(digits: str) -> bool:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return 1800 <= born.year <= 2099


def _holds(parse: Callable[[str], str], text: str) -> bool:
    try:
        parse(text)
    except IdentifierError:
        return False
    return True


# --- Numbers that we make --------------------------------------------------------------------------------------------


def require_sm3() -> None:
    """Raise Sm3Missing where hashlib has no SM3; call it at start, before the first delivery depends on it."""
    try:
        hashlib.new("sm3")
    except ValueError as error:
        raise Sm3Missing(
            "hashlib has no 'sm3': this Python's OpenSSL was built without it, or runs in FIPS mode; "
            "use a Python that is linked to an OpenSSL with SM3 (1.1.1 or later)"
        ) from error


def rid_code(identity_no: str, exchange_key: str) -> str:
    """Return `RID-` and the lower-case hex HMAC-SM3 of the identity number under the exchange key (credit.md, Subjects).

    The number is parsed first, so that x and X give one code; raise IdentifierError for one that is no identity number,
    ValueError for an empty key, Sm3Missing where OpenSSL has no SM3.
    """
    if not exchange_key:
        raise ValueError("RID code: the exchange key is empty; set the key that was agreed with the credit platform")
    require_sm3()
    number = parse_identity(identity_no)
    return "RID-" + hmac.new(exchange_key.encode(), number.encode(), "sm3").hexdigest()


def outgoing_number(prefix: str, key: str) -> str:
    """Return the prefix and 40 hex digits of the SHA-256 of an obligation's key: the number that platforms know us by.

    The same key gives the same number for ever. Raise ValueError for an empty key, or a prefix that is not 1 to 24 letters,
    digits or hyphens (externalNo and bizNo take 64 characters).
    """
    if not re.fullmatch(rf"[A-Za-z0-9-]{{1,{_OUTGOING_LENGTH - 40}}}", prefix):
        raise ValueError(f"outgoing number: prefix {prefix!r} must be 1 to {_OUTGOING_LENGTH - 40} letters, digits or hyphens")
    if not key:
        raise ValueError(f"outgoing number: the key under prefix {prefix!r} is empty; give the obligation's key")
    return prefix + hashlib.sha256(key.encode()).hexdigest()[:40]


def is_outgoing_number(text: str) -> bool:
    """Return whether a number has the form of `outgoing_number`; whose it is only the ledger says."""
    return re.fullmatch(rf"[A-Za-z0-9-]{{1,{_OUTGOING_LENGTH - 40}}}[0-9a-f]{{40}}", text) is not None


# --- Telephone numbers (电话) ----------------------------------------------------------------------------------------


def mobile_of(text: str) -> str | None:
    """Return the eleven digits of a mainland mobile number, however it is written; None for any other telephone."""
    plain = re.sub(r"[\s()-]", "", unicodedata.normalize("NFKC", text))
    match = re.fullmatch(r"(?:(?:\+|00)?86|0)?(1[3-9][0-9]{9})", plain)
    return match[1] if match else None


# --- Masking ---------------------------------------------------------------------------------------------------------


def mask_identity(number: str) -> str:
    """Return the number with all but its first 3 and last 2 characters starred; a short or odd one is starred whole."""
    return number[:3] + "*" * (len(number) - 5) + number[-2:] if len(number) >= 15 else "*" * len(number)


def mask_phone(number: str) -> str:
    """Return the number with all but its first 3 and last 2 characters starred; one without area code keeps the last 2."""
    if len(number) >= 10:
        return number[:3] + "*" * (len(number) - 5) + number[-2:]
    return "*" * (len(number) - 2) + number[-2:] if len(number) >= 7 else "*" * len(number)


_DIGIT = "[0-9０-９]"
_MOBILE = rf"[1１][3-9３-９]{_DIGIT}[- ]?{_DIGIT}{{4}}[- ]?{_DIGIT}{{4}}"
_AREA = rf"(?:[1１][0０]|[2２]{_DIGIT}|[3-9３-９]{_DIGIT}{{2}})"
_LOCAL = rf"[2-8２-８]{_DIGIT}{{6,7}}"
_PERSONAL = re.compile(
    rf"""
      (?P<opaque>                                              # numbers of machines: never searched for personal ones
          [0-9a-fA-F]{{8}}(?:-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}(?![0-9A-Za-z])     # a UUID
        | (?<![0-9a-f])(?=[0-9]*[a-f])[0-9a-f]{{32,}}(?![0-9A-Za-z])                      # a digest, an outgoing number
        | (?<![0-9A-F])(?=[0-9]*[A-F])[0-9A-F]{{32,}}(?![0-9A-Za-z])                      # the grid's digests
      )
    | (?<!{_DIGIT})(?P<identity18>{_DIGIT}{{6}}(?P<gap>[ ]?){_DIGIT}{{8}}(?P=gap){_DIGIT}{{3}}(?:{_DIGIT}|[XxＸｘ]))(?!{_DIGIT})
    | (?<!{_DIGIT})(?P<identity15>{_DIGIT}{{15}})(?!{_DIGIT})
    | (?<!{_DIGIT})(?P<phone>
          (?:(?:00)?86[- ]?|0)?{_MOBILE}
        | (?:(?:00)?86[- ]?|[(（]?[0０]){_AREA}[)）]?[- －]?{_LOCAL}
      )(?!{_DIGIT})
    | (?P<label>(?:电话|座机|联系方式|[Tt]el|TEL|[Pp]hone)\W{{0,4}})(?P<local>{_LOCAL})(?!{_DIGIT})   # without area code
    """,
    re.VERBOSE,
)
_CODE_SHAPED = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{18}(?![0-9A-Za-z])")
# GB/T 2260 provinces; 83 for Taiwan residents; 9 for foreigners with permanent residence.
_PROVINCES = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9[0-9]")
_BIRTH_DATE = re.compile(r"(?:(?:18|19|20)[0-9]{2})(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")


def redact(text: str) -> str:
    """Return the text with every identity number (18 characters, or 15 of the old kind) and telephone number masked.

    An identity number is known by its region and birth date, so that a mistyped check character hides nobody's number less;
    in doubt a number is masked (some old registration numbers look like old identity numbers). Unified social credit codes,
    digests, UUIDs, times and longer or shorter numbers stay. Redacting twice changes nothing more. The work is linear in the
    text, whoever wrote it: a digest is looked for where a run of digits and letters begins, and nowhere within it.
    """
    pieces: list[str] = []
    done = 0
    for code in _CODE_SHAPED.finditer(text):
        if is_uscc(code[0]) and not is_identity(code[0]):
            pieces += (_PERSONAL.sub(_masked, text[done : code.start()]), code[0])
            done = code.end()
    return "".join((*pieces, _PERSONAL.sub(_masked, text[done:])))


def _masked(match: re.Match[str]) -> str:
    found = match[0]
    if match["opaque"] is not None:
        return found
    if match["local"] is not None:
        return match["label"] + mask_phone(match["local"])
    if match["phone"] is not None:
        return mask_phone(found)
    plain = unicodedata.normalize("NFKC", found).replace(" ", "")
    birth = plain[6:14] if match["identity18"] is not None else "19" + plain[6:12]
    personal = _PROVINCES.match(plain) is not None and _BIRTH_DATE.fullmatch(birth) is not None
    return mask_identity(found) if personal else found


def _offender(text: str) -> str:
    """Return a refused number for an error's message; one that may be a mistyped identity number is masked."""
    return repr(_PERSONAL.sub(_masked, text)) if re.search("[A-WYZa-wyz]", text) else mask_identity(text)
