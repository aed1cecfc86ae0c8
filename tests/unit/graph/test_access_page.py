"""docs/access.md says of every entity who sees it, and its settings are such as the hub takes."""

import re
from collections.abc import Iterator
from pathlib import Path

from strawberry.utils.str_converters import to_camel_case

from hub.graph.limits import Limits
from hub.settings import load_settings
from schema.declare import ENTITIES, BelongsTo, Declared, SeenWith
from tests.unit.test_settings import complete

PAGE = (Path(__file__).parents[3] / "docs" / "access.md").read_text()


def seen_by(entity: Declared) -> str:
    if isinstance(entity.seen, SeenWith):
        return f"who sees its {entity.seen.entity}"
    if isinstance(entity.seen, BelongsTo):
        named = [f"{what.replace('_', ' ')} `{to_camel_case(column)}`" for what, column in entity.seen._asdict().items() if column]
        return ", ".join(named)
    return "nobody who is limited" if entity.seen is None else "everybody"


def table() -> Iterator[str]:
    for name, entity in sorted(ENTITIES.items()):
        yield f"| {name} | `{entity.scope}` | {seen_by(entity)} |"


def test_the_page_names_every_entity_with_its_scope_and_whose_its_rows_are() -> None:
    written = [line for line in PAGE.splitlines() if re.match(r"\| \w+ \| `(graph|ops):read` \| ", line)]
    assert written == list(table())


def test_the_settings_on_the_page_are_taken() -> None:
    blocks, lines = (re.findall(pattern, PAGE, re.MULTILINE) for pattern in (r"^    (HUB_\w+)=(\S+)$", r"^- `(HUB_\w+)=(\S+)`"))
    given = dict(blocks) | dict(lines)
    assert len(given) >= 9
    own = load_settings(complete(**given)).hub
    assert own.graph_documents_only
    assert len(own.api_keys) == 2


def test_the_limits_on_the_page_are_those_in_force() -> None:
    limits = Limits()
    told = {"tokens of": limits.tokens, "levels": limits.depth, "fields": limits.fields, "values in": limits.values}
    for what, number in (told | {"records to read": limits.cost}).items():
        assert f"{number:,} {what}" in PAGE
    assert f"{limits.aliases} each" in PAGE
    assert f"named {limits.repeats} times" in PAGE
    assert limits.aliases == limits.directives
