"""Whether a subject may use commitment (告知承诺资格), as the hub says it: the words that domain, web and graph share."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the entities know the graph's context, and that knows this
    from schema.entities import Grade


@dataclass(frozen=True, slots=True)
class Reason:
    """Why not: `code` for programs, `text` for people, in Chinese."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class DataAge:
    """How fresh the data of one platform is that a decision stands on.

    `as_of` is None where there is none; `live` says that the platform was asked just now; `stale` that it is too old to count.
    """

    source: str
    as_of: datetime | None
    live: bool
    stale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether a subject may use commitment for a matter. Not eligible never comes without a reason."""

    subject: str
    matter: str
    eligible: bool
    grade: "Grade | None"
    score: Decimal | None
    reasons: tuple[Reason, ...]
    as_of: datetime | None
    """Time of the credit data; None where the grade is not known."""
    data: tuple[DataAge, ...]
