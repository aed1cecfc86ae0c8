"""Reading the fields of one record as it came: what is missing or malformed spoils this record and no other.

A platform's `*_records.py` names the fields and how each is converted; what goes wrong becomes a `Quarantined`.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import TypeVar

import msgspec

from connectors.base import Item, Quarantined
from connectors.json_text import is_damaged
from schema.entity import Observation, checked
from schema.identifiers import IdentifierError, is_rid, parse_uscc, redact

T = TypeVar("T")
E = TypeVar("E", bound=Enum)
Convert = Callable[[object], T]
"""Makes a value of what came; raises ValueError saying what it should be, without showing what came."""

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,30})?")
_TENTH = Decimal("0.1")


class BadFieldError(Exception):
    """A record cannot be used; `reason` is the code for `Quarantined`, the message names the field and shows no value."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class BadCheckDigitError(ValueError):
    """A number whose check digit is wrong: never mended, never guessed."""


class Fields:
    """The fields of one record, or of a part of it; `within` is the way to that part, for messages (`results[0].`)."""

    def __init__(self, values: Mapping[str, object], within: str = "") -> None:
        self._values, self._within = values, within

    def required(self, name: str, convert: Convert[T]) -> T:
        """Return a field that is always filled; raise BadFieldError when it is absent, null, blank or malformed."""
        value = self._values.get(name)
        if _blank(value):
            raise BadFieldError("MISSING_FIELD", f"field {self._within}{name} is missing or empty")
        return self._converted(name, value, convert)

    def optional(self, name: str, convert: Convert[T]) -> T | None:
        """Return a field that may be absent, null or ""; raise BadFieldError when it is there and malformed."""
        value = self._values.get(name)
        return None if _blank(value) else self._converted(name, value, convert)

    def parts(self, name: str) -> list["Fields"]:
        """Return a list of objects, empty when absent or null; raise BadFieldError when it is anything else."""
        found = self.optional(name, _objects) or []
        return [Fields(each, f"{self._within}{name}[{at}].") for at, each in enumerate(found)]

    def part(self, name: str) -> "Fields | None":
        """Return an object, None when absent or null; raise BadFieldError when it is anything else."""
        found = self.optional(name, _object)
        return None if found is None else Fields(found, f"{self._within}{name}.")

    def _converted(self, name: str, value: object, convert: Convert[T]) -> T:
        try:
            return convert(value)
        except BadCheckDigitError as error:
            raise BadFieldError("BAD_CHECK_DIGIT", f"field {self._within}{name}: {error}") from None
        except (ValueError, OverflowError) as error:
            raise BadFieldError("BAD_VALUE", f"field {self._within}{name}: {error}") from None


def observed(make: Callable[[], Observation], *, entity: str, key: object, content: bytes) -> Item:
    """Return what `make` observes, checked; a `Quarantined` with the record as it came where a field is bad.

    `key` is what stands where the record's key should be, whatever it is.
    """
    try:
        observation = make()
        checked(observation.record)
        for part in observation.parts:
            checked(part)
    except BadFieldError as error:
        reason, detail = error.reason, str(error)
    except msgspec.ValidationError as error:
        reason, detail = "BAD_VALUE", redact(str(error))
    else:
        return observation
    known = readable(key)
    return Quarantined(
        reason=reason, detail=f"{entity} {redact(known or '?')}: {detail}", content=content, entity=entity, key=known
    )


def text(value: object) -> str:
    """Convert to text without blanks around it; numbers are taken as they are written."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004  (one kind of error for all conversions)
    if "\0" in value:
        raise ValueError("holds a NUL character, which no database keeps")
    return value.strip()


def readable(value: object) -> str | None:
    """Return what `text` makes of a value; None where that is nothing, or holds what is no character."""
    try:
        written = text(value)
        return written if written and not is_damaged(written.encode()) else None
    except ValueError:
        return None


def whole(low: int = 0, high: int = 10**18) -> Convert[int]:
    """Return a conversion to a whole number between two bounds, given as a number or in digits."""

    def convert(value: object) -> int:
        if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value

    return convert


def decimal(value: object) -> Decimal:
    """Convert text or a number to an exact decimal of ordinary size; no NaN, infinity or, in a text, exponent."""
    if isinstance(value, float):
        value = f"{Decimal(str(value)):f}"
    written = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not _DECIMAL.fullmatch(written):
        raise ValueError("must be a decimal number")
    return Decimal(written)


def tenths(value: object) -> Decimal:
    """Convert a decimal of any fineness to the nearest tenth, half up: what a platform computed may have a residue."""
    return decimal(value).quantize(_TENTH, ROUND_HALF_UP)


def instant(value: object) -> datetime:
    """Convert ISO 8601 with offset; the moment is returned in UTC, so that equal moments are equal content."""
    try:
        moment = datetime.fromisoformat(text(value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("must be a time in ISO 8601 with its offset")
    return moment.astimezone(UTC)


def yes_no(value: object) -> bool:
    """Convert a JSON boolean; nothing else is one."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004  (one kind of error for all conversions)
    return value


def texts(value: object) -> tuple[str, ...]:
    """Convert a list of texts; blank ones are left out."""
    if not isinstance(value, list):
        raise ValueError("must be a list")  # noqa: TRY004  (one kind of error for all conversions)
    return tuple(text(each) for each in value if not _blank(each))


def member(kind: type[E]) -> Convert[E]:
    """Return a conversion to an enumeration whose values stand on the wire as they are."""
    return one_of({each.value: each for each in kind})


def one_of(known: Mapping[str, T]) -> Convert[T]:
    """Return a conversion by a table of codes."""

    def convert(value: object) -> T:
        code = text(value)
        if code not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return known[code]

    return convert


def subject_code(value: object) -> str:
    """Convert a unified social credit code or RID code; a wrong check digit is never mended."""
    code = text(value)
    if is_rid(code):
        return code
    try:
        return parse_uscc(code)
    except IdentifierError:
        pass
    if len(code) == 18 and code.isascii() and code.isalnum():
        raise BadCheckDigitError("the check digit of the unified social credit code is wrong")
    raise ValueError("must be a unified social credit code or a RID- code")


def _blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError("must be an object")  # noqa: TRY004  (one kind of error for all conversions)
    return value


def _objects(value: object) -> list[dict[str, object]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError("must be a list of objects")
    return value
