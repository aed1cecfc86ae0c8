"""Case 1: credit scoring, market supervision. A noodle shop loses four points, is told so, and earns them back."""

from hub.cases.people import business
from hub.cases.play import Case, Play

SHOP = business("义乌市陈记面馆", "义乌市稠城街道城中中路88号", "case 1", representative="陈建国")


async def _play(play: Play) -> None:
    code = play.known(SHOP, score=92.0)
    play.stage.platforms.approval.grant(SHOP, matter="SCJG-SX02", procedure="2")
    await play.rest()

    await play.at("2019-09-11 09:30")
    task = play.special_check(SHOP, "SCJG", title="小餐饮专项检查")
    play.tell("enforcement", f"市场监管局对{SHOP.name}开展专项检查（{task['taskId']}）")
    done = play.check(task["taskId"], {"findings": [{"itemCode": "SCJG-001"}, {"itemCode": "SCJG-002"}]})
    names = "、".join(finding["itemName"] for finding in done["results"][0]["findings"])
    play.tell("enforcement", f"掌上执法：{names}，双方签字")
    await play.rest()
    records = play.records(code)
    play.tell("credit", f"记监管信用扣分 {play.points(records)} 分（{len(records)} 条）")
    play.expect("two findings are two records", len(records), 2)
    play.expect("4 points", play.points(records), "4.0")
    play.expect("4 points in the running period", str(play.stage.platforms.credit.subject(code)["regulatoryPoints"]), "4.0")
    told = play.messages(SHOP)
    play.expect("the owner is told of each by SMS", len(told), 2)
    if told:
        play.tell("sms", f"告知：{told[0]}")
    play.expect("both stand on the shop's own list", [row["state"] for row in play.scores(code)], ["open", "open"])

    await play.at("2019-09-16 10:00")
    for record, kind in zip(records, ("study", "exam"), strict=False):
        play.govern(SHOP, kind, repairs=record, points=record["points"])
    play.tell("selfgov", "业主完成在线学习和在线考试，审核通过")
    await play.rest()
    play.tell("credit", "信用修复 4 分")
    play.expect("nothing is left to repair", {record["openPoints"] for record in play.records(code)}, {"0.0"})
    play.expect("the list says so", [row["state"] for row in play.scores(code)], ["repaired", "repaired"])
    play.expect("no points in the running period", str(play.stage.platforms.credit.subject(code)["regulatoryPoints"]), "0.0")
    play.show("verificationTask", task["taskId"])


CASE = Case(
    1,
    "信用计分：面馆消毒设施未用、厨房不洁（市场监管局）",
    "Credit scoring: a noodle shop (market supervision)",
    "2019-09-10 09:00",
    _play,
)
