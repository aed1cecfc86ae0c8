"""What a seed decides about a city: who lives there, who applies for what, what officers find, what grids report.

Pure: the same seed makes the same plan, in whatever order the hub's tasks turn up. mocks/city.py carries it out.
"""

import random
from collections.abc import Sequence
from itertools import islice
from math import ceil
from typing import Any, Final

import msgspec

from mocks.people import Subject, make_subject, subjects
from mocks.reference import DEPARTMENTS, GRID_CATEGORIES, ITEMS, MATTERS, TOWNS

REFUSED_SHARE: Final = 0.10
REVOKED_SHARE: Final = 0.02
EVENTS_SHARE: Final = 0.2
NONCONFORM_SHARE: Final = 0.2
UNREACHABLE_SHARE: Final = 0.03
KNOWN_SHARE: Final = 0.8
REPORTS_SHARE: Final = 0.05
FINDINGS_OF_ONE_FIRM: Final = 8
"""Loaded breaches of one point each that a firm gets at most: short of a dozen."""

_MOST_OF_ONE_PERSON: Final = 3
_UNPRICED: Final = frozenset(item["itemCode"] for item in ITEMS if not item["points"] and not item["severity"])
_SMALL: Final = tuple(item for item in ITEMS if item["points"] in {"0.5", "1.0"})

Finding = dict[str, Any]


class Application(msgspec.Struct, frozen=True):
    """One application; `outcome` is granted, refused, or revoked (withdrawn by the office and never decided)."""

    number: int
    subject: Subject
    matter: str
    procedure: str
    outcome: str


class Incident(msgspec.Struct, frozen=True):
    """One problem in the streets; `dept_code` is empty where the category's route decides, `edited` where the town retouches it."""

    number: int
    category: str
    town: str
    level: int
    dept_code: str
    title: str
    sent_at_once: bool
    edited: bool


class Visit(msgspec.Struct, frozen=True):
    """What officers make of one task: conform, nonconform, unreachable, unmended or transferred, and what is said of it later."""

    outcome: str
    findings: tuple[Finding, ...] = ()
    rectification: bool = False
    later: str = ""
    """"finding" adds one, "remark" changes words only, "" nothing."""
    added: Finding = {}


class Mending(msgspec.Struct, frozen=True):
    """How a subject mends what was taken from it: `way` is lx of zz_result, `decision` approve, refuse or wait."""

    way: str
    decision: str
    half: bool = False
    flaw: str = ""
    """Why it cannot be made good: "unknown" (no such record), "stranger" (another's), "too much", "no points"."""


