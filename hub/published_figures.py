"""The figures that Yiwu published for its reform of 2019, and the question to the graph that must arrive at each by counting.

They stand here and nowhere in the engine; `bihuan demo --city` compares. The city itself is made in mocks/published_plan.py, from
targets of its own: a mistake on either side shows.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Published(NamedTuple):
    """Some published figures that one question gives: names of the graph's figures, and what they must be."""

    told: str
    asked: str
    """Arguments of `statistics`, without brackets; empty for all of it."""
    figures: Mapping[str, int | str]


PUBLISHED: tuple[Published, ...] = (
    Published(
        "案例5 告知承诺核查",
        'from: "2019-08-01", to: "2019-09-11"',
        {
            "verificationsReceived": 688,
            "verificationsDone": 562,
            "commitmentsNotKept": 19,
            "comprehensivePointsForCommitments": "114.0",
            "blacklistings": 19,
            "subjectsBlacklisted": 19,
        },
    ),
    Published(
        "案例4 网格事件与部门协管",
        "",
        {"eventsReceived": 630, "eventsDispatched": 610, "coordinationsIssued": 37, "coordinationsHandled": 34},
    ),
    Published(
        "案例3 旅馆业特种行业许可",
        'where: {matters: ["GA-SX01"]}',
        {"applications": 23, "applicationsByCommitment": 14, "applicationsByStandard": 9},
    ),
    Published(
        "案例1 信用计分（9月11日）",
        'to: "2019-09-11"',
        {
            "departmentsScoring": 26,
            "itemsScored": 104,
            "subjectsScored": 1299,
            "pointsTaken": "11553.0",
            "itemsSelfChecked": 127,
            "pointsRepaired": "2588.5",
        },
    ),
    Published(
        "案例7 培训机构（8月26日）",
        'to: "2019-08-26", where: {departments: ["JY"]}',
        {"subjectsScored": 52, "pointsTaken": "497.0"},
    ),
    Published(
        "案例2 双随机联合检查（8月以来）",
        'from: "2019-08-01"',
        {"campaignSubjectsChecked": 98, "campaignCasesFiled": 19, "campaignRectificationsOrdered": 1},
    ),
    Published(
        "案例8 主体自治（8月23日）",
        'to: "2019-08-23"',
        {
            "itemsSelfChecked": 126,
            "selfReports": 400,
            "selfChecks": 7124,
            "subjectsSelfGoverning": 2133,
            "pointsRepaired": "2079.0",
        },
    ),
    Published("案例6 领导带队检查", "", {"departmentsOfHeads": 32, "headInspections": 32}),
)


def question(published: Published) -> str:
    """Return the graph query that gives these figures."""
    arguments = f"({published.asked})" if published.asked else ""
    return f"{{ statistics{arguments} {{ uncounted total {{ {' '.join(published.figures)} }} }} }}"
