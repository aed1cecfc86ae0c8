"""Case 3: hotel licences on commitment, police. 23 apply: 14 may commit, 9 take the standard procedure; one breaks its word."""

from hub.cases.people import company
from hub.cases.play import Case, Play

HOTELS = tuple(
    company(f"义乌市第{number}宾馆有限公司", f"义乌市北苑街道宾王路{number}号", f"case 3 {number}") for number in range(1, 24)
)
MATTER = "GA-SX01"


async def _play(play: Play) -> None:
    approval = play.stage.platforms.approval
    codes = [play.known(hotel, score=85.0 if number < 14 else 70.0) for number, hotel in enumerate(HOTELS)]
    await play.rest()

    await play.at("2019-09-03 09:00")
    serials, procedures = [], []
    for hotel in HOTELS:
        said = await approval.ask_eligibility(hotel.code, MATTER)
        procedure = "1" if said is not None and said["sycn"] else "2"
        procedures.append(procedure)
        serials.append(approval.grant(hotel, matter=MATTER, procedure=procedure))
    play.tell(
        "approval",
        f"23 家申请旅馆业特种行业许可：信用核查后 {procedures.count('1')} 家告知承诺，{procedures.count('2')} 家正常审批",
    )
    play.expect("14 by commitment, 9 by the standard procedure", (procedures.count("1"), procedures.count("2")), (14, 9))
    await play.rest()
    play.expect("every approval has its task", (len(play.tasks_of("COMMITMENT")), len(play.tasks_of("APPROVAL"))), (14, 9))

    await play.at("2019-09-10 10:00")
    for serial in serials:
        task = await play.task_for(serial)
        broken = serial == serials[0]
        play.check(task["taskId"], {"findings": [{"itemCode": "GA-002", "points": None}]} if broken else {"conclusion": "CONFORM"})
    play.tell("enforcement", f"掌上执法：公安局逐家核查，{HOTELS[0].name}未按承诺安装监控")
    await play.rest()
    records = play.records(codes[0])
    play.expect(
        "one breach of commitment, 6 points", [(one["category"], one["points"]) for one in records], [("COMMITMENT_BREACH", "6.0")]
    )
    play.expect("no other hotel has a record", sum(len(play.records(code)) for code in codes[1:]), 0)
    play.expect("it is blacklisted for the matter", play.blacklisted(HOTELS[0]), [MATTER])
    play.expect("the result went back", approval.record(serials[0])["HCJG"], "2")
    again = await approval.ask_eligibility(HOTELS[0].code, MATTER)
    play.expect("it may not commit again", again is not None and again["sycn"], False)
    play.tell("approval", f"再次核查：不适用告知承诺（{'；'.join(again['yy']) if again else '无应答'}）")

    await play.at("2019-09-20 10:00")
    play.govern(HOTELS[0], "self_check", repairs=records[0], points="6.0")
    play.tell("selfgov", "宾馆自查整改，审核通过")
    await play.rest()
    play.expect("repaired", [one["openPoints"] for one in play.records(codes[0])], ["0.0"])
    play.tell("credit", "信用修复 6 分")
    play.show("approval", serials[0])


CASE = Case(3, "告知承诺：旅馆业特种行业许可（公安局）", "Commitment: hotel licences (police)", "2019-09-02 09:00", _play)
