"""Random histories of a small city: what people did on its platforms, when, in what weather, and when the hub's process died.

A history is data: drawn by hypothesis, printed where it fails, carried out by life.py. Several stories run beside each other, each
about one approval, one check, one grid event and so on; their steps are merged by the time at which they happen. What a step acts
on may not be there when its time comes, since the hub has not made it yet: then the step is passed over.
"""

from typing import NamedTuple

from hypothesis import strategies as st

ITEMS = ("SCJG-001", "SCJG-003", "SCJG-004", "SCJG-005", "GA-002", "JY-001", "JY-002")
"""2, 0.5, 1.5 and 6 points, 6 by the tier, 12, 12: half points, and enough for dozens."""
NO_POINTS = "NY-001"
"""An item that nobody has priced."""
MATTERS = ("WH-SX01", "ZFJ-SX01", "SCJG-SX03")
DEPARTMENTS = ("SCJG", "JY", "GA", "JT")
CATEGORIES = ("JT-03", "YJ-01", "ZFJ-01")
NO_ROUTE = "XX-99"
OPINIONS = ("已劝离", "已清理", "已移交")


class Item(NamedTuple):
    """One finding of a check: the item, the points that the finding itself names, and whether it conforms after all."""

    code: str
    points: str | None = None
    conform: bool = False


class Found(NamedTuple):
    """What an officer writes down: a conclusion, findings, an order to mend within so many days, whom it is handed over to.

    It was seen some hours ago: what is entered first need not have been seen first.
    """

    conclusion: str
    items: tuple[Item, ...] = ()
    order_days: int | None = None
    transferred: bool = False
    names_subject: bool = True
    hours_ago: int = 0


class Person(NamedTuple):
    """A subject: SQRLX, whether approvals know it by an old number, whether it has a telephone, when credit knows it."""

    kind: str
    old: bool = False
    telephone: bool = True
    known: bool = True


class Story(NamedTuple):
    """What a row of steps is about. Which of the fields matter hangs on the kind."""

    kind: str
    subject: int = 0
    matter: str = ""
    procedure: str = "1"
    department: str = "SCJG"


class Step(NamedTuple):
    """One thing that happens: so many seconds into that day of the history, in the story with that number."""

    day: int
    second: int
    story: int
    act: str
    found: Found | None = None
    word: str = ""
    number: int = 0


class Weather(NamedTuple):
    """The faults of one platform while the history goes on."""

    lost: float = 0.0
    doubled: float = 0.0
    shuffled: float = 0.0
    errors: float = 0.0
    timeouts: float = 0.0
    callbacks_off: bool = False


class History(NamedTuple):
    """Everything that an example is; the same history goes the same way again."""

    seed: int
    begins: str
    people: tuple[Person, ...]
    weather: tuple[Weather, ...]
    stories: tuple[Story, ...]
    steps: tuple[Step, ...]
    a_year_later: bool = False


CALM = Weather()


@st.composite
def founds(draw: st.DrawFn, *, ordering: bool = True) -> Found:
    """Draw what a check found; most of them find something."""
    conclusion = draw(st.sampled_from(("nonconform", "nonconform", "nonconform", "conform", "unreachable", "bare")))
    order = draw(st.sampled_from((None, 1, 3))) if ordering and conclusion in {"nonconform", "bare"} else None
    items: tuple[Item, ...] = ()
    if conclusion == "nonconform":
        codes = draw(st.lists(st.sampled_from((*ITEMS, *ITEMS, NO_POINTS)), min_size=1, max_size=3, unique=True))
        points = st.sampled_from((None, None, None, "0.5", "3.0"))
        items = tuple(Item(code, draw(points), conform=draw(st.integers(0, 3)) == 3) for code in codes)
    transferred = draw(st.integers(0, 9)) == 9
    hours = draw(st.sampled_from((0, 0, 0, 2, 100)))
    return Found(conclusion, items, order, transferred, names_subject=draw(st.integers(0, 3)) > 0, hours_ago=hours)


PEOPLE = st.tuples(
    st.just(Person("1")),
    st.booleans().map(lambda telephone: Person("2", telephone=telephone)),
    st.tuples(st.sampled_from("13"), st.just(True), st.booleans(), st.booleans()).map(lambda fields: Person(*fields)),
)
CHECKS = st.tuples(st.just("check"), founds())
AFTER_CHECKS = st.one_of(CHECKS, CHECKS, st.tuples(st.just("recheck"), founds()), st.tuples(st.just("referral"), founds()))


def _acts(*names: str) -> st.SearchStrategy[tuple[str, Found | None]]:
    return st.tuples(st.sampled_from(names), st.none())


