"""Personal data at rest: keys can be changed, tampering is noticed, no message shows a value or a key."""

import base64

import pytest

from hub.mirror.sealing import SealError, Seals

OLD, NEW, JOIN = ("2019", bytes(32)), ("2020", bytes([1]) * 32), b"join"


def as_text(key_id: str, raw: bytes) -> str:
    return f"{key_id}:{base64.b64encode(raw).decode()}"


def test_what_is_sealed_opens_and_does_not_show() -> None:
    seals = Seals([NEW], JOIN)
    sealed = seals.seal(b"33078219850412031X")
    assert seals.open(sealed) == b"33078219850412031X"
    assert b"33078219850412031X" not in sealed


def test_equal_values_are_sealed_differently_and_joined_equally() -> None:
    seals = Seals([NEW], JOIN)
    assert seals.seal(b"1") != seals.seal(b"1")
    assert seals.join("1") == seals.join("1") != seals.join("2")
    assert len(seals.join("1")) == 16


def test_the_join_value_depends_on_its_own_key_only() -> None:
    assert Seals([NEW], JOIN).join("1") == Seals([OLD], JOIN).join("1") != Seals([NEW], b"other").join("1")


def test_after_a_change_of_keys_the_first_writes_and_all_read() -> None:
    before, during, after = Seals([OLD], JOIN), Seals([NEW, OLD], JOIN), Seals([NEW], JOIN)
    assert during.open(before.seal(b"value")) == b"value"
    assert after.open(during.seal(b"value")) == b"value"


def test_a_key_that_is_missing_is_named_with_the_way_out() -> None:
    with pytest.raises(SealError, match=r"sealed with key '2019', which HUB_PII_KEYS no longer holds; add it again"):
        Seals([NEW], JOIN).open(Seals([OLD], JOIN).seal(b"value"))


def test_every_changed_byte_is_noticed() -> None:
    seals = Seals([NEW], JOIN)
    sealed = seals.seal(b"value")
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(SealError):
            seals.open(changed)


def test_every_shortened_value_is_noticed() -> None:
    seals = Seals([NEW], JOIN)
    sealed = seals.seal(b"value")
    for length in range(len(sealed)):
        with pytest.raises(SealError):
            seals.open(sealed[:length])


def test_another_key_of_the_same_name_is_noticed() -> None:
    with pytest.raises(SealError, match=r"'2020' was changed, or the key is another one of the same name"):
        Seals([("2020", bytes([9]) * 32)], JOIN).open(Seals([NEW], JOIN).seal(b"value"))


def test_keys_are_read_from_text() -> None:
    seals = Seals.from_text([as_text(*NEW), as_text(*OLD)], "join")
    assert seals.open(Seals([OLD], JOIN).seal(b"value")) == b"value"
    assert Seals([NEW], JOIN).open(seals.seal(b"value")) == b"value"


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ([], "no key to seal personal data with; set HUB_PII_KEYS"),
        (["c2VjcmV0"], "key 1 is not <id>:<base64"),
        ([as_text(*NEW), "2019:c2VjcmV0"], "key 2 is not <id>:<base64"),
        (["2019:not base64!"], "key 1 is not <id>:<base64"),
        ([as_text("", bytes(32))], "key 1 is not <id>:<base64"),
        ([as_text(*NEW), as_text("2020", bytes(32))], "key 2 has the id '2020' of an earlier one"),
    ],
)
def test_unusable_keys_are_refused_without_showing_them(keys: list[str], says: str) -> None:
    with pytest.raises(SealError, match=says) as refused:
        Seals.from_text(keys, "join")
    assert "c2VjcmV0" not in str(refused.value)
