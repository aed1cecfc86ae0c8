"""A city whose platforms hold records that add up to the figures that Yiwu published for its reform of 2019.

Pure: a seed decides who does what on which day; `FIGURES` says what it must add up to, and nothing else does. What the hub
makes of it is not here. mocks/published_city.py carries the plan out.
"""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import cycle, islice
from typing import Final

import msgspec

from mocks.people import Subject, subjects
from mocks.reference import DEPARTMENTS, GRID_CATEGORIES, TOWNS

FIRST: Final = date(2019, 8, 1)
SNAPSHOT: Final = date(2019, 8, 23)
"""The day of the earlier snapshot of the self-governance figures."""
LAST: Final = date(2019, 9, 11)
SCORING_DEPARTMENTS: Final = tuple(department["code"] for department in DEPARTMENTS if department["code"] != "KJ")
"""26 departments take points; the 27th has nothing to inspect."""
OTHER_OFFICES: Final = (
    ("XZFW", "义乌市行政服务中心"),
    ("DSJ", "义乌市大数据发展管理局"),
    ("SJJ", "义乌市审计局"),
    ("MZZJ", "义乌市民族宗教事务局"),
    ("TYJR", "义乌市退役军人事务局"),
)
"""Offices beside the 27 whose heads lead inspections too: 32 together."""
UNROUTED: Final = "XZ-99"
"""A category that no department answers for."""
HALF: Final = Decimal("0.5")
SELF_CHECK, SELF_REPORT, STUDY, EXAM = "1", "2", "3", "4"


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What the plan adds up to."""

    approvals: int = 688
    checked: int = 562
    broken: int = 19
    hotels_on_commitment: int = 14
    hotels_by_procedure: int = 9
    events: int = 630
    events_dispatched: int = 610
    coordinations: int = 37
    coordinations_handled: int = 34
    scored: int = 1299
    points: Decimal = Decimal(11553)
    institutions: int = 52
    institution_points: Decimal = Decimal(497)
    enterprises: int = 98
    cases: int = 19
    rectified: int = 1
    items: int = 104
    self_checks: int = 7124
    self_reports: int = 400
    self_governed: int = 2133
    check_items: int = 126
    repaired_first: Decimal = Decimal(2079)
    repaired: Decimal = Decimal("2588.5")
    heads: int = 32


FIGURES: Final = Figures()


class Application(msgspec.Struct, frozen=True):
    """An approval that is granted on `day`; its check is done on `checked`, where that comes, and finds the promise kept or not."""

    subject: Subject
    matter: str
    procedure: str
    day: date
    checked: date | None
    broken: bool = False


class Inspection(msgspec.Struct, frozen=True):
    """A special check of the platform's own; each finding is an item and the points it costs. A head may lead it."""

    subject: Subject
    department: str
    day: date
    findings: tuple[tuple[str, Decimal], ...] = ()
    led_by: str | None = None


class Tip(msgspec.Struct, frozen=True):
    """A grid event that the town sends to departments; of a category without a route it waits for one."""

    category: str
    town: str
    level: int
    day: date
    routed: bool


class Request(msgspec.Struct, frozen=True):
    """A coordination that a department issues; the town handles it two days later, or not yet."""

    department: str
    town: str
    day: date
    handled: bool


class Draw(msgspec.Struct, frozen=True):
    """A joint random inspection: how many are drawn, of how many a case is filed and how many must mend something."""

    departments: tuple[str, ...]
    industry: str
    subjects: int
    cases: int
    rectified: int
    day: date


class Row(msgspec.Struct, frozen=True):
    """A row of zz_result; with `repairs` it restores `points` of the record of that inspection's first finding."""

    subject: Subject
    kind: str
    day: date
    item: str
    points: Decimal | None = None
    repairs: Inspection | None = None


class PublishedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that happens in the city from FIRST to LAST."""

    firms: tuple[Subject, ...]
    applications: tuple[Application, ...]
    inspections: tuple[Inspection, ...]
    tips: tuple[Tip, ...]
    requests: tuple[Request, ...]
    draws: tuple[Draw, ...]
    rows: tuple[Row, ...]


LEAVE_OUT: Final = ("application", "inspection", "tip", "request", "draw", "row")
"""Kinds of which one record can be left out, to see the comparison fail."""


def days() -> list[date]:
    """Return the days of the replay, in order."""
    return [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]


def make_plan(seed: int, figures: Figures = FIGURES) -> PublishedPlan:
    """Return the plan of a seed; the same seed makes the same plan."""
    rng = random.Random(f"{seed} published")
    firms = tuple(islice((one for one in subjects(rng) if one.uscc and not one.old_number), figures.self_governed))
    scored = firms[: figures.scored]
    institutions = scored[: figures.institutions]
    holders = [firm for firm in scored if firm.telephone][: figures.approvals * 2 // 3]
    applications = _applications(rng, figures, institutions, holders)
    draws = _draws(figures)
    inspections = _inspections(figures, scored, {application.subject.uscc for application in applications})
    return PublishedPlan(
        firms=firms,
        applications=tuple(applications),
        inspections=(*inspections, *_led_by_heads(scored, figures)),
        tips=tuple(_tips(rng, figures)),
        requests=tuple(_requests(rng, figures)),
        draws=tuple(draws),
        rows=tuple(_rows(rng, figures, firms, inspections)),
    )


def left_out(plan: PublishedPlan, kind: str) -> PublishedPlan:
    """Return the plan with one record less of a kind of LEAVE_OUT: one that counts."""
    field = f"{kind}s"
    whole: tuple[msgspec.Struct, ...] = getattr(plan, field)
    repaired = {row.repairs for row in plan.rows}
    place = next(place for place, one in enumerate(whole) if _counts(one) and one not in repaired)
    return msgspec.structs.replace(plan, **{field: whole[:place] + whole[place + 1 :]})


def _counts(one: msgspec.Struct) -> bool:
    return not isinstance(one, Row) or (one.kind == SELF_CHECK and one.repairs is None)


def _applications(
    rng: random.Random, figures: Figures, institutions: Sequence[Subject], holders: Sequence[Subject]
) -> list[Application]:
    hotels = ["1"] * figures.hotels_on_commitment + ["2"] * figures.hotels_by_procedure
    matters = ("WH-SX01", "ZFJ-SX01", "WJ-SX01", "SCJG-SX01", "JT-SX01", "SW-SX01", "RS-SX01", "NY-SX01")
    kinds = [("GA-SX01", procedure) for procedure in hotels]
    kinds += [("JY-SX01", "1")] * len(institutions)
    kinds += [(rng.choice(matters), rng.choice("12")) for _ in range(figures.approvals - len(kinds))]
    others = [firm for firm in holders if firm not in institutions]
    applicants = [others[number % len(others)] for number in range(figures.approvals)]
    applicants[len(hotels) : len(hotels) + len(institutions)] = institutions
    promises = [place for place, (matter, procedure) in enumerate(kinds) if procedure == "1" and matter != "JY-SX01"]
    broken = set(promises[-figures.broken :])
    unchecked = set(rng.sample([place for place in range(len(kinds)) if place not in broken], figures.approvals - figures.checked))
    made = []
    for place, ((matter, procedure), applicant) in enumerate(zip(kinds, applicants, strict=True)):
        day = FIRST + timedelta(days=place % 10)
        checked = None if place in unchecked else day + timedelta(days=3 + place % 14)
        made.append(Application(applicant, matter, procedure, day, checked, place in broken))
    return made


def items_of(department: str) -> tuple[str, ...]:
    """Return the codes of a department's items that take points: 104 of all 26, five of education (case 7)."""
    count = {"JY": 5, "MZ": 3}.get(department, 4)
    return tuple(f"{department}-{number:03d}" for number in range(1, count + 1))


def _inspections(figures: Figures, scored: Sequence[Subject], approved: set[str | None]) -> list[Inspection]:
    totals = _totals(figures, scored, approved)
    made = list[Inspection]()
    items = {department: cycle(items_of(department)) for department in SCORING_DEPARTMENTS}
    others = [department for department in SCORING_DEPARTMENTS if department != "JY"]
    for place, firm in enumerate(scored):
        department = "JY" if place < figures.institutions else others[place % len(others)]
        findings = tuple((next(items[department]), points) for points in _split(totals[place]))
        made.append(Inspection(firm, department, FIRST + timedelta(days=10 + place % 5), findings))
    return made


def _totals(figures: Figures, scored: Sequence[Subject], approved: set[str | None]) -> list[Decimal]:
    """Return the points of each scored subject; only those with an approval are let grow serious, since it names the person."""
    drawn = figures.points - Decimal(DRAWN_POINTS * (figures.cases + figures.rectified))
    totals = _even(figures.institution_points - 33, figures.institutions - 1, Decimal(9))
    totals = [Decimal(33), *totals]
    rest = _even(drawn - figures.institution_points, figures.scored - figures.institutions, Decimal("8.5"))
    totals += rest
    serious = [place for place in range(figures.institutions, figures.scored) if scored[place].uscc in approved]
    over = sum((max(Decimal(0), total - Decimal("8.5")) for total in rest), Decimal(0))
    totals[figures.institutions :] = [min(total, Decimal("8.5")) for total in rest]
    for place in serious:
        more = min(Decimal("7.5"), over)
        totals[place] += more
        over -= more
        if not over:
            return totals
    raise ValueError("too few subjects with an approval to hold the points of the serious ones")


