"""Case 7: a training institution, education bureau. Five problems, 33 points, two dozens; all four ways back."""

from hub.cases.people import company
from hub.cases.play import Case, Play

SCHOOL = company("义乌市启明培训学校有限公司", "义乌市江东街道南门街200号", "case 7", representative="吴䶮")
ITEMS = ("JY-001", "JY-002", "JY-003", "JY-004", "JY-005")
WAYS = ("self_check", "self_report", "study", "exam")


async def _play(play: Play) -> None:
    credit = play.stage.platforms.credit
    code = play.known(SCHOOL, score=88.0)
    person = credit.resident_code(str(SCHOOL.representative_number))
    credit.add_subject(person, str(SCHOOL.representative), score=90.0)
    play.stage.platforms.approval.grant(SCHOOL, matter="JY-SX01", procedure="2")
    await play.rest()

    await play.at("2019-08-26 09:30")
    task = play.special_check(SCHOOL, "JY", title="校外培训机构专项检查")
    play.check(task["taskId"], {"findings": [{"itemCode": item} for item in ITEMS]})
    play.tell("enforcement", "教育局检查：发现五个问题")
    await play.rest()
    points = play.records(code, "REGULATORY_POINTS")
    play.expect("five findings are five records", len(points), 5)
    play.expect("33 points", play.points(points), "33.0")
    dozens = play.records(code, "COMPREHENSIVE_DEDUCTION")
    play.expect("two full dozens, 2 points each", [one["points"] for one in dozens], ["2.0", "2.0"])
    play.expect(
        "each dozen names the record that filled it", {one["causedBy"] for one in dozens} <= {one["bizNo"] for one in points}, True
    )
    in_charge = play.records(person, "RESPONSIBLE_PERSON")
    play.expect("the person in charge has a record", [(one["points"], one["itemCode"]) for one in in_charge], [("0.0", "SERIOUS")])
    play.expect("under key supervision", play.watched(code), True)
    play.tell("credit", "监管信用扣 33 分，综合信用扣 4 分，严重失信；负责人记录 1 条")

    await play.at("2019-09-10 10:00")
    for record, way in zip(points, WAYS, strict=False):
        play.govern(SCHOOL, way, repairs=record, points=record["points"])
    play.tell("selfgov", "机构自查、自主申报、学习、考试，四项均审核通过")
    await play.rest()
    repairs = credit.store.all("repair").values()
    play.expect("four repairs, all four ways", {one["way"] for one in repairs}, {"SELF_CHECK", "SELF_REPORT", "STUDY", "EXAM"})
    play.expect("a repair reopens no dozen", len(play.records(code, "COMPREHENSIVE_DEDUCTION")), 2)
    left = sum(float(one["openPoints"]) for one in play.records(code, "REGULATORY_POINTS"))
    play.expect("one point is left", left, 1.0)
    play.show("verificationTask", task["taskId"])


CASE = Case(
    7,
    "培训机构五个问题扣 33 分（教育局）",
    "A training institution: five problems, 33 points (education)",
    "2019-08-25 09:00",
    _play,
)
