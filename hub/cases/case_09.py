"""Case 9: a shop front that occupies the road, city management. The permit is a person's, and so is the record."""

from hub.cases.people import person
from hub.cases.play import Case, Play

OWNER = person("王芳", "义乌市江东街道青口路35号", "case 9")
MATTER = "ZFJ-SX01"


async def _play(play: Play) -> None:
    approval = play.stage.platforms.approval
    code = play.known(OWNER, score=86.0)
    play.stage.wires["credit"].listens_for = OWNER.code.encode()
    await play.rest()
    said = await approval.ask_eligibility(OWNER.code, MATTER)
    play.expect("a person may commit", said and said["sycn"], True)
    serial = approval.grant(OWNER, matter=MATTER, procedure="1")
    play.tell("approval", f"自然人告知承诺：临时占用道路开业活动许可（{serial}）")
    task = await play.task_for(serial)
    await play.rest()

    await play.at("2019-08-18 10:00")
    play.check(task["taskId"], {"findings": [{"itemCode": "ZFJ-001"}], "remarks": "开业当日超范围占道"})
    play.tell("enforcement", "掌上执法：开业当日核查，超承诺范围占用道路")
    await play.rest()
    records = play.records(code)
    play.expect(
        "the record goes under the keyed code",
        [(one["code"][:4], one["category"], one["points"]) for one in records],
        [("RID-", "COMMITMENT_BREACH", "6.0")],
    )
    play.expect("blacklisted for the matter", play.blacklisted(OWNER), [MATTER])
    play.expect("no identity number ever reached the credit platform", play.stage.wires["credit"].heard, 0)
    after = play.stage.platforms.credit.subject(code)
    play.expect("judged anew: 80 points", float(after["score"]), 80.0)
    again = await approval.ask_eligibility(OWNER.code, MATTER)
    play.expect("may not commit again", again is not None and again["sycn"], False)
    play.tell("credit", f"失信记录扣 6 分，重新评价：{after['score']} 分")
    play.show("approval", serial)


CASE = Case(
    9,
    "自然人告知承诺：沿街店铺占道（综合行政执法局）",
    "A person's permit: a shop front on the road (city management)",
    "2019-08-12 09:00",
    _play,
)
