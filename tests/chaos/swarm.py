"""What one seed decides: a random subset of what happens in the city, and a random subset of what goes wrong (swarm testing).

Each seed turns kinds of events and faults on and off, so that some runs are nearly all repairs, some nearly all crashes; what is
rare among everything is common somewhere. The stories are those of history.py, drawn by a plain random source.
"""

import random
from typing import NamedTuple

from tests.chaos.history import (
    BEGINNINGS,
    CALM,
    CATEGORIES,
    DEPARTMENTS,
    ITEMS,
    MATTERS,
    NO_POINTS,
    NO_ROUTE,
    Found,
    History,
    Item,
    Person,
    Step,
    Story,
    Weather,
)
from tests.chaos.rough_network import Cut, Roughness

PLATFORMS = ("approval", "credit", "grid", "enforcement", "selfgov", "sms")
KINDS = ("approval", "special", "event", "coordination", "repair", "request", "credit", "report")
HEAVY = ("JY-001", "JY-002", "SCJG-005")
"""Items of 12, 12 and 6 points: dozens and serious periods come soon."""
SEQUELS = {
    "approval": ("check", "check", "check", "recheck", "referral", "revoke", "cancel", "reassign", "refuse"),
    "special": ("check", "check", "check", "recheck", "referral", "transfer"),
    "event": ("check", "check", "send", "edit", "cancel", "transfer", "close", "first check"),
    "coordination": ("handle", "correct"),
    "repair": ("approve", "refuse", "points"),
    "request": ("notice", "industry", "campaign"),
    "credit": ("resolve", "cancel"),
    "report": ("figures",),
}
OPENINGS = {
    **BEGINNINGS,
    "request": [("notice", None)],
    "credit": [("resolve", None)],
    "report": [("enter", None), ("approve", None)],
}
AT_ONCE = frozenset({"apply", "grant", "order", "report", "send", "issue", "notice", "industry", "campaign", "edit", "refuse"})


class Swarm(NamedTuple):
    """Everything that a seed is."""

    history: History
    ways: dict[str, Roughness]
    cuts: tuple[Cut, ...]
    processes: int
    deaths: float
    """Chance of a process to die at each point at which it touches the world."""
    most_deaths: int
    stops: float
    """Share of these deaths that are ends in order."""
    refusals: float
    """Share of transactions that the database refuses."""
    skews: tuple[float, ...]
    """Seconds by which each platform's clock is ahead."""


def swarm(seed: int, events: int, hours: float = 30.0) -> Swarm:
    """Return what a seed decides, of about so many events."""
    rng = random.Random(f"swarm {seed}")
    stories, steps = _life(rng, events, hours)
    history = History(
        seed=seed,
        begins=rng.choice(("2019-09-02T09:00:00+08:00", "2019-09-02T21:40:00+08:00", "2019-12-30T16:00:00+08:00")),
        people=_people(rng),
        weather=tuple(_weather(rng) for _ in PLATFORMS),
        stories=tuple(stories),
        steps=tuple(steps),
    )
    rough = rng.random() < 0.7
    ways = {f"hub>{name}": _roughness(rng) for name in PLATFORMS if rough and rng.random() < 0.6}
    ways |= {f"{name}>hub": _roughness(rng)._replace(refused=0.0) for name in PLATFORMS if rough and rng.random() < 0.5}
    deadly = rng.random() < 0.6
    return Swarm(
        history,
        ways,
        cuts=_cuts(rng, hours),
        processes=rng.choice((1, 1, 2)),
        deaths=rng.choice((0.002, 0.01, 0.03)) if deadly else 0.0,
        most_deaths=rng.randint(1, 6),
        stops=rng.choice((0.0, 0.0, 0.5)),
        refusals=_on(rng, 0.01, 0.05) if rng.random() < 0.5 else 0.0,
        skews=tuple(rng.choice((0.0, 0.0, 0.0, 90.0, -90.0)) for _ in PLATFORMS),
    )


def _on(rng: random.Random, *values: float) -> float:
    """Return one of these, or nothing in half of all swarms."""
    return rng.choice(values) if rng.random() < 0.5 else 0.0


def _roughness(rng: random.Random) -> Roughness:
    return Roughness(
        slow=_on(rng, 0.1, 2.0, 4.0),
        lost=_on(rng, 0.02, 0.1),
        late=_on(rng, 0.05, 0.2),
        cut_off=_on(rng, 0.1),
        refused=_on(rng, 0.1),
    )


