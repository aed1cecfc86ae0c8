"""Case 8: financial firms report through self-governance; figures are checked on line, notices and laws go out to them."""

import json

from hub.cases.people import company
from hub.cases.play import Case, Play

GUARANTORS = tuple(
    company(f"义乌市第{number}融资担保有限公司", f"义乌市福田街道金融街{number}号", f"case 8 g{number}") for number in range(1, 7)
)
PAWNSHOPS = tuple(
    company(f"义乌市第{number}典当有限公司", f"义乌市稠城街道典当巷{number}号", f"case 8 p{number}") for number in range(1, 10)
)


async def _play(play: Play) -> None:
    for firm in (*GUARANTORS, *PAWNSHOPS):
        play.known(firm)
    await play.rest()

    await play.at("2019-08-23 09:00")
    reports = {}
    for number, firm in enumerate((*GUARANTORS, *PAWNSHOPS), 1):
        figures = {"担保余额": number * 1_000_000, "担保笔数": number * 3} if firm in GUARANTORS else {"典当余额": number * 500_000}
        reports[firm.name] = play.govern(firm, "self_report", item="JR-001", figures=json.dumps(figures, ensure_ascii=False))
    play.tell("selfgov", "6 家担保公司、9 家典当行在浙里办自主申报：担保余额、担保笔数等")
    await play.rest()
    play.expect("all 15 reports are taken", len(reports), 15)
    play.expect("every report is marked as taken", {row["clbz"] for row in play.stage.platforms.selfgov.rows("zz_result")}, {"1"})

    await play.at("2019-08-23 14:00")
    for number, firm in enumerate(GUARANTORS):
        bad = number == 5
        await play.check_figures(reports[firm.name], "NONCONFORM" if bad else "CONFORM", inspect=bad)
    play.tell("hub", "金融办在线核查申报数据：5 家相符，1 家不符，转现场检查")
    await play.rest()
    await play.check_figures(reports[GUARANTORS[5].name], "NONCONFORM", inspect=True)  # once more: changes nothing
    await play.rest()
    ordered = play.tasks_of("SPECIAL")
    play.expect("one check on site", [(task["origin"]["platform"], task["department"]) for task in ordered], [("selfgov", "JR")])

    await play.push_notice("TZ-2019-0823", subjects=[firm.code for firm in PAWNSHOPS], title="关于学习《典当管理办法》的通知")
    await play.push_notice("FG-2019-0823", industry="融资担保", title="《融资担保公司监督管理条例》")
    play.tell("hub", "向 9 家典当行推送通知，向融资担保行业推送法规")
    await play.rest()
    await play.push_notice("FG-2019-0823", industry="融资担保", title="《融资担保公司监督管理条例》")  # once more
    await play.rest()
    notices = play.stage.platforms.selfgov.rows("zz_notice")
    play.expect(
        "nine notices and one law",
        (sum(n["tyshxydm"] is not None for n in notices), sum(n["tyshxydm"] is None for n in notices)),
        (9, 1),
    )
    play.show("selfReport", reports[GUARANTORS[5].name])
    play.show("noticeRequest", "FG-2019-0823")


CASE = Case(
    8,
    "类金融企业自主申报、通知法规推送（金融办）",
    "Financial firms report; notices and laws are pushed (finance)",
    "2019-08-22 09:00",
    _play,
)
