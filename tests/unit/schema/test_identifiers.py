"""Unified social credit codes, identity numbers, old registration numbers and the numbers that we make."""

import hashlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.identifiers import (
    USCC_ALPHABET,
    IdentifierError,
    Sm3Missing,
    identity_check_character,
    is_identity,
    is_rid,
    is_uscc,
    mobile_of,
    organisation_check_character,
    outgoing_number,
    parse_identity,
    parse_registration_number,
    parse_subject_code,
    parse_uscc,
    require_sm3,
    rid_code,
    uscc_check_character,
)

# Codes that stand on public registers: the standard's own example, companies and two universities.
PUBLIC_CODES = (
    "91350100M000100Y43",
    "9144030071526726XG",
    "914403001922038216",
    "91330100799655058B",
    "91110000802100433B",
    "12100000425006133D",
    "12100000400002259P",
)


def coded(first8: str, body: str) -> str:
    """Complete a code from its first eight characters and the organisation's eight."""
    first17 = first8 + body + organisation_check_character(body)
    return first17 + uscc_check_character(first17)


characters = st.sampled_from(USCC_ALPHABET)
codes = st.builds(
    lambda first, region, body: coded(first + region, body),
    st.text(characters, min_size=2, max_size=2),
    st.from_regex(r"[1-9][0-9]{5}", fullmatch=True),
    st.text(characters, min_size=8, max_size=8),
)
identities = st.builds(
    lambda region, born, order: (first17 := f"{region}{born:%Y%m%d}{order:03}") + identity_check_character(first17),
    st.sampled_from(("330782", "330725", "110101", "650102")),
    st.dates(min_value=date(1900, 1, 1), max_value=date(2019, 12, 31)),
    st.integers(0, 999),
)


@pytest.mark.parametrize("code", PUBLIC_CODES)
def test_a_code_from_a_public_register_is_taken(code: str) -> None:
    assert parse_uscc(code) == code


@pytest.mark.parametrize("first", ["1", "5", "9", "Y", "A", "N", "2", "G"])
def test_any_first_character_is_taken(first: str) -> None:
    assert is_uscc(coded(f"{first}1330782", "MA28DN12"))


def test_a_code_is_returned_in_upper_case_without_blanks() -> None:
    assert parse_uscc(" 91350100m000100y43\n") == "91350100M000100Y43"


@given(codes)
def test_every_code_made_by_the_formula_is_taken(code: str) -> None:
    assert parse_uscc(code) == code


@given(codes)
def test_a_codes_weighted_sum_is_a_multiple_of_31_and_its_organisations_of_11(code: str) -> None:
    weighted = sum(USCC_ALPHABET.index(character) * 3**place for place, character in enumerate(code[:17]))
    assert (weighted + USCC_ALPHABET.index(code[17])) % 31 == 0
    check = 10 if code[16] == "X" else int(code[16])
    organised = sum(int(character, 36) * weight for character, weight in zip(code[8:16], (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    assert (organised + check) % 11 == 0


@given(identities)
def test_an_identity_numbers_sum_weighted_by_powers_of_two_leaves_one(number: str) -> None:
    values = [10 if character == "X" else int(character) for character in number]
    assert sum(value * 2 ** (17 - place) for place, value in enumerate(values)) % 11 == 1  # ISO 7064 MOD 11-2


@given(codes, st.integers(0, 17), characters)
def test_one_wrong_character_is_always_found(code: str, place: int, other: str) -> None:
    wrong = code[:place] + other + code[place + 1 :]
    assert is_uscc(wrong) == (wrong == code)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("91350100M000100Y4", "17 characters; it needs 18"),
        ("91350100M000100Y4I", "I cannot stand in it"),
        ("91350100M000100Y44", "the last character"),
        ("91440300279268346N", "character 17"),
        ("９１350100M000100Y43", "cannot stand in it"),
    ],
)
def test_a_refused_code_is_named_with_the_reason(code: str, says: str) -> None:
    with pytest.raises(IdentifierError, match=says) as refused:
        parse_uscc(code)
    assert code in str(refused.value)


def test_a_right_check_character_over_a_wrong_organisation_part_is_not_enough() -> None:
    first17 = "91330782" + "MA28DN12" + "0"
    assert organisation_check_character("MA28DN12") != "0"
    assert not is_uscc(first17 + uscc_check_character(first17))


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014", "33072519850315001X"])
def test_an_identity_number_is_taken_also_from_a_former_region(number: str) -> None:
    number = number[:17] + identity_check_character(number[:17])
    assert parse_identity(number) == number


def test_the_standards_own_identity_examples_hold() -> None:
    assert is_identity("11010519491231002X")
    assert is_identity("440524188001010014")


def test_a_small_x_becomes_a_capital_one() -> None:
    assert parse_identity(" 11010519491231002x ") == "11010519491231002X"


@given(identities, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_digit_of_an_identity_number_is_always_found(number: str, place: int, other: str) -> None:
    wrong = number[:place] + other + number[place + 1 :]
    assert is_identity(wrong) == (wrong == number)


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("110105194912310021", "check character"),
        ("110105194902300028", "birth date"),
        ("11010519491231002", "17 digits and"),
        ("110105491231002", "17 digits and"),
        ("１１010519491231002X", "17 digits and"),
    ],
)
def test_a_refused_identity_number_is_never_shown_in_clear(number: str, says: str) -> None:
    with pytest.raises(IdentifierError, match=says) as refused:
        parse_identity(number)
    assert number not in str(refused.value)
    assert number[6:14] not in str(refused.value)


