"""Case 4: a grid event, transport. Weeds block the view; ordered away, the town is told; seen gone the next day, closed."""

from hub.cases.people import company
from hub.cases.play import Case, Play

KEEPER = company("义乌市公路养护有限公司", "义乌市佛堂镇双林路", "case 4")


async def _play(play: Play) -> None:
    grid, enforcement = play.stage.platforms.grid, play.stage.platforms.enforcement
    code = play.known(KEEPER)
    event = grid.report(
        category="JT-03",
        title="道路两侧杂草遮挡视线",
        town="佛堂镇",
        level=2,
        send=True,
        content="佛堂镇双林路弯道处杂草丛生，遮挡行车视线，存在交通安全隐患",
        address="义乌市佛堂镇双林路",
        gridCode="330782101005",
        limitTime="20190807090000",
    )
    no = event["no"]
    play.tell("grid", f"佛堂镇网格员上报并流转：{event['title']}（{no}，二级）")
    task = await play.task_for(no)
    play.tell("enforcement", f"生成检查任务 {task['taskId']}，派单至交通局，限时 {task['dueAt'][:16]}")
    await play.rest()
    play.expect("the event is accepted", grid.event(no)["status"], "30")

    await play.at("2019-08-05 14:00")
    order = {"deadline": "2019-08-05T18:00:00+08:00"}
    play.check(
        task["taskId"],
        {
            "subjectCode": code,
            "subjectName": KEEPER.name,
            "findings": [{"itemCode": "JT-001"}],
            "rectification": order,
            "remarks": "责令养护单位当日清除",
        },
    )
    play.tell("enforcement", "掌上执法：交通执法队到场，责令养护单位当日清除杂草")
    await play.rest()
    play.tell("grid", "佛堂镇当日收到办理反馈")
    play.expect("the town was answered on the day", grid.event(no)["status"], "40")
    play.expect("without an approval there is no telephone: its notice is for people", await play.for_people(), ["no-telephone"])
    play.tell("hub", f"{KEEPER.name}没有可用的手机号：扣分告知转人工处理清单")
    recheck = next(iter(play.tasks_of("RECHECK")), None)
    play.expect("one recheck, for the order", len(play.tasks_of("RECHECK")), 1)
    if recheck is None:
        return

    await play.at("2019-08-06 10:00")
    play.check(recheck["taskId"], {"conclusion": "CONFORM", "remarks": "杂草已清除，视线良好"})
    play.tell("enforcement", "掌上执法：次日复查，杂草已清除")
    await play.rest()
    grid.close(no)
    play.tell("grid", "佛堂镇确认已整改，事件结案")
    await play.rest()
    play.expect("no penalty", play.tasks_of("SPECIAL"), [])
    play.expect(
        "the event is closed within its limit",
        (grid.event(no)["status"], grid.event(no)["updateTime"] < "20190807090000"),
        ("50", True),
    )
    play.expect("one task, one recheck, nothing twice", len(enforcement.store.all("task")), 2)
    play.show("gridEvent", no)


CASE = Case(4, "网格事件：路边杂草遮挡视线（交通局）", "A grid event: weeds block the view (transport)", "2019-08-05 09:00", _play)
