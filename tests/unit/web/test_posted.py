"""Who posted: by the connection, and by what trusted proxies say."""

import ipaddress

import pytest

from hub.web.posted import is_within, remote_of

PROXIES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8:1::/48"))


@pytest.mark.parametrize(
    ("client", "forwarded", "remote"),
    [
        ("10.0.0.5", "203.0.113.9", "203.0.113.9"),
        ("::ffff:10.0.0.5", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "203.0.113.9:51234", "203.0.113.9"),
        ("10.0.0.5", "198.51.100.1, 203.0.113.9:51234, 10.0.0.6:80", "203.0.113.9"),
        ("10.0.0.5", "[2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.5", "203.0.113.9, [2001:db8:1::1]", "203.0.113.9"),
        ("10.0.0.5", "2001:db8::1", "2001:db8::1"),
        ("203.0.113.1", "198.51.100.1", "203.0.113.1"),
        ("10.0.0.5", "unknown", "unknown"),
    ],
)
def test_the_nearest_address_that_is_no_trusted_proxy_is_who_posted(client: str, forwarded: str, remote: str) -> None:
    assert remote_of({"client": (client, 4711)}, {"x-forwarded-for": forwarded}, PROXIES) == remote


@pytest.mark.parametrize(
    ("host", "within"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("::ffff:11.1.2.3", False), ("2001:db8:1::9", True), ("", False), ("x", False)],
)
def test_an_address_of_ipv4_is_known_in_both_forms(host: str, within: bool) -> None:
    assert is_within(host, PROXIES) is within


def test_a_network_may_be_written_in_the_form_of_ipv6_as_well() -> None:
    assert is_within("::ffff:10.1.2.3", [ipaddress.ip_network("::ffff:10.0.0.0/104")])
