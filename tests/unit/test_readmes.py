"""README.zh-CN.md says what README.md says: as many headings, the same commands, queries, tables and links."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = (ROOT / "README.md").read_text(), (ROOT / "README.zh-CN.md").read_text()


def test_headings_agree_in_number_and_level() -> None:
    levels = [re.findall(r"^(#+) ", _prose(text), re.MULTILINE) for text in (ENGLISH, CHINESE)]
    assert levels[0] == levels[1]


def test_commands_agree_in_order_whatever_is_said_of_them() -> None:
    commands = [
        [line.partition("#")[0].strip() for line in re.findall(r"^    (\S.+)$", _prose(text), re.MULTILINE)]
        for text in (ENGLISH, CHINESE)
    ]
    assert commands[0] == commands[1] != []


def test_queries_are_the_same() -> None:
    queries = [re.findall(r"```graphql\n(.*?)```", text, re.DOTALL) for text in (ENGLISH, CHINESE)]
    assert queries[0] == queries[1] != []


def test_they_link_the_same_pages_and_name_the_same_things_under_each_heading() -> None:
    english, chinese = (_prose(text).split("\n## ") for text in (ENGLISH, CHINESE))
    for ours, theirs in zip(english[1:], chinese[1:], strict=True):
        assert _links(ours) == _links(theirs), ours.partition("\n")[0]
        assert _code(ours) == _code(theirs), ours.partition("\n")[0]


def test_every_page_that_is_linked_is_there() -> None:
    for text in (ENGLISH, CHINESE):
        assert [link for link in _links(text) if not (ROOT / link).exists()] == []


def _prose(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def _links(text: str) -> set[str]:
    return {link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text)}


def _code(text: str) -> set[str]:
    """Return what stands in code, but where a place in it is named in words."""
    return {code for code in re.findall(r"`([^`\n]+)`", text) if "<" not in code or (code.isascii() and "any record" not in code)}
