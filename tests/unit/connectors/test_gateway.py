"""The gateway's signature, against values that openssl made from the page."""

from datetime import UTC, datetime

import pytest

from connectors.gateway import gateway_date, gateway_signature, moment_of, sorted_query

DATE = "Thu, 15 Aug 2019 02:00:00 GMT"


def test_a_signature_is_the_one_that_openssl_makes() -> None:
    # printf 'GET\n/irs/v1/tasks\n<sorted query>\nAK\n<date>\n' | openssl dgst -sha256 -hmac secret-new -binary | base64
    target = "/irs/v1/tasks?cursor=a%2Bb%20c%26%3D~%E4%B8%AD&b=2&b-a=0&b=10&b=1"

    signature = gateway_signature("secret-new", method="GET", target=target, access_key="AK", date=DATE)

    assert signature == "QFwfGKGbO6EvM9F3nXFK/o7pjVJyGwctkn+YUkzqVjA="


def test_without_a_query_its_line_is_empty() -> None:
    signature = gateway_signature("callback-new", method="POST", target="/webhooks/enforcement", access_key="CB", date=DATE)

    assert signature == "rSEvruN7lrAdA9FEhkvlTqXPQ/JEgtJJDUv6bkY5qDs="


def test_a_query_is_sorted_by_name_and_then_by_value_as_sent() -> None:
    # As whole texts a-b=1 would come before a=1.
    assert sorted_query("a-b=1&a=2&a=10&B=%7E&a=") == "B=%7E&a=&a=10&a=2&a-b=1"


def test_dates_are_rfc_1123_in_gmt() -> None:
    assert gateway_date(datetime.fromisoformat("2019-08-15T10:00:00.999+08:00")) == DATE
    assert moment_of(DATE) == datetime(2019, 8, 15, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 15 Aug 2019 10:00:00 +0800", "2019-08-15T02:00:00Z", "99 GMT"])
def test_anything_else_is_no_date(date: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        moment_of(date)
