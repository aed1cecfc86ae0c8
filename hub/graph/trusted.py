"""Trusted documents: operations that are known beforehand, named by the SHA-256 of their text. Made by `bihuan documents`.

A client sends the id in place of the document, as `documentId` (GraphQL over HTTP, appendix) or as Apollo's clients do, in
`extensions.persistedQuery.sha256Hash`. Where they are made mandatory nothing else is executed. Nobody can add one by a request.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from graphql import GraphQLError, parse

from schema.graph_errors import GraphError

NOT_FOUND, NOT_TRUSTED, MISMATCH = "PERSISTED_QUERY_NOT_FOUND", "DOCUMENT_NOT_TRUSTED", "DOCUMENT_ID_MISMATCH"
_ID = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})")
SUFFIXES = (".graphql", ".gql")


class DocumentsUnusable(ValueError):
    """The manifest, or a file in the folder, cannot be used; the message names it and the way out."""


def document_id(text: str) -> str:
    """Return the id of a document: the SHA-256 of its text in UTF-8, 64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Trusted:
    """Documents by id. `only` says that no others are executed."""

    documents: Mapping[str, str] = field(default_factory=dict)
    only: bool = False

    def text_of(self, query: str | None, named: str | None) -> str:
        """Return the document that a request means by its text, its id or both; raise GraphError."""
        if named is None:
            if query is None:
                raise GraphError(NOT_FOUND, "the request has neither a query nor the id of a document")
            if self.only and document_id(query) not in self.documents:
                raise GraphError(NOT_TRUSTED, "only documents that are known beforehand are executed here; send one's documentId")
            return query
        match = _ID.fullmatch(named)
        key = match[1].lower() if match else ""
        if query is not None and document_id(query) != key:
            raise GraphError(MISMATCH, "the id is not the SHA-256 of the query beside it; send one of the two")
        if (found := self.documents.get(key)) is not None:
            return found
        if query is not None and not self.only:
            return query
        # Apollo's clients know this text, and send the document itself
        raise GraphError(NOT_FOUND, "PersistedQueryNotFound")


def trusted_documents(place: Path | None, *, only: bool) -> Trusted:
    """Return the documents of a manifest (JSON, text by id) or of a folder of .graphql files; raise DocumentsUnusable."""
    if place is None:
        return Trusted(only=only)
    try:
        found = _of_folder(place) if place.is_dir() else _of_manifest(place)
    except OSError as error:
        raise DocumentsUnusable(
            f"{place} cannot be read ({error.strerror}); name a manifest or a folder of .graphql files"
        ) from None
    if not found:
        raise DocumentsUnusable(f"{place} holds no document; `bihuan documents FOLDER` makes a manifest of .graphql files")
    return Trusted(found, only)


def _of_folder(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(each for each in folder.rglob("*") if each.suffix in SUFFIXES):
        text = _read(path)
        _check(str(path), text)
        found[document_id(text)] = text
    return found


def _of_manifest(path: Path) -> dict[str, str]:
    """Return what a manifest holds; an id that is not of its text is refused, for it would let in what nobody looked at."""
    try:
        told: Any = msgspec.json.decode(_read(path), type=dict[str, str])
    except msgspec.DecodeError as wrong:
        raise DocumentsUnusable(f"{path} is no JSON object of id and document: {wrong}; `bihuan documents` makes one") from None
    found = {}
    for name, text in told.items():
        if (match := _ID.fullmatch(name)) is None or match[1].lower() != document_id(text):
            raise DocumentsUnusable(f"{path}: '{name[:80]}' is not the SHA-256 of its document; make the manifest anew")
        _check(f"{path}, {name[:80]}", text)
        found[document_id(text)] = text
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise DocumentsUnusable(f"{path} is not UTF-8") from None


def _check(where: str, text: str) -> None:
    try:
        parse(text)
    except GraphQLError as wrong:
        raise DocumentsUnusable(f"{where} is no GraphQL document: {wrong.message}") from None
