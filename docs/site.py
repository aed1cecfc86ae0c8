"""Hooks of MkDocs (mkdocs.yml): pages that are made from what is there, so that they need no keeping in step.

index.md is the README, decisions/index.md the list of decisions, schema.md the graph's schema. What lies outside of docs/ cannot be
linked on the site, and is named instead.
"""

import re
from pathlib import Path
from typing import Any

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, GraphQLUnionType, build_schema
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
KINDS = {
    GraphQLObjectType: "Type",
    GraphQLInterfaceType: "Interface",
    GraphQLUnionType: "Union",
    GraphQLEnumType: "Enum",
    GraphQLInputObjectType: "Input",
}
ROOTS = ("Query", "Mutation", "Subscription")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made."""
    for path, content in (("index.md", index()), ("decisions/index.md", decisions()), ("schema.md", schema())):
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Take links to files outside of docs/ away; their names stay."""
    return re.sub(r"\[([^\]]+)\]\((?:\.\./)+(?!decisions/|[\w-]+\.md)[^)]*\)", r"\1", markdown)


def index() -> str:
    """Return the README with links as the site has them."""
    text = (ROOT / "README.md").read_text()
    text = re.sub(r"\[([^\]]+)\]\((?!docs/|https?:|#)[^)]*\)", r"\1", text)
    return re.sub(r"\]\(docs/", "](", text)


def decisions() -> str:
    """Return the list of decisions, each by its title."""
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    lines = [f"- [{path.read_text().splitlines()[0].removeprefix('# ')}]({path.name})" for path in pages]
    return "\n".join(
        ["# Decisions", "", "What someone might want to undo one day: why it is so, what was tried, what it costs.", "", *lines]
    )


def schema() -> str:
    """Return the schema reference: every type of schema.graphql with its fields and what they say."""
    built = build_schema((ROOT / "schema" / "schema.graphql").read_text(), assume_valid=True)
    known = {name: each for name, each in built.type_map.items() if type(each) in KINDS and not name.startswith("__")}
    ordered = [*(name for name in ROOTS if name in known), *sorted(set(known) - set(ROOTS))]
    head = "Made from schema/schema.graphql when the site is built. `bihuan schema` prints the schema itself."
    lines = ["# Schema reference", "", head]
    for name in ordered:
        lines += ["", *_type(name, known[name], set(known))]
    return "\n".join(lines) + "\n"


def _type(name: str, it: Any, known: set[str]) -> list[str]:
    lines = [f"## {name} {{ #{name} }}", "", f"{KINDS[type(it)]}. {_says(it.description)}", ""]
    if isinstance(it, GraphQLEnumType):
        return [
            *lines,
            "| value | meaning |",
            "| --- | --- |",
            *(f"| `{key}` | {_says(v.description)} |" for key, v in it.values.items()),
        ]
    if isinstance(it, GraphQLUnionType):
        return [*lines, "One of " + ", ".join(_link(str(each), known) for each in it.types) + "."]
    lines += ["| field | type | meaning |", "| --- | --- | --- |"]
    for key, field in it.fields.items():
        arguments = ", ".join(f"{each}: {argument.type}" for each, argument in getattr(field, "args", {}).items())
        shown = f"`{key}`" + (f" (`{arguments}`)" if arguments else "")
        lines.append(f"| {shown} | {_link(str(field.type), known)} | {_says(field.description)} |")
    return lines


def _link(kind: str, known: set[str]) -> str:
    name = kind.strip("[]!")
    return f"[`{kind}`](#{name})" if name in known else f"`{kind}`"


def _says(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|").replace("<", "&lt;")