BEGINNINGS = {
    "approval": [("apply", None), ("grant", None)],
    "special": [("order", None), ("check", None)],
    "event": [("report", None), ("send", None)],
    "coordination": [("issue", None), ("handle", None)],
    "repair": [("enter", None), ("approve", None)],
    "request": [("notice", None), ("campaign", None)],
    "hub": [],
    "credit": [],
}
SEQUELS = {
    "approval": st.one_of(AFTER_CHECKS, AFTER_CHECKS, AFTER_CHECKS, _acts("revoke", "cancel", "reassign", "refuse")),
    "special": st.one_of(AFTER_CHECKS, AFTER_CHECKS, AFTER_CHECKS, _acts("transfer")),
    "event": st.one_of(AFTER_CHECKS, AFTER_CHECKS, _acts("send", "edit", "cancel", "transfer", "close", "first check")),
    "coordination": _acts("handle", "correct", "correct"),
    "repair": _acts("approve", "refuse", "points", "points"),
    "request": _acts("notice", "campaign"),
    "hub": _acts("kill", "kill", "stop"),
    "credit": _acts("resolve", "cancel"),
}
KINDS = ("approval", "approval", "approval", "special", "special", "special", "event", "event", "coordination", "repair", "repair")

A_DAY = 86400
AT_ONCE = frozenset({"apply", "grant", "order", "report", "send", "issue", "kill", "stop", "notice", "campaign", "edit", "refuse"})
PAUSES = st.sampled_from((0, 0, 1, 5, 40, 600, A_DAY))
LONGER = st.sampled_from((40, 600, 600, 3000, A_DAY, A_DAY))


@st.composite
def steps_of(draw: st.DrawFn, number: int, story: Story, days: int) -> list[Step]:
    """Draw the steps of one story: its beginning, and what came of it, over days or within a minute."""
    late = story.kind in {"repair", "credit", "hub"}  # there is something to repair, to cancel, to lose
    steps, day, second = list[Step](), draw(st.integers(days // 2 if late else 0, days)), draw(st.sampled_from((0, 0, 3, 60)))
    least, most = {"credit": (1, 2), "request": (0, 2), "hub": (1, 2)}.get(story.kind, (1, 5))
    acts = [*BEGINNINGS[story.kind], *draw(st.lists(SEQUELS[story.kind], min_size=least, max_size=most))]
    before = ""
    for act, given in acts:
        # What the hub must have made by then is given time; a correction may come at once, before anything was sent.
        pause = draw(PAUSES if before == act or act in AT_ONCE else LONGER)
        day, second = (day, second + pause) if pause < A_DAY or day == days else (day + 1, draw(st.sampled_from((0, 3, 60))))
        found = draw(founds()) if act == "check" and given is None else given
        word, amount = draw(st.sampled_from(("", "a", "b"))), draw(st.integers(0, 5))
        steps.append(Step(day, second, number, act, found, word, amount))
        before = act
    return steps


@st.composite
def stories_of(draw: st.DrawFn) -> Story:
    """Draw what a story is about."""
    kind = draw(st.sampled_from(KINDS))
    matter = draw(st.sampled_from((*CATEGORIES, *CATEGORIES, NO_ROUTE) if kind in {"event", "coordination"} else MATTERS))
    department = draw(st.sampled_from(DEPARTMENTS))
    return Story(kind, draw(st.sampled_from((0, 0, 1, 2))), matter, draw(st.sampled_from("112")), department)


WEATHERS = st.one_of(
    st.just(CALM),
    st.builds(
        Weather,
        lost=st.sampled_from((0.0, 0.5)),
        doubled=st.sampled_from((0.0, 0.5)),
        shuffled=st.sampled_from((0.0, 20.0, 400.0)),
        errors=st.sampled_from((0.0, 0.2)),
        timeouts=st.sampled_from((0.0, 0.4)),
        callbacks_off=st.sampled_from((False, False, False, True)),
    ),
)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Draw a city, its stories, the weather, and when the hub dies."""
    days = draw(st.integers(2, 5))
    told = draw(st.lists(stories_of(), min_size=2, max_size=4))
    beside = draw(st.lists(st.sampled_from((Story("hub"), Story("hub"), Story("credit", 2), Story("request"))), max_size=3))
    stories = [*told, *beside]
    steps = [step for number, story in enumerate(stories) for step in draw(steps_of(number, story, days))]
    return History(
        seed=draw(st.integers(0, 9999)),
        begins=draw(st.sampled_from(("2019-09-02T09:00:00+08:00", "2019-09-02T21:58:00+08:00", "2019-12-28T10:00:00+08:00"))),
        people=draw(PEOPLE),
        weather=tuple(draw(WEATHERS) for _ in range(6)),
        stories=tuple(stories),
        steps=tuple(sorted(steps, key=lambda step: (step.day, step.second))),
        a_year_later=draw(st.integers(0, 4)) == 4,
    )
