"""Case 5: a printing licence on commitment, culture bureau. Another address than declared, not mended either: a penalty case."""

from hub.cases.people import company
from hub.cases.play import Case, Play

PRINTER = company("义乌市天䶮印刷有限公司", "义乌市福田街道城店路1号", "case 5", representative="陈𬭎")
MATTER = "WH-SX01"


async def _play(play: Play) -> None:
    approval, enforcement = play.stage.platforms.approval, play.stage.platforms.enforcement
    code = play.known(PRINTER, score=80.0)
    await play.rest()
    said = await approval.ask_eligibility(PRINTER.code, MATTER)
    play.expect("80 points, grade B: may commit", said and (said["sycn"], said["xydj"], float(said["xyf"])), (True, "B", 80.0))
    play.tell("credit", "信用核查：80 分，B 级，适用告知承诺")
    serial = approval.grant(PRINTER, matter=MATTER, procedure="1")
    play.tell("approval", f"告知承诺，当场发证：印刷经营许可（{serial}）")
    task = await play.task_for(serial)
    play.expect("the check is due 20 working days after the decision", task["dueAt"][:10], "2019-09-12")
    await play.rest()

    await play.at("2019-08-20 10:00")
    order = {"deadline": "2019-09-03T18:00:00+08:00"}
    play.check(task["taskId"], {"findings": [{"itemCode": "WH-001"}], "rectification": order, "remarks": "实际经营地址与承诺不符"})
    play.tell("enforcement", "掌上执法：实际经营地址与承诺不符，责令 9 月 3 日前改正")
    await play.rest()
    records = play.records(code)
    play.expect(
        "one breach of commitment, 6 points", [(one["category"], one["points"]) for one in records], [("COMMITMENT_BREACH", "6.0")]
    )
    after = play.stage.platforms.credit.subject(code)
    play.expect("judged anew: 74 points", float(after["score"]), 74.0)
    play.tell("credit", f"失信记录扣 6 分，重新评价：{after['score']} 分，{after['grade']} 级")
    play.expect("under key supervision", play.watched(code), True)
    play.expect("blacklisted for the matter", play.blacklisted(PRINTER), [MATTER])
    recheck = next(iter(play.tasks_of("RECHECK")), None)
    play.expect("the recheck is due the first working day after the deadline", recheck and recheck["dueAt"][:10], "2019-09-04")
    if recheck is None:
        return

    await play.at("2019-09-04 09:30")
    play.check(recheck["taskId"], {"findings": [{"itemCode": "WH-001"}], "remarks": "仍未改正"})
    play.tell("enforcement", "掌上执法：复查仍未改正")
    await play.rest()
    referrals = play.tasks_of("SPECIAL")
    play.expect(
        "referred to the case unit", [(one["department"], one["origin"]["ref"]) for one in referrals], [("ZFJ", recheck["taskId"])]
    )
    play.expect("no points a second time", len(play.records(code)), 1)
    play.expect("still under key supervision", play.watched(code), True)
    if referrals:
        await play.at("2019-09-06 15:00")
        play.check(referrals[0]["taskId"], {"conclusion": "NONCONFORM", "caseNo": "义综执立〔2019〕0906号", "remarks": "立案查处"})
        play.tell("enforcement", "综合行政执法局立案查处")
        await play.rest()
    play.expect("each once", len(enforcement.store.all("task")), 3)
    play.show("approval", serial)


CASE = Case(5, "告知承诺：印刷经营许可（文旅体局）", "Commitment: a printing licence (culture)", "2019-08-15 09:00", _play)
