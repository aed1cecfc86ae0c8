"""Case 10: dangerous chemicals in a logistics park, emergency management. Found, traced upstream; cases filed, one transferred."""

from hub.cases.people import company
from hub.cases.play import Case, Play

PARK = company("义乌市北苑物流园管理有限公司", "义乌市北苑街道物流园1号", "case 10")
UPSTREAM = (
    ("后宅街道", "上游货主仓库", "存放同批危险化学品 10 吨"),
    ("廿三里街道", "承运车辆停放点", "承运同批危险化学品"),
    ("城西街道", "外市生产企业义乌发货点", "同批危险化学品 1 吨，来源在外市"),
)


async def _play(play: Play) -> None:
    grid = play.stage.platforms.grid
    code = play.known(PARK)
    play.stage.platforms.approval.grant(PARK, matter="JT-SX01", procedure="2")
    await play.rest()

    await play.at("2019-08-08 17:05")
    found = grid.report(
        category="YJ-01",
        title="物流园内违规存放危险化学品",
        town="北苑街道",
        level=1,
        send=True,
        address="义乌市北苑街道物流园3号库",
        limitTime="20190809170500",
    )
    no = found["no"]
    play.tell("grid", f"网格员上报：{found['title']}（{no}，一级）")
    task = await play.task_for(no)
    play.expect("most urgent", task["urgency"], 1)
    play.tell("enforcement", f"生成紧急任务 {task['taskId']}，派单应急管理局")
    await play.rest()

    await play.at("2019-08-08 18:00")
    linked = []
    for town, address, content in UPSTREAM:
        event = grid.report(
            category="YJ-01",
            title=f"溯源：{content}",
            town=town,
            level=1,
            send=True,
            address=address,
            content=content,
            related=no,
            limitTime="20190809180000",
        )
        linked.append(event["no"])
    grid.edit(no, related=",".join(linked))
    play.tell("grid", f"溯源：关联上游事件 {len(linked)} 起")
    await play.rest()

    await play.at("2019-08-08 20:30")
    play.check(
        task["taskId"],
        {
            "findings": [{"itemCode": "YJ-001"}],
            "subjectCode": code,
            "subjectName": PARK.name,
            "caseNo": "义应急立〔2019〕080801号",
            "remarks": "查获危险化学品，立案",
        },
    )
    for number, event_no in enumerate(linked):
        upstream = await play.task_for(event_no)
        play.stage.platforms.enforcement.dispatch(upstream["taskId"])
        if number == 2:
            play.stage.platforms.enforcement.transfer(
                upstream["taskId"], to="杭州市应急管理局", results=[{"conclusion": "NONCONFORM", "remarks": "移送外市"}]
            )
        else:
            play.stage.platforms.enforcement.finish(
                upstream["taskId"],
                [{"conclusion": "NONCONFORM", "caseNo": f"义应急立〔2019〕08080{number + 2}号", "remarks": "立案"}],
            )
    play.tell("enforcement", "掌上执法：连夜查处，立案 3 起，移送外市 1 起")
    await play.rest()
    statuses = [grid.event(each)["status"] for each in (no, *linked)]
    play.expect("every event has its answer, one transferred", statuses, ["40", "40", "40", "70"])
    tasks = play.tasks_of("GRID")
    cases = [result["caseNo"] for each in tasks for result in each["results"] if result["caseNo"]]
    play.expect("3 penalty cases, 1 transferred", (len(cases), sum(each["status"] == "TRANSFERRED" for each in tasks)), (3, 1))
    play.expect(
        "12 points: a dozen, and serious",
        sorted(one["category"] for one in play.records(code)),
        ["COMPREHENSIVE_DEDUCTION", "REGULATORY_POINTS"],
    )
    play.show("gridEvent", no)


CASE = Case(
    10,
    "物流园危险化学品：溯源、立案、移送（应急管理局）",
    "Dangerous chemicals: traced, cases filed, transferred (emergency)",
    "2019-08-08 09:00",
    _play,
)
