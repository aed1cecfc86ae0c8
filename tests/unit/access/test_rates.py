"""How often a client may ask."""

import pytest

from hub.access import rates as module
from hub.access.rates import Rates, client_at


class Seconds:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_answered_and_then_as_much_as_flows_in() -> None:
    seconds = Seconds()
    rates = Rates(10, 5, seconds)
    assert [rates.take("a").left for _ in range(5)] == [4, 3, 2, 1, 0]
    refused = rates.take("a")
    assert (refused.allowed, round(refused.wait, 6)) == (False, 0.1)
    assert rates.take("b").allowed
    seconds.now += 0.1
    assert rates.take("a").allowed
    assert not rates.take("a").allowed
    seconds.now += 3_600
    assert [rates.take("a").allowed for _ in range(6)] == [True] * 5 + [False]


def test_over_an_hour_no_more_is_answered_than_flows_in_and_one_burst() -> None:
    seconds = Seconds()
    rates = Rates(2, 10, seconds)
    allowed = 0
    for _ in range(36_000):
        seconds.now += 0.1
        allowed += rates.take("a").allowed
    assert allowed == 2 * 3_600 + 9  # what flowed in at the first step was part of the burst


def test_what_is_refused_costs_nothing() -> None:
    seconds = Seconds()
    rates = Rates(1, 1, seconds)
    rates.take("a")
    for _ in range(100):
        rates.take("a")
    seconds.now += 1
    assert rates.take("a").allowed


def test_clients_are_forgotten_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLIENTS", 3)
    rates = Rates(1, 1, Seconds())
    for at in range(10):
        rates.take(str(at))
    assert len(rates._full_at) == 3
    assert not rates.take("9").allowed


def test_a_client_is_told_what_is_left_and_when_to_come_again() -> None:
    rates = Rates(0.5, 2, Seconds())
    assert rates.headers(rates.take("a")) == {"RateLimit-Policy": '"client";q=2;w=4', "RateLimit": '"client";r=1;t=0'}
    rates.take("a")
    told = rates.headers(rates.take("a"))
    assert (told["RateLimit"], told["Retry-After"]) == ('"client";r=0;t=2', "2")


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "address:192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "address:2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "address:192.0.2.7"),
        (None, "address:unknown"),
        ("no address", "address:unknown"),
    ],
)
def test_addresses_of_one_household_are_one_client(address: str | None, client: str) -> None:
    assert client_at(address) == client
