"""Reads the small things that policy files are written in: UTF-8 text, points, dates; and guesses which name was meant."""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from difflib import get_close_matches

from hub.domain.errors import PolicyProblem


def decode(file: str, data: bytes, problems: list[PolicyProblem]) -> str | None:
    """Return the UTF-8 text, a byte order mark left off; None after a complaint where it is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace").split("\n")
        cure = "is not UTF-8; save it as UTF-8 (in a spreadsheet: 'CSV UTF-8')"
        problems.append(PolicyProblem(file, len(before), len(before[-1]) + 1, "", cure))
        return None


def nearest(name: str, known: Iterable[str]) -> str:
    """Return '; did you mean ...' where a known name is close, otherwise '; known are ...' with at most 30 of them."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(names[:30])}{' ...' if len(names) > 30 else ''}"


def points_in_halves(text: str) -> Decimal:
    """Return the points, 0 or more in steps of 0.5; raise ValueError, saying so, for anything else."""
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]+)?", text) or Decimal(text) % Decimal("0.5"):
        raise ValueError(f"{text!r} is no number of points; write steps of 0.5, such as 2 or 2.5")
    return Decimal(text)


def filled(text: str) -> str:
    """Return the text; raise ValueError where it is empty."""
    if not text:
        raise ValueError("is empty; every row needs it")
    return text


def day_of(text: str) -> date:
    """Return the date; raise ValueError for anything but a day of the calendar written as in 2019-08-15."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(f"{text!r} is no date; write it as in 2019-08-15")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no day of the calendar ({error}); write a date as in 2019-08-15") from error
