"""Whose pages may open WebSockets."""

import pytest

from hub.web.origins import is_foreign


@pytest.mark.parametrize(
    ("origin", "foreign"),
    [
        ("", False),
        ("https://hub.city.example", False),
        ("https://front.city.example", False),
        ("https://elsewhere.example", True),
        ("null", True),
        ("http://[", True),
        ("http://[::1", True),
        ("https://[v1.x]]", True),
    ],
)
def test_a_page_of_another_origin_is_foreign_and_so_is_what_is_no_origin(origin: str, foreign: bool) -> None:
    headers = {"host": "hub.city.example"} | ({"origin": origin} if origin else {})
    assert is_foreign(headers, ("https://front.city.example",)) is foreign
