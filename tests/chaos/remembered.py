"""Histories that every run goes through, whatever is drawn besides: dense ones, in which every rule has something to do."""

from tests.chaos.history import CALM, Found, History, Item, Person, Step, Story, Weather

STORY = (
    Story("approval", 0, "WH-SX01"),
    Story("approval", 0, "ZFJ-SX01"),
    Story("special", 0, department="SCJG"),
    Story("special", 0, department="GA"),
    Story("special", 0, department="JY"),
    Story("event", 0, "JT-03", department="YJ"),
    Story("coordination", 0, "ZFJ-01", department="ZFJ"),
    Story("repair", 0),
    Story("repair", 1),
    Story("repair", 2),
    Story("approval", 1, "WH-SX01"),
    Story("approval", 2, "SCJG-SX03", "2"),
    Story("request"),
    Story("approval", 0, "SCJG-SX03", "2"),
    Story("special", 1, department="JY"),
)
SIX, TWO, HALF, TWELVE = (Item(code) for code in ("SCJG-005", "SCJG-001", "SCJG-003", "JY-001"))
BROKEN = Found("nonconform", (TWO,), 1)
CONFORMS, NOBODY = Found("conform"), Found("unreachable")
STEPS = (
    Step(0, 0, 0, "apply"),
    Step(0, 0, 1, "apply"),
    Step(0, 0, 10, "apply"),
    Step(0, 1, 11, "apply"),
    Step(0, 1, 13, "apply"),
    Step(0, 2, 0, "grant"),
    Step(0, 2, 1, "grant"),
    Step(0, 2, 10, "grant"),
    Step(0, 3, 11, "grant"),
    Step(0, 3, 13, "grant"),
    Step(0, 5, 5, "report", word="b"),
    Step(0, 5, 5, "send"),
    Step(0, 9, 6, "issue"),
    Step(0, 9, 12, "notice"),
    Step(0, 10, 12, "notice"),
    Step(0, 10, 12, "campaign"),
    Step(0, 12, 2, "order"),
    Step(0, 12, 14, "order"),
    Step(0, 600, 0, "check", BROKEN),
    Step(0, 600, 2, "check", Found("nonconform", (SIX,), 3)),
    Step(0, 600, 5, "check", NOBODY),
    Step(0, 600, 6, "handle", number=1),
    Step(0, 600, 13, "revoke"),
    Step(0, 601, 10, "check", CONFORMS),
    Step(0, 602, 11, "check", Found("nonconform", (HALF, Item("GA-002")))),
    Step(0, 603, 11, "check", Found("nonconform", (HALF,))),
    Step(0, 604, 14, "check", Found("nonconform", (TWELVE, Item("JY-002", "0.5")))),
    Step(1, 0, 1, "check", BROKEN),
    Step(1, 0, 3, "order"),
    Step(1, 3, 3, "check", Found("nonconform", (SIX,), hours_ago=100)),
    Step(1, 5, 5, "send"),
    Step(1, 5, 6, "correct", number=2),
    Step(1, 600, 5, "check", Found("nonconform", (Item("JT-001"),), 1)),
    Step(1, 700, 10, "check", Found("nonconform", (TWO,))),
    Step(1, 700, 14, "check", Found("nonconform", (TWELVE,))),
    Step(2, 0, 0, "recheck", CONFORMS),
    Step(2, 0, 1, "recheck", Found("nonconform", (TWO, HALF))),
    Step(2, 0, 4, "order"),
    Step(2, 1, 4, "check", Found("nonconform", (TWELVE, Item("JY-002")))),
    Step(2, 1, 5, "first check", CONFORMS),
    Step(2, 600, 1, "referral", Found("bare")),
    Step(2, 600, 10, "check", CONFORMS),
    Step(3, 0, 7, "enter", number=0),
    Step(3, 0, 8, "enter", number=2),
    Step(3, 0, 9, "enter", number=1),
    Step(3, 5, 7, "approve"),
    Step(3, 5, 8, "approve"),
    Step(3, 5, 9, "approve"),
    Step(3, 3600, 2, "check", Found("nonconform", (HALF, TWO), 3)),
    Step(4, 0, 9, "refuse"),
)
PEOPLE = (Person("1"), Person("2", telephone=False), Person("3", old=True))
STORM = Weather(lost=0.3, doubled=0.5, shuffled=200.0, errors=0.2, timeouts=0.4)
DEATHS = (Step(0, 3, 15, "kill", number=2), Step(0, 602, 15, "kill", number=3), Step(1, 4, 15, "kill"), Step(2, 2, 15, "stop"))

PLAIN = History(7, "2019-09-02T09:00:00+08:00", PEOPLE, (CALM,) * 6, STORY, STEPS)
STORMY = History(
    8,
    "2019-12-28T21:58:00+08:00",
    PEOPLE,
    (STORM,) * 6,
    (*STORY, Story("hub")),
    tuple(sorted((*STEPS, *DEATHS), key=lambda step: (step.day, step.second))),
    a_year_later=True,
)

SILENT = History(
    1,
    "2019-09-02T09:00:00+08:00",
    PEOPLE,
    (CALM, Weather(timeouts=1.0, callbacks_off=True), *(CALM,) * 4),
    (Story("special", 0),),
    (
        Step(0, 0, 0, "order"),
        Step(0, 600, 0, "check", Found("nonconform", (TWO,))),
        Step(0, 603, 0, "check", Found("nonconform", (Item("SCJG-001", conform=True),))),
        Step(0, 640, 0, "check", Found("nonconform", (Item("SCJG-001", "3.0"),), hours_ago=2)),
    ),
)
"""A finding is withdrawn and comes back with other points while nobody knows whether its record was made."""
