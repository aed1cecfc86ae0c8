"""Case 6: heads lead inspections, the health bureau with two others, in one visit."""

from hub.cases.people import business
from hub.cases.play import Case, Play

BATH = business("义乌市清泉浴室", "义乌市稠江街道杨村路16号", "case 6", representative="金𬭎")


async def _play(play: Play) -> None:
    code = play.known(BATH)
    play.stage.platforms.approval.grant(BATH, matter="WJ-SX01", procedure="2")
    await play.rest()

    await play.at("2019-08-27 09:00")
    task = play.special_check(BATH, "WJ", title="领导带队联合检查：公共场所卫生", participants=("SCJG", "XF"))
    play.tell("enforcement", "卫健局牵头，市场监管局、消防救援大队参加，局领导带队")
    done = play.check(task["taskId"], {"findings": [{"itemCode": "WJ-001"}]}, head=True)
    play.expect("a head leads", (done["ledByHead"], [one["isHead"] for one in done["officers"]].count(True)), (True, 1))
    play.tell("enforcement", "掌上执法：公共场所卫生许可证过期，记 3 分")
    await play.rest()
    play.expect("3 points", [(one["category"], one["points"]) for one in play.records(code)], [("REGULATORY_POINTS", "3.0")])
    seen = await play.stage.ask(
        "query ($id: String!) { verificationTask(taskId: $id) { ledByHead participants officers { isHead department } } }",
        id=task["taskId"],
    )
    shown = seen["verificationTask"]
    play.expect("the graph shows who led", (shown["ledByHead"], shown["participants"]), (True, ["SCJG", "XF"]))
    play.expect("one inspection led by a head", (await play.figures("headInspections"))["headInspections"], 1)
    play.show("verificationTask", task["taskId"])


CASE = Case(6, "领导带队检查（卫健局等三部门）", "Heads lead inspections (health and two others)", "2019-08-26 09:00", _play)
