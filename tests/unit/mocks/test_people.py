import random
from itertools import islice

from mocks.people import (
    identity_check_digit,
    is_identity_number,
    is_old_number,
    is_uscc,
    make_identity_number,
    make_old_number,
    make_uscc,
    subjects,
    uscc_check_digit,
)


def test_the_published_example_numbers_are_valid() -> None:
    assert is_uscc("91350100M000100Y43")  # the example that goes with GB 32100-2015
    assert is_identity_number("11010519491231002X")  # the example in GB 11643-1999


def test_a_wrong_check_digit_or_letter_is_seen() -> None:
    assert not is_uscc("91350100M000100Y44")
    assert not is_uscc("91350100M000100Y" + "5" + uscc_check_digit("91350100M000100Y5"))  # only the organisation's digit is wrong
    assert not is_uscc("91350100I000100Y43")
    assert not is_identity_number("110105194912310021")
    assert not is_identity_number("11010519491231002x")


def test_a_day_that_never_was_is_no_birthday() -> None:
    body = "33078219790229001"
    assert not is_identity_number(body + identity_check_digit(body))


def test_the_former_region_and_early_births_are_accepted() -> None:
    assert is_identity_number("330725198610110038")


def test_made_up_numbers_are_valid_and_never_repeat() -> None:
    rng = random.Random(7)
    assert all(is_uscc(make_uscc(rng)) for _ in range(200))
    assert all(is_identity_number(make_identity_number(rng)) for _ in range(200))
    assert all(is_old_number(make_old_number(rng)) for _ in range(200))
    some = list(islice(subjects(rng), 500))
    assert len({subject.code for subject in some}) == 500


def test_a_city_has_persons_businesses_old_firms_and_characters_outside_gbk() -> None:
    some = list(islice(subjects(random.Random(7)), 500))
    assert {subject.kind for subject in some} == {"1", "2", "3"}
    assert any(subject.old_number for subject in some)
    assert all(any(character in subject.name for subject in some) for character in "䶮𬭎")
    assert all(subject.uscc is None for subject in some if subject.kind == "2")


def test_the_same_seed_makes_the_same_people() -> None:
    assert list(islice(subjects(random.Random(3)), 20)) == list(islice(subjects(random.Random(3)), 20))