def _weather(rng: random.Random) -> Weather:
    if rng.random() < 0.4:
        return CALM
    return Weather(
        lost=_on(rng, 0.2, 0.5),
        doubled=_on(rng, 0.5),
        shuffled=_on(rng, 20.0, 400.0),
        errors=_on(rng, 0.1, 0.3),
        timeouts=_on(rng, 0.3, 0.6),
        callbacks_off=rng.random() < 0.1,
    )


def _cuts(rng: random.Random, hours: float) -> tuple[Cut, ...]:
    cuts = []
    for _ in range(rng.choice((0, 0, 1, 3))):
        name, begins, length = rng.choice(PLATFORMS), rng.uniform(0, hours * 3600), rng.choice((60.0, 900.0, 7200.0))
        ways = rng.choice(((f"hub>{name}",), (f"{name}>hub",), (f"hub>{name}", f"{name}>hub")))
        cuts += [Cut(way, begins, begins + length, rng.random() < 0.5) for way in ways]
    return tuple(cuts)


def _people(rng: random.Random) -> tuple[Person, ...]:
    drawn = [Person(rng.choice("1123"), telephone=rng.random() < 0.8) for _ in range(rng.randint(0, 5))]
    old = Person(rng.choice("13"), old=True, telephone=rng.random() < 0.5, known=rng.random() < 0.5)
    return (Person("1"), Person("2", telephone=rng.random() < 0.5), old, *drawn)


def _life(rng: random.Random, events: int, hours: float) -> tuple[list[Story], list[Step]]:
    # Most of what follows comes of these, so that two of them are always there, and more often than the others.
    kinds = [*rng.sample(("approval", "special", "event"), k=2) * 2, *(kind for kind in KINDS if rng.random() < 0.6)]
    dense = rng.choice((0.2, 1.0))
    stories, steps = list[Story](), list[Step]()
    while len(steps) < events:
        stories.append(_story(rng, rng.choice(kinds)))
        steps += _steps(rng, len(stories) - 1, stories[-1], hours * 3600 * dense)
    return stories, sorted(steps, key=lambda step: step.second)


def _story(rng: random.Random, kind: str) -> Story:
    at_town = kind in {"event", "coordination"}
    matter = rng.choice((*CATEGORIES, *CATEGORIES, NO_ROUTE)) if at_town else rng.choice(MATTERS)
    subject = rng.randint(0, 40) if kind in {"repair", "report"} else rng.choice((0, 0, 1, 2))
    return Story(kind, subject, matter, rng.choice("112"), rng.choice(DEPARTMENTS))


def _steps(rng: random.Random, number: int, story: Story, seconds: float) -> list[Step]:
    late = story.kind in {"repair", "credit"}  # there is something to repair by then
    at = rng.uniform(seconds / 3 if late else 0.0, seconds)
    acts = [act for act, _ in OPENINGS[story.kind]] + rng.choices(SEQUELS[story.kind], k=rng.randint(0, 4))
    steps, before = list[Step](), ""
    for act in acts:
        # What the hub must have made by then is given time; a correction may come at once, before anything was sent.
        at += rng.choice((0, 0, 1, 5, 40, 600)) if before == act or act in AT_ONCE else rng.choice((40, 600, 600, 3000, 20000))
        found = _found(rng) if act in {"check", "recheck", "referral", "first check"} else None
        steps.append(Step(0, int(at), number, act, found, rng.choice(("", "a", "b")), rng.randint(0, 5)))
        before = act
    return steps


def _found(rng: random.Random) -> Found:
    conclusion = rng.choice(("nonconform", "nonconform", "nonconform", "conform", "unreachable", "bare"))
    order = rng.choice((None, 1, 3)) if conclusion in {"nonconform", "bare"} else None
    items: tuple[Item, ...] = ()
    if conclusion == "nonconform":
        codes = rng.sample((*ITEMS, NO_POINTS) if rng.random() < 0.6 else HEAVY, k=rng.randint(1, 3))
        items = tuple(Item(code, rng.choice((None, None, None, "0.5", "3.0")), conform=rng.random() < 0.25) for code in codes)
    return Found(
        conclusion,
        items,
        order,
        transferred=rng.random() < 0.1,
        names_subject=rng.random() < 0.75,
        hours_ago=rng.choice((0, 0, 0, 2, 100)),
    )