def _even(total: Decimal, count: int, base: Decimal) -> list[Decimal]:
    """Return `count` numbers in steps of 0.5 that add up to `total`: the base each, and the rest in halves from the first on."""
    halves = int((total - base * count) / HALF)
    each, more = divmod(halves, count)
    return [base + HALF * (each + (place < more)) for place in range(count)]


def _split(points: Decimal) -> list[Decimal]:
    """Return the points of the findings of one check: five for 33 (case 7), two over nine, else one."""
    if points == 33:
        return [Decimal(12), Decimal(12), Decimal(6), Decimal(2), Decimal(1)]
    return [Decimal(6), points - 6] if points > 9 else [points]


DRAWN_POINTS: Final = 3
"""What each bad result of a joint inspection costs."""


def _draws(figures: Figures) -> list[Draw]:
    sizes = [10] * (figures.enterprises // 10) + [figures.enterprises % 10] * bool(figures.enterprises % 10)
    made, cases = [], figures.cases
    for number, size in enumerate(sizes):
        filed = min(cases, 2)
        cases -= filed
        day = FIRST + timedelta(days=14 + number)
        made.append(Draw(("HB", "FG"), f"锅炉使用单位{number + 1}", size, filed, int(number == 0), day))
    return made


def _led_by_heads(scored: Sequence[Subject], figures: Figures) -> list[Inspection]:
    offices = [department["code"] for department in DEPARTMENTS] + [code for code, _ in OTHER_OFFICES]
    return [
        Inspection(scored[number], "WJ", date(2019, 8, 27), led_by=office) for number, office in enumerate(offices[: figures.heads])
    ]


def _tips(rng: random.Random, figures: Figures) -> list[Tip]:
    return [
        Tip(
            rng.choice(GRID_CATEGORIES)["category"] if number < figures.events_dispatched else UNROUTED,
            rng.choice(TOWNS),
            rng.choices((1, 2, 3, 4), weights=(1, 2, 4, 3))[0],
            FIRST + timedelta(days=number % 30),
            number < figures.events_dispatched,
        )
        for number in range(figures.events)
    ]


def _requests(rng: random.Random, figures: Figures) -> list[Request]:
    return [
        Request(
            rng.choice(SCORING_DEPARTMENTS),
            rng.choice(TOWNS),
            FIRST + timedelta(days=number % 25),
            number < figures.coordinations_handled,
        )
        for number in range(figures.coordinations)
    ]


def check_item(number: int) -> str:
    """Return the code of an item of the self-check lists, spread over the 26 departments."""
    return f"{SCORING_DEPARTMENTS[number % len(SCORING_DEPARTMENTS)]}-Z{number + 1:03d}"


def _rows(rng: random.Random, figures: Figures, firms: Sequence[Subject], inspections: Sequence[Inspection]) -> list[Row]:
    first = _repairs(inspections, figures.repaired_first, 0, FIRST + timedelta(days=15))
    later = _repairs(inspections, figures.repaired - figures.repaired_first, len(first), SNAPSHOT + timedelta(days=3))
    checks = figures.self_checks - sum(row.kind == SELF_CHECK for row in first)
    reports = figures.self_reports - sum(row.kind == SELF_REPORT for row in first)
    made = list(first)
    for number in range(checks):
        day = FIRST + timedelta(days=rng.randrange((SNAPSHOT - FIRST).days + 1))
        made.append(Row(firms[number % len(firms)], SELF_CHECK, day, check_item(number % figures.check_items)))
    for number in range(reports):
        day = FIRST + timedelta(days=rng.randrange((SNAPSHOT - FIRST).days + 1))
        made.append(Row(firms[number % len(firms)], SELF_REPORT, day, "JR-001"))
    made.append(Row(firms[0], SELF_CHECK, SNAPSHOT + timedelta(days=10), check_item(figures.check_items)))
    return made + later


def _repairs(inspections: Sequence[Inspection], points: Decimal, skip: int, begin: date) -> list[Row]:
    """Return rows that repair records in full, one after the other, until the points are used up; all four ways in turn."""
    made, left = list[Row](), points
    for number, inspection in enumerate(inspections[skip:]):
        item, most = inspection.findings[0]
        restored = min(most, left)
        kind = (SELF_CHECK, SELF_REPORT, STUDY, EXAM)[number % 4]
        coded = check_item(number % 100) if kind == SELF_CHECK else item
        made.append(Row(inspection.subject, kind, begin + timedelta(days=number % 7), coded, restored, inspection))
        left -= restored
        if not left:
            return made
    raise ValueError(f"{left} points are left that no record can restore")
