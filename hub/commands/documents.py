"""`bihuan documents`: the manifest of trusted documents, made of the .graphql files of a front end."""

from pathlib import Path
from typing import Annotated

import typer

from hub.commands.base import app, fail, show_json
from hub.graph.trusted import DocumentsUnusable, trusted_documents


@app.command()
def documents(
    folder: Annotated[Path, typer.Argument(help="Folder of .graphql files, or a manifest that is checked again.")],
) -> None:
    """Check each document against the graph, and print the manifest for HUB_GRAPH_DOCUMENTS: a JSON object of id and document."""
    from hub.graph.schema import build_schema, mistakes_in  # noqa: PLC0415  (the schema is built only when it is asked for)

    try:
        found = trusted_documents(folder, only=False).documents
    except DocumentsUnusable as error:
        fail([str(error)])
    schema = build_schema()
    wrong = [f"{key}: {message}" for key, text in found.items() for message in mistakes_in(schema, text)]
    if wrong:
        fail(wrong)
    show_json(dict(sorted(found.items())))
