"""pushNotice and recordFiguresCheck at the door: what is refused by its shape, and what reaches the engine."""

from typing import Any

import pytest

from schema.entities import FiguresCheck, NoticeRequest
from schema.notice_operations import FiguresCheckWanted, NoticeWanted
from tests.builders import IDENTITY_NO, OTHER_CODE, SHOP_CODE
from tests.unit.graph.city import READER, City
from tests.unit.graph.records import made

PUSH = """mutation($input: PushNoticeInput!) { pushNotice(input: $input) {
    noticeRequest { requestNo title } userErrors { __typename message path ... on BadCode { code } ... on TooMany { limit } } } }"""
CHECK = """mutation($input: RecordFiguresCheckInput!) { recordFiguresCheck(input: $input) {
    figuresCheck { checkNo conclusion } userErrors { __typename path } } }"""
GOOD = {"requestNo": "TZ-1", "subjects": [SHOP_CODE], "title": "通知", "content": "请学习", "department": "WH"}
FIGURES = {"reportNo": "4711", "conclusion": "NONCONFORM", "department": "WH", "inspect": True}
RID = "RID-" + "0a" * 32


async def push(city: City, **given: Any) -> Any:
    return (await city.data(PUSH, {"input": GOOD | given}))["pushNotice"]


async def refused(city: City, **given: Any) -> list[tuple[str, list[str]]]:
    """Return type and place of each error; the engine was not asked."""
    payload = await push(city, **given)
    assert (payload["noticeRequest"], city.hub.calls) == (None, [])
    return [(error["__typename"], error["path"]) for error in payload["userErrors"]]


async def test_a_notice_reaches_the_engine_with_blanks_taken_off_and_each_subject_once(city: City) -> None:
    await city.put(made(NoticeRequest, request_no="TZ-1", title="通知"))
    payload = await push(city, requestNo=" TZ-1 ", subjects=[OTHER_CODE, f" {SHOP_CODE.lower()} ", OTHER_CODE, RID], title=" 通知 ")
    assert payload == {"noticeRequest": {"requestNo": "TZ-1", "title": "通知"}, "userErrors": []}
    assert city.hub.calls == [
        ("push_notice", "TZ-1", NoticeWanted("TZ-1", (OTHER_CODE, SHOP_CODE, RID), None, "通知", "请学习", "WH"), "console")
    ]


async def test_an_industry_reaches_the_engine_without_subjects(city: City) -> None:
    await push(city, subjects=None, industry=" 印刷业 ")
    assert city.hub.calls[0][2] == NoticeWanted("TZ-1", (), "印刷业", "通知", "请学习", "WH")


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        ({"title": " "}, [("InputMissing", ["title"])]),
        ({"content": "\n"}, [("InputMissing", ["content"])]),
        ({"title": "a\x00b"}, [("InputMissing", ["title"])]),
        ({"title": "", "content": ""}, [("InputMissing", ["title"]), ("InputMissing", ["content"])]),
        ({"subjects": None}, [("InputMissing", [])]),
        ({"subjects": [], "industry": " "}, [("InputMissing", [])]),
        ({"industry": "印刷业"}, [("InputMissing", [])]),
        ({"requestNo": " "}, [("BadNumber", ["requestNo"])]),
        ({"requestNo": "TZ:1"}, [("BadNumber", ["requestNo"])]),
        ({"requestNo": "T" * 65}, [("BadNumber", ["requestNo"])]),
        ({"subjects": [SHOP_CODE] * 1001}, [("TooMany", ["subjects"])]),
        (
            {"subjects": [SHOP_CODE, "91330782MA2E00011X", "RID-1"]},
            [("BadCode", ["subjects", "1"]), ("BadCode", ["subjects", "2"])],
        ),
    ],
)
async def test_what_cannot_be_meant_is_refused_by_type_and_place(
    city: City, given: dict[str, Any], errors: list[tuple[str, list[str]]]
) -> None:
    assert await refused(city, **given) == errors


async def test_a_wrong_check_digit_is_named(city: City) -> None:
    (error,) = (await push(city, subjects=["91330782MA2E00011X"]))["userErrors"]
    assert error["code"] == "91330782MA2E00011X"
    assert "its check character, is wrong" in error["message"]


async def test_an_identity_number_is_no_subject_and_never_shown(city: City) -> None:
    (error,) = (await push(city, subjects=[IDENTITY_NO]))["userErrors"]
    assert "RID code" in error["message"]
    assert IDENTITY_NO not in str(error)


async def test_a_check_of_figures_reaches_the_engine(city: City) -> None:
    await city.put(made(FiguresCheck, check_no="4711"))
    payload = (await city.data(CHECK, {"input": FIGURES | {"remarks": " 余额不符 "}}))["recordFiguresCheck"]
    assert payload["figuresCheck"]["checkNo"] == "4711"
    wanted = FiguresCheckWanted("4711", holds=False, remarks="余额不符", department="WH", inspect=True)
    assert city.hub.calls == [("record_figures_check", "4711", wanted, "console")]
    await city.data(CHECK, {"input": {"reportNo": "4711", "conclusion": "CONFORM", "department": "WH", "remarks": " "}})
    assert city.hub.calls[1][2] == FiguresCheckWanted("4711", holds=True, remarks=None, department="WH", inspect=False)


@pytest.mark.parametrize(("given", "path"), [({"reportNo": " "}, ["reportNo"]), ({"remarks": "\x00"}, ["remarks"])])
async def test_a_check_that_names_nothing_is_refused(city: City, given: dict[str, Any], path: list[str]) -> None:
    payload = (await city.data(CHECK, {"input": FIGURES | given}))["recordFiguresCheck"]
    assert payload == {"figuresCheck": None, "userErrors": [{"__typename": "InputMissing", "path": path}]}
    assert city.hub.calls == []


async def test_both_ask_for_the_right_to_act(city: City) -> None:
    for query, given in ((PUSH, GOOD), (CHECK, FIGURES)):
        assert (await city.error(query, {"input": given}, scopes=READER))[0] == "FORBIDDEN"
        assert (await city.error(query, {"input": given}, scopes=READER, name=None))[0] == "UNAUTHENTICATED"
    assert city.hub.calls == []