class Plan:
    """Everything that one seed decides for a city of so many granted approvals."""

    def __init__(self, seed: int, approvals: int) -> None:
        self.seed = seed
        self.approvals = approvals
        rng = self._source("people")
        everybody = list(islice(subjects(rng), max(12, approvals * 7 // 10)))
        self.subjects: Sequence[Subject] = everybody
        self.firms: Sequence[Subject] = [subject for subject in everybody if subject.uscc]
        # whoever has only an old number there can be named by the credit platform alone
        self.known = [subject for subject in everybody if subject.old_number or rng.random() < KNOWN_SHARE]
        self.applications = self._applications(everybody)
        granted = {application.subject.code for application in self.applications if application.outcome == "granted"}
        self._approved = [firm for firm in self.firms if firm.code in granted] or self.firms
        self.incidents = self._incidents()

    def _source(self, *words: object) -> random.Random:
        return random.Random(" ".join(map(str, (self.seed, *words))))

    def _applications(self, everybody: Sequence[Subject]) -> list[Application]:
        rng, planned = self._source("applications"), self.approvals
        outcomes = ["granted"] * planned
        outcomes += ["refused"] * ceil(planned * REFUSED_SHARE) + ["revoked"] * ceil(planned * REVOKED_SHARE)
        rng.shuffle(outcomes)
        taken: dict[str, int] = {}
        on_commitment = [str(matter["code"]) for matter in MATTERS if matter["commitment"] and matter["live"]]
        every_matter = [str(matter["code"]) for matter in MATTERS]
        applications = []
        for number, outcome in enumerate(outcomes):
            subject = rng.choice(everybody)
            while subject.kind == "2" and taken.get(subject.code, 0) >= _MOST_OF_ONE_PERSON:
                subject = rng.choice(everybody)
            taken[subject.code] = taken.get(subject.code, 0) + 1
            procedure = rng.choice("12")
            matter = rng.choice(on_commitment if procedure == "1" else every_matter)
            applications.append(Application(number, subject, matter, procedure, outcome))
        return applications

    def _incidents(self) -> list[Incident]:
        rng = self._source("incidents")
        incidents = []
        for number in range(round(self.approvals * EVENTS_SHARE)):
            category = rng.choice(GRID_CATEGORIES)
            named = rng.choice([category["department"], rng.choice(DEPARTMENTS)["code"]]) if rng.random() < 0.15 else ""
            incidents.append(
                Incident(
                    number=number,
                    category=category["category"],
                    town=rng.choice(TOWNS),
                    level=rng.choices((1, 2, 3, 4), weights=(1, 2, 4, 3))[0],
                    dept_code=named,
                    title=f"{category['name']}：{rng.choice('䶮𬭎')}记店前" if rng.random() < 0.1 else category["name"],
                    sent_at_once=rng.random() < 0.5,
                    edited=rng.random() < 0.1,
                )
            )
        return incidents

    def score(self, subject: Subject) -> float:
        """Return the score that the credit platform gives the subject before any record: 60 to 100, mostly B and A."""
        return float(self._source("score", subject.code).choices((100, 95, 88, 82, 80, 74, 65), weights=(3, 4, 5, 4, 2, 1, 1))[0])

    def occupier(self, number: int) -> Subject:
        """Return the firm that officers find behind incident `number`: one that holds an approval."""
        return self._source("occupier", number).choice(self._approved)

    def loaded_firms(self, breaches: int) -> list[Subject]:
        """Return firms of their own for loaded breaches: enough that none of them gets a dozen points."""
        rng, count = self._source("loaded"), ceil(breaches / FINDINGS_OF_ONE_FIRM)
        return list(islice((subject for subject in subjects(rng) if subject.uscc and not subject.old_number), count))

    # --- what officers find

    def check(self, key: str, department: str, *, person: bool, commitment: bool) -> Visit:
        """Return what a verification task comes to; `key` is the approval's serial number.

        A broken commitment is now and then written down with no finding listed.
        """
        rng = self._source("check", key)
        drawn = rng.random()
        if drawn < UNREACHABLE_SHARE:
            return Visit("unreachable")
        items = _SMALL if person else _items_of(department)
        chosen = rng.sample(items, min(len(items), 3))
        later = rng.choices(("", "finding", "remark"), weights=(94, 3, 3))[0]
        added = _finding(chosen[-1], rng)
        if drawn < UNREACHABLE_SHARE + NONCONFORM_SHARE:
            if commitment and rng.random() < 0.1:
                return Visit("nonconform")
            findings = [_finding(item, rng) for item in chosen[: rng.choice((1, 1, 2))]]
            return Visit("nonconform", tuple(findings), rectification=rng.random() < 0.5, later=later, added=added)
        conform = tuple({"itemCode": item["itemCode"], "conform": True} for item in chosen[: rng.choice((0, 1, 2))])
        return Visit("conform", conform, later=later, added=added)

    def errand(self, number: int, sending: int, department: str) -> Visit:
        """Return what the task for the n-th sending (from 1) of an incident comes to."""
        rng = self._source("errand", number, sending)
        drawn = rng.random()
        if drawn < 0.05 and sending == 1:
            return Visit("unreachable")
        if drawn < 0.13:
            return Visit("transferred")
        items = _items_of(department)
        if drawn < 0.35:
            return Visit("nonconform", (_finding(rng.choice(items), rng),), rectification=rng.random() < 0.5)
        return Visit("conform")

    def recheck(self, order: str) -> Visit:
        """Return what a recheck of a rectification comes to: mended, or (one in five) the same item unmended."""
        return Visit("unmended" if self._source("recheck", order).random() < 0.2 else "conform")

    # --- what residents do about it

    def mending(self, biz_no: str) -> Mending | None:
        """Return what the subject of a credit record does about it, None for nothing."""
        rng = self._source("mending", biz_no)
        if rng.random() < 0.25:
            return None
        flaw = rng.choices(("", "unknown", "stranger", "too much", "no points"), weights=(16, 1, 1, 1, 1))[0]
        decision = rng.choices(("approve", "refuse", "wait"), weights=(8, 1, 1))[0]
        return Mending(rng.choice("1234"), decision, half=rng.random() < 0.4, flaw=flaw)

    @property
    def reports(self) -> int:
        """Return how many reports of figures the city's firms make."""
        return ceil(self.approvals * REPORTS_SHARE)

    def reporter(self, number: int) -> str:
        """Return the code of the firm that makes the n-th report."""
        return self._source("report", number).choice(self.firms).code

    @property
    def stranger(self) -> Subject:
        """Return a firm that lives elsewhere: it has no record here."""
        return make_subject(self._source("stranger"), "1")

    def pause(self, *words: object) -> float:
        """Return a share, 0 to 1, of the longest pause for one step of somebody's work."""
        return self._source("pause", *words).random()


def _items_of(department: str) -> Sequence[dict[str, str | None]]:
    """Return items that have a price, those of the department if it has three, else of all."""
    priced = [item for item in ITEMS if item["itemCode"] not in _UNPRICED]
    own = [item for item in priced if str(item["itemCode"]).startswith(f"{department}-")]
    return own if len(own) >= 3 else priced


def _finding(item: dict[str, str | None], rng: random.Random) -> Finding:
    """Return a finding that names points of its own, leaves them to its item, or to its tier where the item names none."""
    finding: Finding = {"itemCode": item["itemCode"], "note": "现场检查发现"}
    drawn = rng.random()
    if drawn < 0.2 and item["points"]:
        finding["points"] = f"{max(0.5, float(item['points']) - 0.5):.1f}"
    elif drawn < 0.5:
        finding["points"] = None
    return finding
