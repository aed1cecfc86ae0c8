"""Trusted documents: what may be asked by id, what is refused, and manifests that cannot be used."""

import json
from pathlib import Path

import pytest

from hub.graph.trusted import DocumentsUnusable, Trusted, document_id, trusted_documents
from schema.graph_errors import GraphError

ONE, TWO = "{ __typename }", "query Two { approvals { totalCount } }"
KNOWN = {document_id(ONE): ONE}
FREE, STRICT = Trusted(KNOWN), Trusted(KNOWN, only=True)


def refused(trusted: Trusted, query: str | None, named: str | None) -> str:
    with pytest.raises(GraphError) as wrong:
        trusted.text_of(query, named)
    return wrong.value.code


@pytest.mark.parametrize("trusted", [FREE, STRICT])
def test_a_known_document_is_asked_by_its_id_its_text_or_both(trusted: Trusted) -> None:
    key = document_id(ONE)
    for query, named in ((None, key), (None, f"sha256:{key.upper()}"), (ONE, None), (ONE, key)):
        assert trusted.text_of(query, named) == ONE


@pytest.mark.parametrize("trusted", [FREE, STRICT])
def test_an_id_that_is_not_known_or_not_of_the_text_is_refused(trusted: Trusted) -> None:
    for named in (document_id(TWO), "", "../../etc", document_id(ONE)[:-1], "md5:" + document_id(ONE)):
        assert refused(trusted, None, named) == "PERSISTED_QUERY_NOT_FOUND"
    assert refused(trusted, TWO, document_id(ONE)) == "DOCUMENT_ID_MISMATCH"
    assert refused(trusted, None, None) == "PERSISTED_QUERY_NOT_FOUND"


def test_where_they_are_mandatory_nothing_else_is_executed() -> None:
    assert FREE.text_of(TWO, None) == FREE.text_of(TWO, document_id(TWO)) == TWO
    assert refused(STRICT, TWO, None) == "DOCUMENT_NOT_TRUSTED"
    assert refused(STRICT, ONE + " ", None) == "DOCUMENT_NOT_TRUSTED"
    assert refused(STRICT, TWO, document_id(TWO)) == "PERSISTED_QUERY_NOT_FOUND"
    assert refused(STRICT, TWO, document_id(TWO)) == "PERSISTED_QUERY_NOT_FOUND"  # asking does not make it known


def test_a_folder_and_the_manifest_made_of_it_are_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "queries" / "deep"
    folder.mkdir(parents=True)
    (folder / "one.graphql").write_text(ONE)
    (folder.parent / "two.gql").write_text(TWO)
    (folder / "README.md").write_text("none")
    found = trusted_documents(tmp_path / "queries", only=True)
    assert found == Trusted({document_id(ONE): ONE, document_id(TWO): TWO}, only=True)
    (tmp_path / "manifest.json").write_text(json.dumps(found.documents))
    assert trusted_documents(tmp_path / "manifest.json", only=True) == found
    assert trusted_documents(None, only=False) == Trusted()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{}", "holds no document"),
        (b"[]", "is no JSON object of id and document"),
        (b'{"a": 1}', "is no JSON object of id and document"),
        (b"\xff", "is not UTF-8"),
        (json.dumps({document_id(ONE): TWO}).encode(), "is not the SHA-256 of its document"),
        (json.dumps({document_id("{"): "{"}).encode(), "is no GraphQL document: Syntax Error"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_refused_with_the_way_out(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(DocumentsUnusable, match=told):
        trusted_documents(tmp_path / "manifest.json", only=True)


def test_a_place_where_nothing_is_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentsUnusable, match="cannot be read"):
        trusted_documents(tmp_path / "no", only=False)
    with pytest.raises(DocumentsUnusable, match="holds no document"):
        trusted_documents(tmp_path, only=False)
