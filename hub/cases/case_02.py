"""Case 2: a joint random inspection, ecology and development bureaus. Ten boilers drawn, checked in one visit, one case filed."""

from hub.cases.people import company
from hub.cases.play import Case, Play

FIRMS = tuple(
    company(f"义乌市第{number}锅炉使用企业有限公司", f"义乌市苏溪镇工业路{number}号", f"case 2 {number}") for number in range(1, 25)
)


async def _play(play: Play) -> None:
    enforcement = play.stage.platforms.enforcement
    for firm in FIRMS:
        play.known(firm, score=74.0)
    pool = {"industry": "锅炉使用单位", "town": "苏溪镇", "grade": "C"}
    enforcement.add_pool([{"code": firm.uscc, "name": firm.name, "address": firm.address, **pool} for firm in FIRMS])

    wanted = {
        "requestNo": "SSJ-2019-0829",
        "title": "锅炉跨部门“双随机”联合检查",
        "departments": ["HB", "FG"],
        "industry": "锅炉使用单位",
        "town": "苏溪镇",
        "grades": ["C", "D"],
        "subjects": 10,
        "officersPerTask": 2,
        "dueAt": "2019-09-06T18:00:00+08:00",
    }
    await play.request_campaign(wanted)
    play.tell("hub", "生态环境分局、发改局下达联合检查：抽取 10 家")
    await play.rest()
    await play.request_campaign(wanted)  # asked for twice: drawn once
    await play.rest()
    campaigns = list(enforcement.store.all("campaign").values())
    play.expect("drawn once, though asked for twice", len(campaigns), 1)
    campaign = campaigns[0]
    play.tell("enforcement", f"双随机抽取：企业 10 家、执法人员每组 2 人，随机种子 {campaign['seed']}")
    drawn = play.tasks_of("RANDOM")
    play.expect("ten enterprises, a task each", (len(drawn), len(campaign["drawnSubjects"])), (10, 10))
    play.expect("two departments in one visit", {tuple(task["participants"]) for task in drawn}, {("HB", "FG")})

    await play.at("2019-08-29 14:00")
    for number, task in enumerate(drawn):
        if number == 0:
            play.check(task["taskId"], {"findings": [{"itemCode": "HB-001"}], "caseNo": "义环立〔2019〕082901号"})
        else:
            play.check(task["taskId"], {"conclusion": "CONFORM"})
    play.tell("enforcement", "掌上执法：逐家填表、拍照、双方签字；1 家锅炉废气超标，立案")
    await play.rest()
    results = [result for task in play.tasks_of("RANDOM") for result in task["results"]]
    play.expect(
        "every result has photos and two signatures",
        all(r["photos"] and r["signedBySubject"] and r["signedByOfficers"] for r in results),
        True,
    )
    code = next(task["results"][0]["subjectCode"] for task in drawn[:1] for task in [enforcement.tasks.current(task["taskId"])])
    play.expect("the breach is recorded", [one["points"] for one in play.records(code)], ["6.0"])
    seen = await play.stage.ask(
        "query ($no: String!) { campaignRequest(requestNo: $no) { campaign { seed drawnSubjects tasks { totalCount } } } }",
        no="SSJ-2019-0829",
    )
    drawn_there = seen["campaignRequest"]["campaign"]
    play.expect(
        "seed and draw are in the graph",
        (drawn_there["seed"], len(drawn_there["drawnSubjects"]), drawn_there["tasks"]["totalCount"]),
        (campaign["seed"], 10, 10),
    )
    play.show("campaignRequest", "SSJ-2019-0829")


CASE = Case(
    2,
    "跨部门“双随机”联合检查：锅炉（生态环境分局、发改局）",
    "Joint random inspection: boilers (ecology, development)",
    "2019-08-28 09:00",
    _play,
)
