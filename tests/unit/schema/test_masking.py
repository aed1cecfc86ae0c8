"""What may be seen of personal numbers, alone and inside free text."""

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.identifiers import identity_check_character, is_identity, mask_identity, mask_phone, outgoing_number, redact, rid_code
from tests.unit.schema.test_identifiers import PUBLIC_CODES, coded, codes, identities


def test_an_identity_number_shows_three_and_two_characters() -> None:
    assert mask_identity("11010519491231002X") == "110*************2X"
    assert mask_identity("110105491231002") == "110**********02"


def test_a_number_too_short_to_be_masked_in_part_is_masked_whole() -> None:
    assert mask_identity("1101051949") == "*" * 10
    assert mask_phone("110") == "***"
    assert mask_phone("85123456") == "******56"


def test_a_telephone_number_shows_three_and_two_characters() -> None:
    assert mask_phone("13812345678") == "138******78"
    assert mask_phone("0579-85123456") == "057********56"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("身份证号11010519491231002X，已核", "身份证号110*************2X，已核"),
        ("身份证110105194912310021", "身份证110*************21"),  # the check character is wrong
        ("id=33072519850315001x;", "id=330*************1x;"),
        ("110105 19491231 002X", "110***************2X"),
        ("１１０１０５１９４９１２３１００２Ｘ", "１１０*************２Ｘ"),
        ("旧证110105491231002。", "旧证110**********02。"),
        ("tel13812345678", "tel138******78"),
        ("138-1234-5678 / 138 1234 5678", "138********78 / 138********78"),
        ("+86 13812345678", "+86 *********78"),
        ("8613812345678", "861********78"),
        ("013812345678", "013*******78"),
        ("0579-85123456转801", "057********56转801"),
        ("057985123456", "057*******56"),
        ("（0579）85123456", "（05*********56"),
        ("01012345678", "01012345678"),  # local numbers do not begin with 1
        ("010-62345678", "010*******78"),
        ("+86-579-85123456", "+86-**********56"),
        ("电话：85123456", "电话：******56"),
        ("<reporterTel>85123456</reporterTel>", "<reporterTel>******56</reporterTel>"),
        ('{"FRZJHM": "11010519491231002X", "LXDH": "13812345678"}', '{"FRZJHM": "110*************2X", "LXDH": "138******78"}'),
    ],
)
def test_personal_numbers_in_text_are_masked(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        *PUBLIC_CODES,
        "task T20190805000123, event YW20190805000123, grid 330782101005",
        "20190805090000 2019-08-05T09:00:00+08:00 2019-08-05 09:00:00",
        "epoch 1566000000 and 1566000000000 and 1566000000000000",
        "20190805000012345678",  # 20 digits
        "201908198506150001",  # 18 digits, no province 20
        "20190850061500112",  # 17 digits
        "200725850615001",  # 15 digits, no province 20
        "00000330725850615001",  # 20 digits, though the last 15 look personal
        "33072585061500100000",
        "330782999912310021",  # 18 digits, no birth in the year 9999
        "330782991312345",  # 15 digits, no thirteenth month
        "100000000000000",
        "113812345678",  # 12 digits
        "0f8fad5b-d9cb-469f-a165-138123456780",
        "at 20190805",
        "call 12345 or 110",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert redact(text) == text


def test_our_own_numbers_stay_though_digits_in_them_may_look_personal() -> None:
    digests = [outgoing_number("AV", str(number)) for number in range(3000)]
    assert [redact(digest) for digest in digests] == digests
    code = rid_code("11010519491231002X", "key")
    assert redact(f"subject {code} is unknown") == f"subject {code} is unknown"
    assert redact("AV" + "f13812345678" + "a" * 28) == "AV" + "f13812345678" + "a" * 28
    assert redact("sum " + "F13812345678" + "A" * 20) == "sum " + "F13812345678" + "A" * 20


def test_a_code_all_of_digits_stays_though_region_and_birth_date_can_be_read_into_it() -> None:
    bodies = (f"850615{number:02}" for number in range(100))
    numeric = [code for body in bodies if (code := coded("12330719", body)).isdigit() and not is_identity(code)]
    assert numeric
    assert [redact(code) for code in numeric] == numeric
    mistyped = numeric[0][:17] + str((int(numeric[0][17]) + 1) % 10)
    assert redact(mistyped) == mask_identity(mistyped)


def test_neighbours_of_a_code_are_still_masked() -> None:
    assert redact("13812345678 91350100M000100Y43 13812345678") == "138******78 91350100M000100Y43 138******78"


@given(identities, st.text(st.characters(exclude_categories=["Nd"]), max_size=5))
def test_no_identity_number_survives_in_any_surrounding_text(number: str, around: str) -> None:
    assert number not in redact(around + number + around)


@given(st.dates(date(1900, 1, 1), date(1999, 12, 31)), st.integers(0, 999))
def test_no_fifteen_digit_identity_number_survives(born: date, order: int) -> None:
    number = f"330725{born:%y%m%d}{order:03}"
    assert redact(number) == mask_identity(number)


@pytest.mark.parametrize("piece", ["7", "a", "7a", "A7", "1" * 31 + " ", "a-", "电话", "13", "8" * 17 + "x"])
def test_no_text_of_a_client_costs_more_than_its_length(piece: str) -> None:
    """200,000 digits took minutes where a digest was looked for from each of them."""
    text = piece * (200_000 // len(piece))
    began = time.process_time()
    redact(text + "g")
    assert time.process_time() - began < 20


@pytest.mark.parametrize("before", ["", "x", "AV", "RID-", "g9", "电话"])
@pytest.mark.parametrize("after", ["", "-", " 13812345678"])
def test_a_digest_is_found_wherever_it_begins(before: str, after: str) -> None:
    digest = "f13812345678" + "a" * 28
    shown = redact(before + digest + after)
    assert shown == before + digest + after.replace("13812345678", "138******78")


@given(codes)
def test_every_code_survives(code: str) -> None:
    if code[:17].isdigit() and identity_check_character(code[:17]) == code[17]:
        return  # nothing tells it from an identity number
    assert redact(f"对象{code}，") == f"对象{code}，"


@given(st.text(st.sampled_from("0123456789X-+() 电话:1389ab"), max_size=60))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)
