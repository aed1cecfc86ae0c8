"""Three in ten of all creations are carried out and never answered, on all six platforms: nothing is doubled, nothing is missing.

Cities in simulated time, each with approvals, inspections, grid events, requests between departments and towns, repairs, notices
and a joint inspection; silence.py lies between the hub and the platforms until everything is at rest. Then the oracle compares
what the platforms hold with what must be there by DOMAIN's rules.
"""

import random
import tempfile
from collections import Counter
from pathlib import Path

from tests.chaos.histories import IN_MEMORY, make_template
from tests.chaos.history import CALM, CATEGORIES, DEPARTMENTS, ITEMS, MATTERS, Found, History, Item, Person, Step, Story
from tests.chaos.performance import perform
from tests.chaos.shown import Form, Shown
from tests.chaos.silence import Silence

CITIES = {Form.SHORT: 1, Form.FULL: 10}
STORIES = {
    Form.SHORT: {"approval": 4, "special": 2, "event": 3, "coordination": 2, "repair": 1, "request": 1},
    Form.FULL: {"approval": 14, "special": 6, "event": 8, "coordination": 4, "repair": 5, "request": 1},
}
COURSES = {
    "approval": ((0, 0, "apply"), (0, 40, "grant"), (1, 0, "check"), (2, 0, "check"), (4, 0, "recheck")),
    "special": ((0, 0, "order"), (1, 0, "check"), (4, 0, "recheck")),
    "event": ((0, 0, "report"), (0, 5, "send"), (1, 0, "check")),
    "coordination": ((0, 0, "issue"), (1, 0, "handle"), (2, 0, "correct")),
    "repair": ((3, 0, "enter"), (3, 600, "approve")),
    "request": ((0, 0, "notice"), (0, 90, "campaign")),
}
"""Day, seconds after the story's own second, what happens."""
A_WORKING_DAY = 6 * 3600


def show(form: Form) -> Shown:
    """Let cities live with silent platforms."""
    creations, fates, losses = Counter[str](), Counter[str](), list[str]()
    with tempfile.TemporaryDirectory(prefix="unknown-outcomes-", dir=IN_MEMORY) as folder:
        template = make_template(Path(folder) / "template.db")
        for seed in range(CITIES[form]):
            silence = Silence(seed)
            history = city(seed, STORIES[form])
            own = Path(folder) / f"{seed}"
            own.mkdir()
            losses += [f"city {seed}: {loss}" for loss in perform(history, own, template, around=silence.falls_on)]
            creations += silence.creations
            fates += silence.fates
    unknown = sum(count for fate, count in fates.items() if fate.startswith("done"))
    total = sum(creations.values())
    spread = ", ".join(f"{name} {count}" for name, count in sorted(creations.items()))
    return Shown(
        scale=f"{total} calls that create or change in {CITIES[form]} cities ({spread}), {unknown} carried out and never answered",
        said="0 doubled, 0 missing on the platforms" if not losses else f"{len(losses)} differences from what must be there",
        losses=losses,
    )


def city(seed: int, wanted: dict[str, int]) -> History:
    """Return the history of a city: the same seed makes the same."""
    rng = random.Random(f"unknown outcomes {seed}")
    people = (Person("1"), *(Person(rng.choice("123"), old=False, known=rng.random() < 0.7) for _ in range(7)))
    stories = [_story(rng, kind, len(people)) for kind, count in wanted.items() for _ in range(count)]
    steps = [step for number, story in enumerate(stories) for step in _steps(rng, number, story)]
    return History(
        seed=seed,
        begins="2019-09-02T09:00:00+08:00",
        people=people,
        weather=(CALM,) * 6,
        stories=tuple(stories),
        steps=tuple(sorted(steps, key=lambda step: (step.day, step.second, step.story))),
    )


def _story(rng: random.Random, kind: str, people: int) -> Story:
    topic = rng.choice(CATEGORIES if kind in {"event", "coordination"} else MATTERS)
    return Story(kind, rng.randrange(people), topic, rng.choice("12"), rng.choice(DEPARTMENTS))


def _steps(rng: random.Random, number: int, story: Story) -> list[Step]:
    begins, steps = rng.randrange(A_WORKING_DAY), list[Step]()
    for day, after, act in COURSES[story.kind]:
        found = _found(rng) if act in {"check", "recheck"} else None
        level = 2 * rng.randrange(3) if act == "report" else 0
        steps.append(Step(day, begins + after, number, act, found, "", level))
    return steps


def _found(rng: random.Random) -> Found:
    if rng.random() < 0.3:
        return Found("conform")
    items = tuple(Item(code) for code in rng.sample(ITEMS, rng.randint(1, 3)))
    return Found("nonconform", items, order_days=rng.choice((None, 1)))