@pytest.mark.parametrize("number", ["11010519491231002X", "110105194912310021", "11010519491231002"])
def test_an_identity_number_given_as_a_code_is_not_shown_in_clear_either(number: str) -> None:
    for parse in (parse_uscc, parse_registration_number):
        with pytest.raises(IdentifierError) as refused:
            parse(number)
        assert number not in str(refused.value)


def test_an_old_registration_number_is_fifteen_digits() -> None:
    assert parse_registration_number(" 330782600123456 ") == "330782600123456"
    for wrong in ("33078260012345", "3307826001234567", "33078260012345A", ""):
        with pytest.raises(IdentifierError, match="15 digits"):
            parse_registration_number(wrong)


def hmac_sm3_by_definition(key: bytes, message: bytes) -> str:
    """RFC 2104 written out over hashlib's SM3: block of 64 bytes."""
    block = key.ljust(64, b"\0")
    inner = hashlib.new("sm3", bytes(byte ^ 0x36 for byte in block) + message).digest()
    return hashlib.new("sm3", bytes(byte ^ 0x5C for byte in block) + inner).hexdigest()


def test_an_rid_code_is_the_keyed_sm3_of_the_number_with_a_capital_x() -> None:
    expected = "RID-" + hmac_sm3_by_definition("交换密钥".encode(), b"11010519491231002X")
    assert rid_code("11010519491231002x", "交换密钥") == expected
    assert len(expected) == 68


def test_another_key_gives_another_rid_code() -> None:
    assert rid_code("11010519491231002X", "one") != rid_code("11010519491231002X", "two")


def test_no_rid_code_is_made_without_key_or_from_a_wrong_number() -> None:
    with pytest.raises(ValueError, match="exchange key is empty"):
        rid_code("11010519491231002X", "")
    with pytest.raises(IdentifierError, match="check character"):
        rid_code("110105194912310021", "key")


def test_sm3_of_the_standards_example_is_right() -> None:
    require_sm3()
    assert hashlib.new("sm3", b"abc").hexdigest() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_an_openssl_without_sm3_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(name: str) -> None:
        raise ValueError(f"unsupported hash type {name}")

    monkeypatch.setattr(hashlib, "new", unsupported)
    with pytest.raises(Sm3Missing, match="OpenSSL with SM3"):
        rid_code("11010519491231002X", "key")


def test_an_outgoing_number_is_prefix_and_forty_hex_of_the_keys_sha256() -> None:
    number = outgoing_number("AV-", "approval-verification:330782201908150001")
    assert number == "AV-" + hashlib.sha256(b"approval-verification:330782201908150001").hexdigest()[:40]


@given(st.from_regex(r"[A-Za-z0-9-]{1,24}", fullmatch=True), st.text(min_size=1), st.text(min_size=1))
def test_outgoing_numbers_fit_the_platforms_and_differ_by_key(prefix: str, one: str, two: str) -> None:
    assert 8 <= len(outgoing_number(prefix, one)) <= 64
    assert (outgoing_number(prefix, one) == outgoing_number(prefix, two)) == (one == two)


@pytest.mark.parametrize("prefix", ["", "A" * 25, "核查", "A B"])
def test_a_prefix_that_platforms_could_refuse_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="must be 1 to 24"):
        outgoing_number(prefix, "key")


def test_an_empty_key_makes_no_number() -> None:
    with pytest.raises(ValueError, match="is empty"):
        outgoing_number("AV", "")


# --- Subjects and telephones -----------------------------------------------------------------------------------------

RID = "RID-" + "0a" * 32


def test_a_subject_goes_by_its_uscc_or_a_rid_code() -> None:
    assert parse_subject_code(f" {PUBLIC_CODES[0].lower()} ") == PUBLIC_CODES[0]
    assert parse_subject_code(RID) == RID


@pytest.mark.parametrize("text", ["", "RID-", RID.upper(), RID + "0", PUBLIC_CODES[0][:-1] + "0"])
def test_anything_else_is_no_subjects_code(text: str) -> None:
    assert not is_rid(text)
    with pytest.raises(IdentifierError):
        parse_subject_code(text)


def test_an_identity_number_is_refused_as_a_subjects_code_and_masked() -> None:
    with pytest.raises(IdentifierError, match="RID code") as refused:
        parse_subject_code("33078219850412031X")
    assert "19850412" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "mobile"),
    [
        ("13905790001", "13905790001"),
        ("+86 139-0579-0001", "13905790001"),
        ("008613905790001", "13905790001"),
        ("013905790001", "13905790001"),
        ("１３９０５７９０００１", "13905790001"),
        ("0579-85210001", None),
        ("12905790001", None),
        ("139057900011", None),
        ("13905790001转2", None),
        ("", None),
    ],
)
def test_a_mobile_number_is_known_however_it_is_written(text: str, mobile: str | None) -> None:
    assert mobile_of(text) == mobile
